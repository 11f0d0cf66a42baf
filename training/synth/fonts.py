"""Typefaces and words. What the machine has is used; matplotlib's own fonts are always there."""

from __future__ import annotations

import hashlib
import logging
import string
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from PIL import ImageFont

# Of what is odd in a typeface, and does not keep it from being read, nobody needs to know.
logging.getLogger("fontTools").setLevel(logging.ERROR)

SYSTEM_DIRS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"))
SCRIPTS = (("latin", 0x61, 0x7A), ("greek", 0x3B1, 0x3C9), ("cyrillic", 0x430, 0x44F),
           ("armenian", 0x561, 0x586), ("georgian", 0x10D0, 0x10F0))  # fmt: skip
SYMBOLS = ("cmsy", "cmex", "symbol", "dingbat", "stix", "emoji", "d050000l", "standardsymbols")

NEEDED = frozenset(map(ord, string.ascii_letters + string.digits + "*-=#|/+.:"))
"""What a typeface lacks it shows as an empty box."""
HELD_OUT = 5
"""One typeface in so many is kept for the hold-out."""
_held_out: ContextVar[bool] = ContextVar("held_out", default=False)


@contextmanager
def pool(held_out: bool) -> Iterator[None]:
    """Within it, `random_font` draws the typefaces of the hold-out, or those of training."""
    token = _held_out.set(held_out)
    try:
        yield
    finally:
        _held_out.reset(token)


@cache
def _files(held_out: bool) -> tuple[str, ...]:
    """The typefaces of one pool, told apart by their names; all of them where there are few."""
    mine = tuple(
        f
        for f in font_files()
        if (hashlib.sha256(Path(f).stem.encode()).digest()[0] % HELD_OUT == 0) == held_out
    )
    return mine if len(mine) >= HELD_OUT else font_files()


@cache
def font_files() -> tuple[str, ...]:
    """Paths of typefaces with all of `NEEDED`, sorted; never empty."""
    own = Path(mpl.get_data_path()) / "fonts" / "ttf"
    files = list(own.glob("*.ttf"))
    for folder in SYSTEM_DIRS:
        for ending in ("*.ttf", "*.otf"):
            files += folder.rglob(ending)
    good = []
    for file in sorted(set(files)):
        if any(s in file.name.lower() for s in SYMBOLS):
            continue
        try:
            with TTFont(file, lazy=True) as font:
                complete = (font.getBestCmap() or {}).keys() >= NEEDED
            if complete and ImageFont.truetype(str(file), 24).getlength("Ag8") > 5:
                good.append(str(file))
        except (OSError, ValueError, TTLibError):
            continue
    return tuple(good)


def random_font(rng: np.random.Generator, size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """A typeface of the given size in pixels; `bold` prefers heavy ones."""
    files = _files(_held_out.get())
    if bold:
        heavy = [f for f in files if "bold" in f.lower() or "heavy" in f.lower()]
        files = tuple(heavy) or files
    return ImageFont.truetype(files[int(rng.integers(len(files)))], max(5, size))


def dejavu(rng: np.random.Generator, size: int) -> ImageFont.FreeTypeFont:
    """A typeface that covers many scripts."""
    files = [f for f in font_files() if "DejaVuSans" in f and "Display" not in f]
    return ImageFont.truetype(files[int(rng.integers(len(files)))], max(5, size))


def word(rng: np.random.Generator, script: int = 0) -> str:
    """A word, number, price, date or code of 1 to 11 characters."""
    kind = rng.random()
    n = int(rng.integers(2, 10))
    if kind < 0.55 or script:
        _, low, high = SCRIPTS[script]
        text = "".join(chr(int(c)) for c in rng.integers(low, high + 1, n))
        # Georgian capitals are missing from most typefaces; the script is written without them.
        style = rng.random() if SCRIPTS[script][0] != "georgian" else 1.0
        return text.upper() if style < 0.35 else text.capitalize() if style < 0.6 else text
    if kind < 0.7:
        return f"{rng.integers(0, 9999) / 100:.2f}"
    if kind < 0.8:
        return f"{rng.integers(1, 29):02d}/{rng.integers(1, 13):02d}/{rng.integers(1990, 2030)}"
    if kind < 0.95:
        return code(rng, n)
    return str(rng.choice(["*****", "-----", "====", "###", "|", "/", "+", "TOTAL:", "Qty", "No."]))


def code(rng: np.random.Generator, n: int) -> str:
    """Capital letters and digits, n characters."""
    return "".join(rng.choice(list("ABCDEFGHJKLMNPRSTUVWXYZ0123456789"), n))


def sentence(rng: np.random.Generator, script: int = 0) -> str:
    """One to eight words."""
    return " ".join(word(rng, script) for _ in range(int(rng.integers(1, 9))))
