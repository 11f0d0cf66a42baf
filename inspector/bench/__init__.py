"""`inspector bench`: how fast each runtime and precision judges on this machine, side by side."""

import dataclasses
import json
import multiprocessing
import os
import platform
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from inspector import __version__
from inspector.bench import plot, worker
from inspector.bench.values import Judged, Row, advice, row
from inspector.cameras.pictures import find_pictures, load_picture
from inspector.config import ModelConfig
from inspector.errors import InspectorError, NoInputError
from inspector.progress import tracked
from inspector.segment import bundle
from inspector.types import Unseen
from inspector.versions import processor

SAMPLES = Path(__file__).parents[1] / "samples"
WAYS = (
    ("openvino", "f32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("onnxruntime", "f32"),
)
START_S = 120.0
PATIENCE_S = 60.0


@dataclass(slots=True)
class _Way:
    """A running process, and what it has said so far."""

    link: Connection
    ready: worker.Ready
    first_verdict_s: float
    judged: list[Judged]


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured: a row for each way that works, why the others do not, `auto`'s choice."""

    rows: list[Row]
    refused: dict[str, str]
    auto: str

    @property
    def advice(self) -> str:
        """What to set in the line's file."""
        known = self.auto in {row.runtime for row in self.rows}
        return advice(self.rows, self.auto) if known else f"auto takes {self.auto}"


def run(
    model: ModelConfig, pictures: list[Path], rounds: int, *, as_json: bool, png: Path | None
) -> None:
    """Judge the pictures (or the shipped samples) in turn with each way; say which one to take.

    Raises:
        NoInputError: no picture was found, or one cannot be read.
        BundleError: the model may not run.
        InspectorError: no way to run the model works, or one of them hangs.
    """
    if png is not None:
        plot.refuse(png)
    paths = find_pictures(pictures or [SAMPLES])
    bundle.load(bundle.locate(model.bundle))  # before a process says the same for each way
    for path in paths:
        if isinstance(part := load_picture(path), Unseen):
            raise NoInputError(f"{path}: expected a picture to judge, found: {part.detail}")
    found = measure(model, paths, rounds)
    if png is not None:
        plot.save(png, found.rows)
    if as_json:
        about = {
            "schema": "inspector.bench/1", "machine": machine(), "pictures": len(paths),
            "rounds": rounds, "advice": found.advice, **dataclasses.asdict(found),
        }  # fmt: skip
        sys.stdout.write(json.dumps(about, allow_nan=False) + "\n")
        return
    Console().print(table(found.rows, len(paths), rounds))
    for name, why in found.refused.items():
        sys.stdout.write(f"not measured: {name}: {why}\n")
    sys.stdout.write(found.advice + "\n")


def measure(model: ModelConfig, paths: list[Path], rounds: int) -> Bench:
    """Start a process for each way, and let them take turns picture by picture."""
    with ExitStack() as stack:
        cache = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="inspector-bench-")))
        ways, refused = _ways(stack, model, cache, paths)
        turns = [k for _ in range(rounds) for k in range(len(paths))]
        for number in tracked(turns, "Judging"):
            for way in ways:
                way.judged.append(_ask(way.link, number, PATIENCE_S))
        return Bench([_row(way) for way in ways], refused, _auto(stack, model, cache, paths))


def _ways(
    stack: ExitStack, model: ModelConfig, cache: Path, paths: list[Path]
) -> tuple[list[_Way], dict[str, str]]:
    """Those that work, started, and why the others do not."""
    ways, refused = [], {}
    for library, precision in WAYS:
        config = model.model_copy(update={"runtime": library, "precision": precision})
        with ExitStack() as first:  # compiles what the next start finds in the cache
            answer = _start(first, config, cache, paths[:1])
        if isinstance(answer, _Way):
            answer = _start(stack, config, cache, paths)
        if isinstance(answer, _Way):
            ways.append(answer)
        else:
            refused[f"{library} {precision}"] = answer.why
    if not ways:
        told = "; ".join(f"{way}: {why}" for way, why in refused.items())
        raise InspectorError(f"expected a way to run the model, found none: {told}")
    return ways, refused


def _start(
    stack: ExitStack, config: ModelConfig, cache: Path, paths: list[Path]
) -> "_Way | worker.Refused":
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=worker.work, args=(theirs, config, cache, paths), daemon=True)
    start = time.monotonic()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for us: it inherits that
    process.start()
    signal.signal(signal.SIGINT, before)
    theirs.close()
    stack.callback(process.join, 5)
    stack.callback(process.terminate)
    stack.callback(ours.close)
    answer = _ask(ours, None, START_S, send=False)
    if isinstance(answer, worker.Refused):
        return answer
    return _Way(ours, answer, time.monotonic() - start, [])


def _ask(link: Connection, question: int | None, patience_s: float, *, send: bool = True) -> Any:
    try:
        if send:
            link.send(question)
        if not link.poll(patience_s):
            raise InspectorError(f"expected an answer within {patience_s:g} s, found none")
        return link.recv()
    except (EOFError, BrokenPipeError) as error:
        raise InspectorError("expected the judging process to live, found that it died") from error


def _auto(stack: ExitStack, model: ModelConfig, cache: Path, paths: list[Path]) -> str:
    """What a line with `runtime: auto` and `precision: auto` would run."""
    config = model.model_copy(update={"runtime": "auto", "precision": "auto"})
    answer = _start(stack, config, cache, paths[:1])
    if isinstance(answer, worker.Refused):
        raise InspectorError(answer.why)
    return answer.ready.runtime


def _row(way: _Way) -> Row:
    usage = _ask(way.link, None, PATIENCE_S)
    return row(way.ready.runtime, way.ready.proved, way.judged, usage, way.first_verdict_s)


def machine() -> dict[str, object]:
    """What was measured on, and with what."""
    import onnxruntime
    import openvino

    return {
        "cpu": processor(), "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(), "inspector": __version__,
        "openvino": openvino.__version__,
        "onnxruntime": onnxruntime.__version__, "numpy": np.__version__,
    }  # fmt: skip


def table(rows: list[Row], pictures: int, rounds: int) -> Table:
    """Medians (and 95th, 99th percentiles of the total) in ms."""
    shown = Table(
        title=f"{pictures} pictures, {rounds} rounds, in turn; ms", box=box.SIMPLE_HEAD,
    )  # fmt: skip
    for head in ("", "model alone", "look", "segment", "measure", "decide", "total p50", "p95",
                 "p99", "× model", "parts/min", "cores", "MB", "first s"):  # fmt: skip
        shown.add_column(head, justify="right" if head else "left")
    for r in rows:
        s = r.stages
        shown.add_row(
            r.runtime + ("" if r.proved else " (not proved)"), f"{r.infer.p50:.1f}",
            *(f"{s[k].p50:.1f}" for k in ("look", "segment", "measure", "decide")),
            *(f"{v:.1f}" for v in (s["total"].p50, s["total"].p95, s["total"].p99)),
            f"{r.overhead:.2f}", f"{r.parts_per_minute:.0f}", f"{r.cpu:.1f}", f"{r.rss_mb:.0f}",
            f"{r.first_verdict_s:.1f}",
        )  # fmt: skip
    return shown
