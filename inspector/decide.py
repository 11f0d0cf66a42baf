"""Scratches + limits → verdict. Pass is written as «every condition was proved».

A NaN compares false with everything, so a condition that cannot be evaluated is never proved. A
scratch is held, with all of it, against the limits of every zone that it touches: none escapes by
lying mostly elsewhere. What its class has limits on, it is held against those in their place.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from inspector.limits import ClassLimits, Limits, Scale, Zone, measure_of
from inspector.place import Box, judged_px, nearest_px, place, tidy
from inspector.polygon import area
from inspector.types import Decision, Reason, Rule, Scratch, Verdict

COUNT, DENSITY, DISTANCE = "min_scratch_count", "min_scratch_density", "min_scratch_distance"
OF_EACH = {
    "min_scratch": "length_px",
    "min_scratch_width": "max_width_px",
    "min_scratch_area": "area_px",
}
UNITS = {  # of a rule in px and in mm; (second) = (first) · factor · mm_per_px ** power
    "min_scratch": ("px", "mm", 1.0, 1),
    "min_scratch_width": ("px", "mm", 1.0, 1),
    "min_scratch_area": ("px2", "mm2", 1.0, 2),
    DENSITY: ("px/Mpx", "mm/cm2", 1e-4, -1),
    DISTANCE: ("px", "mm", 1.0, 1),
}


def decide(
    scratches: Sequence[Scratch], limits: Limits, roi: Box, scale: Scale | None = None
) -> Decision:
    """The verdict on a part that was seen, and every limit that its scratches reached.

    A limit is reached at equality: a scratch of 40 px fails `min_scratch_px: 40`. What is within
    the guard band of a limit, on either side, is marginal, and the guard's policy decides.
    Elsewhere fail outranks unknown, because one reached limit is proof enough. `roi` is the judged
    part of the frame, to which densities refer.
    """
    reasons = tuple(_reasons(scratches, limits, roi, scale))
    if not reasons:
        return Decision(Verdict.PASS)
    certain = [reason for reason in reasons if not reason.marginal]
    if any(reason.rule is not Rule.NOT_FINITE for reason in certain):
        return Decision(Verdict.FAIL, reasons)
    policy = limits.guard.policy if limits.guard and len(certain) < len(reasons) else None
    if policy == "fail":
        return Decision(Verdict.FAIL, reasons, marginal=True)
    if policy == "pass" and not certain:
        return Decision(Verdict.PASS, marginal=True)
    if policy == "recheck":
        return Decision(Verdict.UNKNOWN, (Reason(Rule.MARGINAL), *reasons), marginal=True)
    return Decision(Verdict.UNKNOWN, reasons)


def is_measured(scratch: Scratch) -> bool:
    """Every measure that a limit can ask for is a number."""
    measures = scratch.length_px, scratch.branches_px, scratch.max_width_px, scratch.area_px
    return all(map(math.isfinite, measures))


@dataclass(frozen=True, slots=True)
class _Part:
    """What was found where limits hold: scratches, the zones that each touches, and the classes of
    those that could not be measured.
    """

    scratches: list[Scratch]
    touched: list[frozenset[str | None]]
    unmeasured: tuple[str, ...]
    zones: tuple[Zone, ...]
    classes: tuple[ClassLimits, ...]
    roi: Box

    def values(self, of: Zone | ClassLimits | None, measure: str, reach: float) -> list[float]:
        """What there is of a measure under the limit of a zone or class, None: of the line, in px.

        The line's limit holds wherever no zone has one of its own on the measure, and neither does
        for a class that has. A distance beyond `reach` px is none.
        """
        own = frozenset(z.name for z in self.zones if z.limits and z.limits_measure(measure))
        held = self._held(of, measure, own)
        if measure == COUNT:
            return [len(held) + self._unmeasured(of, measure)]
        if measure == DISTANCE:
            nearest = nearest_px(self.scratches, held, reach)
            return [] if nearest is None else [nearest]
        if measure == DENSITY:
            over = (
                area(of.polygon)
                if isinstance(of, Zone)
                else judged_px(self.roi, self.zones, frozenset() if of else own)
            )
            lengths = ((s.length_px, s.branches_px) for s in map(self.scratches.__getitem__, held))
            total = math.fsum(chain.from_iterable(lengths))
            return [total / max(1, over) * 1e6]
        return [float(getattr(self.scratches[i], OF_EACH[measure])) for i in held]

    def _unmeasured(self, of: Zone | ClassLimits | None, measure: str) -> int:
        """How many of its class could not be measured: they may lie in any zone."""
        if isinstance(of, ClassLimits):
            return self.unmeasured.count(of.name)
        apart = self._apart(measure)
        return sum(kind not in apart for kind in self.unmeasured)

    def _apart(self, measure: str) -> set[str]:
        """The classes that have limits of their own on this measure."""
        return {c.name for c in self.classes if c.limits_measure(measure)}

    def _held(self, of: Zone | ClassLimits | None, measure: str, own: Collection[str]) -> list[int]:
        """Which scratches these limits on a measure are for; zones by the names in `own` have some
        themselves.
        """
        if isinstance(of, ClassLimits):
            return [i for i, scratch in enumerate(self.scratches) if scratch.kind == of.name]
        apart = self._apart(measure)
        return [
            i
            for i, (scratch, names) in enumerate(zip(self.scratches, self.touched, strict=True))
            if scratch.kind not in apart
            and (names.difference(own) if of is None else of.name in names)
        ]


def _reasons(
    scratches: Sequence[Scratch], limits: Limits, roi: Box, scale: Scale | None
) -> Iterator[Reason]:
    idle = {c.name for c in limits.classes if c.limits is None}
    of_interest = [scratch for scratch in scratches if scratch.kind not in idle]
    measured = list(filter(is_measured, of_interest))
    unmeasured = tuple(s.kind for s in of_interest if not is_measured(s))
    yield from [Reason(Rule.NOT_FINITE)] * len(unmeasured)
    places = [(scratch, place(scratch, limits.zones).touched) for scratch in measured]
    judged = [scratch for scratch, names in places if names]
    touched = [names for _, names in places if names]
    part = _Part(judged, touched, unmeasured, limits.zones, limits.classes, roi)
    for of, name, limit in limits.everywhere():
        if name.endswith("_mm") and scale is None:
            yield Reason(Rule.NOT_FINITE)  # no measure in mm can be proved
            continue
        unit, factor = _unit(name, scale)
        band = limits.guard.band(name, limit, scale) if limits.guard else None
        reach = (limit + (band or 0)) / factor + 0.01
        for value in part.values(of, measure_of(name), reach):
            found = tidy(value * factor)
            if not math.isfinite(found):
                yield Reason(Rule.NOT_FINITE)
                continue
            yield from _reached(Rule(name), found, limit, unit, band, of)


def _unit(name: str, scale: Scale | None) -> tuple[str | None, float]:
    """The unit of a rule, and what a value in px is multiplied with to have it."""
    if name == COUNT:
        return None, 1.0
    px, mm, factor, power = UNITS[measure_of(name)]
    if name.endswith("_px") or scale is None:
        return px, 1.0
    return mm, factor * scale.mm_per_px**power


def _reached(
    rule: Rule, value: float, limit: float, unit: str | None, band: float | None,
    of: Zone | ClassLimits | None,
) -> Iterator[Reason]:  # fmt: skip
    """The reason that a value which is not clear of its limit is, none for one that is."""
    room = value - limit if measure_of(rule) == DISTANCE else limit - value
    marginal = band is not None and tidy(abs(room)) <= tidy(band)
    if not room > 0 or marginal:
        zone = of.name if isinstance(of, Zone) else None
        kind = of.name if isinstance(of, ClassLimits) else None
        yield Reason(rule, value, limit, unit, zone, tidy(room), marginal, kind)
