"""What each limit would have done to samples that are known to be good or bad."""

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from inspector import lines, mark, whatif
from inspector.cameras.pictures import find_pictures, load_picture
from inspector.config import LineConfig
from inspector.errors import ConfigError, NoInputError
from inspector.intervals import Estimate
from inspector.pipeline import Inspector, View
from inspector.segment import bundle
from inspector.types import Rule, Verdict
from inspector.whatif import Parts, Point


def show(path: Path, folder: Path, wanted_px: float | None) -> None:
    """Judge `folder`/good and `folder`/bad as the line at `path` does, and show over the limit how
    many bad parts would pass and how many good ones would be rejected. Sets nothing.

    Raises:
        ConfigError: the line does not validate, or the picture of the curve cannot be written.
        NoInputError: there are no such folders, or no pictures in one of them.
        BundleError: the model may not run.
    """
    config = lines.read(path).config
    now_px = config.limits.min_scratch_px
    parts = _judge(config, folder)
    best = whatif.recommend(parts)
    best_px = None if best.value is None else float(round(best.value))
    marks = [("in force", now_px), ("asked for", wanted_px), ("recommended", best_px)]
    curve = whatif.curve(parts, *(limit for _, limit in marks if limit is not None))
    console = Console()
    console.print(_table(curve, {limit: name for name, limit in reversed(marks)}))
    if wanted_px is not None and now_px is not None:
        rejected, passed = whatif.flips(parts, now_px, wanted_px)
        console.print(
            f"{now_px:g} → {wanted_px:g} px: {rejected} parts more would be rejected, "
            f"{passed} more would pass"
        )
    console.print(_recommendation(best))
    meant_px = next((limit for limit in (wanted_px, now_px, best_px) if limit is not None), None)
    if meant_px is not None:
        for row in _claims(parts, meant_px):
            console.print(row, soft_wrap=True)
    drawn = whatif.svg(curve, [(name, limit) for name, limit in marks if limit is not None])
    target = config.state_dir / "samples.svg"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{target}: expected to write the curve, found: {error.strerror}"
        ) from None
    console.print(f"curve: {target}", soft_wrap=True)


def _claims(parts: Parts, limit_px: float) -> Iterator[str]:
    """What these samples prove of a limit, and what it would take to prove more."""
    bad = int(parts.bad.sum())
    missed = int(np.count_nonzero(parts.longest_px[parts.bad] < limit_px))
    told = f"{missed} of {bad} bad parts missed" if missed else f"none of {bad} bad parts missed"
    yield f"at {limit_px:g} px, {told}:"
    for claim in whatif.claims(bad, missed):
        lacking = f"{claim.more} more, none of them missed" if claim.more else "enough"
        yield (
            f"  to claim that fewer than {claim.share:.0%} are missed (95 % confidence): {lacking}"
        )


def _judge(config: LineConfig, folder: Path) -> Parts:
    """The longest scratch of each sample; a part that cannot be judged is as bad as can be."""
    cv2.setNumThreads(1)  # the cores belong to the runtime
    named = [(kind, p) for kind in ("good", "bad") for p in find_pictures([folder / kind])]
    for kind in ("good", "bad"):
        if not any(k == kind for k, _ in named):
            raise NoInputError(f"{folder / kind}: expected pictures, found none")
    segmenter, _ = bundle.open_segmenter(config.model)
    inspector = Inspector(
        segmenter, config.limits, View.of(config, mark.load(config.sight.reference))
    )
    console, longest = Console(stderr=True), []
    for _, picture in track(
        named, "Judging samples", console=console, disable=not console.is_terminal, transient=True
    ):
        result = inspector.inspect(load_picture(picture))
        marginal = any(reason.rule is Rule.MARGINAL for reason in result.reasons)
        unseen = result.verdict is Verdict.UNKNOWN and not marginal
        longest.append(
            math.inf if unseen else max((s.length_px for s in result.scratches), default=0.0)
        )
    return Parts(np.array(longest), np.array([kind == "bad" for kind, _ in named]))


def _table(curve: list[Point], names: dict[float | None, str]) -> Table:
    table = Table(title="what each limit would have done (with 95 % intervals)")
    for head in ("limit px", "bad parts that pass", "good parts that are rejected", ""):
        table.add_column(head, justify="right" if head else "left")
    for point in curve:
        mark = names.get(point.limit_px, "")
        table.add_row(f"{point.limit_px:g}", _share(point.missed), _share(point.false_reject), mark)
    return table


def _share(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    return (
        f"{estimate.hits} of {estimate.n} = {estimate.value:.1%} "
        f"({estimate.low:.1%} … {estimate.high:.1%})"
    )


def _recommendation(best: Estimate) -> str:
    if best.value is None:
        return "no limit tells these good and bad parts apart"
    interval = "" if best.low is None else f" (95 %: {best.low:.0f} … {best.high:.0f} px)"
    return f"recommended by these samples: --min-scratch-px {best.value:.0f}{interval}"
