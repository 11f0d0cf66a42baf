"""The history of calibrations: what is in force, what is taken back, what is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inspector.calibration import Calibrated, History, Setup, origin, outdated, overrule, tell
from inspector.config import parse
from inspector.errors import ConfigError
from inspector.windows import Reference, Sight, Windows

T0 = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LINE = parse(
    "site: a\nline: b\ncamera: {source: 'folder:x'}\nlimits: {min_scratch_px: 40}\n",
    path=Path("line.yaml"),
)


def at(n: int) -> datetime:
    return T0 + timedelta(minutes=n)


def history(*changes: float | None) -> History:
    """Each number sets the limit, each None takes back."""
    made = History()
    for n, px in enumerate(changes):
        if px is None:
            made = made.undo(by="eve", time=at(n))
        else:
            made = made.set(Calibrated(min_scratch_px=px), by="adam", time=at(n))
    return made


@pytest.mark.parametrize(
    ("changes", "in_force"),
    [
        ((), None),
        ((60,), 60),
        ((60, 80), 80),
        ((60, 80, None), 60),
        ((60, 80, None, None), None),
        ((60, None, 90), 90),
        ((60, 80, None, 90, None), 60),
    ],
)
def test_what_is_in_force(changes: tuple[float | None, ...], in_force: float | None) -> None:
    """Undo goes back step by step, past what was taken back before, to the line's own file."""
    made = history(*changes)

    assert made.in_force.min_scratch_px == in_force
    assert overrule(LINE, made.in_force).limits.min_scratch_px == (in_force or 40)
    assert len(made.records) == len(changes)


def test_there_is_nothing_to_undo() -> None:
    """Neither at the beginning nor after everything was taken back."""
    for made in (history(), history(60, None)):
        with pytest.raises(ConfigError, match="found none in force"):
            made.undo(by="eve", time=T0)


def test_a_length_in_mm_takes_the_place_of_one_in_px() -> None:
    """And the other way round; undo goes back to what was there."""
    line = parse(
        "site: a\nline: b\ncamera: {source: 'folder:x'}\nscale: {mm_per_px: 0.1}\n"
        "limits: {min_scratch_count: 9, zones: [{name: z, polygon: [[0, 0], [9, 0], [9, 9]], "
        "limits: {min_scratch_px: 9}}]}\n",
        path=Path("line.yaml"),
    )
    made = history(60).set(Calibrated(min_scratch_mm=2), by="adam", time=at(1))

    limits = overrule(line, made.in_force).limits
    assert dict(limits.given()) == {"min_scratch_mm": 2, "min_scratch_count": 9}
    assert limits.zones == line.limits.zones
    assert History.parse(made.text(), name="x") == made
    back = made.set(Calibrated(min_scratch_px=50), by="eve", time=at(2))
    assert dict(overrule(line, back.in_force).limits.given()) == {
        "min_scratch_px": 50,
        "min_scratch_count": 9,
    }
    assert made.undo(by="eve", time=at(3)).in_force == Calibrated(min_scratch_px=60)
    with pytest.raises(ValidationError):
        Calibrated(min_scratch_px=1, min_scratch_mm=1)


def test_windows_and_mark_stand_in_place_of_the_files() -> None:
    """Each on its own; undo goes back to what was there, to the file's at last."""
    line = parse(
        "site: a\nline: b\ncamera: {source: 'folder:x'}\n"
        "sight: {max_burnt: 0.5, reference: {picture: hand.png, at: [1, 2]}}\n",
        path=Path("/lines/line.yaml"),
    )
    windows = Windows(brightness=(60.5, 140), max_burnt=0.1, min_sharpness=0.3)
    mark = Reference(picture="/lines/line.reference-1.png", at=(7, 8), within_px=20)
    made = history(60).set(Calibrated(sight=windows), by="adam", time=at(1))
    made = made.set(Calibrated(reference=mark), by="adam", time=at(2))

    assert History.parse(made.text(), name="x") == made
    both = overrule(line, made.in_force)
    assert both.sight == Sight(**dict(windows), reference=mark)
    assert both.limits.min_scratch_px == 60
    one = overrule(line, made.undo(by="eve", time=at(3)).in_force).sight
    assert one.max_burnt == 0.1
    assert one.reference == Reference(picture=Path("/lines/hand.png"), at=(1, 2))
    assert overrule(line, Calibrated()).sight == line.sight
    assert origin(made, "sight") == made.records[1]
    assert origin(made, "reference") == made.records[2]
    assert '"at": [7, 8]' in tell(made.records[2])


