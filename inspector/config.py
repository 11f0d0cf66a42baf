"""The line's YAML → a frozen, validated `LineConfig`.

Pure: text in, values or `ConfigError` out; `lines.py` finds and reads the file. YAML is read by its
1.2 core schema (`no` is a word, `010` is ten), so that what is written is what is meant.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from inspector import strictyaml
from inspector.errors import ConfigError
from inspector.keeping import Keeping
from inspector.limits import NAME, Limits, Scale
from inspector.page.settings import HOST_PORT, LOOPBACK, Listen, PageConfig
from inspector.strictyaml import FilePath, Section, list_to_tuple, relative_to_file
from inspector.windows import Sight

# "…/user=admin_password=x_channel=1" and "…/user=admin&password=x": what some cameras want
SECRET = re.compile(r"(?i)(?<=user|name|word|pass|.pwd|oken)=.*?(?=_[a-z]+=|[&;/]|$)")


@dataclass(frozen=True, slots=True)
class Source:
    """Where frames come from; `target` is a path or an address."""

    kind: Literal["folder", "video", "v4l2", "rtsp"]
    target: str = field(repr=False)  # an address may hold a password

    @property
    def live(self) -> bool:
        """It shows what is there now; files show what was there when they were written."""
        return self.kind in {"v4l2", "rtsp"}

    def __str__(self) -> str:
        """The source as it may be shown: an address without its user and password."""
        return redacted(self.target) if self.kind == "rtsp" else f"{self.kind}:{self.target}"


def redacted(url: str) -> str:
    """The address as it may be shown: without user and password, and without its query, where
    some cameras expect them; `password=…` in a path, as others do, is masked.
    """
    scheme, _, rest = url.partition("://")
    # The last @ first: a password that is not percent-encoded may hold any other separator.
    place = re.split(r"[?#]", rest.rpartition("@")[2], maxsplit=1)[0]
    return f"{scheme}://{SECRET.sub('=***', place)}"


def _parse_source(text: Any, info: ValidationInfo) -> Source:
    match text.partition(":") if isinstance(text, str) else ():
        case ("rtsp" | "rtsps", ":", rest) if rest.startswith("//"):
            return Source("rtsp", text)
        case ("folder" | "video" | "v4l2" as kind, ":", rest) if rest:
            return Source(kind, str(relative_to_file(Path(rest), info)))
    raise ValueError("expected folder:DIR, video:FILE, v4l2:/dev/v4l/by-id/… or rtsp://…")


def _parse_bundle(value: str, info: ValidationInfo) -> str:
    return value if value == "default" else str(relative_to_file(Path(value), info))


Name = Annotated[str, Field(pattern=NAME)]
Offset = Annotated[int, Field(ge=0, le=65_535)]
Pixels = Annotated[int, Field(gt=0, le=65_535)]


def _more_than_itself(frames: int) -> int:
    if frames == 1:
        raise ValueError("expected 0, or at least 2 equal frames: one alone is equal to itself")
    return frames


class CameraConfig(Section):
    """The source of frames; `README.md` and `configs/lines/` say what each key does."""

    source: Annotated[Source, BeforeValidator(_parse_source)]
    loop: bool = False
    every_ms: Annotated[float, Field(ge=0)] = 0.0
    roi: Annotated[
        tuple[Offset, Offset, Pixels, Pixels] | None,
        BeforeValidator(list_to_tuple),
    ] = None
    size: Annotated[tuple[Pixels, Pixels] | None, BeforeValidator(list_to_tuple)] = None
    timeout_ms: Annotated[float, Field(ge=100, le=60_000)] = 1500.0
    frozen_after: Annotated[int, Field(ge=0, le=1000), AfterValidator(_more_than_itself)] = 3

    @model_validator(mode="after")
    def _roi_lies_in_the_frame(self) -> Self:
        if self.roi and self.size:
            x, y, width, height = self.roi
            if x + width > self.size[0] or y + height > self.size[1]:
                raise ValueError(f"expected a roi within frames of {self.size[0]} × {self.size[1]}")
        return self


class ModelConfig(Section):
    """Which bundle judges, and how it is run; `confidence` overrides the bundle's own threshold."""

    bundle: Annotated[str, AfterValidator(_parse_bundle)] = "default"
    runtime: Literal["auto", "openvino", "onnxruntime"] = "auto"
    device: Annotated[str, Field(min_length=1)] = "CPU"
    precision: Literal["auto", "f32", "bf16", "int8"] = "auto"
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = None


class TlsConfig(Section):
    """The CA that signed the broker's certificate; our own certificate where it asks for one."""

    ca_file: FilePath
    cert_file: FilePath | None = None
    key_file: FilePath | None = None


