"""The file of an outbox, its tables as they came about, and how an instant stands in them."""

from datetime import UTC, datetime

OUTBOX = "outbox.db"
"""The name of its file in a line's `state_dir`."""

MIGRATIONS = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        topic TEXT NOT NULL,
        payload TEXT NOT NULL,
        recorded_at TEXT NOT NULL,  -- UTC
        session INTEGER NOT NULL,
        acked_at TEXT,              -- UTC, NULL until the broker said yes
        parked TEXT                 -- why the broker said no
    );
    CREATE INDEX pending ON outbox (seq) WHERE acked_at IS NULL AND parked IS NULL;
    """,
    "CREATE INDEX acked ON outbox (acked_at) WHERE acked_at IS NOT NULL;",  # for purge
    """
    ALTER TABLE outbox ADD COLUMN replayed_at TEXT;  -- UTC, when it was last put back
    CREATE INDEX parked ON outbox (seq) WHERE parked IS NOT NULL;
    CREATE TABLE tally (  -- of rows that were purged while verdicts_since still counts them
        minute TEXT,      -- UTC, the head of recorded_at
        verdict TEXT,
        parts INTEGER NOT NULL,
        PRIMARY KEY (minute, verdict)
    ) WITHOUT ROWID;
    """,
)
"""Only ever append."""


def stamp(moment: datetime) -> str:
    """An instant as it stands in the columns; their order as text is their order in time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
