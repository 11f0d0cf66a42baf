"""Pictures into crops at native resolution: the scale of a scratch in pixels is what counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inspector.cameras.pictures import load_picture
from inspector.progress import tracked
from inspector.segment import tiles
from inspector.segment.tiles import Tile
from inspector.types import Image, Unseen
from training.annotations import split
from training.annotations.dataset import Store
from training.annotations.entries import SPLITS, Entry
from training.annotations.shapes import Drawn, draw
from training.annotations.truth import Truth, truth
from training.evaluation.labels import LabelError, told


@dataclass(slots=True)
class Counts:
    """What went into one split. `unsure`: pictures that are neither good nor bad; `noise`: pictures
    with marks too small to be scratches.
    """

    pictures: int = 0
    good: int = 0
    unsure: int = 0
    scratches: int = 0
    crops: int = 0
    empty_crops: int = 0
    noise: int = 0


@dataclass(frozen=True, slots=True)
class Cutter:
    """Writes pictures and their crops of `crop` × `crop` px into a store; 0 leaves them whole.

    The crops are the tiles that the edge would look at. All with a scratch are kept, and of those
    without at most as many: more would teach silence. One on which only ignored pixels are, or the
    tip of a scratch, is neither.
    """

    store: Store
    crop: int
    line_width_px: float
    seed: int

    def write(self, entries: Sequence[Entry]) -> dict[str, Counts]:
        """Write everything; all pictures are checked before it gives up.

        Raises:
            LabelError: pictures that cannot be read, or marks that cannot be true.
        """
        counts = {name: Counts() for name in SPLITS}
        empty: dict[str, list[tuple[Entry, Tile]]] = {name: [] for name in SPLITS}
        wrong = []
        for entry in tracked(entries, "Importing"):
            try:
                image, drawn = self._load(entry)
            except LabelError as error:
                wrong.append(str(error))
                continue
            if not wrong:
                empty[entry.split] += self._picture(entry, image, drawn, counts[entry.split])
        if wrong:
            raise LabelError(told(wrong))
        for name, count in counts.items():
            # Good pictures alone, to be used beside another set, have no scratches to go by.
            chosen = self._chosen(empty[name], count.crops or count.good + count.unsure)
            count.empty_crops = len(chosen)
            self._write_empty(chosen)
        return counts

    def _load(self, entry: Entry) -> tuple[Image, Drawn]:
        picture = entry.picture
        part = load_picture(picture.path)
        if isinstance(part, Unseen):
            raise LabelError(f"{picture.where}: {picture.name}: {part.detail}")
        height, width = part.image.shape[:2]
        return part.image, draw(picture, (width, height), self.line_width_px)

    def _picture(
        self, entry: Entry, image: Image, drawn: Drawn, counts: Counts
    ) -> list[tuple[Entry, Tile]]:
        """Write one picture; returns its crops without a scratch, which are chosen from later."""
        size = (image.shape[1], image.shape[0])
        whole = truth(drawn, Tile(0, 0, *size), size)
        counts.pictures += 1
        counts.good += entry.picture.outlined and not whole.scratches and not whole.unsure
        counts.unsure += whole.unsure
        counts.scratches += len(whole.scratches)
        counts.noise += whole.noise_px > 0
        if entry.split == "val" and not whole.unsure:
            self.store.add_whole(entry.name, whole, entry.picture, entry.part)
        if not entry.picture.outlined:
            return []
        empty = []
        grid = tiles.grid(*size, self.crop, self.crop) if self.crop else [Tile(0, 0, *size)]
        for tile in grid:
            seen = truth(drawn, tile, size)
            if seen.scratches:
                self._add(entry, image, tile, seen)
                counts.crops += 1
            elif not seen.unsure:
                empty.append((entry, tile))
        return empty

    def _add(self, entry: Entry, image: Image, tile: Tile, seen: Truth) -> None:
        name = f"{entry.name}-{tile.x}-{tile.y}" if self.crop else entry.name
        cut = tiles.cut(image, tile, self.crop or tile.width, self.crop or tile.height, "gray")
        self.store.add_crop(entry.split, name, cut, seen, entry.picture, entry.part)

    def _chosen(self, empty: list[tuple[Entry, Tile]], limit: int) -> list[tuple[Entry, Tile]]:
        """At most `limit` of them, by an order that depends on nothing but names and seed."""

        def rank(crop: tuple[Entry, Tile]) -> float:
            return split.place(f"{crop[0].name}/{crop[1].x},{crop[1].y}", self.seed)

        return sorted(sorted(empty, key=rank)[:limit], key=lambda crop: crop[0].name)

    def _write_empty(self, chosen: Sequence[tuple[Entry, Tile]]) -> None:
        image, loaded = np.zeros((1, 1, 3), np.uint8), None
        for entry, tile in tracked(chosen, "Crops without a scratch"):
            if entry is not loaded:
                image, loaded = self._load(entry)[0], entry
            self._add(entry, image, tile, truth(Drawn(), tile, (tile.width, tile.height)))
