"""What the page says, in each language that it speaks: `en.yaml` and so on, with the same keys."""

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from inspector import strictyaml
from inspector.publish.message import ReasonMessage

LANGUAGES = ("en", "de", "zh")
UNITS = {"px2": "px²", "mm2": "mm²", "px/Mpx": "px/Mpx", "mm/cm2": "mm/cm²", "ratio": ""}
DIGITS = {"mm": 2, "px": 1, "mm2": 2}


class Words:
    """One language: `words("verdict.pass")`, numbers and times as it writes them."""

    def __init__(self, code: str) -> None:
        path = Path(__file__).with_name(f"{code}.yaml")
        self.code = code
        self.tree, _ = strictyaml.load(path.read_text(encoding="utf-8"), name=path.name)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a dotted key with its gaps filled.

        Raises:
            KeyError: there is no such key.
        """
        return str(self._find(key)).format(**values)

    def knows(self, key: str) -> bool:
        """Whether it has a text."""
        try:
            self._find(key)
        except KeyError:
            return False
        return True

    def _find(self, key: str) -> Any:
        found: Any = self.tree
        for step in key.split("."):
            found = found[step]
        return found

    def number(self, value: float, digits: int = 0) -> str:
        """As people of this language write it."""
        if not math.isfinite(value):
            return "–"
        return self._swapped(f"{value:,.{digits}f}")

    def _swapped(self, text: str) -> str:
        swap = {",": self.tree["thousands"], ".": self.tree["decimal"]}
        return "".join(swap.get(sign, sign) for sign in text)

    def limit(self, value: float, unit: str | None) -> str:
        """A number that somebody has set, as exactly as it was set."""
        text = self._swapped(f"{value:,.9g}")  # all that is set, without the noise of floats
        return f"{text} {UNITS.get(unit or '', unit or '')}".strip()

    def measure(self, value: float | None, unit: str | None) -> str:
        """A number that was measured, no finer than it is true."""
        if value is None:
            return "–"
        whole = unit in (None, "frames", "ms", "gray", "px/Mpx")
        digits = 0 if whole else DIGITS.get(unit or "", 2)
        return f"{self.number(value, digits)} {UNITS.get(unit or '', unit or '')}".strip()

    def reason(self, reason: ReasonMessage) -> str:
        """Why a part did not pass."""
        limit = "–" if reason.limit is None else self.limit(reason.limit, reason.unit)
        text = self(
            f"reason.{reason.rule}", value=self.measure(reason.value, reason.unit), limit=limit
        )
        if reason.kind is not None:
            return f"{text} {self('of_class', kind=reason.kind)}"
        return text if reason.zone is None else f"{text} {self('in_zone', zone=reason.zone)}"

    @staticmethod
    def time(moment: datetime) -> str:
        """Time of day, by the clock of the line PC."""
        return f"{moment.astimezone():%H:%M:%S}"

    @staticmethod
    def minute(moment: datetime) -> str:
        """Time of day without seconds; with its date if that is not today's."""
        local = moment.astimezone()
        today = datetime.now().astimezone().date()
        return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def choose(wanted: str, cookie: str | None, accepted: str) -> str:
    """The language for a browser: its choice, else the line's, else what its `Accept-Language`
    prefers, else English.
    """
    if cookie in LANGUAGES:
        return cookie
    if wanted in LANGUAGES:
        return wanted
    return next((code for code in _preferred(accepted) if code in LANGUAGES), "en")


def _preferred(accepted: str) -> Sequence[str]:
    """Language codes of an `Accept-Language` header, the best first."""
    weighed = []
    for number, entry in enumerate(accepted[:200].split(",")):
        name, _, quality = entry.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        weighed.append((-weight, number, name.partition("-")[0].lower()))
    return [code for _, _, code in sorted(weighed)]
