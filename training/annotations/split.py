"""Which pictures are to train on and which to be held out: a part is never in both. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

VIEW = re.compile(r"([_-]\d+|\s*\(\d+\))$")
"""How the number of a view ends a name: P7_2, P7-2, P7 (2)."""
COPY = re.compile(r"(_(jpe?g|png|bmp|tiff?))?\.rf\.[0-9A-Za-z]{8,}$", re.IGNORECASE)
"""How Roboflow ends the name of each altered copy of a picture: P7_2_jpg.rf.0123456789abcdef."""


def part_of(name: str, pattern: re.Pattern[str] | None) -> str | None:
    """The part that a picture shows, by its name; None if the pattern is not in it.

    A pattern is searched in the whole name, folders included, and its first group is the part.
    Without one it is the file's name without suffix, mark of a copy and view number; folders may
    be of Windows.
    """
    if pattern is None:
        stem = PurePosixPath(name.replace("\\", "/")).stem
        stem = COPY.sub("", stem) or stem
        return VIEW.sub("", stem) or stem
    found = pattern.search(name)
    return (found.group(1) or None) if found else None


def joined(parts: Sequence[str], contents: Sequence[str]) -> list[str]:
    """For each picture the name of its group: parts that share a picture's content are one.

    `contents` are hashes of the files. The first part by name gives the group its name.
    """
    above = {part: part for part in parts}

    def root(part: str) -> str:
        while above[part] != part:
            part = above[part]
        return part

    first: dict[str, str] = {}
    for part, content in zip(parts, contents, strict=True):
        one, other = sorted((root(part), root(first.setdefault(content, part))))
        above[other] = one
    return [root(part) for part in parts]


def place(group: str, seed: int) -> float:
    """Where in [0, 1) a group stands, whatever other groups there are."""
    digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def held_out(
    groups: Sequence[str], evaluated_only: Sequence[bool], share: float, seed: int
) -> set[str]:
    """The groups to hold out: those placed below `share`, and those that cannot be trained on.

    A group of which one picture can only be evaluated with is held out as a whole. Where all of
    the others or none would be held out, the group nearest to the other side changes it: training
    needs pictures on both sides, and for its own validation those that can be trained on.

    Raises:
        ValueError: fewer than two groups with pictures to train on, or none to be on that side.
    """
    forced = {g for g, only in zip(groups, evaluated_only, strict=True) if only}
    free = sorted({*groups} - forced, key=lambda g: (place(g, seed), g))
    shown = {g for g, only in zip(groups, evaluated_only, strict=True) if not only}
    if len(shown) < 2 or not free:
        raise ValueError(
            "expected at least two parts to train on, one of them without a bad picture that "
            f"nobody outlined; found {len(shown)} and {len(free)}"
        )
    below = [g for g in free if place(g, seed) < share]
    if not below and not shown & forced:
        below = free[:1]
    return forced | set(below[: len(free) - 1])
