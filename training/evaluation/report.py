"""The figures of an evaluation as a page, as JSON and as a table on the terminal."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from rich import box
from rich.table import Table
from rich.text import Text

from inspector.intervals import Estimate
from training.evaluation import cases, figures
from training.evaluation.summary import (
    CLEAR_CONTRAST,
    CLEAR_LENGTH_PX,
    CONTRASTS,
    SWEEP,
    UNSURE,
)
from training.evaluation.values import Judged, Summary

TEMPLATE = Path(__file__).with_name("report.html.j2")


@dataclass(frozen=True, slots=True)
class About:
    """What was judged, by what, and when."""

    data: str
    data_sha256: str | None
    time: str
    model: str
    model_version: str
    model_sha256: str
    runtime: str
    confidence: float
    min_scratch_px: float
    seed: int
    command: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the tables: how it is called, shown, and taken from a summary."""

    section: str
    name: str
    of: Callable[[Summary], Estimate]
    unit: str = "%"


def metrics(limit_px: float) -> list[Metric]:
    """The rows of the tables, in their order."""
    parts, label = f"Parts, at {limit_px:g} px", "Parts, any scratch"
    lines, areas, length = "Scratches", "Masks", "Length"
    clear = f"≥ {CLEAR_LENGTH_PX:g} px, contrast ≥ {CLEAR_CONTRAST:g}"
    return [
        Metric(parts, "recall", lambda s: s.by_limit.recall),
        Metric(parts, "precision", lambda s: s.by_limit.precision),
        Metric(parts, "F1", lambda s: s.by_limit.f1),
        Metric(parts, "AUC, longest scratch", lambda s: s.by_limit.auc),
        *(
            Metric(parts, f"F1, at {multiple * limit_px:g} px", _sweep(k))
            for k, multiple in enumerate(SWEEP)
            if multiple != 1
        ),
        Metric(parts, "false rejects, good", lambda s: s.false_reject_good),
        Metric(parts, "false rejects, hard good", lambda s: s.false_reject_hard),
        Metric(parts, "unknown", lambda s: s.unknown),
        Metric(label, "recall", lambda s: s.by_label.recall),
        Metric(label, "precision", lambda s: s.by_label.precision),
        Metric(label, "F1", lambda s: s.by_label.f1),
        Metric(label, "AUC, longest scratch", lambda s: s.by_label.auc),
        Metric(lines, f"recall, {clear}", lambda s: s.scratches.clear_recall),
        Metric(
            lines,
            f"precision, measured ≥ {CLEAR_LENGTH_PX:g} px",
            lambda s: s.scratches.clear_precision,
        ),
        Metric(lines, "recall, all", lambda s: s.scratches.recall),
        Metric(lines, "precision, all", lambda s: s.scratches.precision),
        Metric(lines, "found in several pieces", lambda s: s.scratches.in_pieces),
        Metric(areas, "Dice", lambda s: s.dice, ""),
        Metric(areas, "IoU", lambda s: s.iou, ""),
        Metric(areas, "IoU, mean of pictures", lambda s: s.iou_per_picture, ""),
        Metric(length, "median error", lambda s: s.length.median_abs_px, "px"),
        Metric(length, "median error, relative", lambda s: s.length.median_relative),
        Metric(length, "bias", lambda s: s.length.bias_px, "±px"),
        Metric(length, "95 % of errors, from", lambda s: s.length.low_limit_px, "±px"),
        Metric(length, "95 % of errors, to", lambda s: s.length.high_limit_px, "±px"),
        Metric(length, "median width within 1 px", lambda s: s.length.width_within_1px),
    ]


def _sweep(k: int) -> Callable[[Summary], Estimate]:
    return lambda s: s.sweep[k].f1


def number(value: float | None, unit: str) -> str:
    """A figure as people read it; an en dash where there is none."""
    if value is None:
        return "–"
    match unit:
        case "%":
            return f"{100 * value:.1f} %"
        case "px":
            return f"{value:.1f} px"
        case "±px":
            return f"{value:+.1f} px"
    return f"{value:.3f}"


