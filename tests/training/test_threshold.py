"""The confidence of a bundle, chosen with the edge's own pipeline on drawn pictures."""

import json
from pathlib import Path

import cv2
import numpy as np

from inspector.segment.runtime import FakeRuntime, Outputs
from inspector.segment.segmenter import Segmenter
from inspector.types import Image
from tests.support.bundles import manifest_of
from training import threshold


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
    for name, red, longest in [("a", 200, 90), ("b", 150, 60), ("c", 100, 0), ("d", 250, 42)]:
        image = np.zeros((200, 200, 3), np.uint8)
        image[:, :, 0] = np.arange(200)
        image[20:28, 20:120, 2] = red
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
        rows.append({"image": f"{name}.png", "scratches": [{"length_px": longest}] * bool(longest)})
    rows[1] = {"image": "b.png", "label": "bad", "scratches": []}  # known to be bad, not measured
    (tmp_path / "truth-val.jsonl").write_text("\n".join(map(json.dumps, rows)))
    manifest = manifest_of("end2end", 640)
    runtime = RedIsAScratch(FakeRuntime.none(manifest))

    choice = threshold.choose(Segmenter(manifest, runtime), tmp_path)

    assert 100 / 255 < choice.confidence <= 150 / 255
    assert (choice.recall, choice.false_reject, choice.pictures) == (1.0, 0.0, 3)
    assert len(runtime.tiles) == 3
