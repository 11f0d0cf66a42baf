"""What the options of `inspector calibrate` mean: a target, a box in a picture."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from inspector.calibrate.target import Target


TargetKind = Literal["checkerboard", "aruco", "ruler", "points"]
"""Values of `--target`."""


def target(
    kind: TargetKind | None, known_mm: float | None, squares: str, between: str | None,
    picture: Path | None,
) -> "Target | None":  # fmt: skip
    """What `--target` and its companions mean, None where they were left out."""
    from inspector.calibrate.target import Target

    if kind is None and known_mm is None and between is None:
        return None
    kind = kind or "points"
    if known_mm is None:
        raise typer.BadParameter("expected --known-mm with a target, found none")
    if kind in ("ruler", "points") and between is None:
        raise typer.BadParameter(f"expected --between x1,y1,x2,y2 with {kind}, found none")
    columns, rows = _whole("--squares", squares, "x", 2)
    return Target(
        kind=kind,
        known_mm=known_mm,
        squares=(columns, rows),
        between=_numbers("--between", between, ",", 4) if between else None,
        picture=picture,
    )


def learns(sight: Path | None, frames: int | None) -> bool:
    """One of `--sight DIR` and `--frames N` is there."""
    if sight is not None and frames is not None:
        raise typer.BadParameter("expected --sight DIR or --frames N, found both")
    return sight is not None or frames is not None


def box(option: str, text: str) -> tuple[int, int, int, int]:
    """x, y, width and height in whole px."""
    x, y, width, height = _whole(option, text, ",", 4)
    return x, y, width, height


def refuse_lone(picture: Path | None, shown: object) -> None:
    """A `--picture` of nothing would be passed over without a word."""
    if picture is not None and shown is None:
        raise typer.BadParameter("--picture: expected a --target or a --reference with it")


def _whole(option: str, text: str, separator: str, count: int) -> tuple[int, ...]:
    numbers = _numbers(option, text, separator, count)
    if not all(map(float.is_integer, numbers)):
        raise typer.BadParameter(f"{option}: expected whole numbers, found {text}")
    return tuple(map(int, numbers))


def _numbers(option: str, text: str, separator: str, count: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(separator))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise typer.BadParameter(
            f"{option}: expected {count} numbers with {separator!r} between them, found {text}"
        )
    return numbers
