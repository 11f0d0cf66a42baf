"""Where the files of a record lie in the folder of a line's evidence. Pure.

evidence/index.db                           the rows of the chain
evidence/2026-11-21/04/ID.png .jpg .json    picture, picture with the scratches drawn in, record
evidence/last/ID.png .jpg .json             the same of the last parts, which others displace
"""

from datetime import UTC, datetime
from pathlib import Path

FOLDER = "evidence"
"""In the `state_dir` of the line."""

INDEX = "index.db"
LAST = "last"
PICTURE, OVERLAY, RECORD = ".png", ".jpg", ".json"
SUFFIXES = (PICTURE, OVERLAY, RECORD)
HOURS = "[0-9]*-[0-9]*-[0-9]*/[0-9][0-9]"
"""What the folders of hours are called, for glob."""


def folder_of(judged_at: datetime) -> str:
    """The folder of the hour, UTC."""
    return f"{judged_at.astimezone(UTC):%Y-%m-%d/%H}"


def file_of(root: Path, folder: str, name: str, suffix: str) -> Path:
    """One file of the record with this id. Ids hold hyphens and no dots."""
    return root / folder / (name + suffix)
