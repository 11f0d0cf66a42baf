"""What operators say of verdicts: «was it right?». One JSON object per line, beside the evidence,
from which training imports pictures that were judged wrong.
"""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from inspector.errors import ConfigError
from inspector.files import sync_folder
from inspector.publish.message import ResultMessage
from inspector.types import Verdict

MARKS = "marks.jsonl"
"""Their file in the `state_dir` of a line."""
MOST_BYTES = 16 << 20  # some 80,000 marks; somebody has to import and remove them long before


class Mark(BaseModel):
    """An operator's word on one verdict; the last one of an id counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: Literal["inspector.mark/1"] = Field(default="inspector.mark/1", alias="schema")
    id: str = Field(description="of the result")
    seq: Annotated[int, Field(ge=0)]
    judged: AwareDatetime = Field(description="when the part was judged")
    verdict: Verdict
    right: bool = Field(description="whether the operator agrees with the verdict")
    time: AwareDatetime = Field(description="when the operator said so")


class Marks:
    """The file of marks of one line. Only the page writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._said: dict[str, bool] = {mark.id: mark.right for mark in read(path)}

    def said(self, name: str) -> bool | None:
        """What was said of the result of that id; None: nothing."""
        return self._said.get(name)

    def add(self, part: ResultMessage, *, right: bool) -> None:
        """Write a mark down; it is on the disk on return.

        Raises:
            ConfigError: it cannot be written, or the file is full.
        """
        mark = Mark(
            id=part.id,
            seq=part.seq,
            judged=part.time,
            verdict=part.verdict,
            right=right,
            time=datetime.now(UTC),
        )
        with self._lock:
            try:
                with self._path.open("a+b") as file:
                    if file.seek(0, os.SEEK_END) > MOST_BYTES:
                        raise ConfigError(
                            f"{self._path}: expected less than {MOST_BYTES >> 20} MiB: import the "
                            "marks and move the file away"
                        )
                    torn = file.tell() > 0 and _last_byte(file) != b"\n"  # by a power cut
                    text = mark.model_dump_json(by_alias=True).encode() + b"\n"
                    file.write(b"\n" + text if torn else text)
                    file.flush()
                    os.fsync(file.fileno())
                sync_folder(self._path.parent)  # the file may be new
            except OSError as error:
                raise ConfigError(
                    f"{self._path}: expected to write the mark, found: {error.strerror}"
                ) from None
            self._said[part.id] = right


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def read(path: Path) -> list[Mark]:
    """All marks of a file, the oldest first; a torn last line is none. No file: no marks."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    marks = []
    for line in lines:
        try:
            marks.append(Mark.model_validate_json(line))
        except ValidationError:
            continue
    return marks
