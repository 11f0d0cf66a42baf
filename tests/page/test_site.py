"""What the page shows and does, over real HTTP, with a test in the place of the judge."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from inspector import lines
from inspector.page import marks
from inspector.types import Rule
from tests.page.conftest import PIN
from tests.support.page import Browser, Judge, result, until


def shows(browser: Browser, text: str) -> bool:
    """Whether the page says so."""
    return text in browser.page()


def test_a_new_page_says_that_no_part_has_come(browser: Browser) -> None:
    """Nothing that could be taken for a verdict."""
    text = browser.page()

    assert 'data-verdict="none"' in text
    assert "NO PART YET" in text


@pytest.mark.parametrize(
    ("judged", "verdict", "why"),
    [
        (result(), "pass", "no scratch"),
        (result(12), "pass", "longest scratch 12.0 px"),
        (result(57.3, 80), "fail", "scratch of 80.0 px, limit 40 px (+1)"),
        (result(rule=Rule.TOO_BLURRED), "unknown", "the picture is blurred"),
    ],
)
def test_the_newest_verdict_is_shown_with_its_reason(
    judge: Judge, browser: Browser, judged: object, verdict: str, why: str
) -> None:
    """The worst reason first."""
    judge.judge(judged)

    until(lambda: shows(browser, f'data-verdict="{verdict}"'))
    box = re.search(r'(?s)<p class="why">(.*?)</p>', browser.page())[1]
    assert box.strip() == why


def test_what_could_not_be_recorded_says_so(judge: Judge, browser: Browser) -> None:
    """It has no number, and nobody can mark it."""
    message = judge.message(result(rule=Rule.INTERNAL_ERROR))
    unrecorded = message.model_copy(update={"seq": 0, "id": "unrecorded-5"})
    shown = judge.feed
    from inspector.page.feed import Shown
    from inspector.publish.announcement import Totals

    shown.show(Shown(unrecorded, Totals(), Totals()), None)

    until(lambda: shows(browser, "its result could not be recorded"))
    _, _, dialog = browser.get("/parts/unrecorded-5")
    assert b"data-mark" not in dialog
    browser.post("/unlock", {"pin": PIN})
    assert browser.post("/parts/unrecorded-5/mark", {"right": True})[0] == 400


def test_parts_are_counted_and_told_of(judge: Judge, browser: Browser) -> None:
    """Strip, counters and rejects, the newest first; a strip has fifty places."""
    for length in (0, 50, 60):
        judge.judge(result(length) if length else result())

    until(lambda: shows(browser, "part 3 ·"))
    text = browser.page()
    strip = re.search(r'(?s)data-region="strip">(.*?)</ol>', text)[1]
    assert re.findall(r'data-part="abc-1-(\d)"', strip) == ["3", "2", "1"]
    assert strip.count("<li>") == 50
    rejects = re.search(r'(?s)data-region="rejects">(.*?)</ol>', text)[1]
    assert re.findall(r'data-part="abc-1-(\d)"', rejects) == ["3", "2"]
    counts = re.search(r'(?s)data-region="counts">(.*?)</table>', text)[1]
    assert re.findall(r'<td class="(?:pass|fail|unknown)">(\d)</td>', counts) == ["1", "2", "0"] * 2


def test_what_a_file_is_called_is_no_html(judge: Judge, browser: Browser) -> None:
    """Names come from outside."""
    evil = result(50)
    judged = type(evil)(
        "<script>alert(1)</script>",
        *[getattr(evil, n) for n in ("verdict", "reasons", "scratches", "size", "timing")],
    )
    message = judge.judge(judged)

    until(lambda: shows(browser, message.id))
    dialog = browser.get(f"/parts/{message.id}")[2].decode()
    assert "<script>" not in dialog
    assert "&lt;script&gt;alert(1)" in dialog


def test_another_class_than_scratch_is_named(judge: Judge, browser: Browser) -> None:
    """Beside the number of the defect, and with the limit that it reached; it is no HTML."""
    found = result(50, 30)
    dent = replace(found.scratches[0], kind="<dent>")
    reason = replace(found.reasons[0], kind="<dent>")
    message = judge.judge(replace(found, scratches=(dent, found.scratches[1]), reasons=(reason,)))

    until(lambda: shows(browser, message.id))
    dialog = browser.get(f"/parts/{message.id}")[2].decode()
    assert '<th scope="row">1 &lt;dent&gt;</th>' in dialog
    assert '<th scope="row">2</th>' in dialog
    assert "of the class &lt;dent&gt;" in dialog
    assert "<dent>" not in dialog


def test_a_picture_is_there_once_somebody_looks(judge: Judge, browser: Browser) -> None:
    """The live stream is a series of JPEGs; the part's own picture stays; others are not found."""
    connection = browser.connect()
    connection.request("GET", "/live.mjpg")
    stream = connection.getresponse()
    message = judge.judge(result(50))

    assert stream.getheader("content-type").startswith("multipart/x-mixed-replace")
    head = stream.read(45)
    assert head.startswith(b"--picture\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8")
    connection.close()
    status, headers, body = browser.get(f"/parts/{message.id}.jpg")
    assert (status, headers["content-type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    assert browser.get("/parts/abc-1-99.jpg")[0] == 404


def test_changes_come_as_events(judge: Judge, browser: Browser) -> None:
    """First all pieces, then what is new, and a beat while nothing is."""
    connection = browser.connect()
    connection.request("GET", "/events")
    stream = connection.getresponse()

    def event() -> tuple[str, str]:
        lines = []
        while (line := stream.readline().decode().rstrip("\n")) or not lines:
            lines.append(line)
        fields = dict(line.partition(": ")[::2] for line in lines)
        return fields["event"], fields["data"]

    assert event() == ("boot", browser.token)
    seen = [event() for _ in range(4)]
    assert "beat" in [kind for kind, _ in seen]
    judge.judge(result(50))
    while "FAIL" not in json.loads(seen[-1][1]).get("verdict", ""):
        seen.append(event())
    connection.close()


def test_what_if_counts_flips_of_the_last_parts(judge: Judge, browser: Browser) -> None:
    """What was rejected for another reason stays rejected."""
    for judged in (result(), result(20), result(30), result(50), result(rule=Rule.TOO_DARK)):
        judge.judge(judged)
    until(lambda: shows(browser, "part 5 ·"))

    def flips(limit: object) -> str:
        return json.loads(browser.get(f"/whatif?limit={limit}")[2])["flips"]

    assert flips(25) == (
        "Of the last 5 parts, 1 more would have been rejected and 0 more would have passed."
    )
    assert "0 more would have been rejected and 1 more would have passed" in flips(60)
    assert "none would have been judged otherwise" in flips(40)
    for nonsense in ("0", "-3", "nan", "inf", "x", ""):
        assert browser.get(f"/whatif?limit={nonsense}")[0] == 400


def test_a_limit_needs_the_pin_and_is_a_record(
    judge: Judge, browser: Browser, tmp_path: Path
) -> None:
    """Dated, and it says that the page set it."""
    assert browser.post("/limit", {"limit": 35})[0] == 403
    assert not lines.read(tmp_path / "line.yaml").history.records

    assert browser.post("/unlock", {"pin": PIN})[0] == 200
    status, _, body = browser.post("/limit", {"limit": 35})

    assert status == 200, body
    line = lines.read(tmp_path / "line.yaml")
    assert line.config.limits.min_scratch_px == 35
    assert line.history.records[-1].by == "page, with the PIN, from 127.0.0.1"
    browser.post("/lock")
    assert browser.post("/limit", {"limit": 30})[0] == 403


def test_what_can_be_no_limit_is_refused(browser: Browser, tmp_path: Path) -> None:
    """Also a number beyond all others, and what Python takes for one."""
    browser.post("/unlock", {"pin": PIN})

    for wrong in (0, -3, 1e6, 10**400, math.nan, math.inf, True, False, None, "x", [35], {}):
        assert browser.post("/limit", {"limit": wrong})[0] == 400, wrong
    assert not lines.read(tmp_path / "line.yaml").history.records


def test_a_limit_that_cannot_be_written_is_told(
    judge: Judge, browser: Browser, tmp_path: Path
) -> None:
    """As on a PC where the line's file belongs to root."""
    browser.post("/unlock", {"pin": PIN})
    (tmp_path / "line.calibration.jsonl.part").mkdir()

    status, _, body = browser.post("/limit", {"limit": 35})

    assert status == 409
    assert "expected to write the calibration" in json.loads(body)["text"]


def test_marks_need_the_pin_and_last(judge: Judge, browser: Browser, tmp_path: Path) -> None:
    """The last word on a part counts; training reads the file."""
    message = judge.judge(result(50))
    until(lambda: shows(browser, message.id))
    path = f"/parts/{message.id}/mark"
    assert browser.post(path, {"right": False})[0] == 403

    browser.post("/unlock", {"pin": PIN})
    assert browser.post(path, {"right": True})[0] == 200
    assert browser.post(path, {"right": False})[0] == 200
    assert browser.post(path, {"right": "maybe"})[0] == 400
    assert browser.post("/parts/abc-1-99/mark", {"right": True})[0] == 404

    state = lines.read(tmp_path / "line.yaml").config.state_dir
    assert [(m.id, m.verdict, m.right) for m in marks.read(state / "marks.jsonl")] == [
        (message.id, "fail", True),
        (message.id, "fail", False),
    ]
    dialog = browser.get(f"/parts/{message.id}")[2].decode()
    assert re.search(r'data-right="false" aria-pressed="true"', dialog)


@pytest.mark.parametrize(
    ("accepted", "word"),
    [("de-DE,de;q=0.9,en;q=0.8", "GUT"), ("zh-CN", "合格"), ("fr,en;q=0.1", "PASS"), ("", "PASS")],
)
def test_the_language_is_the_browsers(
    judge: Judge, browser: Browser, accepted: str, word: str
) -> None:
    """Until somebody chooses another one."""
    judge.judge(result())
    until(lambda: shows(browser, 'data-verdict="pass"'))

    text = browser.get("/", **{"accept-language": accepted})[2].decode()
    assert f'<p class="word">{word}</p>' in text
    browser.get("/?language=de")
    text = browser.get("/", **{"accept-language": accepted})[2].decode()
    assert '<p class="word">GUT</p>' in text
