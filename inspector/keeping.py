"""What is kept of the parts that were judged, why, and what goes first when room is needed. Pure.

All that did not pass, or passed by a hair, is kept, and of the rest a random sample. Beside that
the last parts are held for a while, whatever became of them.
"""

from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Annotated

from pydantic import Field

from inspector.strictyaml import Section
from inspector.types import Result, Verdict

FRESH = timedelta(
    hours=24
)  # an `unknown` is looked into by the next shift; until then it goes last


class Kept(StrEnum):
    """Why a part is kept. LAST: only among the last ones, until others take its place."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    MARGINAL = "marginal"
    SAMPLE = "sample"
    LAST = "last"


class Gone(StrEnum):
    """Why the pictures of a kept part are no longer there."""

    AGE = "age"
    ROOM = "room"
    PRUNED = "pruned"
    MISSING = "missing"


class Keeping(Section):
    """The section `evidence` of a line; `configs/lines/folder.yaml` says what each key does."""

    pass_one_in: Annotated[int, Field(ge=0, le=1_000_000)] = 200
    last: Annotated[int, Field(ge=0, le=1000)] = 50
    max_days: Annotated[float, Field(gt=0, le=36_500)] = 90.0
    max_pass_days: Annotated[float, Field(gt=0, le=36_500)] = 14.0
    max_gib: Annotated[float, Field(gt=0, le=1_000_000)] = 20.0
    # Above 1.5 GiB and 15 %, where acknowledged results begin to leave the outbox (record/room).
    min_free_gib: Annotated[float, Field(ge=1.5, le=1_000_000)] = 2.0

    @property
    def max_bytes(self) -> float:
        """Of pictures and records together."""
        return self.max_gib * 2**30

    @property
    def min_free_bytes(self) -> float:
        """Of the disk that they lie on."""
        return self.min_free_gib * 2**30

    def max_age(self, kept: Kept) -> timedelta:
        """How old a part becomes that was kept for this reason."""
        return timedelta(days=self.max_pass_days if kept is Kept.SAMPLE else self.max_days)


class Choice:
    """Says of one judged part after the other whether it is kept, and why."""

    def __init__(self, keeping: Keeping, random: Random) -> None:
        self._keeping = keeping
        self._random = random
        self._passed = 0  # of the block that is under way
        self._pick = 0  # its place in it

    def of(self, result: Result) -> Kept | None:
        """Why this part is kept; None: it is not."""
        if result.verdict is Verdict.FAIL:
            return Kept.FAIL
        if result.verdict is not Verdict.PASS:
            return Kept.UNKNOWN
        if result.marginal:
            return Kept.MARGINAL
        if self._is_sample():
            return Kept.SAMPLE
        return Kept.LAST if self._keeping.last else None

    def _is_sample(self) -> bool:
        """One of every block, at a random place: every k-th would be of the same nest for ever on a
        machine whose number of nests divides k.
        """
        size = self._keeping.pass_one_in
        if not size:
            return False
        if not self._passed:
            self._pick = self._random.randrange(size)
        is_picked = self._passed == self._pick
        self._passed = (self._passed + 1) % size
        return is_picked