@pytest.mark.parametrize(
    ("calibrated", "message"),
    [
        (
            Calibrated(min_scratch_mm=2),
            'with {"min_scratch_mm": 2.0} in place of the line\'s: expected scale',
        ),
        (Calibrated(min_scratch_px=1), "expected a guard band below min_scratch_px"),
    ],
)
def test_a_calibration_that_contradicts_the_file_is_refused(calibrated, message) -> None:
    """The file has a guard band of 3 px, and no scale."""
    line = parse(
        "site: a\nline: b\ncamera: {source: 'folder:x'}\nlimits: {guard: {px: 3}}\n",
        path=Path("line.yaml"),
    )

    with pytest.raises(ConfigError) as refused:
        overrule(line, calibrated)
    assert message in str(refused.value)


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=8))
def test_the_text_says_it_all(limits: list[float]) -> None:
    """Written and read back it is the same history."""
    made = history(*limits)

    assert History.parse(made.text(), name="x") == made


def test_the_origin_is_the_record_that_changed_it() -> None:
    """Not a later one that changed nothing; None where the file's own limit is in force."""
    made = history(60, 60)

    assert origin(made, "min_scratch_px") == made.records[0]
    assert origin(made, "min_scratch_count") is None
    assert origin(history(60, None), "min_scratch_px") is None
    assert 'adam  set  {} → {"min_scratch_px": 60.0}' in tell(made.records[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"min_scratch_px":60.0', '"min_scratch_px":"60"'), "min_scratch_px"),
        (('"min_scratch_px":60.0', '"min_scratch_px":-1'), "min_scratch_px"),
        (('"min_scratch_px":60.0', '"min_scratch_px":NaN'), "calibration record"),
        (('"min_scratch_px":60.0', '"min_size":60'), "min_size"),
        (("calibration/1", "calibration/9"), "schema"),
        (('"by":"adam"', '"by":""'), "by"),
        (('"before":{}', '"before":{"min_scratch_px":7.0}'), "as the record above left it"),
        (("}}\n", "}"), "calibration record"),
        (('"after":{', '"after":{"sight":{"brightness":[140,60]},'), "after.sight.brightness"),
    ],
    ids=[
        "text",
        "negative",
        "nan",
        "unknown key",
        "schema",
        "nobody",
        "no chain",
        "torn",
        "window",
    ],
)
def test_a_history_that_was_tampered_with_is_refused(change: tuple[str, str], message: str) -> None:
    """With file, line, what was expected and what was found."""
    text = history(60, 80).text().replace(*change, 1)

    with pytest.raises(ConfigError, match=r"^l\.jsonl:1: .*expected.*found") as refused:
        History.parse(text, name="l.jsonl")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (Setup(camera="v4l2:a", size=(640, 480), model="m 1"), []),
        (Setup(camera="v4l2:a"), []),
        (Setup(camera="v4l2:b", size=(640, 480)), ["camera v4l2:a → v4l2:b"]),
        (
            Setup(camera="v4l2:a", size=(800, 600), model="m 2"),
            ["size 640 × 480 → 800 × 600, model m 1 → m 2"],
        ),
    ],
)
def test_only_what_was_known_then_and_is_known_now_can_be_another(
    now: Setup, told: list[str]
) -> None:
    """A size or a model that is not known is no change, in neither direction."""
    then = Setup(camera="v4l2:a", size=(640, 480), model="m 1")

    def complaints(before: Setup, after: Setup) -> list[str]:
        return list(outdated(history(60).made_with(before), after))

    head = "min_scratch_px was calibrated before a change: "
    assert complaints(then, now) == [head + text for text in told]
    assert len(complaints(now, then)) == len(told)
