"""A dense answer becomes detections on the frame's own pixels, whatever tiles it came from."""

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from inspector.errors import InferenceError
from inspector.segment.dense import Canvas
from inspector.segment.manifest import Manifest
from inspector.segment.runtime import FakeRuntime, Outputs
from inspector.segment.segmenter import Segmenter
from inspector.segment.tiles import Tile, grid
from inspector.types import Image
from tests.support.bundles import manifest_of

SIDE = 128
MANIFEST = manifest_of("dense", SIDE)
WHOLE = Tile(0, 0, SIDE, SIDE)


def answer(*bars: tuple[int, int, int, int, float]) -> Outputs:
    """Logits in which bars (x0, y0, x1, y1, in cells) have the given value."""
    logits = np.full(MANIFEST.dense_shape, -6, np.float32)
    for x0, y0, x1, y1, value in bars:
        logits[0, 0, y0:y1, x0:x1] = value
    return (logits,)


def found(outputs: Outputs, confidence: float = 0.5, size: tuple[int, int] = (SIDE, SIDE)):
    canvas = Canvas(*size, MANIFEST)
    canvas.add(Tile(0, 0, *size), outputs)
    return canvas.detections(confidence)


class RedIsAScratch(FakeRuntime):
    """Says of every cell how red its pixels are."""

    def infer(self, tile: Image) -> Outputs:
        self.tiles.append(tile)
        red = tile[..., 2].astype(np.float32).reshape(SIDE // 2, 2, SIDE // 2, 2).max(axis=(1, 3))
        return (np.where(red > 128, 6, -6).astype(np.float32)[None, None],)


def test_a_bar_of_cells_is_a_mask_of_pixels() -> None:
    """Cells 10 … 29 × 5 … 6 are the pixels 20 … 59 × 10 … 13, to half a pixel."""
    (bar,) = found(answer((10, 5, 30, 7, 6)))
    rows, columns = np.nonzero(bar.mask)

    assert bar.confidence == pytest.approx(1 / (1 + np.exp(-6)))
    assert (bar.x + columns.min(), bar.x + columns.max()) == (20, 59)
    assert (bar.y + rows.min(), bar.y + rows.max()) == (10, 13)
    assert bar.mask.sum() == pytest.approx(40 * 4, rel=0.05)


def test_only_what_is_sure_enough_counts_the_surest_first() -> None:
    """The confidence of a spot is that of its surer half."""
    outputs = answer((2, 2, 20, 4, 0.2), (2, 10, 20, 12, 3), (2, 20, 20, 22, 1), (2, 21, 20, 22, 5))

    assert [d.y for d in found(outputs, 0.9)] == [38, 18]
    assert len(found(outputs, 0.5)) == 3


def test_a_speck_is_none() -> None:
    """One or two cells are no scratch, whatever their value."""
    assert found(answer((5, 5, 7, 6, 9))) == []


def test_touching_at_a_corner_is_one() -> None:
    """A diagonal scratch is not taken apart."""
    outputs = answer(*((k, k, k + 1, k + 1, 6) for k in range(5, 25)))

    assert len(found(outputs)) == 1


def test_neighbours_keep_their_own_pixels() -> None:
    """Two bars two cells apart stay two, and neither mask holds pixels of the other."""
    a, b = found(answer((5, 5, 40, 6, 6), (5, 8, 40, 9, 5)))
    full = np.zeros((2, SIDE, SIDE), bool)
    for plane, d in zip(full, (a, b), strict=True):
        plane[d.y : d.y + d.mask.shape[0], d.x : d.x + d.mask.shape[1]] = d.mask

    assert not (full[0] & full[1]).any()


def test_what_lies_beyond_an_odd_frame_is_cut_off() -> None:
    """The last cell of a frame with an odd side covers one pixel of it."""
    (bar,) = found(answer((40, 40, 64, 42, 6)), size=(101, 83))

    assert bar.x + bar.mask.shape[1] <= 101
    assert bar.y + bar.mask.shape[0] <= 83


@pytest.mark.parametrize("length", [150, 260, 401])
@pytest.mark.parametrize("vertical", [False, True])
def test_a_scratch_across_seams_is_one_with_its_true_length(length: int, vertical: bool) -> None:
    """Over one to six seams, on frames of odd and even sides."""
    image = np.zeros((91, length + 40, 3), np.uint8)
    image[30:34, 20 : 20 + length, 2] = 255
    if vertical:
        image = np.ascontiguousarray(image.transpose(1, 0, 2))

    (scratch,) = Segmenter(MANIFEST, RedIsAScratch(answer())).segment(image)

    rows, columns = np.nonzero(scratch.mask)
    long = np.ptp(rows) + 1 if vertical else np.ptp(columns) + 1
    assert long == pytest.approx(length, abs=2)


def test_tiles_that_show_nothing_are_not_looked_at() -> None:
    """Beside a part on an even ground, as a line scan has it; what is on the part is found."""
    image = np.zeros((SIDE, 8 * SIDE, 3), np.uint8)
    image[:, 300:400] = 40
    image[50:54, 310:390, 2] = 255
    runtime = RedIsAScratch(answer())

    (scratch,) = Segmenter(MANIFEST, runtime).segment(image)

    assert (scratch.x, scratch.x + scratch.mask.shape[1]) == pytest.approx((310, 390), abs=4)
    shown = [t for t in grid(8 * SIDE, SIDE, SIDE, SIDE) if t.x < 400 and t.x + t.width > 300]
    assert len(runtime.tiles) == len(shown) == 4


@pytest.mark.parametrize("width", [SIDE, 3 * SIDE])
def test_a_frame_that_shows_nothing_is_looked_at_all_over(width: int) -> None:
    """Nothing passes without the model having been asked, and having answered."""
    outputs = answer()
    outputs[0][0, 0, 3, 3] = np.nan

    with pytest.raises(InferenceError, match="finite"):
        Segmenter(MANIFEST, FakeRuntime(outputs)).segment(np.full((SIDE, width, 3), 90, np.uint8))


def test_an_answer_that_is_none_is_refused() -> None:
    striped = np.zeros((2 * SIDE, SIDE, 3), np.uint8)
    striped[::9] = 200
    with pytest.raises(InferenceError, match=r"expected .*, found"):
        Segmenter(MANIFEST, FakeRuntime(())).segment(striped)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_not_finite_is_refused(value: float) -> None:
    """NaN anywhere is an error, never a picture without scratches."""
    outputs = answer()
    outputs[0][0, 0, 3, 3] = value

    with pytest.raises(InferenceError, match="finite"):
        found(outputs)


@pytest.mark.parametrize(
    "outputs",
    [
        (),
        (np.zeros((1, 1, 64, 63), np.float32),),
        (np.zeros((1, 2, 64, 64), np.float32),),
        (np.zeros((64, 64), np.float32),),
        (*answer(), *answer()),
    ],
    ids=["nothing", "other size", "two classes", "no batch", "two outputs"],
)
def test_an_answer_of_another_shape_is_refused(outputs: Outputs) -> None:
    """The error says what was expected."""
    with pytest.raises(InferenceError, match=r"expected a dense head's output .*, found"):
        found(outputs)


@pytest.mark.parametrize(
    "change",
    [{"head": "raw"}, {"task": "segment"}, {"classes": ("scratch", "dent")}],
    ids=["instances", "segment", "two classes"],
)
def test_a_manifest_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    """A dense head belongs to the task semantic and to one class."""
    with pytest.raises(ValidationError, match="expected"):
        Manifest.model_validate(MANIFEST.model_dump() | change)


def test_a_fake_that_finds_nothing_finds_nothing() -> None:
    """The shipped double has the shape of a dense head too."""
    runtime = FakeRuntime(FakeRuntime.none(MANIFEST))

    assert Segmenter(MANIFEST, runtime).segment(np.zeros((SIDE, SIDE, 3), np.uint8)) == []


def test_a_faint_line_of_single_cells_stays_in_one_piece() -> None:
    """Its neighbours are surer that they are sound than it is that it is scratched."""
    logits = np.full(MANIFEST.dense_shape, -6, np.float32)
    logits[0, 0, 20 + np.arange(30) // 3, 10 + np.arange(30)] = 0.3
    (line,) = found((logits,))

    assert cv2.connectedComponents(line.mask.astype(np.uint8))[0] == 2
    assert line.mask.sum() >= 30 * 4


def test_a_weak_region_does_not_hide_a_sure_scratch_beside_it() -> None:
    outputs = answer((10, 20, 110, 40, 0.1), (10, 10, 30, 12, 3.5), (18, 12, 20, 20, 0.1))

    assert len(found(outputs, 0.9)) == 1


def test_a_frame_with_gaps_between_answers_is_refused() -> None:
    canvas = Canvas(2 * SIDE, SIDE, MANIFEST)
    canvas.add(Tile(0, 0, SIDE, SIDE), answer())
    with pytest.raises(InferenceError, match="found gaps"):
        canvas.detections(0.5)
