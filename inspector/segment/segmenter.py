"""Frame → detections: cut, infer, decode, put together."""

from collections.abc import Iterator

from inspector.segment import tiles
from inspector.segment.decode import decode
from inspector.segment.dense import Canvas
from inspector.segment.manifest import Manifest
from inspector.segment.runtime import Outputs, Runtime
from inspector.segment.tiles import Tile
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
        return self._spots(image) if self.manifest.head == "dense" else self._instances(image)

    def _spots(self, image: Image) -> list[Detection]:
        height, width = image.shape[:2]
        canvas = Canvas(width, height, self.manifest)
        shown, empty = self._tiles(image)
        for tile in empty:
            canvas.leave(tile)
        for tile, outputs in self._answers(image, shown):
            canvas.add(tile, outputs)
        return canvas.detections(self.confidence)

    def _instances(self, image: Image) -> list[Detection]:
        found = []
        shown, _ = self._tiles(image)
        for tile, outputs in self._answers(image, shown):
            for detection in decode(outputs, self.manifest, self.confidence):
                placed = tiles.place(detection, tile)
                if placed is not None:
                    found.append((tile, placed))
        return tiles.merge(found)

    def _tiles(self, image: Image) -> tuple[list[Tile], list[Tile]]:
        """The tiles of a frame to look at, and those beside them on which there is nothing.

        No frame is passed unseen: one that shows nothing anywhere is looked at all over.
        """
        height, width = image.shape[:2]
        size = self.manifest.input
        found: tuple[list[Tile], list[Tile]] = [], []
        for tile in tiles.grid(width, height, size.width, size.height):
            found[tiles.is_empty(image, tile)].append(tile)
        shown, empty = found
        return (shown, empty) if shown else (empty, [])

    def _answers(self, image: Image, shown: list[Tile]) -> Iterator[tuple[Tile, Outputs]]:
        """What the model says of each tile; an answer is good until the next is asked for."""
        size = self.manifest.input
        for tile in shown:
            cut = tiles.cut(image, tile, size.width, size.height, size.pad)
            yield tile, self.runtime.infer(cut)
