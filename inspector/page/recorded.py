"""What the page reads from the disk: recorded results, what waits, room, the calibration,
pictures that are kept. It reads beside the line, and holds up nobody who writes.
"""

import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from inspector import lines
from inspector.calibration import Record
from inspector.errors import ConfigError, EvidenceError, OutboxError
from inspector.page.book import LENGTHS, REJECTS
from inspector.publish.message import ResultMessage
from inspector.record.evidence import FOLDER, Reader
from inspector.record.schema import OUTBOX
from inspector.record.survey import backlog, payloads
from inspector.types import Verdict

log = logging.getLogger(__name__)

AT_ONCE = 50  # messages that are read without a pause: the line starts at the same time
PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Disk:
    """Results that wait, and since when the oldest does; room; the last calibration; the ids of
    the last rejects of which a picture is kept.

    None where it could not be read, or where the line was never calibrated.
    """

    waiting: int | None
    oldest: datetime | None
    free_bytes: int | None
    total_bytes: int | None
    calibration: Record | None
    pictured: frozenset[str] = frozenset()


def results(outbox: Path) -> Iterator[ResultMessage]:
    """The newest recorded results, the oldest first; what is no such message is passed over."""
    try:
        found = payloads(outbox, LENGTHS)
    except OutboxError as error:
        log.warning("what was recorded before is not shown: %s", error)
        return
    for number, payload in enumerate(found):
        if number % AT_ONCE == 0:
            time.sleep(PAUSE_S)
        try:
            yield ResultMessage.model_validate_json(payload)
        except ValidationError:
            log.debug("not shown: %s", payload[:200])


def look(state_dir: Path, line: Path) -> Disk:
    """How the disk is now; `line` is the line's file."""
    waiting = oldest = free = total = record = None
    try:
        waiting, oldest = backlog(state_dir / OUTBOX)
    except OutboxError as error:
        log.debug("%s", error)
    try:
        usage = shutil.disk_usage(state_dir)
        free, total = usage.free, usage.total
    except OSError as error:
        log.debug("%s", error)
    try:
        records = lines.read_history(line).records
        record = records[-1] if records else None
    except ConfigError as error:
        log.debug("%s", error)
    return Disk(waiting, oldest, free, total, record, _pictured(Reader(state_dir / FOLDER)))


def _pictured(evidence: Reader) -> frozenset[str]:
    try:
        found = evidence.latest(REJECTS, (Verdict.FAIL, Verdict.UNKNOWN))
    except EvidenceError as error:
        log.debug("%s", error)
        return frozenset()
    return frozenset(stored.id for stored in found if stored.overlay is not None)


def picture(state_dir: Path, name: str) -> bytes | None:
    """The JPEG that is kept as evidence of the result with this id, None if there is none."""
    try:
        stored = Reader(state_dir / FOLDER).find(name)
        overlay = stored.overlay if stored else None
        return overlay.read_bytes() if overlay else None
    except (EvidenceError, OSError) as error:
        log.debug("%s", error)
        return None
