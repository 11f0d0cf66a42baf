"""Pictures that are drawn while the net trains: no picture is seen often, and none is on disk.

Worker processes draw as `python -m training synth` does. What they have drawn lies in the memory of
the device that trains, the oldest making room for the newest, and batches are drawn from it.
For a GPU with a dozen cores beside it; two cores draw too slowly to feed a net.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from inspector.errors import ConfigError, InspectorError
from training import values
from training.marks import IGNORE, SCRATCH
from training.synth.dataset import JPEG_QUALITY, Recipe, draw, marks_of
from training.targets import LEFT_OUT, dense_target

LOG = logging.getLogger("ultralytics")
"""Where the training tells the rest. Not imported from there: each worker would wait for it."""
Drawn = tuple[int, NDArray[np.uint8], NDArray[np.uint8]]
"""Side, image and target of a picture."""
AREA_SIDE = 320
"""`batch` pictures of this side make a batch; larger ones are fewer, of the same area."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is drawn: the `live:` part of a training configuration."""

    seed: int = 1
    workers: int = 2
    sides: tuple[tuple[int, float], ...] = ((320, 0.6), (640, 0.4))
    """Sides of pictures in pixels, and the share of the drawn area that each has."""
    keep_mpx: float = 12_000.0
    """Area kept in memory, in megapixels of 3.25 bytes."""
    first: int = 4096
    """Pictures to have before training begins."""
    steps: int = 500
    """Batches from one checkpoint to the next."""


def settings(chosen: Any) -> Live:
    """From the configuration file.

    Raises:
        ConfigError: unknown keys, or values that cannot be.
    """
    if not isinstance(chosen, dict):
        raise ConfigError(f"live: expected settings, found {chosen!r:.60}")
    known = {field.name for field in fields(Live)}
    if strange := sorted(set(map(str, chosen)) - known):
        raise ConfigError(f"live: expected some of {sorted(known)}, found {strange}")
    told = dict(chosen)
    if "sides" in told:
        told["sides"] = _sides(told["sides"])
    live = Live(**told)
    for name, least in (("workers", 1), ("first", 1), ("steps", 1), ("seed", 0)):
        values.whole(f"live.{name}", getattr(live, name), least)
    values.above_zero("live.keep_mpx", live.keep_mpx)
    return live


def _sides(told: Any) -> tuple[tuple[int, float], ...]:
    if not isinstance(told, dict) or not told:
        raise ConfigError(
            f"live.sides: expected sides and their shares, as {{320: 1}}, found {told!r:.60}"
        )
    for side, share in told.items():
        whole = type(side) is int and side >= 64 and side % 32 == 0
        if not (whole and values.is_above_zero(share)):
            raise ConfigError(
                "live.sides: expected multiples of 32 from 64 on and shares above 0, "
                f"found {side!r:.60}: {share!r:.60}"
            )
    return tuple((side, float(share)) for side, share in told.items())


