"""The verbs of the command line, and nothing else. A verb imports what it needs."""

import logging
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspector import __version__, lines
from inspector.errors import ConfigError, InspectorError

if TYPE_CHECKING:
    from inspector.calibrate.target import Target

app = typer.Typer(
    name="inspector",
    help="Automatic scratch inspection on a factory line.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class RuntimeName(StrEnum):
    """Values of `--runtime`."""

    AUTO = "auto"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


Config = Annotated[
    Path | None,
    typer.Option(
        help="The line's YAML. Left out: $INSPECTOR_CONFIG, ./line.yaml, /etc/inspector/lines/."
    ),
]
LineName = Annotated[
    str | None, typer.Option("--line", help="Which of the lines in /etc/inspector/lines/.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line on stdout.")]


def _positive(value: float | None) -> float | None:
    if value is None or 0 < value < math.inf:
        return value
    raise typer.BadParameter(f"expected a number above 0, found {value}")


def main() -> None:
    """Run the command line; an error of ours ends with its own exit code and no traceback."""
    try:
        app()
    except InspectorError as error:
        typer.echo(f"inspector: {error}", err=True)
        sys.exit(error.exit_code)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, help="Say more on stderr.")
    ] = 0,
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )


@app.command()
def inspect(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.")],
    config: Config = None,
    line: LineName = None,
    model: Annotated[Path | None, typer.Option(help="Folder of a model bundle.")] = None,
    runtime: Annotated[
        RuntimeName | None, typer.Option(help="Which library runs the model.")
    ] = None,
    min_scratch_px: Annotated[
        float | None,
        typer.Option(callback=_positive, help="Smallest length of a scratch that fails, in px."),
    ] = None,
    as_json: Json = False,
    overlay: Annotated[
        Path | None, typer.Option(help="Folder for the pictures with their scratches drawn in.")
    ] = None,
) -> None:
    """Judge pictures. Exit 0: all passed; 1: something did not pass."""
    from inspector import batch

    found = lines.find(config, line)
    settings = batch.settings(
        lines.read(found).config if found else None,
        model=model,
        runtime=runtime.value if runtime else None,
        min_scratch_px=min_scratch_px,
    )
    raise typer.Exit(0 if batch.run(paths, settings, as_json=as_json, overlay=overlay) else 1)


@app.command()
def run(config: Config = None, line: LineName = None) -> None:
    """The daemon: judge what passes the camera, until told to stop."""
    from inspector import daemon

    logging.getLogger("inspector").setLevel(logging.INFO)
    daemon.run(_line(config, line))


@app.command()
def check(config: Config = None, line: LineName = None, as_json: Json = False) -> None:
    """Validate a line's configuration and model; print what is in force and from where."""
    from inspector import check as command

    command.run(_line(config, line), as_json=as_json)


@app.command()
def doctor(config: Config = None, line: LineName = None, as_json: Json = False) -> None:
    """Examine this PC for its line: permissions, camera, broker, TLS, clock, disk, processor."""
    from inspector import doctor as command

    raise typer.Exit(command.run(_line_path(config, line), as_json=as_json))


class TargetKind(StrEnum):
    """Values of `--target`."""

    CHECKERBOARD = "checkerboard"
    ARUCO = "aruco"
    RULER = "ruler"
    POINTS = "points"


class CalibrateAction(StrEnum):
    """What `inspector calibrate` does."""

    SET = "set"
    SHOW = "show"
    UNDO = "undo"


