"""Records of parts that nobody has judged, made as the line makes them."""

from datetime import UTC, datetime, timedelta

from inspector.config import LineConfig
from inspector.keeping import Kept
from inspector.record.evidence.draft import Draft
from inspector.record.evidence.record import Judging

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LINE = LineConfig.model_validate(
    {"site": "a", "line": "b", "camera": {"source": "folder:x"}, "state_dir": "state"}
)
JUDGING = Judging.of(LINE, None, {"inspector": "test"})
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
