"""Holds what a line has recorded against what was heard of it: nothing lost, nothing doubled."""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.faults.fault import Outcome

OUTBOX = Path("state", "outbox.db")


@dataclass(frozen=True, slots=True)
class Tally:
    """Results that were recorded, and how many arrived once more than once."""

    results: int = 0
    doubled: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.results + other.results, self.doubled + other.doubled)

    def __str__(self) -> str:
        return f"{self.results} results, {self.doubled} heard again with the same id"


def look(folder: Path) -> tuple[str, int]:
    """What SQLite says of the outbox as a kill has left it (`ok`), and the session it is of.

    Of a copy, so that the next start finds what was left and not what this look has repaired.
    """
    copy = folder / "copy.db"
    for suffix in ("", "-wal"):
        source = Path(f"{folder / OUTBOX}{suffix}")
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, f"{copy}{suffix}")
    session = "SELECT value FROM meta WHERE name = 'session'"
    with closing(sqlite3.connect(copy)) as database:
        try:
            (found,) = database.execute("PRAGMA integrity_check").fetchone()
            return str(found), int(database.execute(session).fetchone()[0])
        except (sqlite3.OperationalError, TypeError):  # killed before there was a table or a row
            return str(found), 0
        except sqlite3.DatabaseError as error:
            return str(error), 0


def ask(folder: Path, query: str) -> int:
    """A number out of an outbox that somebody uses; 0 where there is none."""
    uri = f"{(folder / OUTBOX).as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        return int(database.execute(query).fetchone()[0] or 0)


def recorded(folder: Path) -> list[tuple[int, str]]:
    """Number and id of each row."""
    with closing(sqlite3.connect(folder / OUTBOX)) as database:
        return database.execute("SELECT seq, id FROM outbox ORDER BY seq").fetchall()


def settle(
    outcome: Outcome, folder: Path, heard: Sequence[dict[str, object]], reported: Iterable[str]
) -> Tally:
    """Note what does not add up; returns how much there was.

    `heard`: results as they arrived; `reported`: ids of which the daemon was told that they are
    recorded.
    """
    rows = recorded(folder)
    by_id: dict[object, str] = {}
    for result in heard:
        content = json.dumps(result | {"historical": None}, sort_keys=True)
        first = by_id.setdefault(result["id"], content)
        outcome.expect(first == content, f"{result['id']} was heard with two contents")
    ids = {name for _, name in rows}
    lost, invented = ids - by_id.keys(), by_id.keys() - ids
    outcome.expect(not lost, f"{len(lost)} of {len(ids)} results were lost: {_sample(lost)}")
    outcome.expect(not invented, f"{len(invented)} were never recorded: {_sample(invented)}")
    forgotten = set(reported) - ids
    outcome.expect(not forgotten, f"{len(forgotten)} commits were undone: {_sample(forgotten)}")
    numbers = [seq for seq, _ in rows]
    outcome.expect(numbers == list(range(1, len(rows) + 1)), "the numbers have a gap")
    heard_numbers = {result["id"]: result["seq"] for result in heard}
    outcome.expect(
        all(heard_numbers.get(name, seq) == seq for seq, name in rows), "an id has two numbers"
    )
    return Tally(len(ids), len(heard) - len(by_id))


def _sample(names: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, names))[:3])
