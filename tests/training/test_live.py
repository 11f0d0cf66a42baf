"""Pictures that are drawn while the net trains."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch

from inspector.errors import ConfigError, InspectorError
from training import live as live_pictures
from training import train
from training.live import KNOWN, RECENT, Live, LiveLoader, Memory, Sieve, one, settings
from training.synth.dataset import Recipe, generate
from training.targets import LEFT_OUT

CPU = torch.device("cpu")


def test_a_picture_depends_on_its_number_alone() -> None:
    """Whichever worker draws it, and in whatever order."""
    recipe = Recipe(seed=7, size=96)
    (image, target), (again, same) = one(recipe, 3), one(recipe, 3)

    assert image.shape == (3, 96, 96)
    assert target.shape == (48, 48)
    assert set(np.unique(target)) <= {0, 1, LEFT_OUT}
    assert (image == again).all()
    assert (target == same).all()


def test_some_pictures_show_a_scratch_and_some_do_not() -> None:
    """As the data sets on disk do."""
    scratched = [(one(Recipe(seed=7, size=64), i)[1] == 1).any() for i in range(12)]

    assert 3 <= sum(scratched) <= 9


def test_what_is_mirrored_keeps_its_target() -> None:
    """The bright corner of each picture lies where its target says, whichever way it is turned."""
    memory = Memory(64, 1, CPU)
    image, target = np.zeros((3, 64, 64), np.uint8), np.zeros((32, 32), np.uint8)
    image[:, :16, :32], target[:8, :16] = 200, 1
    memory.add(image, target)

    batch = memory.batch(64)
    bright = batch["img"][:, 0, ::2, ::2] > 100

    assert (bright == (batch["semantic_mask"] == 1)).all()
    assert {(bool(b[0, 0]), bool(b[-1, 0]), bool(b[0, -1])) for b in bright} == {
        (True, False, False), (False, True, False), (False, False, True), (False, False, False)
    }  # fmt: skip


def test_the_oldest_makes_room() -> None:
    """Memory is bounded, and what is drawn last is in it."""
    memory = Memory(64, 3, CPU)
    for k in range(5):
        memory.add(np.full((3, 64, 64), 50 * k, np.uint8), np.full((32, 32), k, np.uint8))

    seen = set(memory.batch(200)["semantic_mask"].unique().tolist())

    assert len(memory) == 3
    assert seen == {2, 3, 4}


def test_a_loader_gives_batches_of_equal_area_and_ends_its_workers() -> None:
    """Of both sides, 320 px once and 640 px a quarter as often."""
    before = set(multiprocessing.active_children())
    live = Live(seed=3, workers=2, sides=((320, 0.5), (640, 0.5)), keep_mpx=4, first=4, steps=12)
    loader = LiveLoader(live, batch=4, device=CPU)
    try:
        shapes = [tuple(batch["img"].shape) for batch in loader]
    finally:
        loader.close()

    assert len(shapes) == len(loader) == 12
    assert set(shapes) == {(4, 3, 320, 320), (1, 3, 640, 640)}
    assert loader.came >= 4
    assert set(multiprocessing.active_children()) <= before


def _flat(loss: int, scratched: bool, side: int = 64) -> tuple[int, np.ndarray, np.ndarray]:
    """A picture of one grey, which `_by_grey` takes for its loss."""
    target = np.full((side // 2, side // 2), int(scratched), np.uint8)
    return side, np.full((3, side, side), loss, np.uint8), target


def _by_grey(images: torch.Tensor, _targets: torch.Tensor) -> torch.Tensor:
    return images.float().mean((1, 2, 3))


def test_the_hardest_of_good_and_of_scratched_pictures_are_kept() -> None:
    """Scratched ones have the higher loss by far, and are not kept more often for that."""
    sieve, rng = Sieve(0.5, _by_grey, seed=1), np.random.default_rng(2)
    drawn = [_flat(int(rng.integers(0, 100)) + 100 * (k % 2), bool(k % 2)) for k in range(2000)]

    kept = [d for one_ in drawn for d in sieve.put(one_, 4)]
    greys = {s: np.array([d[1][0, 0, 0] for d in kept if d[2][0, 0] == s]) % 100 for s in (0, 1)}

    for grey in greys.values():
        assert len(grey) == pytest.approx(1000 * (0.5 + 0.5 * KNOWN), rel=0.1)
        assert (grey >= 50).mean() > 0.8
        assert (grey < 40).any()  # what is known is to stay known


def test_what_is_hard_follows_the_net() -> None:
    """A net that has learned has small losses: the highest of these are kept, not none."""
    sieve = Sieve(0.5, _by_grey, seed=1)
    for _ in range(RECENT):
        list(sieve.put(_flat(200, scratched=True), 1))

    later = [len(list(sieve.put(_flat(k % 40, scratched=True), 1))) for k in range(3 * RECENT)]

    assert np.mean(later[RECENT:]) == pytest.approx(0.5 + 0.5 * KNOWN, abs=0.08)


def test_pictures_are_judged_by_the_batch() -> None:
    """Each side for itself, as a batch has one size; nothing is lost on the way."""
    asked: list[tuple[int, ...]] = []

    def judge(images: torch.Tensor, _targets: torch.Tensor) -> torch.Tensor:
        asked.append(tuple(images.shape))
        return torch.ones(len(images))

    sieve = Sieve(0.5, judge, seed=1)
    came = [len(list(sieve.put(_flat(9, True, side), 2))) for side in (64, 96, 96, 64, 64)]

    assert came == [0, 0, 2, 2, 0]
    assert asked == [(2, 3, 96, 96), (2, 3, 64, 64)]


def test_drawing_ends_where_it_is_told_to() -> None:
    """The same pictures serve all epochs; the workers have nothing left to do."""
    live = Live(seed=3, workers=2, sides=((64, 1.0),), keep_mpx=1, first=6, drawn=6, steps=3)
    loader = LiveLoader(live, batch=2, device=CPU, judge=_by_grey)
    try:
        batches = [b["img"].shape for _ in range(3) for b in loader]
    finally:
        loader.close()

    assert len(batches) == 9
    assert loader.came == 6


def test_too_few_pictures_are_said_so() -> None:
    """One picture cannot be of both sides."""
    live = Live(seed=3, workers=1, sides=((64, 0.5), (96, 0.5)), keep_mpx=1, first=1, drawn=1)
    loader = LiveLoader(live, batch=2, device=CPU)
    try:
        with pytest.raises(ConfigError, match=r"live\.drawn: expected enough .*, found 1"):
            next(iter(loader))
    finally:
        loader.close()


def test_a_picture_that_does_not_come_about_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of thousands, whose scratch nobody would see, does not end a run of hours."""

    def nothing_visible(*_: object) -> None:
        raise InspectorError("no scratch was visible")

    monkeypatch.setattr(live_pictures, "one", nothing_visible)

    assert live_pictures._Job(Live(sides=((64, 1.0),)))(7) is None


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"sede": 3}, "sede"),
        ({"sides": {300: 1.0}}, "300"),
        ({"sides": {320: 0}}, "shares above 0"),
        ({"workers": 0}, "live.workers: expected 1 at least, found 0"),
        ({"first": 10, "drawn": 9}, r"live.drawn: expected 10 \(first\) at least, found 9"),
        ({"hardest": 0}, "live.hardest: expected above 0, up to 1; found 0"),
    ],
)
def test_what_cannot_be_is_named(told: dict[str, object], named: str) -> None:
    """Before anything is drawn."""
    with pytest.raises(ConfigError, match=named):
        settings(told)


@pytest.mark.filterwarnings("ignore")  # of libraries of training, about their own future
def test_a_net_trains_on_what_is_drawn_meanwhile(tmp_path: Path) -> None:
    """The data set on disk holds one picture to train on; the run does not use it."""
    for split, count in (("train", 1), ("val", 4)):
        generate(Recipe(seed=1, size=64), tmp_path / "data", split, count, 1, progress=False)
    chosen = train.settings(
        None, data=str(tmp_path / "data" / "data.yaml"), hours=2 / 3600, imgsz=64, batch=4,
        workers=0,
    )  # fmt: skip
    chosen["live"] = {
        "workers": 1, "sides": {64: 1.0}, "keep_mpx": 0.1, "first": 4, "steps": 5, "hardest": 0.5,
    }  # fmt: skip

    weights = train.train(chosen, "live", runs=tmp_path / "runs")

    assert (weights / "best.pt").is_file()
    assert not list((tmp_path / "data" / "labels").glob("train*.cache"))
