"""A line with another limit of length in place of its own, and all else as it is."""

from dataclasses import dataclass
from typing import Literal

from inspector import whatif
from inspector.config import LineConfig
from inspector.decide import decide
from inspector.limits import Limits
from inspector.place import tidy
from inspector.types import Result, Rule, Verdict

Unit = Literal["px", "mm"]


@dataclass(frozen=True, slots=True)
class Trial:
    """Zones with a limit of length of their own keep it. Limits that are tried are in `unit`."""

    config: LineConfig
    unit: Unit

    def limits(self, limit: float) -> Limits:
        """The line's limits with this one on the length, whether or not it may have it."""
        lengths = {"min_scratch_px": None, "min_scratch_mm": None, self.rule: limit}
        return self.config.limits.model_copy(update=lengths)

    @property
    def rule(self) -> str:
        """The name of the limit that is tried."""
        return f"min_scratch_{self.unit}"

    def option(self, limit: float) -> str:
        """What sets it on the command line."""
        return f"--{self.rule.replace('_', '-')} {limit:.9g}"

    def floor(self) -> float:
        """The largest limit that the line may not have, because its guard band is as wide."""
        config = self.config
        return whatif.reach(
            lambda limit: (
                self.limits(limit).contradiction(config.scale, config.camera.roi) is not None
            )
        )

    def in_force(self) -> float | None:
        """The line's own limit; one in the other unit as the scale has it, None: there is none."""
        limits, scale = self.config.limits, self.config.scale
        own: float | None = getattr(limits, self.rule)
        if own is not None or scale is None:
            return own
        if limits.min_scratch_px is not None:
            return tidy(limits.min_scratch_px * scale.mm_per_px)
        return limits.min_scratch_mm and tidy(limits.min_scratch_mm / scale.mm_per_px)

    def reach(self, result: Result) -> float:
        """The largest limit under which the line does not pass a part that it could judge; 0: it
        passes under all, infinite: under none.
        """
        roi = self.config.camera.roi or (0, 0, *(result.size or (0, 0)))

        def rejects(limit: float) -> bool:
            decision = decide(result.scratches, self.limits(limit), roi, self.config.scale)
            return decision.verdict is not Verdict.PASS

        return whatif.reach(rejects)


def unjudged(result: Result) -> Rule | None:
    """Why nothing can be said of a part, whatever the limit; None: it was seen and measured."""
    rules = [reason.rule for reason in result.reasons]
    if Rule.NOT_FINITE in rules:
        return Rule.NOT_FINITE
    unknown = result.verdict is Verdict.UNKNOWN and Rule.MARGINAL not in rules
    return rules[0] if unknown else None
