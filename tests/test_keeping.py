"""Which parts are kept, and why."""

from random import Random

import pytest

from inspector.keeping import Choice, Keeping, Kept
from inspector.types import Reason, Result, Rule, Timing, Verdict


def result(verdict: Verdict, *, marginal: bool = False) -> Result:
    reasons = () if verdict is Verdict.PASS else (Reason(Rule.TOO_DARK),)
    return Result("a.png", verdict, reasons, (), (9, 9), Timing(), marginal)


PASS = result(Verdict.PASS)


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        (result(Verdict.FAIL), Kept.FAIL),
        (result(Verdict.UNKNOWN), Kept.UNKNOWN),
        (result(Verdict.UNKNOWN, marginal=True), Kept.UNKNOWN),
        (result(Verdict.FAIL, marginal=True), Kept.FAIL),
        (result(Verdict.PASS, marginal=True), Kept.MARGINAL),
        (PASS, Kept.LAST),
    ],
)
def test_what_did_not_pass_beyond_doubt_is_kept(part: Result, kept: Kept) -> None:
    """Each of them, for its reason; of the others the last ones are held for a while."""
    assert Choice(Keeping(pass_one_in=0), Random(1)).of(part) is kept
    assert Choice(Keeping(pass_one_in=0, last=0), Random(1)).of(part) in {kept, None}
    assert Choice(Keeping(pass_one_in=0, last=0), Random(1)).of(PASS) is None


@pytest.mark.parametrize("seed", range(20))
def test_one_of_so_many_that_pass_is_kept(seed: int) -> None:
    """One of every block, and not always the same one of it."""
    choice = Choice(Keeping(pass_one_in=7), Random(seed))

    blocks = [[choice.of(PASS) for _ in range(7)] for _ in range(50)]

    assert all(block.count(Kept.SAMPLE) == 1 for block in blocks)
    assert len({block.index(Kept.SAMPLE) for block in blocks}) == 7


def test_what_is_kept_anyway_does_not_count_for_the_sample() -> None:
    """The sample is one of those that passed beyond doubt."""
    choice = Choice(Keeping(pass_one_in=2), Random(3))
    parts = [PASS, result(Verdict.FAIL), PASS, result(Verdict.PASS, marginal=True)] * 20

    kept = [choice.of(part) for part in parts]

    assert kept.count(Kept.SAMPLE) == 20


def test_every_part_may_be_kept() -> None:
    """With `pass_one_in: 1`."""
    choice = Choice(Keeping(pass_one_in=1), Random(3))
    assert {choice.of(PASS) for _ in range(5)} == {Kept.SAMPLE}
