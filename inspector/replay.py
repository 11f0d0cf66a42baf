"""`inspector replay`: judge a kept picture again, by all that it was judged by.

The same picture, model, limits and versions must give the same verdict and the same measures, to
the last bit. Anything else says that the judging has changed, or the picture.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2

from inspector.config import ModelConfig
from inspector.errors import BundleError, EvidenceError, NoInputError
from inspector.evidence import find
from inspector.pipeline import Inspector, View
from inspector.publish.message import ModelInfo, result_message
from inspector.record.evidence import Stored
from inspector.record.evidence.record import Judging, Record, exact, fingerprint, to_image
from inspector.segment import bundle
from inspector.segment.segmenter import Segmenter
from inspector.types import Frame, Result, Rule
from inspector.versions import versions

NOT_IN_THE_PICTURE = frozenset({Rule.NO_FRAME, Rule.STALE_FRAME, Rule.FROZEN})
"""Why a part was `unknown` that no picture of it can show: it came too late, or once too often."""
COMPARED = ("verdict", "reasons", "scratches", "marginal", "image")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one part. `differences` between then and now; `changed`: what else has changed
    that computes it, as old and new version by name.
    """

    id: str
    verdict: str
    scratches: int
    differences: tuple[str, ...]
    changed: tuple[str, ...]


def run(state_dir: Path, names: Sequence[str], *, model: Path | None, as_json: bool) -> bool:
    """Judge these parts again; True if all came out as before.

    Raises:
        NoInputError: one is not kept, or its verdict does not come from its picture.
        BundleError: its model is not there any more, or is another one.
        EvidenceError: its record or picture is not as it was written.
    """
    cv2.setNumThreads(1)  # as the line does
    models: dict[ModelConfig, tuple[Segmenter, ModelInfo]] = {}
    all_equal = True
    for name in names:
        stored = find(state_dir, name)
        outcome = replay(stored, model, models)
        all_equal &= not outcome.differences
        sys.stdout.write(_tell(outcome, as_json=as_json) + "\n")
        sys.stdout.flush()
    return all_equal


def replay(
    stored: Stored, model: Path | None, models: dict[ModelConfig, tuple[Segmenter, ModelInfo]]
) -> Outcome:
    """Judge one part again. `models`: those that are loaded already, to which its own is added.

    Raises:
        NoInputError, BundleError, EvidenceError: as `run` says.
    """
    record = stored.read()
    image = to_image(_picture(stored, record))
    judging = record.judging
    segmenter, info = _model(record, model, models)
    inspector = Inspector(segmenter, judging.limits, _view(judging))
    result = inspector.inspect(Frame(image, record.result["source"], time.monotonic()))
    then, now = judging.versions, versions(info.runtime)
    return Outcome(
        id=record.id,
        verdict=result.verdict,
        scratches=len(result.scratches),
        differences=tuple(_differences(record, result, info)),
        changed=tuple(
            f"{name} {then.get(name, 'unknown')} → {now.get(name, 'unknown')}"
            for name in sorted(then.keys() | now.keys())
            if then.get(name) != now.get(name)
        ),
    )


def _picture(stored: Stored, record: Record) -> bytes:
    rules = [reason["rule"] for reason in record.result["reasons"]]
    if record.picture is None or NOT_IN_THE_PICTURE & set(rules):
        why = "there is none" if record.picture is None else f"it was {', '.join(rules)}"
        raise NoInputError(f"{record.id}: expected a verdict that comes from its picture: {why}")
    path = stored.record.with_name(record.picture.file)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{path}: expected a picture, found: {error.strerror}") from None
    if fingerprint(data) != record.picture.sha256:
        raise EvidenceError(f"{path}: altered since it was written")
    return data


def _model(
    record: Record, model: Path | None, models: dict[ModelConfig, tuple[Segmenter, ModelInfo]]
) -> tuple[Segmenter, ModelInfo]:
    config = record.judging.model
    if model is not None:
        config = config.model_copy(update={"bundle": str(model)})
    if config not in models:
        models[config] = bundle.open_segmenter(config)
    segmenter, info = models[config]
    expected = record.result["model"]["sha256"]
    if info.sha256 != expected:
        raise BundleError(
            f"{bundle.locate(config.bundle)}: expected the model {expected} that judged "
            f"{record.id}, found {info.sha256}; --model DIR says where it is"
        )
    return segmenter, info


def _view(judging: Judging) -> View:
    return View(
        roi=judging.roi,
        size=judging.size or (judging.scale.size if judging.scale else None),
        scale=judging.scale,
        sight=judging.sight,
        mark=judging.mark_picture(),
    )


def _differences(record: Record, result: Result, info: ModelInfo) -> list[str]:
    then = record.result
    message = result_message(
        result,
        id=record.id,
        seq=then["seq"],
        time=datetime.fromisoformat(then["time"]),
        site=then["site"],
        line=then["line"],
        limits=record.judging.limits,
        model=info,
    ).model_dump(mode="json")
    found = [
        f"{key}: {_short(then[key])} → {_short(message[key])}"
        for key in COMPARED
        if not _alike(then[key], message[key])
    ]
    if then["model"]["runtime"] != info.runtime:
        found.append(f"runtime: {then['model']['runtime']} → {info.runtime}")
    before = [one.model_dump(exclude_none=True) for one in record.exact]
    now = [one.model_dump() for one in exact(result)]
    if not found and not _alike(before, now):
        found.append(f"measures: {_short(before)} → {_short(now)}")
    return found


def _alike(then: Any, now: Any) -> bool:
    """Whether all that was told then is told now; what came to be told since says nothing."""
    if isinstance(then, dict) and isinstance(now, dict):
        return all(key in now and _alike(value, now[key]) for key, value in then.items())
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(map(_alike, then, now))
    return bool(then == now)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:199] + "…"


def _tell(outcome: Outcome, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(
            {
                "id": outcome.id,
                "same": not outcome.differences,
                "verdict": outcome.verdict,
                "scratches": outcome.scratches,
                "differences": outcome.differences,
                "changed": outcome.changed,
            }
        )
    if not outcome.differences:
        bits = "all measures equal to the last bit"
        return f"same       {outcome.verdict:8} {outcome.scratches} scratches, {bits}  {outcome.id}"
    rows = [f"different  {outcome.verdict:8} {outcome.id}"]
    rows += [f"  {difference}" for difference in outcome.differences]
    rows += [f"  meanwhile: {change}" for change in outcome.changed]
    return "\n".join(rows)
