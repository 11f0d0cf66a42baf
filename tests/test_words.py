"""How a verdict is told to people: on a picture, in a line, in a table."""

import numpy as np

from inspector import report
from inspector.overlay import draw, headline
from inspector.types import Reason, Result, Rule, Scratch, Timing, Verdict

SCRATCH = Scratch(57.3, 2.4, 3.9, 131, 0.87, ((10, 10), (60, 12), (10, 12)), zone="display")
NEAR = Reason(Rule.MIN_SCRATCH_MM, 2.31, 2.3, "mm", "display", margin=-0.01, marginal=True)
DENT = Reason(Rule.MIN_SCRATCH_PX, 57.3, 20, "px", margin=-37.3, kind="dent")
COUNT = Reason(Rule.MIN_SCRATCH_COUNT, 3, 3)


def result(verdict: Verdict, *reasons: Reason, marginal: bool = False) -> Result:
    return Result("a.png", verdict, reasons, (SCRATCH,), (99, 99), Timing(), marginal)


def message(told: Result) -> dict[str, object]:
    return {
        "verdict": told.verdict.value,
        "source": told.source,
        "reasons": [{"rule": r.rule.value, "zone": r.zone, "class": r.kind} for r in told.reasons],
        "scratches": [{"length_px": s.length_px} for s in told.scratches],
        "timing_ms": {"total": 12.0},
        "marginal": told.marginal,
    }


def test_a_headline_says_limit_zone_and_margin() -> None:
    """What was found, what the limit was, in which zone, and whether it was close."""
    assert headline(result(Verdict.FAIL, NEAR, COUNT)) == (
        "FAIL  min_scratch_mm 2.31 (limit 2.3 mm) in display marginal"
        "  min_scratch_count 3 (limit 3)"
    )
    assert headline(result(Verdict.FAIL, DENT)) == (
        "FAIL  min_scratch_px 57.3 (limit 20 px) of dent"
    )
    assert headline(result(Verdict.PASS)) == "PASS"
    assert headline(result(Verdict.PASS, marginal=True)) == "PASS  marginal"


def test_a_line_says_why_and_where() -> None:
    """Each rule once per zone; a pass that the guard's policy gave is no clear one."""
    failed = report.line(message(result(Verdict.FAIL, NEAR, NEAR, COUNT)))
    near = message(result(Verdict.PASS, marginal=True))

    assert failed.endswith("a.png  min_scratch_count, min_scratch_mm in display")
    dent = message(result(Verdict.FAIL, DENT))
    assert report.line(dent).endswith("a.png  min_scratch_px of dent")
    del dent["reasons"][0]["class"]  # of an older inspector
    assert report.line(dent).endswith("a.png  min_scratch_px")
    assert report.line(near).endswith("a.png  marginal")
    del near["marginal"]
    assert report.line(near).endswith("a.png")


def test_the_scratch_is_drawn_with_its_length() -> None:
    """The picture itself is left as it is."""
    image = np.full((99, 300, 3), 90, np.uint8)

    drawn = draw(image, result(Verdict.FAIL, NEAR))

    assert (image == 90).all()
    assert drawn.shape[0] > 99
    assert (drawn[-99:] != 90).any()
