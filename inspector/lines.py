"""Which line? Finds and reads the line's file and its calibrations beside it."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inspector import config
from inspector.calibration import History, Setup, overrule
from inspector.config import LineConfig, settings
from inspector.errors import ConfigError, ConfigNotPermitted
from inspector.files import replace
from inspector.segment import bundle

INSTALLED = Path("/etc/inspector/lines")
VARIABLE = "INSPECTOR_CONFIG"
SERVICE = "CREDENTIALS_DIRECTORY"  # set by systemd for a service that has some
CALIBRATIONS = ".calibration.jsonl"
CREDENTIALS = Path("/run/credentials")  # systemd's; what is in it is there for its service only
NEEDED = ("mqtt.password_file", "mqtt.tls.ca_file", "mqtt.tls.cert_file", "mqtt.tls.key_file")


@dataclass(frozen=True, slots=True)
class Line:
    """A line's file as it was read, what its text says, and how it was calibrated."""

    path: Path
    text: str
    written: LineConfig
    history: History

    @property
    def config(self) -> LineConfig:
        """What is in force: what is written, with what was calibrated in its place."""
        return overrule(self.written, self.history.in_force)

    def refuse_others_than(self, classes: Sequence[str]) -> None:
        """As `Limits.refuse_others_than`, with the file and the line in it.

        Raises:
            ConfigError: limits of a class that the model does not have, or a class without any.
        """
        try:
            self.config.limits.refuse_others_than(classes)
        except ConfigError as error:
            raise self.placed(error) from None

    def placed(self, error: ConfigError) -> ConfigError:
        """An error that begins with a key, with the file and the line of that key in it."""
        key = str(error).partition(":")[0]
        known = settings(self.written, self.text)
        at = next((f":{s.line}" for s in known if s.key.startswith(key) and s.line), "")
        return ConfigError(f"{self.path}{at}: {error}")

    def refuse_missing_files(self) -> None:
        """What is needed to reach the broker has to be there, and readable. Of a credential only
        the service itself can say so.

        Raises:
            ConfigError: a file is missing, or is none; with the file, the line and the key in it.
            ConfigNotPermitted: this user may not read one.
        """
        for setting in settings(self.written, self.text):
            if setting.key not in NEEDED or not isinstance(setting.value, Path):
                continue
            if setting.value.is_relative_to(CREDENTIALS) and SERVICE not in os.environ:
                continue
            expected = f"{self.path}:{setting.line}: {setting.key}: expected a readable file"
            try:
                setting.value.read_bytes()
            except OSError as error:
                forbidden = isinstance(error, PermissionError)
                raise (ConfigNotPermitted if forbidden else ConfigError)(
                    f"{expected}, found {setting.value}: {error.strerror}"
                ) from None


def read(path: Path) -> Line:
    """Read and validate a line's file and its calibrations.

    Raises:
        ConfigError: one of them cannot be read, or what it says is wrong.
    """
    text, written = read_file(path)
    return Line(path, text, written, read_history(path))


def read_file(path: Path) -> tuple[str, LineConfig]:
    """The text of a line's file, and what it says; its calibrations are not looked at.

    Raises:
        ConfigError: it cannot be read, or what it says is wrong.
    """
    text = _read(path)
    return text, config.parse(text, path=path)


def history_of(path: Path) -> Path:
    """Where the calibrations of the line at `path` are: line1.yaml → line1.calibration.jsonl.

    They lie beside the file itself: whoever comes by a link to it finds the same ones.
    """
    # Not path.resolve(): it raises on a link that leads back to itself.
    return Path(os.path.realpath(path)).with_suffix(CALIBRATIONS)


def read_history(path: Path) -> History:
    """The calibrations of the line at `path`; none where their file does not exist.

    Raises:
        ConfigError: it cannot be read, what it says is wrong, or it is empty, as none ever is.
    """
    beside = history_of(path)
    try:
        there = beside.exists() or beside.is_symlink()  # one that leads nowhere is not «none»
        lost = path.with_suffix(CALIBRATIONS)
        if path.is_symlink() and lost.exists() and not (there and lost.samefile(beside)):
            raise ConfigError(f"{lost}: expected calibrations beside the file itself: {beside}")
    except OSError as error:
        raise ConfigError(f"{beside}: expected to read it, found: {error.strerror}") from None
    if not there:
        return History()
    if not (text := _read(beside)):
        raise ConfigError(f"{beside}: expected one calibration record at least, found it empty")
    return History.parse(text, name=str(beside))


def write_history(path: Path, history: History) -> None:
    """Replace the calibrations of the line at `path` as a whole; it is on the disk on return.

    Raises:
        ConfigError: it cannot be written; what was there before is still there.
    """
    beside = history_of(path)
    try:
        replace(beside, history.text().encode(), like=path)
    except OSError as error:
        raise ConfigError(
            f"{beside}: expected to write the calibration, found: {error.strerror}"
        ) from None


def recalibrate(
    path: Path, change: Callable[[History], History], *, dry_run: bool = False
) -> tuple[LineConfig | None, LineConfig]:
    """Replace the history of the line at `path` by what `change` makes of it; what was in force
    before, and what is now. Before is None where the calibrations contradicted the file: a change
    is the way out of that.

    Raises:
        ConfigError: the line does not validate with the change, or the record cannot be written.
    """
    line = read(path)  # before the lock: a file that is not there gets its own message
    with only_one(path):
        line = read(path)
        history = change(line.history)
        before, after = _consistent(line), overrule(line.written, history.in_force)
        if not dry_run:
            write_history(path, history.made_with(setup(after)))
    return before, after


def setup(config: LineConfig) -> Setup:
    """What the line looks with now."""
    return Setup(
        camera=str(config.camera.source),
        size=config.frame_size,
        model=bundle.title(config.model.bundle),
    )


def _consistent(line: Line) -> LineConfig | None:
    try:
        return line.config
    except ConfigError:
        return None


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """While one process changes the calibrations of a line, a second one waits."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: expected UTF-8 text, found byte {error.start} to be none"
        ) from None
    except OSError as error:
        kind = ConfigNotPermitted if isinstance(error, PermissionError) else ConfigError
        raise kind(f"{path}: expected a readable file, found: {error.strerror}") from None


def find(path: Path | None, name: str | None, installed: Path = INSTALLED) -> Path | None:
    """The line's file: as named, else $INSPECTOR_CONFIG, else ./line.yaml, else installed.

    Args:
        path: what `--config` says.
        name: what `--line` says; picks among the installed lines.
        installed: the folder of the installed lines, `NAME.yaml` each.

    Returns:
        None where there is no line at all.

    Raises:
        ConfigError: several lines are installed and no name picks one, or file and name are given.
        ConfigNotPermitted: this user may not see which lines are installed.
    """
    if path is not None and name is not None:
        raise ConfigError(f"expected --config FILE or --line NAME, found {path} and {name}")
    if path is not None:
        return path
    if name is not None:
        return installed / f"{name}.yaml"
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if os.access(here := Path("line.yaml"), os.F_OK):  # false in a folder that is closed to us
        return here
    try:
        lines = sorted(installed.glob("*.yaml"))
    except PermissionError as error:
        raise ConfigNotPermitted(
            f"{installed}: expected to find the installed lines, found: {error.strerror}: "
            "root and the user of the lines can; or name a file: --config FILE"
        ) from None
    if len(lines) > 1:
        names = ", ".join(line.stem for line in lines)
        raise ConfigError(f"expected --line NAME, because {installed} holds several: {names}")
    return lines[0] if lines else None
