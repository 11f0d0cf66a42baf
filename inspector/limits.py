"""What scratches may not reach: the limits of a line, of its zones and of classes; guard band and
scale. Pure.

A limit is named after its measure and its unit: `min_scratch_width_mm`. In a zone it stands in
place of the line's limit on the same measure, in whichever unit; of a class, in place of both.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_serializer, model_validator

from inspector import polygon
from inspector.errors import ConfigError
from inspector.strictyaml import Section, list_to_tuple

Positive = Annotated[float, Field(gt=0)]
Extent = Annotated[int, Field(gt=0, le=65_535)]
Size = Annotated[tuple[Extent, Extent], BeforeValidator(list_to_tuple)]
"""Width and height of a frame in px."""
Coordinate = Annotated[int, Field(ge=0, le=65_535)]
Corner = Annotated[tuple[Coordinate, Coordinate], BeforeValidator(list_to_tuple)]

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""Of sites, lines and zones: it becomes a part of topics and of file names."""
GUARDED = frozenset({"min_scratch", "min_scratch_width", "min_scratch_distance"})
"""Measures that are lengths. Areas, numbers and sums are held exactly: a px of uncertainty of a
length says nothing of theirs that would not let a part with more on it pass where less fails.
"""


def measure_of(rule: str) -> str:
    """The measure that a rule limits: its name without the unit."""
    return rule.removesuffix("_px").removesuffix("_mm")