class MqttConfig(Section):
    """The broker. The password stands in a file, never in the configuration."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    version: Literal[5, "3.1.1"] = 5
    username: str | None = None
    password_file: FilePath | None = None
    tls: TlsConfig | None = None

    @model_validator(mode="after")
    def _plain_text_stays_on_this_machine(self) -> Self:
        if self.tls is None and self.host not in LOOPBACK:
            raise ValueError(f"expected tls.ca_file for a broker beyond this machine ({self.host})")
        return self


class MetricsConfig(Section):
    """Where a Prometheus may ask: at /metrics, over plain HTTP."""

    listen: Listen = "127.0.0.1:9108"


class LineConfig(Section):
    """Everything that a line is told. Only `site`, `line` and `camera.source` have no default."""

    site: Name
    line: Name
    camera: CameraConfig
    model: ModelConfig = ModelConfig()
    scale: Scale | None = None
    sight: Sight = Sight()
    limits: Limits = Limits()
    mqtt: MqttConfig = MqttConfig()
    state_dir: FilePath
    evidence: Keeping | None = Keeping()
    page: PageConfig | None = PageConfig()
    metrics: MetricsConfig | None = None

    @field_validator("scale")
    @classmethod
    def _scale_is_of_these_frames(cls, scale: Scale | None, info: ValidationInfo) -> Scale | None:
        camera = info.data.get("camera")
        if camera is None or scale is None or None in (camera.size, scale.size):
            return scale
        if camera.size != scale.size:
            raise ValueError(f"expected a scale for frames of {camera.size}, as camera.size says")
        return scale

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """Width and height in px of the frames that are judged; None: of any size."""
        return self.camera.size or (self.scale.size if self.scale else None)

    @model_validator(mode="after")
    def _one_port_each(self) -> Self:
        if self.page and self.metrics and self.page.listen == self.metrics.listen:
            raise ValueError(f"expected page and metrics at two addresses ({self.page.listen})")
        return self

    @field_validator("limits")
    @classmethod
    def _limits_fit_the_rest(cls, limits: Limits, info: ValidationInfo) -> Limits:
        camera = info.data.get("camera")
        if camera is None or "scale" not in info.data:  # refused already
            return limits
        whole = camera.size and (0, 0, *camera.size)
        contradiction = limits.contradiction(info.data["scale"], camera.roi or whole)
        if contradiction is not None:
            raise ValueError(contradiction)
        return limits


@dataclass(frozen=True, slots=True)
class Setting:
    """One leaf of a configuration: dotted key, value, and the line of the file that set it."""

    key: str
    value: object
    line: int | None


def parse(text: str, *, path: Path) -> LineConfig:
    """Validate the text of a line's file; `path` names it in errors and anchors relative paths.

    Raises:
        ConfigError: with one line per defect: file, line, key, what was expected and found.
    """
    tree, lines = strictyaml.load(text, name=str(path))
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, found {strictyaml.show(tree)}")
    tree = {"state_dir": f"state/{tree.get('line', 'line')}"} | tree
    try:
        return LineConfig.model_validate(tree, context={"base": path.absolute().parent})
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(error, path, lines))) from None


def settings(config: LineConfig, text: str) -> Iterator[Setting]:
    """Every value in force with the line of `text` that set it (None: the default)."""
    _, lines = strictyaml.load(text, name="")
    yield from _leaves(config, (), lines)


def _leaves(value: object, key: strictyaml.Key, lines: strictyaml.Lines) -> Iterator[Setting]:
    if isinstance(value, BaseModel):
        for name, inner in value:
            yield from _leaves(inner, (*key, name), lines)
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for index, inner in enumerate(value):
            # What an item of a list does not say has no default: in a zone it is as on the line.
            items = _leaves(inner, (*key, index), lines)
            yield from (setting for setting in items if setting.line is not None)
    else:
        yield Setting(".".join(map(str, key)), value, lines.get(key))


IN_WORDS = {
    "string_type": "text",
    "path_type": "a path",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "model_type": "keys with values of their own below it",
    "model_attributes_type": "keys with values of their own below it",
    "dict_type": "keys with values of their own below it",
}
"""What the library that validates says in the words of Python."""


def _expected(defect: ErrorDetails) -> str:
    if defect["type"] == "string_pattern_mismatch":
        pattern = defect["ctx"]["pattern"]
        return "expected " + {
            NAME: "1 to 64 of a…z, 0…9, _ and -, a letter or digit first",
            HOST_PORT: "HOST:PORT, as 127.0.0.1:8080",
        }.get(pattern, f"text that {pattern} matches")
    if defect["type"] in IN_WORDS:
        return f"expected {IN_WORDS[defect['type']]}"
    if defect["type"] == "too_short":
        return f"expected a list of at least {defect['ctx']['min_length']}"
    if defect["type"] == "too_long":
        return f"expected a list of at most {defect['ctx']['max_length']}"
    text = defect["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return text if text.startswith("expected") else f"expected {text}"


def _explain(error: ValidationError, path: Path, lines: strictyaml.Lines) -> Iterator[str]:
    for defect in error.errors(include_url=False):
        # Beyond the keys of the file, pydantic's location names branches of unions.
        key = tuple(defect["loc"])
        while (
            key not in lines and len(key) > 1 and key[:-1] in lines and defect["type"] != "missing"
        ):
            key = key[:-1]
        line = next(lines[key[:n]] for n in range(len(key), -1, -1) if key[:n] in lines)
        found = strictyaml.show(defect["input"])
        match defect["type"]:
            case "extra_forbidden":
                message = "expected a known key, found this one"
            case "missing":
                message = "expected this key, found none"
            case _:
                message = f"{_expected(defect)}, found {found}"
        yield f"{path}:{line}: {'.'.join(map(str, key))}: {message}"