def interval(estimate: Estimate, unit: str) -> str:
    """`93.1 to 97.2`, without the unit; empty where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = (number(end, unit).split(" ")[0] for end in (estimate.low, estimate.high))
    return f"{low} to {high}"


def counted(estimate: Estimate) -> str:
    """`181/188` for a share, else how many were counted."""
    return f"{estimate.n}" if estimate.hits is None else f"{estimate.hits}/{estimate.n}"


def shown(groups: Sequence[Summary]) -> Sequence[Summary]:
    """Of one surface only, `all` says it already."""
    return groups[:1] if len(groups) == 2 else groups


def results(about: About, groups: Sequence[Summary], judged: Sequence[Judged]) -> dict[str, Any]:
    """All that the page shows, as JSON without NaN; shares from 0 to 1, lengths in px."""
    return {
        "schema": "inspector.evaluation/1",
        **dataclasses.asdict(about),
        "all": dataclasses.asdict(groups[0]),
        "surfaces": {s.name: dataclasses.asdict(s) for s in groups[1:]},
        "pictures": [
            {
                "image": j.row.name,
                "surface": j.row.surface,
                "label": "bad" if j.row.bad else "good",
                "hard": j.row.hard,
                "verdict": j.verdict.value,
                "reasons": list(j.reasons),
                "longest_true_px": j.longest_true_px,
                "longest_px": j.longest_px,
                "scratches": [_without_polygon(t) for t in j.truths],
                "predictions": [_without_polygon(p) for p in j.predictions],
            }
            for j in judged
        ],
    }


def _without_polygon(item: Any) -> dict[str, Any]:
    return {k: v for k, v in dataclasses.asdict(item).items() if k != "polygon"}


def table(about: About, groups: Sequence[Summary]) -> Table:
    """The figures for a terminal, a column for each surface."""
    title = Text(f"{about.model} {about.model_version} on {about.data}")
    made = Table(title=title, title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    made.add_column("", overflow="fold")
    columns = shown(groups)
    for group in columns:
        head = Text(f"{group.name}\n{group.pictures}\n{group.bad} bad")
        made.add_column(head, justify="right", overflow="fold")
    section = None
    for metric in metrics(about.min_scratch_px):
        if metric.section != section:
            if section is not None:
                made.add_section()
            section = metric.section
            made.add_row(Text(section, style="bold"))
        cells = [metric.of(group) for group in columns]
        made.add_row(
            Text(f"  {metric.name}"),
            *(
                Text.assemble(number(e.value, metric.unit), "\n", (interval(e, metric.unit), "dim"))
                if len(columns) <= 3
                else Text(number(e.value, metric.unit))
                for e in cells
            ),
        )
    return made


def page(about: About, groups: Sequence[Summary], judged: Sequence[Judged], worst: int) -> str:
    """The report as one HTML file that needs nothing else; up to `worst` pictures of each kind."""
    limit = about.min_scratch_px
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.globals.update(number=number, interval=interval, counted=counted, span=figures.span)
    columns = shown(groups)
    drawn = figures.figures(columns, judged, limit)
    sheets = (
        (
            "Missed scratches",
            "True scratches that were not found, one per part; first those whose part passed.",
            cases.misses(judged, limit, worst),
        ),
        (
            "False alarms",
            "Where something was called a scratch and none is; first those that rejected a part.",
            cases.false_alarms(judged, limit, worst),
        ),
        (
            "Largest errors of length",
            "Found, but measured worst.",
            cases.length_errors(judged, worst // 2),
        ),
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        about=about,
        groups=columns,
        first=groups[0],
        metrics=metrics(limit),
        unsure=UNSURE,
        clear=(CLEAR_LENGTH_PX, CLEAR_CONTRAST),
        contrasts=len(CONTRASTS) - 1,
        svg={name: figures.svg(name, figure) for name, figure in drawn.items()},
        unknowns=list(cases.unknowns(judged)),
        sheets=[
            (title, text, [(case, _data_uri(cases.picture_of(case))) for case in chosen])
            for title, text, chosen in sheets
        ],
    )


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
