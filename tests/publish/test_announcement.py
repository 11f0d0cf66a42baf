"""Announcements: what a line says of itself, by the schemas that are committed."""

import json

import pytest

from inspector.publish import announcement
from inspector.publish.message import encode
from tests.publish.test_message import MODEL, NOON, validator

TOTALS = announcement.Totals(parts=3, passed=1, failed=1, unknown=1)
LATENCY = announcement.LatencyMs(p50=14.12345, p95=None, p99=None)


@pytest.mark.parametrize(
    ("name", "sent", "expected"),
    [
        (
            "status",
            announcement.Online(session=17, state="running", delivery="confirmed"),
            {"online": True, "session": 17, "state": "running", "delivery": "confirmed"},
        ),
        (
            "status",
            announcement.Offline(session=17, reason="lost"),
            {"online": False, "session": 17, "reason": "lost"},
        ),
        (
            "birth",
            announcement.BirthMessage(
                time=NOON,
                session=17,
                device="d",
                versions={"inspector": "1.0"},
                model=MODEL,
                limits={"min_scratch_px": 40.0},
                schemas=announcement.SCHEMAS,
            ),
            None,
        ),
        (
            "count",
            announcement.CountMessage(session=17, since_start=TOTALS, since_midnight=TOTALS),
            {
                "session": 17,
                "since_start": {"parts": 3, "pass": 1, "fail": 1, "unknown": 1},
                "since_midnight": {"parts": 3, "pass": 1, "fail": 1, "unknown": 1},
            },
        ),
        (
            "alarm",
            announcement.AlarmMessage(code="disk_low", text="9 % free", since=NOON),
            {"code": "disk_low", "text": "9 % free", "since": "2026-11-20T12:00:00.123Z"},
        ),
        (
            "stats",
            announcement.StatsMessage(
                time=NOON,
                rate_per_s=9.87654,
                latency_ms=LATENCY,
                outbox_depth=2,
                disk_free_bytes=10**12,
                temperature_c=None,
                evidence=announcement.EvidenceStats(
                    records=2, size_bytes=10**7, dropped=1, number=9, sha256="ab" * 32
                ),
            ),
            {
                "time": "2026-11-20T12:00:00.123Z",
                "rate_per_s": 9.877,
                "latency_ms": {"p50": 14.123, "p95": None, "p99": None},
                "outbox_depth": 2,
                "disk_free_bytes": 10**12,
                "temperature_c": None,
                "evidence": {
                    "records": 2,
                    "size_bytes": 10**7,
                    "dropped": 1,
                    "number": 9,
                    "sha256": "ab" * 32,
                },
            },
        ),
    ],
)
def test_announcements_fit_their_schemas(name, sent, expected):
    """What the line says of itself has the promised fields, and its schema agrees."""
    content = json.loads(encode(sent))
    validator(name).validate(content)
    if expected is not None:
        assert content == expected
