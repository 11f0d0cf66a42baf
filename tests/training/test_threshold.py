"""The confidence of a bundle, chosen with the edge's own pipeline on drawn pictures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from inspector.errors import NoInputError
from inspector.segment.runtime import FakeRuntime, Outputs
from inspector.segment.segmenter import Segmenter
from inspector.types import Image
from tests.support.bundles import manifest_of
from training import threshold


class InTheSameMemory(FakeRuntime):
    """Says how red a tile is, and writes the next answer over the last, as OpenVINO does."""

    def infer(self, tile: Image) -> Outputs:
        self.outputs[0][...] = 0
        self.outputs[0][0, 0, :7] = 20, 20, 120, 28, tile[..., 2].max() / 255, 0, 1
        self.outputs[1][...] = 1
        return self.outputs


class RedIsAScratch(FakeRuntime):
    """Finds one scratch in a picture with red in it; the redder, the surer."""

    def infer(self, tile: Image) -> Outputs:
        self.tiles.append(tile)
        candidates = self.outputs[0].copy()
        candidates[0, 0, :7] = 20, 20, 120, 28, tile[..., 2].max() / 255, 0, 1
        return candidates, np.ones_like(self.outputs[1])


def test_the_confidence_lies_between_the_good_and_the_bad(tmp_path: Path) -> None:
    """Each picture is asked once; those near to the limit are left out."""
    rows: list[dict[str, object]] = []
    outline = [[20, 20], [119, 20], [119, 27], [20, 27]]
    for name, red, longest in [("a", 200, 90), ("b", 150, 60), ("c", 100, 0), ("d", 250, 42)]:
        image = np.zeros((200, 200, 3), np.uint8)
        image[:, :, 0] = np.arange(200)
        image[20:28, 20:120, 2] = red
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
        drawn = [{"length_px": longest, "polygon": outline}] * bool(longest)
        label = "bad" if longest else "good"
        rows.append({"image": f"{name}.png", "label": label, "scratches": drawn})
    rows[1] = {"image": "b.png", "label": "bad"}  # known to be bad, not measured
    (tmp_path / "truth-val.jsonl").write_text("\n".join(map(json.dumps, rows)))
    manifest = manifest_of("end2end", 640)
    runtime = RedIsAScratch(FakeRuntime.none(manifest))

    choice = threshold.choose(Segmenter(manifest, runtime), tmp_path)

    assert 100 / 255 < choice.confidence <= 150 / 255
    assert (choice.recall, choice.false_reject, choice.pictures) == (1.0, 0.0, 3)
    assert len(runtime.tiles) == 3


def test_a_picture_of_several_tiles_is_asked_once() -> None:
    """The answer about one tile is still there when that about the next has come."""
    red, plain = np.zeros((2, 640, 640, 3), np.uint8)
    red[..., 2] = 200
    plain[..., 1] = 9
    runtime = threshold._Once(InTheSameMemory(FakeRuntime.none(manifest_of("end2end", 640))))

    for _ in range(2):
        told = [float(runtime.infer(tile)[0][0, 0, 4]) for tile in (red, plain)]
        assert told == pytest.approx([200 / 255, 0])


@pytest.mark.parametrize("label", ["good", "bad"])
def test_good_parts_alone_choose_nothing(tmp_path: Path, label: str) -> None:
    """Nor do bad ones alone."""
    cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 64, 3), 90, np.uint8))
    (tmp_path / "truth-val.jsonl").write_text(json.dumps({"image": "a.png", "label": label}))
    manifest = manifest_of("end2end", 640)

    with pytest.raises(NoInputError, match="expected good parts and bad ones"):
        threshold.choose(Segmenter(manifest, FakeRuntime(FakeRuntime.none(manifest))), tmp_path)
