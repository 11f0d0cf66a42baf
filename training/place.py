"""Where a data set or a bundle goes: nothing is there, or what may be replaced, and it comes as a
whole.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from inspector.errors import InspectorError
from training.evaluation.labels import LabelError

KNOWN_BY = ("data.yaml", "truth-train.jsonl", "truth-val.jsonl")
"""Files by which a folder is known to be a data set."""


def refuse(out: Path, replace: bool, inputs: Sequence[Path | None] = ()) -> None:
    """Look whether a data set made of `inputs` may go to `out`.

    Raises:
        LabelError: something is there that may not be replaced.
    """
    if not out.exists():
        return
    if not replace:
        raise LabelError(f"{out}: expected nothing there, or --replace; found a file or folder")
    if not all((out / name).is_file() for name in KNOWN_BY):
        raise LabelError(
            f"{out}: expected a data set to replace, with {', '.join(KNOWN_BY)}; found none"
        )
    for given in inputs:
        if given is not None and given.resolve().is_relative_to(out.resolve()):
            raise LabelError(f"{out}: expected no input in what is replaced, found {given}")


@contextmanager
def filled(out: Path, what: str = "data set") -> Iterator[Path]:
    """A folder to make, beside `out`: it takes that place when all went well, and is gone if not.
    `what` it holds, for errors.

    Raises:
        InspectorError: the disk does not take it.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as folder:
            root = Path(folder) / "new"
            yield root
            _publish(root, out)
    except OSError as error:
        found = error.strerror or error
        raise InspectorError(f"{out}: expected to write the {what}, found: {found}") from None


def _publish(made: Path, out: Path) -> None:
    """Put the new folder in its place; the old one moves to where it is cleaned up."""
    old = made.with_name("old")
    if out.exists():
        out.rename(old)
    try:
        made.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
