"""`inspector inspect`: judge pictures that lie on the disk, one result each."""

import os
import re
import sys
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2

from inspector import mark
from inspector.calibration import Calibrated, overrule
from inspector.cameras.pictures import find_pictures, load_picture, write_picture
from inspector.config import LineConfig, ModelConfig
from inspector.errors import InspectorError
from inspector.limits import Limits
from inspector.overlay import draw, headline
from inspector.pipeline import WHOLE_FRAME, Inspector, View
from inspector.progress import tracked
from inspector.publish.message import encode, result_message
from inspector.segment import bundle
from inspector.types import Frame, Result, Unseen, Verdict

JPEG_QUALITY = 92
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
WRITABLE = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What `inspect` judges by: a line's configuration, or the defaults of one."""

    site: str = "local"
    line: str = "inspect"
    model: ModelConfig = ModelConfig()
    limits: Limits = Limits()
    view: View = WHOLE_FRAME


def settings(
    line: LineConfig | None,
    *,
    model: Path | None = None,
    runtime: str | None = None,
    min_scratch_px: float | None = None,
) -> Settings:
    """The line's settings, or the defaults, with what the command line overrides.

    Raises:
        ConfigError: the line's other limits contradict what the command line says, or its mark
            cannot be read.
    """
    chosen = Settings()
    if line is None and min_scratch_px is not None:
        chosen = Settings(limits=Limits(min_scratch_px=min_scratch_px))
    if line is not None:
        line = overrule(line, Calibrated(min_scratch_px=min_scratch_px))
        view = View.of(line, mark.load(line.sight.reference))
        chosen = Settings(line.site, line.line, line.model, line.limits, view)
    overrides = {"bundle": model and str(model), "runtime": runtime}
    given = {key: value for key, value in overrides.items() if value is not None}
    if given:
        chosen = replace(chosen, model=chosen.model.model_copy(update=given))
    return chosen


def run(paths: list[Path], chosen: Settings, *, as_json: bool, overlay: Path | None) -> bool:
    """Judge every picture; True if all of them passed. Results go to stdout, progress to stderr.

    Raises:
        NoInputError: a path does not exist, or no picture was found.
        BundleError: the model may not run.
        InspectorError: an overlay cannot be written, or would take the place of a picture.
    """
    cv2.setNumThreads(1)  # the cores belong to the runtime
    pictures = find_pictures(paths)
    targets = _targets(pictures, overlay) if overlay is not None else {}
    segmenter, info = bundle.open_segmenter(chosen.model)
    inspector = Inspector(segmenter, chosen.limits, chosen.view)
    batch, passed = uuid.uuid4().hex, True
    for seq, path in enumerate(tracked(pictures, "Inspecting"), start=1):
        part = load_picture(path)
        result = inspector.inspect(part)
        passed &= result.verdict is Verdict.PASS
        if as_json:
            message = result_message(
                result,
                id=f"{batch}-{seq}",
                seq=seq,
                time=datetime.now(UTC),
                site=chosen.site,
                line=chosen.line,
                limits=chosen.limits,
                model=info,
            )
            line = encode(message)
        else:
            # A line break in a name would make another line of it, and say what it likes.
            name = CONTROL.sub(lambda found: repr(found[0])[1:-1], str(path))
            line = f"{headline(result)}  {name}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if path in targets:
            _save(targets[path], part, result)
    return passed


def _targets(pictures: list[Path], overlay: Path) -> dict[Path, Path]:
    """Where the overlay of each picture goes: in the folder `overlay`, as the pictures lie, and
    beside those of the others.
    """
    # Not path.absolute(): what is named with .. in it would lie beside the folder.
    lie = {path: Path(os.path.abspath(path)) for path in pictures}  # noqa: PTH100
    common = Path(os.path.commonpath([place.parent for place in lie.values()]))
    taken = {place for place in lie.values() if place.suffix.lower() in WRITABLE}
    targets = {}
    for path, place in lie.items():
        target = place
        while target.suffix.lower() not in WRITABLE or (target in taken and target != place):
            target = target.with_name(target.name + ".jpg")
        targets[path] = overlay / target.relative_to(common)
    # Not path.resolve(): it raises on a link that leads back to itself.
    overwritten = {*map(os.path.realpath, lie)} & {*map(os.path.realpath, targets.values())}
    if overwritten:
        raise InspectorError(
            f"{overlay}: expected a folder of its own for overlays, found that {min(overwritten)} "
            "would be overwritten"
        )
    _make(overlay)
    return targets


def _save(target: Path, part: Frame | Unseen, result: Result) -> None:
    picture = draw(part.image if isinstance(part, Frame) else None, result)
    _make(target.parent)
    try:
        write_picture(target, picture, None if target.suffix.lower() == ".png" else JPEG_QUALITY)
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or error
        raise InspectorError(f"{target}: expected to write the overlay, found: {found}") from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InspectorError(
            f"{folder}: expected a folder for overlays, found: {error.strerror}"
        ) from None
