"""Frame → detections: cut, infer, decode, put together."""

from inspector.segment import tiles
from inspector.segment.decode import decode
from inspector.segment.manifest import Manifest
from inspector.segment.runtime import Runtime
from inspector.types import Detection, Image


class Segmenter:
    """Finds the scratches of a frame of any size at its native resolution."""

    def __init__(
        self, manifest: Manifest, runtime: Runtime, confidence: float | None = None
    ) -> None:
        self.manifest = manifest
        self.runtime = runtime
        self.confidence = confidence or manifest.confidence

    def segment(self, image: Image) -> list[Detection]:
        """Scratches in a BGR frame (H, W, 3) uint8, each once, in frame pixels.

        Raises:
            InferenceError: the runtime failed or answered nonsense on any tile.
        """
        size = self.manifest.input
        height, width = image.shape[:2]
        found = []
        for tile in tiles.grid(width, height, size.width, size.height):
            outputs = self.runtime.infer(tiles.cut(image, tile, size.width, size.height, size.pad))
            for detection in decode(outputs, self.manifest, self.confidence):
                placed = tiles.place(detection, tile)
                if placed is not None:
                    found.append((tile, placed))
        return tiles.merge(found)
