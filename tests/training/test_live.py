"""Pictures that are drawn while the net trains."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch

from inspector.errors import ConfigError, InspectorError
from training import live as live_pictures
from training import train
from training.live import Live, LiveLoader, Memory, one, settings
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
    assert loader.seen >= 4
    assert set(multiprocessing.active_children()) <= before


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
        ({"workers": 0}, "live.workers: expected a whole number from 1 on, found 0"),
        ({"workers": "two"}, "live.workers: expected a whole number from 1 on, found 'two'"),
        ({"first": True}, "live.first: .* found True"),
        ({"steps": 2.5}, "live.steps: .* found 2.5"),
        ({"seed": -1}, "live.seed: expected a whole number from 0 on, found -1"),
        ({"keep_mpx": "all"}, "live.keep_mpx: expected a number above 0, found 'all'"),
        ({"keep_mpx": float("nan")}, "live.keep_mpx: .* found nan"),
        ({"sides": 3}, "live.sides: expected sides and their shares, as {320: 1}, found 3"),
        ({"sides": {}}, "live.sides: expected sides .* found {}"),
        ({"sides": {"wide": 1}}, "found 'wide': 1"),
        ({"sides": {320.5: 1}}, "found 320.5: 1"),
        ({"sides": {320: "half"}}, "found 320: 'half'"),
        ({"sides": {320: float("inf")}}, "found 320: inf"),
        ({3: 1, "sede": 1}, "'3', 'sede'"),
        (True, "live: expected settings, found True"),
    ],
)
def test_what_cannot_be_is_named(told: object, named: str) -> None:
    """Before anything is drawn."""
    with pytest.raises(ConfigError, match=named):
        settings(told)


@pytest.mark.filterwarnings("ignore")  # of libraries of training, about their own future
def test_a_net_trains_on_what_is_drawn_meanwhile(tmp_path: Path) -> None:
    """The data set on disk holds one picture to train on; the run does not use it."""
    for split, count in (("train", 1), ("val", 4)):
        generate(Recipe(seed=1, size=64), tmp_path / "data", split, count, 1)
    chosen = train.settings(
        None, data=str(tmp_path / "data" / "data.yaml"), hours=2 / 3600, imgsz=64, batch=4,
        workers=0,
    )  # fmt: skip
    chosen["live"] = {"workers": 1, "sides": {64: 1.0}, "keep_mpx": 0.1, "first": 4, "steps": 5}

    weights = train.train(chosen, "live", runs=tmp_path / "runs")

    assert (weights / "best.pt").is_file()
    assert not list((tmp_path / "data" / "labels").glob("train*.cache"))