@app.command()
def calibrate(
    action: Annotated[
        CalibrateAction, typer.Argument(help="Set limits, show the records, undo the last one.")
    ] = CalibrateAction.SET,
    config: Config = None,
    line: LineName = None,
    min_scratch_px: Annotated[
        float | None,
        typer.Option(callback=_positive, help="Smallest length of a scratch that fails, in px."),
    ] = None,
    min_scratch_mm: Annotated[
        float | None,
        typer.Option(callback=_positive, help="The same in mm; needs the line's `scale`."),
    ] = None,
    target: Annotated[
        TargetKind | None, typer.Option(help="What of known size to measure the scale on.")
    ] = None,
    known_mm: Annotated[
        float | None,
        typer.Option(
            callback=_positive,
            help="Side of a square or marker; distance of ruler ticks, or of the points --between.",
        ),
    ] = None,
    squares: Annotated[
        str, typer.Option(help="Inner corners of the checkerboard: columns x rows.")
    ] = "9x6",
    between: Annotated[
        str | None, typer.Option(help="x1,y1,x2,y2 in px: two points, or along a ruler.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="A picture of the target; else the line's camera.")
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(help="Folder with good/ and bad/: show what each limit would have done."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who; else the user of this shell.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
) -> None:
    """Set what a scratch may not reach, as a dated record beside the line's file."""
    from inspector.calibrate import record
    from inspector.calibration import Calibrated

    if min_scratch_px is not None and min_scratch_mm is not None:
        raise typer.BadParameter("expected --min-scratch-px or --min-scratch-mm, found both")
    limits = Calibrated(min_scratch_px=min_scratch_px, min_scratch_mm=min_scratch_mm)
    sets = limits != Calibrated()
    scale = _target(target, known_mm, squares, between, picture)
    if (action is CalibrateAction.SET) != (sets or samples is not None or scale is not None):
        raise typer.BadParameter(
            "expected a limit, as --min-scratch-px 40, or --samples DIR, or a --target with "
            "--known-mm, or one of: show, undo"
        )
    path = _line_path(config, line)
    if samples is not None:
        from inspector.calibrate import samples as known

        known.show(path, samples, min_scratch_px)
    if scale is not None:
        from inspector.calibrate.target import set_scale

        set_scale(path, scale, by=by, dry_run=dry_run)
    match action:
        case CalibrateAction.SET if sets:
            record.set_limits(path, limits, by=by, dry_run=dry_run)
        case CalibrateAction.UNDO:
            record.undo(path, by=by, dry_run=dry_run)
        case CalibrateAction.SHOW:
            record.show(path)


def _target(
    kind: TargetKind | None, known_mm: float | None, squares: str, between: str | None,
    picture: Path | None,
) -> "Target | None":  # fmt: skip
    """What `--target` and its companions mean, None where they were left out."""
    from inspector.calibrate.target import Target

    if kind is None and known_mm is None and between is None:
        return None
    kind = kind or TargetKind.POINTS
    if known_mm is None:
        raise typer.BadParameter("expected --known-mm with a target, found none")
    if kind in (TargetKind.RULER, TargetKind.POINTS) and between is None:
        raise typer.BadParameter(f"expected --between x1,y1,x2,y2 with {kind.value}, found none")
    corners = _numbers("--squares", squares, "x", 2)
    return Target(
        kind=kind.value,
        known_mm=known_mm,
        squares=(int(corners[0]), int(corners[1])),
        between=_numbers("--between", between, ",", 4) if between else None,
        picture=picture,
    )


def _numbers(option: str, text: str, separator: str, count: int) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(separator))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise typer.BadParameter(
            f"{option}: expected {count} numbers with {separator!r} between them, found {text}"
        )
    return numbers


@app.command()
def watch(
    host: Annotated[str | None, typer.Option(help="The broker, where no line is named.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Its port.")] = 1883,
    config: Config = None,
    line: LineName = None,
    as_json: Json = False,
) -> None:
    """Print results as they arrive at the broker: of the line, or with --host of all lines."""
    from inspector import watch as command
    from inspector.config import LOOPBACK, MqttConfig

    found = None if host else lines.find(config, line)
    if found is not None:
        chosen = lines.read(found).config
        command.run(chosen.mqtt, site=chosen.site, line=chosen.line, as_json=as_json)
        return
    host = host or "127.0.0.1"
    if host not in LOOPBACK:
        raise ConfigError(
            f"--host {host}: expected a broker on this machine; to watch another one, name a line "
            "whose mqtt.tls says how to reach it: --config FILE"
        )
    command.run(MqttConfig(host=host, port=port), as_json=as_json)


@app.command()
def demo(
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End by itself after so long.")
    ] = None,
) -> None:
    """The whole factory on one machine: conveyor, camera, daemon, broker and a live table."""
    from inspector import demo as command

    command.run(seconds)


def _line(config: Path | None, name: str | None) -> lines.Line:
    return lines.read(_line_path(config, name))


def _line_path(config: Path | None, name: str | None) -> Path:
    path = lines.find(config, name)
    if path is None:
        raise ConfigError(
            f"expected a line's configuration: --config FILE, ${lines.VARIABLE}, ./line.yaml "
            f"or one in {lines.INSTALLED}; found none"
        )
    return path
