"""Limits of a class take the place of all others on the same measures, and of nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.decide import decide
from inspector.limits import ClassLimits, Guard, Limits, Rules, Zone
from inspector.types import Decision, Reason, Rule, Scratch, Verdict
from tests.support.verdicts import ROI, at, limits

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
DENT = ClassLimits(name="dent", limits=Rules(min_scratch_px=20))
LOOSE = ClassLimits(name="dent", limits=Rules(min_scratch_px=80))
NONE = ClassLimits(name="dent", limits="none")


def dent(length_px: float, x: int = 0, y: int = 0, **measures: float) -> Scratch:
    return replace(at(x, y, length_px=length_px, **measures), kind="dent")


def corners(x: int, y: int, side: int) -> tuple[tuple[int, int], ...]:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))


@pytest.mark.parametrize(
    ("classes", "dents", "verdict"),
    [
        ([DENT], [19.99], PASS),
        ([DENT], [20.0], FAIL),
        ([LOOSE], [79.99], PASS),
        ([LOOSE], [80.0], FAIL),
        ([NONE], [500.0], PASS),
        ([], [39.99], PASS),
        ([], [40.0], FAIL),
    ],
)
def test_the_limit_of_a_class_is_exact(
    classes: list[ClassLimits], dents: list[float], verdict: Verdict
) -> None:
    """It is stricter, looser, or none; without it the class is held against the line's."""
    told = limits(min_scratch_px=40, classes=classes)

    assert decide([dent(length) for length in dents], told, ROI).verdict is verdict


def test_others_are_held_against_the_lines_limit() -> None:
    """A scratch beside a dent, of the same length."""
    told = limits(min_scratch_px=40, classes=[LOOSE])

    decision = decide([dent(50), at(0, 20, length_px=50)], told, ROI)

    assert decision == Decision(FAIL, (Reason(Rule.MIN_SCRATCH_PX, 50, 40, "px", margin=-10.0),))


def test_the_reason_names_the_class() -> None:
    told = limits(min_scratch_px=40, classes=[DENT])

    (reason,) = decide([dent(30)], told, ROI).reasons

    assert reason == Reason(Rule.MIN_SCRATCH_PX, 30, 20, "px", margin=-10.0, kind="dent")


def test_measures_without_a_limit_of_the_class_are_as_of_others() -> None:
    """A dent is no longer held against the line's length, and still against its width."""
    told = limits(min_scratch_px=40, min_scratch_width_px=5, classes=[LOOSE])

    assert decide([dent(50, max_width_px=4.99)], told, ROI).verdict is PASS
    assert decide([dent(50, max_width_px=5.0)], told, ROI).verdict is FAIL


def test_a_class_counts_by_itself() -> None:
    """The line's number is of the others then."""
    few = ClassLimits(name="dent", limits=Rules(min_scratch_count=3))
    told = limits(min_scratch_count=2, classes=[few])

    assert decide([dent(5), dent(5, 50), at(0, 20)], told, ROI).verdict is PASS
    assert decide([dent(5), dent(5, 50), dent(5, 100)], told, ROI).verdict is FAIL
    assert decide([dent(5), at(0, 20), at(0, 40)], told, ROI).verdict is FAIL


def test_a_class_that_is_not_judged_counts_nowhere() -> None:
    """Neither in a number nor in a density, nor where it could not be measured."""
    told = limits(min_scratch_count=2, min_scratch_density_px=100, classes=[NONE])

    assert decide([dent(5000), dent(float("nan")), at(0, 20)], told, ROI).verdict is PASS


