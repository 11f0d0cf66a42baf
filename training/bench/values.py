"""What the benchmarks say: medians with their spread, as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

import numpy as np

WARM_UP = 3
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and the middle 80 % of what was measured."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(*(float(v) for v in np.percentile(values, [50, 10, 90])))

    def told(self, digits: int = 1) -> str:
        """`median (low … high)`."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} … {self.high:.{digits}f})"


def in_turn(ways: Mapping[Name, Callable[[], object]], rounds: int) -> dict[Name, list[float]]:
    """Milliseconds of each way, `rounds` times; they take turns, in an order that rotates, so that
    whatever else the machine does slows all alike.
    """
    names = list(ways)
    for name in names:
        for _ in range(WARM_UP):
            ways[name]()
    took: dict[Name, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            start = perf_counter()
            ways[name]()
            took[name].append((perf_counter() - start) * 1000)
    return took


def ratio(took: Sequence[float], against: Sequence[float]) -> Spread:
    """Round by round, so that a slow moment of the machine counts on both sides."""
    return Spread.of([a / b for a, b in zip(took, against, strict=True)])
