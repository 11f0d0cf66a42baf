"""How the line is, in words: one row for each thing that can fail, and the alarms."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from inspector.page.feed import Condition
from inspector.page.lengths import Limit
from inspector.page.recorded import Disk
from inspector.page.words import Words
from inspector.publish.message import ModelInfo

STUCK_S = 3.0  # the judge goes round five times per second, and a part takes less than this
BACKLOG = 100  # results; fewer wait now and then, and nobody needs to look
GIB = 1 << 30
REJECTING = ("stuck", "camera", "outbox", "disk_full")
"""Alarms of what makes parts be rejected, the worst first."""

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing: what it is, how it is, in a word and in more."""

    name: str
    level: Level
    word: str
    detail: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A trouble that lasts: what, what to do, what the inspector says of it in English.

    It is `bad` where parts are rejected for it, else it is to be looked at (`warn`).
    """

    code: str
    title: str
    todo: str
    text: str
    since: datetime | None

    @property
    def level(self) -> Level:
        """How bad it is."""
        return "bad" if self.code in REJECTING else "warn"


def alarms(condition: Condition | None, now_s: float, words: Words) -> list[Alarm]:
    """What is wrong, the worst first: what rejects parts before what does not."""
    if condition is None:
        return []
    found = [Alarm(a.code, *_texts(a.code, words), a.text, a.since) for a in condition.alarms]
    stuck_s = now_s - condition.at_s
    if stuck_s > STUCK_S:
        found.append(Alarm("stuck", *_texts("stuck", words), "", None))
    elif not condition.connected:
        found.append(Alarm("broker", *_texts("broker", words), "", None))
    return sorted(found, key=lambda a: REJECTING.index(a.code) if a.level == "bad" else 99)


def _texts(code: str, words: Words) -> tuple[str, str]:
    if not words.knows(f"alarm.{code}"):
        return code, ""
    return words(f"alarm.{code}.title"), words(f"alarm.{code}.do")


def rows(
    condition: Condition | None,
    disk: Disk | None,
    model: ModelInfo,
    now_s: float,
    words: Words,
) -> Iterator[Row]:
    """One row for each thing that can fail."""

    def row(name: str, level: Level, word: str, detail: str = "") -> Row:
        return Row(words(f"row.{name}"), level, word, detail)

    if condition is None:
        yield row("inspector", "warn", words("state.starting"))
        return
    codes = {alarm.code for alarm in condition.alarms}
    stuck_s = now_s - condition.at_s
    if stuck_s > STUCK_S:
        yield row("inspector", "bad", words("state.stuck", seconds=round(stuck_s)))
    else:
        yield row("inspector", "ok", words("state.judging"))
    camera = condition.camera
    if camera.online or camera.ended:
        numbers = {
            name: words.number(getattr(camera, name))
            for name in ("frames", "dropped", "reconnects")
        }
        word = words("state.online" if camera.online else "state.ended")
        yield row("camera", "ok", word, words("state.camera_detail", **numbers))
    else:
        yield row("camera", "bad", words("state.lost"), camera.detail)
    if condition.connected:
        yield row("broker", "ok", words("state.connected"))
    else:
        yield row("broker", "warn", words("state.away"), words("state.none_lost"))
    if disk is not None:
        yield from _of_disk(disk, codes, row, words)
    yield row("model", "ok", model.name, f"{model.sha256[:12]} · {model.runtime}")
    limit = Limit.of(condition.limits, condition.scale)
    told = words("state.by_file")
    if disk is not None and disk.calibration is not None:
        record = disk.calibration
        date = f"{record.time.astimezone():%Y-%m-%d %H:%M}"
        told = words("state.by_record", date=date, by=record.by)
    word = words("state.limit", limit=words.limit(limit.value, limit.unit)) if limit else "–"
    bad = codes & {"calibration", "configuration"}
    yield row("calibration", "bad" if bad else "ok", word, told)


def _of_disk(disk: Disk, codes: set[str], row: Callable[..., Row], words: Words) -> Iterator[Row]:
    refused = bool(codes & {"outbox", "outbox_damaged", "outbox_astray", "publish_refused"})
    level: Level = "bad" if refused else "ok"
    if "outbox" in codes:
        yield row("outbox", "bad", words("state.unrecorded"))
    elif disk.waiting is None:
        yield row("outbox", "bad", words("state.unreadable"))
    elif disk.waiting and disk.oldest is not None:
        many = disk.waiting > BACKLOG and not refused
        numbers = {"n": words.number(disk.waiting), "time": words.minute(disk.oldest)}
        yield row("outbox", "warn" if many else level, words("state.waiting", **numbers))
    else:
        yield row("outbox", level, words("state.empty"))
    if disk.free_bytes is None or disk.total_bytes is None:
        yield row("disk", "bad", words("state.unreadable"))
        return
    free, total = (words.number(n / GIB, 1) for n in (disk.free_bytes, disk.total_bytes))
    full: Level = "bad" if "disk_full" in codes else "warn" if "disk_low" in codes else "ok"
    yield row("disk", full, words("state.free", free=free, total=total))
