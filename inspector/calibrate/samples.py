"""What each limit would have done to samples that are known to be good or bad."""

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from inspector import lines, mark, whatif
from inspector.calibrate import known
from inspector.calibrate.known import KINDS, Known
from inspector.calibrate.trial import Trial, unjudged
from inspector.calibration import Calibrated, overrule
from inspector.cameras.pictures import load_picture
from inspector.errors import ConfigError, NoInputError
from inspector.intervals import Estimate
from inspector.pipeline import Inspector, View
from inspector.progress import tracked
from inspector.segment import bundle
from inspector.types import Rule
from inspector.whatif import Parts, Point, rounded

CHOSEN = (
    "the verdicts of the line chose these parts, so what share of all bad ones passes is not known"
)


def show(path: Path, folder: Path, wish: Calibrated) -> None:
    """Judge the known parts in `folder` (`known.find`) as the line at `path` does, and show over
    its limit of length how many bad ones would pass and how many good ones would be rejected. Its
    zones, other limits and policies hold. Nothing is set, what is in the `wish` neither.

    Limits are in the unit of the wish; without one in the line's, of a line without one in px.

    Raises:
        ConfigError: the line does not validate, with or without what is wished, or the picture of
            the curve cannot be written.
        NoInputError: there are no such folders, no pictures in one of them, or none that could be
            judged.
        BundleError: the model may not run.
        EvidenceError: what a line has kept cannot be read.
    """
    config = lines.read(path).config
    wished = overrule(config, wish).limits
    trial = Trial(config, "px" if wished.min_scratch_mm is None else "mm")
    samples = known.find(folder)
    parts, refused = _judge(trial, samples)
    if parts.bad.all() or not parts.bad.any():
        found = _refused(refused, len(samples.pictures))
        raise NoInputError(
            f"{folder}: expected good and bad parts that can be judged, found that {found}"
        )
    answer = _Answer(trial, parts, whatif.recommend(parts), getattr(wish, trial.rule))
    console = Console(markup=False, emoji=False)  # a path may hold anything
    for row in _left_out(samples, refused):
        console.print(row, soft_wrap=True)
    if answer.curve:
        console.print(_table(answer, chosen=samples.chosen))
    for row in _sentences(answer, chosen=samples.chosen):
        console.print(row, soft_wrap=True)
    if answer.curve:
        console.print(f"curve: {_draw(answer)}", soft_wrap=True)
    console.print(_nothing_was_set(answer, path), soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found: the parts that could be judged, and the limits that have a name."""

    trial: Trial
    parts: Parts
    best: Estimate
    wanted: float | None

    @property
    def marks(self) -> list[tuple[str, float]]:
        named = [
            ("in force", self.trial.in_force()),
            ("asked for", self.wanted),
            ("recommended", self.best.value),
        ]
        return [(name, limit) for name, limit in named if limit is not None]

    @property
    def curve(self) -> list[Point]:
        """At limits that the line may have; none where each of them does the same."""
        floor = self.trial.floor()
        points = whatif.curve(self.parts, *(limit for _, limit in self.marks))
        return [point for point in points if point.limit > floor]


def _judge(trial: Trial, samples: Known) -> tuple[Parts, Counter[tuple[Rule, bool]]]:
    """The parts that could be judged, and how many could not, by the reason and whether bad."""
    cv2.setNumThreads(1)  # the cores belong to the runtime
    config = trial.config
    segmenter, _ = bundle.open_segmenter(config.model)
    view = View.of(config, mark.load(config.sight.reference))
    inspector = Inspector(segmenter, config.limits, view)
    floor = trial.floor()
    judged: list[tuple[float, bool]] = []
    refused = Counter[tuple[Rule, bool]]()
    for picture, bad in tracked(samples.pictures, "Judging samples"):
        result = inspector.inspect(load_picture(picture))
        why = unjudged(result)
        if why is None:
            judged.append((max(floor, trial.reach(result)), bad))
        else:
            refused[why, bad] += 1
    reach, bads = [one for one, _ in judged], [bad for _, bad in judged]
    return Parts(np.array(reach, np.float64), np.array(bads, np.bool_)), refused


def _left_out(samples: Known, refused: Counter[tuple[Rule, bool]]) -> Iterator[str]:
    if samples.left_out:
        yield "left out: " + ", ".join(f"{n} × {why}" for why, n in samples.left_out.items())
    if refused:
        yield f"left out: {_refused(refused, len(samples.pictures))}"


def _refused(refused: Counter[tuple[Rule, bool]], of: int) -> str:
    rules = dict.fromkeys(rule for rule, _ in refused)
    kinds = {
        rule: ", ".join(f"{n} {KINDS[bad]}" for (r, bad), n in refused.items() if r is rule)
        for rule in rules
    }
    told = ", ".join(f"{rule} ({kinds[rule]})" for rule in rules)
    return f"{refused.total()} of {of} could not be judged: {told}"


def _table(answer: _Answer, *, chosen: bool) -> Table:
    """Without intervals for parts that were chosen."""
    told = "" if chosen else " (with 95 % intervals)"
    table = Table(title=f"what each limit would have done{told}")
    heads = (f"limit {answer.trial.unit}", "bad parts that pass", "good parts that are rejected")
    for head in (*heads, ""):
        table.add_column(head, justify="right" if head else "left")
    for point in answer.curve:
        names = ", ".join(name for name, limit in answer.marks if limit == point.limit)
        shares = [_share(one, chosen=chosen) for one in (point.missed, point.false_reject)]
        table.add_row(f"{point.limit:.9g}", *shares, names)
    return table


def _share(estimate: Estimate, *, chosen: bool) -> str:
    told = f"{estimate.hits} of {estimate.n}"
    if chosen or estimate.value is None:
        return told
    return f"{told} = {estimate.value:.1%} ({estimate.low:.1%} … {estimate.high:.1%})"


def _sentences(answer: _Answer, *, chosen: bool) -> Iterator[str]:
    unit, now, wanted = answer.trial.unit, answer.trial.in_force(), answer.wanted
    if not answer.curve:
        any_limit = whatif.point(answer.parts, whatif.MOST)
        yield (
            f"whatever the limit of length, {any_limit.missed.hits} of {any_limit.missed.n} bad "
            f"parts pass, and {any_limit.false_reject.hits} of {any_limit.false_reject.n} good "
            "ones are rejected"
        )
    if wanted is not None and now is not None:
        rejected, passed = whatif.flips(answer.parts, now, wanted)
        yield (
            f"{now:.9g} → {wanted:.9g} {unit}: {rejected} parts more would be rejected, "
            f"{passed} more would pass"
        )
    yield _recommendation(answer, chosen=chosen)
    meant = next((one for one in (wanted, now, answer.best.value) if one is not None), None)
    if chosen:
        yield CHOSEN
    elif meant is not None:
        yield from _claims(answer.parts, meant, unit)


def _recommendation(answer: _Answer, *, chosen: bool) -> str:
    best = answer.best
    if best.value is None:
        return "no limit of length does better with these parts than to have none"
    interval = ""
    if not chosen and best.low is not None and best.high is not None:
        ends = f"{rounded(best.low):g} … {rounded(best.high):g}"
        interval = f" (95 %: {ends} {answer.trial.unit})"
    return f"recommended by these samples: {answer.trial.option(best.value)}{interval}"


def _claims(parts: Parts, limit: float, unit: str) -> Iterator[str]:
    """What these samples prove of a limit, and what it would take to prove more."""
    bad = int(parts.bad.sum())
    missed = int(np.count_nonzero(parts.reach[parts.bad] < limit))
    told = f"{missed} of {bad} bad parts missed" if missed else f"none of {bad} bad parts missed"
    yield f"at {limit:.9g} {unit}, {told}:"
    for claim in whatif.claims(bad, missed):
        lacking = f"{claim.more} more, none of them missed" if claim.more else "enough"
        yield (
            f"  to claim that fewer than {claim.share:.0%} are missed (95 % confidence): {lacking}"
        )


def _draw(answer: _Answer) -> Path:
    target = answer.trial.config.state_dir / "samples.svg"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        drawn = whatif.svg(answer.curve, answer.marks, answer.trial.unit)
        target.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{target}: expected to write the curve, found: {error.strerror}"
        ) from None
    return target


def _nothing_was_set(answer: _Answer, path: Path) -> str:
    limit = answer.best.value if answer.wanted is None else answer.wanted
    if limit is None:
        return "nothing was set"
    command = f"inspector calibrate --config {shlex.quote(str(path))} {answer.trial.option(limit)}"
    return f"nothing was set; this would set it: {command}"
