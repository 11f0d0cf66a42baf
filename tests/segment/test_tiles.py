"""Tiles cover the frame, and what they find is put together once."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.segment.tiles import EMPTY, OVERLAP, Tile, cut, grid, is_empty, merge, place
from inspector.types import Detection

WHOLE = Tile(0, 0, 100, 100)


def block(x: int, y: int, width: int, height: int, confidence: float = 0.5) -> Detection:
    return Detection(confidence, x, y, np.ones((height, width), bool))


@given(st.integers(1, 4000), st.integers(1, 3000), st.sampled_from([128, 640]))
def test_tiles_cover_the_frame_and_overlap(width: int, height: int, side: int) -> None:
    """Every pixel lies in a tile, no tile leaves the frame, neighbours share the overlap."""
    tiles = grid(width, height, side, side)
    columns = sorted({(t.x, t.width) for t in tiles})
    rows = sorted({(t.y, t.height) for t in tiles})

    for spans, length in ((columns, width), (rows, height)):
        assert spans[0][0] == 0
        assert spans[-1][0] + spans[-1][1] == length
        for (a, size), (b, _) in pairwise(spans):
            assert a + size - b >= OVERLAP
    assert len(tiles) == len(columns) * len(rows)


def test_a_frame_that_fits_is_one_tile() -> None:
    """A plate of 320 × 160 px is not scaled up, and a frame of the input's size not cut."""
    assert grid(320, 160, 640, 640) == [Tile(0, 0, 320, 160)]
    assert grid(640, 640, 640, 640) == [Tile(0, 0, 640, 640)]


@pytest.mark.parametrize("pad", ["reflect", "gray"])
def test_cutting_keeps_pixels_and_fills_up_at_the_right_and_bottom(pad: str) -> None:
    """The tile's own pixels stay at the top left; the result has the input's size."""
    image = np.random.default_rng(0).integers(0, 255, (30, 50, 3), np.uint8)

    tile = cut(image, Tile(10, 5, 40, 25), 64, 64, pad)

    assert tile.shape == (64, 64, 3)
    assert tile.flags.c_contiguous
    assert np.array_equal(tile[:25, :40], image[5:, 10:])


def test_padding_finds_nothing() -> None:
    """What a model sees in the padding is cut off; a detection that lies only there is dropped."""
    tile = Tile(100, 0, 50, 50)

    kept = place(block(40, 10, 20, 5), tile)

    assert kept is not None
    assert (kept.x, kept.y, kept.mask.shape) == (140, 10, (5, 10))
    assert place(block(50, 0, 10, 10), tile) is None


def test_a_scratch_across_a_seam_is_one() -> None:
    """Two tiles see parts of one bar; together they give all of it, with the better confidence."""
    left, right = Tile(0, 0, 100, 50), Tile(60, 0, 100, 50)

    (found,) = merge([(left, block(10, 20, 88, 3, 0.6)), (right, block(62, 20, 80, 3, 0.8))])

    assert (found.x, found.y, found.mask.shape) == (10, 20, (3, 132))
    assert found.mask.all()
    assert found.confidence == 0.8


def test_duplicates_in_one_tile_are_one() -> None:
    """A part of a scratch that was found twice is no second scratch."""
    (found,) = merge([(WHOLE, block(10, 10, 80, 3)), (WHOLE, block(40, 10, 20, 3))])

    assert found.mask.sum() == 240


def test_a_scratch_in_a_smear_is_not_hidden_by_it() -> None:
    """Two classes on one spot are two findings, each with its own limits."""
    smear = replace(block(10, 10, 80, 40, 0.9), kind="smear")

    assert [d.kind for d in merge([(WHOLE, smear), (WHOLE, block(20, 30, 60, 3))])] == [
        "smear",
        "scratch",
    ]


def test_crossing_scratches_stay_two() -> None:
    """A cross shares only its centre."""
    found = merge([(WHOLE, block(10, 50, 80, 3)), (WHOLE, block(50, 10, 3, 80))])

    assert len(found) == 2


def test_three_tiles_in_a_row_give_one_scratch() -> None:
    """Merging is transitive: the ends meet through the middle."""
    tiles = [Tile(0, 0, 100, 50), Tile(60, 0, 100, 50), Tile(120, 0, 100, 50)]
    parts = [block(5, 20, 95, 3), block(60, 20, 100, 3), block(120, 20, 90, 3)]

    (found,) = merge(list(zip(tiles, parts, strict=True)))

    assert found.mask.shape == (3, 205)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_tile_is_empty_only_if_no_pixel_of_any_channel_differs(channel: int) -> None:
    """One pixel, wherever it lies; what is beside the tile does not count."""
    image = np.full((90, 120, 3), (30, 200, 90), np.uint8)
    image[:, 100:] = 0
    tile = Tile(7, 5, 80, 80)
    assert is_empty(image, tile)

    image[5 + 63, 7 + 41, channel] += EMPTY
    assert is_empty(image, tile)
    image[5 + 63, 7 + 41, channel] += 1
    assert not is_empty(image, tile)
    assert is_empty(image, Tile(7, 5, 41, 80))
