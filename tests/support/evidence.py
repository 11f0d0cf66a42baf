"""Records of parts that nobody has judged, made as the line makes them.

`python -m tests.support.evidence 100000 DIR` makes a line in DIR that has kept so many, each with a
picture of 20 kB; then `inspector evidence verify --config DIR/line.yaml` can be timed.
"""

import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inspector.config import LineConfig
from inspector.keeping import Kept
from inspector.record.evidence import store
from inspector.record.evidence.draft import Draft
from inspector.record.evidence.record import Judging

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LINE = LineConfig.model_validate(
    {"site": "a", "line": "b", "camera": {"source": "folder:x"}, "state_dir": "state"}
)
JUDGING = Judging.of(LINE, None, None, {"inspector": "test"})
VERDICTS = {Kept.FAIL: "fail", Kept.UNKNOWN: "unknown"}


def draft(seq: int, kept: Kept = Kept.FAIL, at: datetime | None = None, size: int = 100) -> Draft:
    """The part with this number, judged at `at` or so many minutes after noon."""
    judged_at = at or NOON + timedelta(minutes=seq)
    return Draft(
        id=f"dev-1-{seq}",
        kept=kept,
        judged_at=judged_at,
        picture=b"p" * size,
        overlay=b"o",
        result={
            "id": f"dev-1-{seq}",
            "seq": seq,
            "time": judged_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "verdict": VERDICTS.get(kept, "pass"),
        },
        exact=(),
        judging=JUDGING,
    )


def _without_waiting(replace):
    return lambda path, data, **_: replace(path, data, durable=False)


def _make(count: int, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "line.yaml").write_text(
        "site: a\nline: b\ncamera: {source: 'folder:x'}\nstate_dir: state\n"
    )
    # Without waiting for the disk: it is made once, and a power cut may have it.
    store.files.replace = _without_waiting(store.files.replace)
    kinds = (Kept.FAIL, Kept.UNKNOWN, Kept.SAMPLE)
    with closing(store.Store(folder / "state" / "evidence")) as made:
        made._index._database.execute("PRAGMA synchronous = OFF")
        for seq in range(1, count + 1):
            at = NOON + timedelta(seconds=10 * seq)
            made.add(draft(seq, kinds[seq % 3], at=at, size=20_000), 50)


if __name__ == "__main__":
    _make(int(sys.argv[1]), Path(sys.argv[2]))
