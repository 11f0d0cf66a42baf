"""Both heads decode to the same masks, and nonsense from a runtime is refused."""

import numpy as np
import pytest

from inspector.errors import InferenceError
from inspector.segment.decode import decode
from inspector.segment.manifest import Manifest
from inspector.segment.runtime import Outputs
from tests.support.bundles import manifest_of

SIDE = 64
BOX = (8.0, 16.0, 40.0, 32.0)  # x1, y1, x2, y2


def prototypes(inside: float = 5.0) -> np.ndarray:
    """The first prototype is positive inside BOX and negative elsewhere; the others are zero."""
    protos = np.zeros((1, 32, SIDE // 4, SIDE // 4), np.float32)
    protos[0, 0] = -5
    protos[0, 0, 4:8, 2:10] = inside
    return protos


def end2end(*rows: tuple[float, ...]) -> np.ndarray:
    """Rows of x1, y1, x2, y2, score; class 0, and the first coefficient is one."""
    out = np.zeros((1, 300, 38), np.float32)
    for i, row in enumerate(rows):
        out[0, i, :5] = row
        out[0, i, 6] = 1
    return out


def raw(*rows: tuple[float, ...]) -> np.ndarray:
    """The same candidates as columns of centre, size, score, coefficients."""
    out = np.zeros((1, 37, 84), np.float32)
    for i, (x1, y1, x2, y2, score) in enumerate(rows):
        out[0, :6, i] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, score, 1
    return out


HEADS = [(manifest_of("end2end", SIDE), end2end), (manifest_of("raw", SIDE), raw)]


@pytest.mark.parametrize(("manifest", "head"), HEADS, ids=["end2end", "raw"])
def test_a_mask_is_composed_at_the_input_resolution(manifest: Manifest, head) -> None:
    """A prototype blob of 8 × 4 cells is a mask of 32 × 16 px, to half a cell."""
    (found,) = decode((head((*BOX, 0.9)), prototypes()), manifest, 0.5)

    rows, columns = np.nonzero(found.mask)
    assert found.confidence == pytest.approx(0.9)
    assert (found.x + columns.min(), found.y + rows.min()) == (8, 16)
    assert (found.x + columns.max() + 1, found.y + rows.max() + 1) == (40, 32)


@pytest.mark.parametrize(("manifest", "head"), HEADS, ids=["end2end", "raw"])
def test_only_confident_candidates_count(manifest: Manifest, head) -> None:
    """The threshold is inclusive, and the most confident detection comes first."""
    far = (40.0, 40.0, 60.0, 60.0)
    outputs = (head((*BOX, 0.5), (*far, 0.49), (*BOX, 0.3)), prototypes())

    assert [d.confidence for d in decode(outputs, manifest, 0.5)] == [0.5]


def test_the_raw_head_is_suppressed() -> None:
    """Two boxes over the same scratch are one detection, with the better confidence."""
    nearly = (9.0, 16.0, 41.0, 32.0)
    outputs = (raw((*BOX, 0.6), (*nearly, 0.8)), prototypes())

    assert [d.confidence for d in decode(outputs, HEADS[1][0], 0.25)] == [pytest.approx(0.8)]


def test_the_class_is_the_surest() -> None:
    """By its number in the manifest: a row has it, a column a score for each."""
    classes = ("scratch", "dent", "chip")
    rows = end2end((*BOX, 0.9))
    rows[0, 0, 5] = 2
    column = np.zeros((1, 39, 84), np.float32)
    column[0, :8, 0] = 24, 24, 32, 16, 0.3, 0.9, 0.4, 1

    for head, output, kind in (("end2end", rows, "chip"), ("raw", column, "dent")):
        manifest = manifest_of(head, SIDE, classes=classes)
        (found,) = decode((output, prototypes()), manifest, 0.5)

        assert (found.kind, found.confidence) == (kind, pytest.approx(0.9))


def test_one_class_suppresses_no_other() -> None:
    """Over one spot the surest of each class stays: a smear does not hide a scratch."""
    column = np.zeros((1, 38, 84), np.float32)
    for i, scores in enumerate([(0.6, 0), (0.8, 0), (0, 0.9), (0, 0.7)]):
        column[0, :7, i] = 24 + i, 24, 32, 16, *scores, 1
    manifest = manifest_of("raw", SIDE, classes=("scratch", "smear"))

    found = decode((column, prototypes()), manifest, 0.5)

    assert [(d.kind, round(d.confidence, 2)) for d in found] == [("smear", 0.9), ("scratch", 0.8)]


@pytest.mark.parametrize("number", [-1, 1, 7])
def test_a_class_that_the_manifest_does_not_name_is_refused(number: int) -> None:
    rows = end2end((*BOX, 0.9))
    rows[0, 0, 5] = number

    with pytest.raises(InferenceError, match="expected classes from 0 to 0, found"):
        decode((rows, prototypes()), HEADS[0][0], 0.5)


def test_a_box_without_a_mask_is_its_own_mask() -> None:
    """The net is sure that there is a scratch, and does not say where: it is not lost."""
    outputs = (end2end((*BOX, 0.9)), prototypes(inside=-5))

    (found,) = decode(outputs, HEADS[0][0], 0.25)

    ys, xs = np.nonzero(found.mask)
    assert (xs.min() + found.x, ys.min() + found.y) == BOX[:2]
    assert (xs.max() + 1 + found.x, ys.max() + 1 + found.y) == BOX[2:]


def test_a_box_beyond_the_input_is_cut_or_dropped() -> None:
    """Boxes that reach over the border or lie outside do not break the decode."""
    outputs = (end2end((-50, -50, 30, 30, 0.9), (500, 500, 600, 600, 0.8)), prototypes())

    assert len(decode(outputs, HEADS[0][0], 0.25)) == 1


@pytest.mark.parametrize("box", [(40, 30, 8, 16), (-1e20, 0, 1e20, 10)])
def test_what_is_no_box_is_refused(box: tuple[float, ...]) -> None:
    """A model that says such a thing sees nothing, and then nothing may pass."""
    with pytest.raises(InferenceError, match="expected a box"):
        decode((end2end((*box, 0.9)), prototypes()), HEADS[0][0], 0.25)


def spoiled(what: int, value: float) -> Outputs:
    outputs = (end2end((*BOX, 0.9)), prototypes())
    outputs[what][0, 0, 0] = value
    return outputs


@pytest.mark.parametrize("what", [0, 1], ids=["candidates", "prototypes"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_output_that_is_not_finite_is_refused(what: int, value: float) -> None:
    """NaN or infinity anywhere in an output is an error, never an empty list of scratches."""
    with pytest.raises(InferenceError, match="finite"):
        decode(spoiled(what, value), HEADS[0][0], 0.25)


@pytest.mark.parametrize(
    ("candidates", "protos"),
    [
        (np.zeros((1, 300, 37), np.float32), prototypes()),
        (np.zeros((2, 300, 38), np.float32), prototypes()),
        (np.zeros((300, 38), np.float32), prototypes()),
        (np.zeros((1, 300, 38), np.float32), prototypes()[:, :16]),
        (np.zeros((1, 300, 38), np.float32), np.zeros((1, 32, 8, 8), np.float32)),
        (np.zeros((0,), np.float32), prototypes()),
    ],
)
def test_an_output_of_another_shape_is_refused(candidates, protos) -> None:
    """The error says which shape was expected."""
    with pytest.raises(InferenceError, match="expected"):
        decode((candidates, protos), HEADS[0][0], 0.25)
