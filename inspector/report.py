"""Results on a terminal, as `watch` and the demo show them."""

from collections import Counter, deque
from typing import Any

from rich.table import Table
from rich.text import Text

SHOWN = 12  # parts in the table
STYLES = {"pass": "bold green", "fail": "bold white on red", "unknown": "bold black on yellow"}


class Board:
    """The last parts and the totals. `add` takes result messages, `table` draws them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._last: deque[dict[str, Any]] = deque(maxlen=SHOWN)

    def add(self, result: dict[str, Any]) -> None:
        """One more result message."""
        self.counts[result["verdict"]] += 1
        self._last.append(result)

    def table(self, title: str) -> Table:
        """The newest part first."""
        table = Table(title=title, caption=self.summary(), min_width=78)
        for name in ("seq", "verdict", "longest", "time", "part", "why"):
            number = name in {"seq", "longest", "time"}
            table.add_column(name, justify="right" if number else "left")
        for result in reversed(self._last):
            verdict = result["verdict"]
            table.add_row(
                str(result["seq"]),
                Text(f" {verdict.upper()} ", style=STYLES[verdict]),
                *_cells(result),
            )
        return table

    def summary(self) -> str:
        """The totals in words."""
        numbers = ", ".join(f"{self.counts[verdict]} {verdict}" for verdict in STYLES)
        return f"{self.counts.total()} parts: {numbers}"


def line(result: dict[str, Any]) -> str:
    """One result message in one line of plain text."""
    longest, total, part, why = _cells(result)
    return f"{result['verdict'].upper():7} {longest:>9} {total:>8}  {part}  {why}".rstrip()


def _cells(result: dict[str, Any]) -> tuple[str, str, str, str]:
    lengths = [scratch["length_px"] for scratch in result["scratches"]]
    return (
        f"{max(lengths):.1f} px" if lengths else "",
        f"{result['timing_ms']['total']:.0f} ms",
        result["source"].rpartition("/")[2],
        ", ".join(sorted(set(map(_why, result["reasons"])))) or _near(result),
    )


def _why(reason: dict[str, Any]) -> str:
    if reason["zone"]:
        return f"{reason['rule']} in {reason['zone']}"
    return f"{reason['rule']} of {reason['class']}" if reason.get("class") else str(reason["rule"])


def _near(result: dict[str, Any]) -> str:
    """A pass by the policy of the guard band is no clear one."""
    return "marginal" if result.get("marginal") else ""
