"""`inspector check`: validate a line before it runs; say what is in force and from where."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from inspector import lines, mark
from inspector.calibration import Calibrated, origin, outdated, tell
from inspector.config import Setting, Source, settings
from inspector.errors import ConfigError
from inspector.limits import measure_of
from inspector.lines import Line
from inspector.segment import bundle
from inspector.segment.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Row:
    """One value in force: the file and line that set it, or `default`."""

    key: str
    value: Any
    """As JSON has it: text, number, true, null, or lists and objects of them."""
    origin: str

    def text(self) -> str:
        """The value as one writes it in a line's YAML."""
        is_text = isinstance(self.value, str)
        return self.value if is_text else json.dumps(self.value, ensure_ascii=False)


def run(line: Line, *, as_json: bool) -> None:
    """Print every value in force; load the model and judge its golden picture.

    Raises:
        BundleError: the model may not run.
        ConfigError: the mark that has to be in view or a file that leads to the broker cannot be
            read, the limits do not fit the model's classes, or it cannot run as it is told to.
        ConfigNotPermitted: this user may not read such a file.
    """
    line.refuse_missing_files()
    mark.load(line.config.sight.reference)
    model = bundle.load(bundle.locate(line.config.model.bundle))
    line.refuse_others_than(model.manifest.classes)
    rows = [*_settings(line), *_model(model, line)]
    wide, most = max(len(row.key) for row in rows), 44
    for row in rows:
        told = f"{row.key:{wide}} {row.text():{most}} {row.origin}"
        sys.stdout.write((json.dumps(asdict(row)) if as_json else told) + "\n")
    for text in outdated(line.history, lines.setup(line.config)):
        sys.stderr.write(f"calibrate again? {text}\n")


def _settings(line: Line) -> list[Row]:
    return [
        Row(setting.key, _plain(setting.value), _origin(line, setting))
        for setting in settings(line.config, line.text)
    ]


def _plain(value: object) -> Any:
    """As JSON has it; an address is shown without its password."""
    return str(value) if isinstance(value, Source) else to_jsonable_python(value)


def _origin(line: Line, setting: Setting) -> str:
    keys = [_calibrated(setting.key)]
    if setting.value is None and setting.line is not None:  # the same, told in another unit?
        keys += [key for key in Calibrated.model_fields if measure_of(key) == measure_of(keys[0])]
    for key in keys:
        record = origin(line.history, key)
        if record is not None:
            return f"{lines.history_of(line.path)}: {tell(record)}"
    return "default" if setting.line is None else f"{line.path}:{setting.line}"


def _calibrated(key: str) -> str:
    """What of a calibration sets this key; empty where nothing does."""
    section, _, name = key.rpartition(".")
    if key.startswith("sight.reference"):
        return "reference"
    return {"limits": name, "scale": section, "sight": section}.get(section, "")


def _model(model: Bundle, line: Line) -> list[Row]:
    config = line.config.model
    try:
        runtime = bundle.open_runtime(model, config)
    except ConfigError as error:
        raise line.placed(error) from None
    bundle.self_test(model, runtime)
    origin = str(model.root / "manifest.yaml")
    manifest = model.manifest
    confidence = config.confidence or manifest.confidence
    return [
        Row("bundle.name", f"{manifest.name} {manifest.version}", origin),
        Row("bundle.sha256", model.sha256, origin),
        Row("bundle.input", f"{manifest.input.width} × {manifest.input.height}", origin),
        Row("bundle.confidence", confidence, origin if config.confidence is None else "line"),
        Row("bundle.runtime", runtime.name, "self-test passed"),
    ]
