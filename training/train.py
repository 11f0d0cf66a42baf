"""Train a YOLO segmentation net on generated crops, by the clock, on a CPU or a GPU.

    python -m training train --data datasets/synth/data.yaml --hours 1.2 --name first
    python -m training train --name first --resume
    python -m training train --name fine --model runs/first/weights/last.pt --imgsz 640 --batch 4

A resumed run goes on with the settings that it was started with, which lie in its folder; those
given again on the command line take their place.

Two kinds of net: a dense one (`*-sem`) says of each spot whether it is scratched, one of instances
(`*-seg`) outlines each scratch by itself.

Settings: configs/training/default.yaml. Results: runs/NAME/weights/{best,last}.pt and results.csv.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("YOLO_OFFLINE", "true")

import torch
import yaml
from ultralytics.engine.trainer import BaseTrainer
from ultralytics.models.yolo.segment import SegmentationTrainer
from ultralytics.models.yolo.semantic import SemanticSegmentationTrainer
from ultralytics.utils import SETTINGS
from ultralytics.utils.loss import SemanticSegmentationLoss

from inspector.errors import ConfigError, NoInputError
from inspector.files import replace
from training import values
from training.live import Live, LiveLoader
from training.live import settings as live_settings
from training.nets import opened
from training.targets import dense_target

CONFIG = Path(__file__).parents[1] / "configs" / "training" / "default.yaml"
RUNS = Path("runs")
KEYS = {"model", "data", "hours", "threads", "warmup_steps", "save_minutes", "train"}
"""Of every file of settings; `live` may be among them too."""
KEPT = "settings.yaml"
"""In a run's folder: what it was started with, of which ultralytics' args.yaml knows a part."""
PLACES = {"data", "model", "project", "resume", "save_dir"}
"""Settings of ultralytics that name places on the machine."""
USUAL_LOGIT = -4.0
"""Of a spot of which nothing is known: one in fifty is scratched."""
ENDLESS = 100_000
"""Epochs to announce: the clock ends the run, not a count."""


def floats(value: Any) -> Any:
    """Tensors in nested containers as float32: losses must not be computed in bfloat16."""
    if isinstance(value, torch.Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {k: floats(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(floats(v) for v in value)
    return value


class ByTheClock(BaseTrainer):
    """An ultralytics trainer whose learning rate and end follow the wall clock.

    On a CPU the forward pass runs in bfloat16 with channels last: 1.6 times faster on cores with
    AVX512-BF16 or AMX (measured), with float32 weights, losses and gradients.
    """

    hours: float
    warmup_steps: int
    save_minutes: float
    loader_workers: int
    threads: int

    def _setup_train(self) -> None:
        self.args.workers = self.loader_workers
        super()._setup_train()
        self.clock = self.save_dir / "clock.json"
        self.spent_s = json.loads(self.clock.read_text())["spent_s"] if self.resume else 0.0
        self.started = self.saved = time.monotonic()
        self.steps = 0
        self.add_callback("on_train_batch_start", ByTheClock.set_rate)
        self.add_callback("on_train_batch_end", ByTheClock.keep)
        if self.device.type == "cpu":
            torch.set_num_threads(self.threads)
            self.model.to(memory_format=torch.channels_last)
            predict = self.model.predict

            def in_bfloat16(*args: Any, **kwargs: Any) -> Any:
                with torch.autocast("cpu", torch.bfloat16):
                    return floats(predict(*args, **kwargs))

            self.model.predict = in_bfloat16

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """As ultralytics', with the memory layout that the convolutions like."""
        batch = super().preprocess_batch(batch)
        batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
        return batch

    def elapsed_s(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return self.spent_s + time.monotonic() - self.started

    def set_rate(self) -> None:
        """Warm-up by steps, then a half cosine by the clock down to lr0 * lrf."""
        if self.steps == 0:  # what was drawn before the first step is not training
            self.started = self.saved = time.monotonic()
        done = min(1.0, self.elapsed_s() / (self.hours * 3600))
        rate = self.args.lrf + (1 - self.args.lrf) * (1 + math.cos(math.pi * done)) / 2
        rate *= min(1.0, (self.steps + 1) / max(1, self.warmup_steps))
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * rate
        self.steps += 1

    def keep(self) -> None:
        """Save a checkpoint now and then, and end when the time is spent."""
        now = time.monotonic()
        if now - self.saved > self.save_minutes * 60:
            self.saved = now
            self.save_model()
        self.stop = self.stop or self.elapsed_s() > self.hours * 3600

    def save_model(self) -> bool:
        """As ultralytics', and how much of the time is spent."""
        self.clock.write_text(
            json.dumps({"spent_s": round(self.elapsed_s(), 1), "hours": self.hours})
        )
        return bool(super().save_model())


class InstanceTrainer(ByTheClock, SegmentationTrainer):
    """Learns outlines, a scratch at a time."""


class PixelLoss(SemanticSegmentationLoss):
    """Cross-entropy of every pixel alone, which is least where the net tells the probability.

    Dice, which ultralytics adds, drives every doubt to 0 or 1: a confidence then says nothing, and
    no threshold can weigh a false alarm against a miss.
    """

    def _dice_loss(
        self, preds: torch.Tensor, _masks: torch.Tensor, _valid: torch.Tensor
    ) -> torch.Tensor:
        return preds.new_zeros(())


class DenseTrainer(ByTheClock, SemanticSegmentationTrainer):
    """Learns masks at half the resolution of the picture, at which the net answers."""

    live: Live | None = None
    """What is drawn to train on, instead of the pictures of the data set."""

    def _setup_train(self) -> None:
        super()._setup_train()
        self.model.criterion = PixelLoss(self.model)

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        """As ultralytics'; a new net begins with «nearly everything is sound»."""
        net = super().get_model(cfg, weights, verbose)
        if weights is None:
            torch.nn.init.constant_(net.model[-1].classifier[-1].bias, USUAL_LOGIT)
        return net

    def get_dataloader(
        self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
    ) -> Any:
        """As ultralytics', or pictures that are drawn meanwhile."""
        if mode == "train" and self.live:
            return LiveLoader(self.live, batch_size, self.device)
        return super().get_dataloader(dataset_path, batch_size, rank, mode)

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """As ultralytics', with `dense_target` in the masks' place."""
        batch = super().preprocess_batch(batch)
        if not self.live:
            batch["semantic_mask"] = dense_target(batch["semantic_mask"])
        return batch


def settings(config: Path | None, **given: Any) -> dict[str, Any]:
    """The file's settings, with those given on the command line in their place. A `model` that lies
    beside the file is meant, from wherever the command is run.

    Raises:
        NoInputError: no such file.
        ConfigError: a file that holds no such settings; hours, threads, steps or a side of the
            crops that cannot be.
    """
    file = config or CONFIG
    chosen = _read(file)
    if (beside := file.parent / str(chosen["model"])).is_file():
        chosen["model"] = str(beside)
    for key, value in given.items():
        if value is not None:
            (chosen if key in chosen else chosen["train"])[key] = value
    for key in ("hours", "save_minutes"):
        values.above_zero(key, chosen[key])
    for key, least in (("threads", 1), ("warmup_steps", 0)):
        values.whole(key, chosen[key], least)
    side = chosen["train"].get("imgsz", 64)
    if not isinstance(side, int) or side % 32 or side < 64:
        raise ConfigError(f"imgsz: expected a multiple of 32, at least 64; found {side}")
    return chosen


def _read(file: Path) -> dict[str, Any]:
    """Settings with at least the keys of the default ones."""
    try:
        chosen = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoInputError(f"{file}: expected settings of a training, found no such file") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        found = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ConfigError(f"{file}: expected YAML, found: {found}") from None
    known = chosen if isinstance(chosen, dict) else {}
    if missing := sorted(KEYS - known.keys()):
        raise ConfigError(f"{file}: expected all settings of {CONFIG.name}, found no {missing[0]}")
    if not isinstance(known["train"], dict):
        raise ConfigError(f"{file}: train: expected settings, found {known['train']!r:.60}")
    return known


def kept(name: str, runs: Path = RUNS) -> Path | None:
    """The settings of the run `name`, to resume it with; None where it has kept none."""
    file = runs / name / KEPT
    return file if file.is_file() else None


def train(config: dict[str, Any], name: str, resume: bool = False, runs: Path = RUNS) -> Path:
    """Run the training that `config` describes; returns the folder of the weights.

    Raises:
        NoInputError: the data set, its pictures, the net, or the run to resume does not exist, or
            the run is finished.
        ConfigError: the `live:` part cannot be, or the run has weights and is not to be resumed.
    """
    SETTINGS.update(sync=False)
    last = runs / name / "weights" / "last.pt"
    if resume and not last.is_file():
        raise NoInputError(f"{last}: expected a checkpoint to resume from, found none")
    if not resume and any(last.parent.glob("*.pt")):
        raise ConfigError(
            f"{runs / name}: expected a new run, another --name, or --resume to go on with this "
            "one; found weights"
        )
    data = Path(config["data"])
    if not data.is_file():
        raise NoInputError(
            f"{data}: expected the data.yaml of a data set, as `python -m training synth` writes "
            "it, found none"
        )
    model = str(config["model"])
    net = opened(last if resume else model)
    if resume and net.ckpt.get("epoch", -1) < 0:
        raise NoInputError(
            f"{last}: expected a run that was interrupted, found a finished one; to go on from its "
            f"weights take another --name and --model {last}"
        )
    dense = net.task == "semantic"
    if config.get("live") is not None and not dense:
        raise ConfigError(f"live: expected a dense net (*-sem), found {model}")
    live = live_settings(config["live"]) if config.get("live") is not None else None
    options = dict(config["train"])
    loader_workers = options.pop("workers", 1)
    overrides = {
        **options, "model": str(last) if resume else model, "data": str(data.resolve()),
        "epochs": ENDLESS, "patience": 0, "warmup_epochs": 0, "close_mosaic": 0,
        "project": str(runs.resolve()), "name": name, "exist_ok": True, "plots": True,
        "pretrained": model.endswith(".pt"), "single_cls": not dense,
        # True would fetch weights for a self-test of mixed precision.
        "amp": "bf16" if torch.cuda.is_available() else False,
        "resume": str(last) if resume else False,
    }  # fmt: skip
    try:
        trainer: Any = (DenseTrainer if dense else InstanceTrainer)(overrides=overrides)
    except RuntimeError as error:
        if error.__cause__ is None:
            raise
        # So ultralytics tells of pictures that are not there, and of a file that it cannot read.
        found = str(error.__cause__).splitlines()[0]
        raise NoInputError(f"{data}: expected a data set with pictures, found: {found}") from None
    trainer.hours = float(config["hours"])
    trainer.warmup_steps = int(config["warmup_steps"])
    trainer.save_minutes = float(config["save_minutes"])
    trainer.threads = int(config["threads"])
    trainer.loader_workers = loader_workers
    if dense:
        trainer.live = live
    kept_settings = yaml.safe_dump({**config, "data": str(data.resolve())}, sort_keys=False)
    replace(Path(trainer.save_dir) / KEPT, kept_settings.encode())
    trainer.train()
    forget_the_machine(Path(trainer.wdir) / "best.pt")
    return Path(trainer.wdir)


def forget_the_machine(weights: Path) -> None:
    """Take paths and the checkout out of finished weights, so that they can be given to others."""
    checkpoint = torch.load(weights, map_location="cpu", weights_only=False)
    checkpoint["git"] = None
    for told in (checkpoint["train_args"], getattr(checkpoint["model"], "args", {})):
        for key in PLACES & set(told):
            told[key] = Path(str(told[key])).name if told[key] else told[key]
    torch.save(checkpoint, weights)
