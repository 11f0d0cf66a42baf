"""What a check says."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: what was looked at, how it is, what was found, and what to do about it."""

    check: str
    status: Status
    found: str
    advice: str = ""

    def __str__(self) -> str:
        """The row as it is printed."""
        advice = f" → {self.advice}" if self.advice else ""
        return f"{self.status:4}  {self.check:13}  {' '.join(self.found.split())}{advice}"