def test_what_could_not_be_measured_counts_for_its_own_class() -> None:
    """It is unknown anyway; a count of another class says nothing of it."""
    one = ClassLimits(name="dent", limits=Rules(min_scratch_count=1))
    lost, lost_dent = at(0, 0, length_px=float("nan")), dent(float("nan"))
    unknown = Decision(UNKNOWN, (Reason(Rule.NOT_FINITE),))

    assert decide([lost], limits(min_scratch_px=40, classes=[one]), ROI) == unknown
    assert decide([lost_dent], limits(min_scratch_count=1, classes=[LOOSE]), ROI).verdict is FAIL
    other = ClassLimits(name="dent", limits=Rules(min_scratch_count=2))
    assert decide([lost_dent], limits(min_scratch_count=1, classes=[other]), ROI) == unknown
    assert decide([lost_dent], limits(classes=[one]), ROI).verdict is FAIL


def test_its_density_is_over_all_that_is_judged() -> None:
    """Of a frame of 0.5 Mpx, without the zones in which nothing is."""
    dense = ClassLimits(name="dent", limits=Rules(min_scratch_density_px=100))
    idle = Zone(name="idle", polygon=corners(600, 100, 300), limits="none")
    without = (ROI[2] * ROI[3] - 301**2) / 1e6

    assert decide([dent(49.99)], limits(classes=[dense]), ROI).verdict is PASS
    assert decide([dent(50.0)], limits(classes=[dense]), ROI).verdict is FAIL
    told = limits(classes=[dense], zones=[idle])
    assert decide([dent(100 * without - 0.01)], told, ROI).verdict is PASS
    assert decide([dent(100 * without + 0.01)], told, ROI).verdict is FAIL


def test_its_density_is_over_a_zone_with_a_density_of_its_own_too() -> None:
    """Which the line's own density leaves out: the class is held against its own there, too."""
    dense = ClassLimits(name="dent", limits=Rules(min_scratch_density_px=100))
    own = Zone(name="own", polygon=corners(0, 0, 300), limits=Rules(min_scratch_density_px=900))
    told = limits(classes=[dense], zones=[own])

    for x in (10, 500):
        assert decide([dent(49.99, x, 10)], told, ROI).verdict is PASS
        assert decide([dent(50.0, x, 10)], told, ROI).verdict is FAIL


def test_it_holds_in_every_zone_that_is_judged() -> None:
    """In place of the zone's limit on the same measure, and not where nothing is judged."""
    strict = Zone(name="strict", polygon=corners(0, 0, 100), limits=Rules(min_scratch_px=10))
    idle = Zone(name="idle", polygon=corners(200, 0, 100), limits="none")
    told = limits(min_scratch_px=40, zones=[strict, idle], classes=[LOOSE])

    assert decide([dent(50, 10, 10)], told, ROI).verdict is PASS
    assert decide([dent(80, 10, 10)], told, ROI).verdict is FAIL
    assert decide([at(10, 10, length_px=50)], told, ROI).verdict is FAIL
    assert decide([dent(80, 210, 10)], told, ROI).verdict is PASS


def test_the_guard_band_is_about_it_as_well() -> None:
    told = Limits(classes=[LOOSE], guard=Guard(px=2, policy="recheck"))

    assert decide([dent(78.0)], told, ROI).verdict is UNKNOWN
    assert decide([dent(77.9)], told, ROI).verdict is PASS


@given(
    lengths=st.lists(st.tuples(st.booleans(), st.floats(1, 100)), max_size=6),
    own=st.sampled_from([None, 10.0, 40.0, 90.0]),
)
def test_verdicts_by_class_are_those_of_each_class_alone(lengths, own) -> None:
    """Without sums, a part fails if and only if its scratches alone, or its dents alone, do."""
    classes = [ClassLimits(name="dent", limits=Rules(min_scratch_px=own))] if own else []
    found = [
        dent(length, 0, 9 * k) if is_dent else at(0, 9 * k, length_px=length)
        for k, (is_dent, length) in enumerate(lengths)
    ]

    verdict = decide(found, limits(min_scratch_px=40, classes=classes), ROI).verdict

    reached = [length >= ((own or 40) if is_dent else 40) for is_dent, length in lengths]
    assert verdict is (FAIL if any(reached) else PASS)
