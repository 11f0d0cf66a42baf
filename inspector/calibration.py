"""What was calibrated: dated records beside the line's file, which overrule it. Pure.

The line's YAML is written by hand and is never touched. Calibrations are a history of JSON objects,
one per line, to which each `set` and each `undo` adds one; the last one says what is in force.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from inspector.config import LineConfig
from inspector.errors import ConfigError
from inspector.limits import Limits, Positive, Scale, Size, over
from inspector.windows import Reference, Sight, Windows

LONGEST_NAME = 200
"""Characters of who calibrates."""


class _Strict(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True
    )


class Calibrated(_Strict):
    """What a calibration sets: limits, scale, windows of sight, the mark that has to be in view;
    None: as the line's file says.
    """

    scale: Scale | None = None
    sight: Windows | None = None
    reference: Reference | None = None
    min_scratch_px: Positive | None = None
    min_scratch_mm: Positive | None = None

    @model_validator(mode="after")
    def _limits_length_once(self) -> Self:
        if None not in (self.min_scratch_px, self.min_scratch_mm):
            raise ValueError("expected one of min_scratch_px and min_scratch_mm")
        return self


class Setup(_Strict):
    """What a line looked with when it was calibrated: its camera, as it may be shown, the size of
    its frames in px if that was known, name and version of its model if they could be read.
    """

    camera: str
    size: Size | None = None
    model: str | None = None

    def differences(self, now: Self) -> Iterator[str]:
        """What is another one `now`, as `model scratches 0.3.0 → scratches 0.4.0`."""
        for (name, was), (_, found) in zip(self, now, strict=True):
            if None not in (was, found) and was != found:
                yield f"{name} {_plain(was)} → {_plain(found)}"


class Record(_Strict):
    """One change: who made it and when, with what, and what it left in force."""

    schema_id: Literal["inspector.calibration/1"] = Field(
        default="inspector.calibration/1", alias="schema"
    )
    time: AwareDatetime
    by: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    action: Literal["set", "undo"]
    before: Calibrated
    after: Calibrated
    setup: Setup | None = None


@dataclass(frozen=True, slots=True)
class History:
    """All records of a line, oldest first."""

    records: tuple[Record, ...] = ()

    @classmethod
    def parse(cls, text: str, *, name: str) -> Self:
        """Read the text of a history; `name` stands in errors.

        Raises:
            ConfigError: a line that is no record, or does not continue the one before it.
        """
        records: list[Record] = []
        # Only what ends a record ends a line: a name in it may hold other separators of lines.
        lines = text.removesuffix("\n").split("\n") if text else []
        for number, line in enumerate(lines, start=1):
            try:
                record = Record.model_validate_json(line)
            except ValidationError as error:
                defect = error.errors()[0]
                place = ".".join(map(str, defect["loc"])) or "the line"
                raise ConfigError(
                    f"{name}:{number}: {place}: expected a calibration record, "
                    f"found {line[:60]!r} ({defect['msg']})"
                ) from None
            before = records[-1].after if records else Calibrated()
            if record.before != before:
                raise ConfigError(
                    f"{name}:{number}: before: expected {_show(before)}, as the record above left "
                    f"it, found {_show(record.before)}"
                )
            records.append(record)
        return cls(tuple(records))

    def text(self) -> str:
        """The history as it stands in its file."""
        return "".join(
            record.model_dump_json(by_alias=True, exclude_none=True) + "\n"
            for record in self.records
        )

    @property
    def in_force(self) -> Calibrated:
        """What overrules the line's file now."""
        return self.records[-1].after if self.records else Calibrated()

    def continues(self, earlier: Self) -> bool:
        """It begins with all records of the `earlier` one: records come, and never go."""
        return self.records[: len(earlier.records)] == earlier.records

    def set(self, found: Calibrated, *, by: str, time: AwareDatetime) -> Self:
        """With one more record; what is None stays as it is, but for a limit in px that takes the
        place of one in mm, and the other way round.
        """
        before = self.in_force.model_dump(exclude_none=True)
        after = Calibrated.model_validate(over(before, found.model_dump(exclude_none=True)))
        return self._with("set", after, by, time)

    def undo(self, *, by: str, time: AwareDatetime) -> Self:
        """With one more record that takes back the last `set` which is not taken back yet.

        Raises:
            ConfigError: there is none.
        """
        sets: list[Record] = []
        for record in self.records:
            if record.action == "set":
                sets.append(record)
            elif sets:
                sets.pop()
        if not sets:
            raise ConfigError("expected a calibration to undo, found none in force")
        return self._with("undo", sets[-1].before, by, time)

    def made_with(self, setup: Setup) -> Self:
        """The same, whose last record says with what it was made."""
        return type(self)(
            (*self.records[:-1], self.records[-1].model_copy(update={"setup": setup}))
        )

    def _with(
        self, action: Literal["set", "undo"], after: Calibrated, by: str, time: AwareDatetime
    ) -> Self:
        record = Record(time=time, by=by, action=action, before=self.in_force, after=after)
        return type(self)((*self.records, record))


def overrule(config: LineConfig, calibrated: Calibrated) -> LineConfig:
    """The line's configuration with what was calibrated in place of its own.

    Raises:
        ConfigError: they contradict what else the line's file says.
    """
    given = calibrated.model_dump(exclude_none=True, exclude={"scale", "sight", "reference"})
    if calibrated == Calibrated():
        return config
    try:
        changed = {
            "limits": Limits.model_validate(over(dict(config.limits), given)),
            "scale": calibrated.scale or config.scale,
            "sight": _sight(config.sight, calibrated),
        }
        return LineConfig.model_validate(dict(config) | changed)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"with {_show(calibrated)} in place of the line's: {message}") from None


def _sight(written: Sight, calibrated: Calibrated) -> Sight:
    windows = dict(calibrated.sight) if calibrated.sight else {}
    reference = calibrated.reference or written.reference
    return Sight.model_validate(dict(written) | windows | {"reference": reference})


def origin(history: History, key: str) -> Record | None:
    """The record that last changed what is in force of this, None if the file's own is."""
    if getattr(history.in_force, key, None) is None:
        return None
    changes = [r for r in history.records if getattr(r.before, key) != getattr(r.after, key)]
    return changes[-1]


def outdated(history: History, now: Setup) -> Iterator[str]:
    """What is in force and was calibrated with another camera, size or model, a line for each."""
    for key in Calibrated.model_fields:
        record = origin(history, key)
        changed = ", ".join(record.setup.differences(now)) if record and record.setup else ""
        if changed:
            yield f"{key} was calibrated before a change: {changed}"


def tell(record: Record) -> str:
    """One line for people: when, who, what, and with what."""
    setup = f"  ({', '.join(_plain(v) for _, v in record.setup if v)})" if record.setup else ""
    return (
        f"{record.time.astimezone():%Y-%m-%d %H:%M:%S}  {record.by}  {record.action}  "
        f"{_show(record.before)} → {_show(record.after)}{setup}"
    )


def _plain(value: object) -> str:
    return " × ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _show(calibrated: Calibrated) -> str:
    return json.dumps(calibrated.model_dump(mode="json", exclude_none=True))
