"""What a fault is, how much of it is injected, and what became of it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """Inject a fault `count` times, at moments that `seed` draws, with files in `folder`.

    `tick` is called after each of them.
    """

    count: int
    seed: int
    folder: Path
    tick: Callable[[], None] = lambda: None

    @property
    def rng(self) -> random.Random:
        """Draws the same as at the last time; each call begins anew."""
        return random.Random(self.seed)

    def each(self) -> Iterator[int]:
        """The numbers of the injections, from 0."""
        for number in range(self.count):
            yield number
            self.tick()


@dataclass(slots=True)
class Outcome:
    """What became of it: `broken` has a sentence for every promise that did not hold.

    `recovered_s`: from the end of a fault to the first result that is as it should be.
    `measured`: figures for people.
    """

    injected: int = 0
    broken: list[str] = field(default_factory=list)
    recovered_s: list[float] = field(default_factory=list)
    measured: str = ""

    def expect(self, holds: object, otherwise: str) -> None:
        """Note the sentence, unless the promise holds."""
        if not holds:
            self.broken.append(otherwise)


@dataclass(frozen=True, slots=True)
class Fault:
    """`promise` is what must hold while it is injected.

    `short` and `long` are counts: of every test run, and of `make faults`. `missing` says what is
    not installed that it needs, None: nothing.
    """

    name: str
    promise: str
    inject: Callable[[Run], Outcome]
    short: int
    long: int
    missing: Callable[[], str | None] = lambda: None
