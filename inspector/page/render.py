"""The page as HTML: its pieces, which are sent again when they change, and what frames them."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from inspector.page import health, lengths
from inspector.page.book import Book
from inspector.page.feed import Condition
from inspector.page.marks import Marks
from inspector.page.recorded import Disk
from inspector.page.shift import ShiftCount
from inspector.page.words import LANGUAGES, Words
from inspector.publish.announcement import Totals
from inspector.publish.message import ModelInfo, ReasonMessage, ResultMessage


@dataclass(frozen=True, slots=True)
class View:
    """All that a piece may show, at `now_s` of the monotonic clock. It belongs to no language."""

    now_s: float
    condition: Condition | None
    disk: Disk | None
    book: Book
    shift: Totals
    shift_count: ShiftCount
    marks: Marks
    model: ModelInfo


class Renderer:
    """The templates, and the words of each language."""

    def __init__(self) -> None:
        self.words = {code: Words(code) for code in LANGUAGES}
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["worst_first"] = _worst_first

    def whole(self, name: str, language: str, **values: Any) -> str:
        """A page of its own, or the content of a dialog."""
        return self._environment.get_template(name).render(words=self.words[language], **values)

    def pieces(self, view: View, language: str, names: Iterable[str]) -> dict[str, str]:
        """These pieces of the page, by name."""
        words = self.words[language]
        return {
            name: self.whole(f"{name}.html", language, **PIECES[name](view, words))
            for name in names
        }

    def part(self, view: View, language: str, part: ResultMessage, *, pictured: bool) -> str:
        """What is known of one part, for its dialog."""
        said = view.marks.said(part.id)
        return self.whole("part.html", language, part=part, pictured=pictured, said=said)


def _verdict(view: View, _: Words) -> dict[str, Any]:
    newest = view.book.newest
    return {
        "part": newest.message if newest else None,
        "idle_s": round(view.now_s - view.book.newest_s) if newest else 0,
    }


def _note(view: View, _: Words) -> dict[str, Any]:
    camera = view.condition.camera if view.condition else None
    lost = camera is not None and not camera.online and not camera.ended
    alarmed = view.condition and any(a.code == "camera" for a in view.condition.alarms)
    newest = view.book.newest
    return {
        "camera_lost": camera.detail if camera and lost and alarmed else "",
        "has_picture": newest is not None and newest.message.image is not None,
    }


def _counts(view: View, _: Words) -> dict[str, Any]:
    return {
        "shift": view.shift,
        "shift_since": f"{view.shift_count.since:%H:%M}",
        "day": view.book.since_midnight,
        "pace": view.book.pace(view.now_s),
    }


def _health(view: View, words: Words) -> dict[str, Any]:
    return {"rows": list(health.rows(view.condition, view.disk, view.model, view.now_s, words))}


def _alarms(view: View, words: Words) -> dict[str, Any]:
    return {"alarms": health.alarms(view.condition, view.now_s, words)}


def _strip(view: View, _: Words) -> dict[str, Any]:
    return {"parts": list(reversed(view.book.last))}


def _rejects(view: View, _: Words) -> dict[str, Any]:
    rejects = list(reversed(view.book.rejects))
    kept = view.disk.pictured if view.disk else frozenset()
    pictured = {p.id for p in rejects if p.id in kept or view.book.picture(p.id) is not None}
    return {"rejects": rejects, "pictured": pictured, "marks": view.marks.said}


def _histogram(view: View, _: Words) -> dict[str, Any]:
    limit = limit_of(view.condition)
    if limit is None:
        return {"bars": None, "limit": None}
    bars = lengths.histogram(view.book.lengths(limit.unit), limit.value)
    return {"bars": bars, "limit": limit}


QUICK: dict[str, Callable[[View, Words], dict[str, Any]]] = {
    "verdict": _verdict,
    "note": _note,
    "counts": _counts,
    "health": _health,
    "alarms": _alarms,
}
"""Pieces that are looked at all the time: what each is made from."""
SLOW: dict[str, Callable[[View, Words], dict[str, Any]]] = {
    "strip": _strip,
    "rejects": _rejects,
    "histogram": _histogram,
}
"""Pieces that are long, and made less often."""
PIECES = QUICK | SLOW


def _worst_first(reasons: Sequence[ReasonMessage]) -> list[ReasonMessage]:
    """What is farthest beyond its limit first; what has no margin prevented judging."""
    return sorted(reasons, key=lambda r: -math.inf if r.margin is None else r.margin)


def limit_of(condition: Condition | None) -> lengths.Limit | None:
    """The line's own limit of length, None where it has none or has not begun."""
    return lengths.Limit.of(condition.limits, condition.scale) if condition else None