def over(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` in place of what `base` says on the same measures, and the rest of `base`."""
    measures = set(map(measure_of, given))
    return {key: value for key, value in base.items() if measure_of(key) not in measures} | dict(
        given
    )


class Scale(Section):
    """How large a pixel of the frame is on the part, mm, and how far that may be off, mm.

    `size`: width and height in px of the frames that it is true of; others are not judged by it.
    """

    mm_per_px: Annotated[float, Field(gt=0, le=1000)]
    uncertainty: Annotated[float, Field(ge=0)] = 0.0
    size: Size | None = None

    @model_validator(mode="after")
    def _is_a_scale(self) -> Self:
        if not self.uncertainty < self.mm_per_px:
            raise ValueError("expected an uncertainty below mm_per_px")
        return self


class Guard(Section):
    """The uncertainty of a length, and what becomes of a part on which one is that near a limit."""

    px: Positive
    policy: Literal["fail", "pass", "recheck"] = "fail"

    def band(self, rule: str, limit: float, scale: Scale | None) -> float | None:
        """How near to its limit a value is marginal, in the limit's unit; None: it never is.

        It does not depend on the value, so that more of a scratch is never judged more mildly.
        """
        if measure_of(rule) not in GUARDED:
            return None
        if rule.endswith("_px"):
            return self.px
        if scale is None:
            return None
        return self.px * scale.mm_per_px + limit * scale.uncertainty / scale.mm_per_px


class Rules(Section):
    """Each is the smallest value that fails, of a distance the largest; None: no such limit.

    A density is the total length, branches included, per area: px per 1000 × 1000 px, or mm per
    cm².
    """

    min_scratch_px: Positive | None = None
    min_scratch_mm: Positive | None = None
    min_scratch_width_px: Positive | None = None
    min_scratch_width_mm: Positive | None = None
    min_scratch_area_px: Positive | None = None
    min_scratch_area_mm: Positive | None = None
    min_scratch_count: Annotated[int, Field(ge=1)] | None = None
    min_scratch_density_px: Positive | None = None
    min_scratch_density_mm: Positive | None = None
    min_scratch_distance_px: Positive | None = None
    min_scratch_distance_mm: Positive | None = None

    def given(self) -> Iterator[tuple[str, float]]:
        """Name and value of each limit that is set."""
        for rule in Rules.model_fields:
            limit = getattr(self, rule)
            if limit is not None:
                yield rule, limit

    def limits_measure(self, measure: str) -> bool:
        """One of its limits is on this measure."""
        return any(measure_of(rule) == measure for rule, _ in self.given())

    @model_validator(mode="after")
    def _limits_each_measure_once(self) -> Self:
        rules = [rule for rule, _ in self.given()]
        for rule in rules:
            twin = f"{measure_of(rule)}_mm"
            if rule != twin and twin in rules:
                raise ValueError(f"expected one of {rule} and {twin}, because both limit the same")
        return self


def _simple(corners: tuple[Corner, ...]) -> tuple[Corner, ...]:
    if not polygon.area(corners) > 0:
        raise ValueError("expected a polygon that encloses an area")
    if polygon.crosses_itself(corners):
        raise ValueError("expected a polygon whose edges meet only at its corners")
    return corners


def _none_is_a_word(limits: Any) -> Any:
    if limits is None:  # an empty key must not switch anything off
        raise ValueError("expected limits, or the word none where nothing is judged")
    return None if limits == "none" else limits


class Apart(Section):
    """Something with limits of its own; without any (`none`) nothing of it is judged."""

    limits: Annotated[Rules | None, BeforeValidator(_none_is_a_word)]

    @field_serializer("limits")
    def _as_it_is_read(self, limits: Rules | None) -> Any:
        return "none" if limits is None else limits.model_dump()

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.limits is not None and not any(self.limits.given()):
            raise ValueError("expected at least one limit, because else it is as the rest")
        return self

    def limits_measure(self, measure: str) -> bool:
        """No other limit on this measure holds there."""
        return self.limits is None or self.limits.limits_measure(measure)


class Zone(Apart):
    """A part of the frame with limits of its own, in place of the line's on the same measures.

    `polygon` has its corners in px of the frame.
    """

    name: Annotated[str, Field(pattern=NAME)]
    polygon: Annotated[
        tuple[Corner, ...],
        BeforeValidator(list_to_tuple),
        Field(min_length=3, max_length=200),
        AfterValidator(_simple),
    ]

    @property
    def told(self) -> str:
        """To say whose limit it is."""
        return f"in the zone {self.name}"


class ClassLimits(Apart):
    """What holds for one class of the model, in every zone that is judged, in place of others on
    the same measures.
    """

    name: Annotated[str, Field(min_length=1)]

    @property
    def told(self) -> str:
        """To say whose limit it is."""
        return f"of the class {self.name}"


class Limits(Rules):
    """The limits of a line, of its zones and classes, and how near to them a result is marginal."""

    min_scratch_px: Positive | None = 40.0
    zones: Annotated[tuple[Zone, ...], BeforeValidator(list_to_tuple)] = ()
    classes: Annotated[tuple[ClassLimits, ...], BeforeValidator(list_to_tuple)] = ()
    guard: Guard | None = None

    def everywhere(self) -> Iterator[tuple[Zone | ClassLimits | None, str, float]]:
        """Each limit that is set: of which zone or class (None: the line's own), name and value."""
        yield from ((None, rule, limit) for rule, limit in self.given())
        others: tuple[Zone | ClassLimits, ...] = (*self.zones, *self.classes)
        for one in others:
            for rule, limit in one.limits.given() if one.limits else ():
                yield one, rule, limit

    def contradiction(
        self, scale: Scale | None, roi: tuple[int, int, int, int] | None
    ) -> str | None:
        """What they cannot mean with this scale on this part (x, y, width, height) of the frame."""
        for one, rule, limit in self.everywhere():
            name = rule if one is None else f"{rule} {one.told}"
            if rule.endswith("_mm") and scale is None:
                return f"expected scale.mm_per_px, because {name} is in mm"
            band = self.guard.band(rule, limit, scale) if self.guard else None
            if band is not None and not band < limit:
                return f"expected a guard band below {name}, which is {limit:g}, found {band:g}"
        for zone in self.zones:
            if roi is not None and not _within(zone, *roi):
                return f"expected the zone {zone.name} within what is judged of the frame, {roi}"
        return None

    def refuse_others_than(self, classes: Sequence[str]) -> None:
        """Limits have to hold for something, and each class of the model has to have some.

        Raises:
            ConfigError: limits of a class that the model does not have, or a class without any.
        """
        for number, one in enumerate(self.classes):
            if one.name not in classes:
                raise ConfigError(
                    f"limits.classes.{number}.name: expected a class of the model "
                    f"({', '.join(classes)}), found {one.name}"
                )
        if {one.name for one in self.classes if one.limits is None}.issuperset(classes):
            raise ConfigError("limits.classes: expected a class that is judged, found none")
        others = set(classes) - {one.name for one in self.classes}
        if others and not any(self.given()) and not any(zone.limits for zone in self.zones):
            raise ConfigError(
                f"limits.classes: expected limits, or the word none, of every class, found neither "
                f"of {', '.join(sorted(others))}"
            )

    @model_validator(mode="before")
    @classmethod
    def _a_length_in_mm_replaces_the_default(cls, tree: Any) -> Any:
        if isinstance(tree, dict) and tree.get("min_scratch_mm") is not None:
            return {"min_scratch_px": None} | tree
        return tree

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if not any(self.everywhere()):
            raise ValueError("expected at least one limit, because without any every part passes")
        if self.guard and not any(measure_of(rule) in GUARDED for _, rule, _ in self.everywhere()):
            raise ValueError("expected a limit of length, width or distance for the guard")
        return self

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        for what, ones in (("zone", self.zones), ("class", self.classes)):
            names = [one.name for one in ones]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"expected each {what}'s name once, found {name} again")
        return self


def _within(zone: Zone, x: int, y: int, width: int, height: int) -> bool:
    return all(x <= u <= x + width and y <= v <= y + height for u, v in zone.polygon)
