"""A folder of good pictures: which of them can be read, and which are held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inspector.cameras.pictures import find_pictures, load_picture
from inspector.errors import NoInputError
from inspector.files import sha256_of
from inspector.progress import tracked
from inspector.types import Unseen
from training.synth.surfaces import SURFACES, OwnPart

HELD_OUT = 5
"""One picture in so many is held out."""
MIN_SIDE = 64
"""Pixels; a smaller picture has no room for a scratch and what surrounds it."""


@dataclass(frozen=True, slots=True)
class Good:
    """The part to train on, the part to hold out, and a sentence for each file left out."""

    train: OwnPart
    val: OwnPart
    left_out: tuple[str, ...]


def read_folder(folder: Path) -> Good:
    """Open every picture of a folder and below once, and divide them by their content.

    A picture stays on its side when others come or go, unless that side or the other would be
    empty. Copies of one file are on one side.

    Raises:
        NoInputError: no such folder, no picture in it that can be read, or only one: what is
            trained on cannot be held out.
    """
    if folder.exists() and not folder.is_dir():
        raise NoInputError(f"{folder}: expected a folder of good pictures, found a file")
    readable: list[tuple[Path, str]] = []
    left_out = []
    for path in tracked(find_pictures([folder]), "good pictures"):
        part = load_picture(path)
        if isinstance(part, Unseen):
            left_out.append(f"{part.source}: {part.detail}")
        elif min(part.image.shape[:2]) < MIN_SIDE:
            h, w = part.image.shape[:2]
            left_out.append(
                f"{part.source}: expected at least {MIN_SIDE} × {MIN_SIDE} px, found {w} × {h}"
            )
        else:
            readable.append((path, sha256_of(path)))
    if not readable:
        raise NoInputError(
            f"{folder}: expected good pictures, found none that can be used; {left_out[0]}"
        )
    held = _held_out({digest for _, digest in readable})
    if not held:
        raise NoInputError(
            f"{folder}: expected at least two different pictures, so that one can be held out, "
            f"found one: {readable[0][0].name}; take another, or cut it in two"
        )
    name = _name(folder)
    return Good(
        OwnPart(name, tuple(path for path, digest in readable if digest not in held)),
        OwnPart(name, tuple(path for path, digest in readable if digest in held)),
        tuple(left_out),
    )


def _held_out(digests: set[str]) -> set[str]:
    """The contents to hold out: at least one, and never all; none of a single one."""
    if len(digests) < 2:
        return set()
    held = {digest for digest in digests if int(digest[:8], 16) % HELD_OUT == 0}
    return held if held and held != digests else {min(digests)}


def _name(folder: Path) -> str:
    """The folder's own name, told apart from the generator's surfaces."""
    name = folder.resolve().name or "part"
    return f"{name}-own" if name in SURFACES else name
