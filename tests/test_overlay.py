"""What is drawn on a picture can be read, wherever the scratch lies."""

from dataclasses import dataclass

import numpy as np
import pytest

from inspector.overlay import shrunk

SIZE = 400


@dataclass(frozen=True)
class Scratch:
    """As a message has it."""

    polygon: tuple[tuple[int, int], ...]
    length_px: float = 113.0
    length_mm: float | None = None
    confidence: float = 0.99


def ink(x: int, y: int) -> int:
    """Pixels that are drawn for a scratch of a single px at (x, y): nearly all are its label's."""
    drawn = shrunk(np.zeros((SIZE, SIZE, 3), np.uint8), [Scratch(((x, y), (x, y)))], SIZE)
    return int(drawn.any(axis=2).sum())


@pytest.mark.parametrize("x", [0, 200, SIZE - 1])
@pytest.mark.parametrize("y", [0, 200, SIZE - 1])
def test_a_label_is_never_cut_off(x: int, y: int) -> None:
    """At the edges and in the corners it shows as much as in the middle."""
    assert ink(x, y) >= ink(100, 100) - 5
