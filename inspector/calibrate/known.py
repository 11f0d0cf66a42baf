"""Parts that are known to be good or bad: from folders, or by what operators said of verdicts."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from inspector.cameras.pictures import find_pictures
from inspector.errors import NoInputError
from inspector.page import marks
from inspector.page.marks import MARKS, Mark
from inspector.record.evidence import FOLDER, Reader
from inspector.types import Verdict

KINDS = ("good", "bad")
"""What parts are, and their folders are called; `KINDS[bad]`."""


@dataclass(frozen=True, slots=True)
class Known:
    """Pictures of parts, and which of these are bad; how many parts have been left out, and why.

    `chosen`: by the verdicts of a line, so that shares of these parts are not those of all parts. A
    bad one that passed is among them only if somebody saw it.
    """

    pictures: list[tuple[Path, bool]]
    left_out: Counter[str] = field(default_factory=Counter)
    chosen: bool = False


def find(folder: Path) -> Known:
    """The pictures in `folder`/good and `folder`/bad. Of a line's `state_dir`, or its evidence, the
    parts that operators called right or wrong on the page, the last word on each.

    Raises:
        NoInputError: there are no such folders, there are no pictures of good or of bad parts, or
            operators of the line have said nothing yet.
        EvidenceError: what is kept cannot be read.
    """
    state_dir = folder.parent if folder.name == FOLDER else folder
    words = {word.id: word for word in marks.read(state_dir / MARKS)}
    if words:
        return _spoken_of(list(words.values()), state_dir)
    if (state_dir / FOLDER).is_dir():
        raise NoInputError(
            f"{state_dir / MARKS}: expected what operators said of verdicts on the page, found none"
        )
    return Known(
        [(path, kind == "bad") for kind in KINDS for path in find_pictures([folder / kind])]
    )


def _spoken_of(words: list[Mark], state_dir: Path) -> Known:
    known, reader = Known([], chosen=True), Reader(state_dir / FOLDER)
    for word in words:
        kept = reader.find(word.id)
        picture = kept.picture if kept else None
        if word.verdict is Verdict.UNKNOWN:
            known.left_out["unknown, neither good nor bad"] += 1
        elif picture is None:
            known.left_out["picture no longer kept"] += 1
        else:
            known.pictures.append((picture, (word.verdict is Verdict.FAIL) is word.right))
    found = {bad for _, bad in known.pictures}
    for kind in KINDS:
        if (kind == "bad") not in found:
            raise NoInputError(
                f"{state_dir / MARKS}: expected parts whose pictures are kept, and of which "
                f"operators said that they are {kind}, found none"
            )
    return known
