"""The history of calibrations: what is in force, what is taken back, what is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.calibration import Calibrated, History, origin, overrule, tell
from inspector.config import parse
from inspector.errors import ConfigError

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
    ],
    ids=["text", "negative", "nan", "unknown key", "schema", "nobody", "no chain", "torn"],
)
def test_a_history_that_was_tampered_with_is_refused(change: tuple[str, str], message: str) -> None:
    """With file, line, what was expected and what was found."""
    text = history(60, 80).text().replace(*change, 1)

    with pytest.raises(ConfigError, match=r"^l\.jsonl:1: .*expected.*found") as refused:
        History.parse(text, name="l.jsonl")
    assert message in str(refused.value)