def one(recipe: Recipe, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Picture `index`: image (3, s, s) RGB and target (s/2, s/2) of 0, 1 and `LEFT_OUT`."""
    made = draw(recipe, index)
    _, packed = cv2.imencode(".jpg", made.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    image = cv2.imdecode(packed, cv2.IMREAD_COLOR_RGB)
    marks = marks_of(made)
    masks = np.where(marks == SCRATCH, 1, np.where(marks == IGNORE, LEFT_OUT, 0))
    target = dense_target(torch.from_numpy(masks)[None])[0].numpy().astype(np.uint8)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1)), target


class Memory:
    """The pictures of one side on the device, at most `room` of them."""

    def __init__(self, side: int, room: int, device: torch.device) -> None:
        self.side, self.room, self.seen = side, max(1, room), 0
        self._images = torch.empty((self.room, 3, side, side), dtype=torch.uint8, device=device)
        half = side // 2
        self._targets = torch.empty((self.room, half, half), dtype=torch.uint8, device=device)

    def __len__(self) -> int:
        return min(self.seen, self.room)

    def add(self, image: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
        at = self.seen % self.room
        self._images[at] = torch.from_numpy(image).to(self._images.device)
        self._targets[at] = torch.from_numpy(target).to(self._images.device)
        self.seen += 1

    def batch(self, count: int) -> dict[str, Any]:
        """`count` random pictures, each mirrored or not and a little differently coloured."""
        device = self._images.device
        chosen = torch.randint(len(self), (count,), device=device)
        images, targets = self._images[chosen], self._targets[chosen].int()
        for way in (1, 2):
            turned = (torch.rand(count, device=device) < 0.5)[:, None, None]
            images = torch.where(turned[..., None], images.flip(way + 1), images)
            targets = torch.where(turned, targets.flip(way), targets)
        return {"img": coloured(images), "semantic_mask": targets, "im_file": [""] * count}


def coloured(images: torch.Tensor) -> torch.Tensor:
    """Images (n, 3, h, w) uint8 with other brightness, saturation and white balance, 0..255."""
    n = len(images)
    value = 1 + 0.2 * (2 * torch.rand(n, 1, 1, 1, device=images.device) - 1)
    balance = 1 + 0.06 * (2 * torch.rand(n, 3, 1, 1, device=images.device) - 1)
    saturation = 1 + 0.4 * (2 * torch.rand(n, 1, 1, 1, device=images.device) - 1)
    seen = images.float()
    grey = seen.mean(1, keepdim=True)
    return ((grey + (seen - grey) * saturation) * value * balance).clamp_(0, 255)


class _Job:
    """A picklable task of the worker processes."""

    def __init__(self, live: Live) -> None:
        # The shares are of area: of large pictures there are as many fewer.
        counts = np.array([share / side**2 for side, share in live.sides])
        self.live, self.chances = live, counts / counts.sum()

    def __call__(self, index: int) -> Drawn | None:
        """None for a number whose scratch would not become visible: it is left out."""
        rng = np.random.default_rng([self.live.seed, index, 1])
        side = int(rng.choice([side for side, _ in self.live.sides], p=self.chances))
        try:
            return side, *one(Recipe(seed=self.live.seed, size=side), index)
        except InspectorError:
            return None


def _single_thread() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


class LiveLoader:
    """Batches without end, `steps` to an epoch, in the way of a loader of ultralytics."""

    num_workers = 0
    drop_last = True

    def __init__(self, live: Live, batch: int, device: torch.device) -> None:
        self.live, self.batch_size = live, batch
        self.dataset = self.sampler = range(live.steps * batch)
        total = sum(share for _, share in live.sides)
        self.memories = [
            Memory(side, int(live.keep_mpx * 1e6 * share / total / side**2), device)
            for side, share in live.sides
        ]
        self._shares = np.array([share / total for _, share in live.sides])
        self._rng = np.random.default_rng(live.seed)
        self._pool = multiprocessing.get_context("spawn").Pool(live.workers, _single_thread)
        self._drawn = self._pool.imap_unordered(_Job(live), itertools.count())

    def __len__(self) -> int:
        return self.live.steps

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while self.seen < self.live.first or not all(len(m) for m in self.memories):
            self._take(next(self._drawn))
        for _ in range(len(self)):
            self._take_what_is_there()
            memory = self.memories[int(self._rng.choice(len(self.memories), p=self._shares))]
            yield memory.batch(max(1, round(self.batch_size * (AREA_SIDE / memory.side) ** 2)))

    @property
    def seen(self) -> int:
        """How many pictures have come."""
        return sum(memory.seen for memory in self.memories)

    def _take_what_is_there(self) -> None:
        while True:
            try:
                self._take(self._drawn.next(timeout=0))
            except multiprocessing.TimeoutError:
                return

    def _take(self, drawn: Drawn | None) -> None:
        if drawn is not None:
            side, image, target = drawn
            next(m for m in self.memories if m.side == side).add(image, target)

    def reset(self) -> None:
        """Nothing is prefetched."""

    def close(self) -> None:
        """End the worker processes."""
        LOG.info("%d pictures were drawn", self.seen)
        self._pool.terminate()
        self._pool.join()
