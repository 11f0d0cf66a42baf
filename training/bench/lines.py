"""Several lines on one PC: a process each, all judging as fast as they can."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

INSTANCES = (1, 2, 4)
SIDE = 640
SCRATCHES = 3
START_S = 120.0
TURNS = 3
Told = tuple[NDArray[np.float64], float]
"""What a line says: ms of each part, and its own memory in MB."""


@dataclass(frozen=True, slots=True)
class Lines:
    """So many lines at once: parts per second of all and of the slowest and fastest one, p50 and
    p99 of an inspection in ms, and the memory in MB that each has of its own (private pages).
    """

    instances: int
    threads: int
    rate: float
    slowest: float
    fastest: float
    p50_ms: float
    p99_ms: float
    own_mb: float


def run(seconds: float) -> list[Lines]:
    """For each of `INSTANCES`, with the cores shared out among them as threads, and with the
    threads that a single line would take. They take `TURNS`, of `seconds` in all for each.
    """
    cores = len(os.sched_getaffinity(0))
    ways = [(n, t) for n in INSTANCES for t in sorted({max(1, cores // n), cores})]
    heard: dict[tuple[int, int], list[Told]] = {way: [] for way in ways}
    for turn in range(TURNS):
        for way in ways[turn:] + ways[:turn]:
            heard[way] += _together(*way, seconds / TURNS)
    return [_row(*way, told, seconds) for way, told in heard.items()]


def _row(count: int, threads: int, told: list[Told], seconds: float) -> Lines:
    """`told`: of each turn what every line says, in the order of the lines."""
    rates = [sum(len(ms) for ms, _ in told[k::count]) / seconds for k in range(count)]
    ms = np.concatenate([ms for ms, _ in told])
    return Lines(
        count, threads, sum(rates), min(rates), max(rates),
        float(np.percentile(ms, 50)), float(np.percentile(ms, 99)),
        float(np.mean([mb for _, mb in told])),
    )  # fmt: skip


def _together(count: int, threads: int, seconds: float) -> list[Told]:
    context = multiprocessing.get_context("spawn")
    links, processes = [], []
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=_line, args=(theirs, threads, seconds), daemon=True)
        process.start()
        theirs.close()  # so that a line that dies is heard of, and not waited for
        links.append(ours)
        processes.append(process)
    for link in links:  # all have started before any begins
        if not link.poll(START_S):
            raise RuntimeError(f"expected a line to start within {START_S:g} s")
        link.recv()
    for link in links:
        link.send("go")
    told = [link.recv() for link in links]
    for process in processes:
        process.join()
    return told


def _line(link: Connection, threads: int, seconds: float) -> None:
    import cv2

    from inspector.config import ModelConfig
    from inspector.limits import Limits
    from inspector.pipeline import Inspector
    from inspector.segment import bundle
    from inspector.types import Frame
    from training.bench.pictures import in_a_grid

    cv2.setNumThreads(1)  # as the daemon does
    image = in_a_grid(np.random.default_rng(1), SIDE, SCRATCHES).image
    segmenter, _ = bundle.open_segmenter(ModelConfig(threads=threads))
    inspector = Inspector(segmenter, Limits(min_scratch_px=40))
    inspector.inspect(Frame(image, "part", time.monotonic()))
    link.send("ready")
    link.recv()
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        inspector.inspect(Frame(image, "part", time.monotonic()))
        took.append((time.perf_counter() - start) * 1000)
    link.send((np.array(took), _own_mb()))


def _own_mb() -> float:
    """Pages that no other process shares."""
    rows = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    kib = sum(int(row.split()[1]) for row in rows if row.startswith("Private_"))
    return kib / 1024
