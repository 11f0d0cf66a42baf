"""Judge labelled pictures with the edge's own pipeline, and say how good it is.

    python -m training evaluate --data datasets/first --bundle my-bundle --out report/

writes `report/report.html`, one file that needs nothing else, and `report/results.json`.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import cv2
from rich.console import Console

from inspector.cameras.pictures import load_picture
from inspector.config import ModelConfig
from inspector.errors import InspectorError
from inspector.files import replace, sha256_of
from inspector.limits import Limits
from inspector.pipeline import Inspector
from inspector.progress import tracked
from inspector.segment import bundle as bundles
from inspector.segment.segmenter import Segmenter
from training.evaluation import labels, report, summary
from training.evaluation.labels import Labelled
from training.evaluation.matching import compare
from training.evaluation.values import Judged

SEED = 1
WORST = 24
"""Pictures on each contact sheet."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What to judge and by what: a data set, a bundle (`default` or a folder), a limit in px."""

    data: Path
    bundle: str = "default"
    runtime: Literal["auto", "openvino", "onnxruntime"] = "auto"
    out: Path = Path("report")
    min_scratch_px: float = 40.0


def run(settings: Settings, *, as_json: bool = False) -> dict[str, Any]:
    """Judge every picture and write the report; the figures go to stdout, progress to stderr.

    What an earlier run left in `out` stays as it is until the new report is complete.

    Raises:
        NoInputError: no such data set, or pictures of it that are not there.
        LabelError: labels that cannot be true.
        BundleError: the model may not run.
        InspectorError: the report cannot be written.
    """
    cv2.setNumThreads(1)  # the cores belong to the runtime
    rows = labels.read(settings.data)
    config = ModelConfig(bundle=settings.bundle, runtime=settings.runtime)
    model = bundles.load(bundles.locate(config.bundle))
    runtime = bundles.open_runtime(model, config)
    bundles.self_test(model, runtime)
    _make(settings.out)  # before the work, so that it is not in vain
    segmenter = Segmenter(model.manifest, runtime, config.confidence)
    inspector = Inspector(segmenter, Limits(min_scratch_px=settings.min_scratch_px))
    judged = judge(rows, inspector)
    groups = summary.summaries(judged, settings.min_scratch_px, SEED)
    manifest = labels.manifest_of(settings.data)
    about = report.About(
        data=str(settings.data),
        data_sha256=sha256_of(manifest) if manifest else None,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        model=model.manifest.name,
        model_version=model.manifest.version,
        model_sha256=model.sha256,
        runtime=runtime.name,
        confidence=segmenter.confidence,
        min_scratch_px=settings.min_scratch_px,
        seed=SEED,
        command=_command(settings),
    )
    found = report.results(about, groups, judged)
    _write(settings.out / "report.html", report.page(about, groups, judged, WORST))
    _write(settings.out / "results.json", json.dumps(found, allow_nan=False))
    if as_json:
        told = {key: value for key, value in found.items() if key != "pictures"}
        sys.stdout.write(json.dumps(told, allow_nan=False) + "\n")
    else:
        # In a pipe rich takes a terminal of 80 columns for granted, and cuts names off.
        console = Console(width=None if sys.stdout.isatty() else 160)
        console.print(report.table(about, groups))
        sys.stdout.write(f"{settings.out / 'report.html'}\n")
    return found


def judge(rows: Sequence[Labelled], inspector: Inspector) -> list[Judged]:
    """The verdict on every picture beside its label."""
    judged = []
    for row in tracked(rows, "Evaluating"):
        result = inspector.inspect(load_picture(row.path))
        marks = labels.read_mask(row.mask, result.size, row.where) if row.mask else None
        judged.append(compare(row, marks, result))
    return judged


def _command(settings: Settings) -> str:
    return shlex.join(
        (
            *("python", "-m", "training", "evaluate", "--data", str(settings.data)),
            *("--bundle", settings.bundle, "--runtime", settings.runtime),
            *("--min-scratch-px", f"{settings.min_scratch_px:g}"),
        )
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = error.strerror or error
        raise InspectorError(f"{folder}: expected a folder to write to, found: {found}") from None


def _write(path: Path, text: str) -> None:
    try:
        # A file's name may be any bytes, of which text carries only some.
        replace(path, text.encode(errors="backslashreplace"), durable=False)
    except OSError as error:
        found = error.strerror or error
        raise InspectorError(f"{path}: expected to write the report, found: {found}") from None
