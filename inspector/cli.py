"""The verbs of the command line, and nothing else. A verb imports what it needs."""

import logging
import math
import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from inspector import __version__, cli_evidence, lines
from inspector.arguments import (
    TIMES,
    Config,
    Json,
    LineName,
    instant,
    line_of,
    open_streams,
    path_of,
)
from inspector.calibrate import options
from inspector.calibrate.options import TargetKind
from inspector.errors import ConfigError, InspectorError

app = typer.Typer(
    name="inspector",
    help="Automatic scratch inspection on a factory line.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(cli_evidence.app, name="evidence", no_args_is_help=True)
app.command()(cli_evidence.replay)


def _positive(value: float | None) -> float | None:
    if value is None or 0 < value < math.inf:
        return value
    raise typer.BadParameter(f"expected a number above 0, found {value}")


def main() -> None:
    """Run the command line; an error of ours ends with its own exit code and no traceback, any
    other with 70 and one: 1 would say that something was judged.
    """
    open_streams()
    try:
        app()
    except InspectorError as error:
        typer.echo(f"inspector: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception:
        traceback.print_exc()
        try:
            sys.stdout.flush()
        except OSError:  # as of a full disk; at the end it would be tried again, with another code
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(InspectorError.exit_code)


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
        Literal["auto", "openvino", "onnxruntime"] | None,
        typer.Option(help="Which library runs the model."),
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
        runtime=runtime,
        min_scratch_px=min_scratch_px,
    )
    raise typer.Exit(0 if batch.run(paths, settings, as_json=as_json, overlay=overlay) else 1)


@app.command()
def run(config: Config = None, line: LineName = None) -> None:
    """The daemon: judge what passes the camera, until told to stop."""
    from inspector import complaints, daemon

    logging.getLogger("inspector").setLevel(logging.INFO)
    complaints.limit()
    daemon.run(line_of(config, line))


@app.command()
def check(config: Config = None, line: LineName = None, as_json: Json = False) -> None:
    """Validate a line's configuration and model; print what is in force and from where."""
    from inspector import check as command

    command.run(line_of(config, line), as_json=as_json)


@app.command()
def bench(
    config: Config = None,
    line: LineName = None,
    model: Annotated[Path | None, typer.Option(help="Folder of a model bundle.")] = None,
    pictures: Annotated[
        list[Path] | None,
        typer.Option(help="Pictures, or folders of them; default: the shipped samples."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each picture is judged.")] = 5,
    as_json: Json = False,
    png: Annotated[Path | None, typer.Option(help="Draw the stages into this file.")] = None,
) -> None:
    """How fast each runtime and precision judges on this machine, and which one to take."""
    from inspector import batch
    from inspector import bench as command

    found = lines.find(config, line)
    settings = batch.settings(lines.read(found).config if found else None, model=model)
    command.run(settings.model, pictures or [], rounds, as_json=as_json, png=png)


@app.command()
def doctor(config: Config = None, line: LineName = None, as_json: Json = False) -> None:
    """Examine this PC for its line: permissions, camera, broker, TLS, clock, disk, processor."""
    from inspector import doctor as command

    raise typer.Exit(command.run(path_of(config, line), as_json=as_json))


@app.command()
def calibrate(
    action: Annotated[
        Literal["set", "show", "undo"],
        typer.Argument(help="Set limits, show the records, undo the last one."),
    ] = "set",
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
        Path | None, typer.Option(help="A picture of the target or mark; else the line's camera.")
    ] = None,
    sight: Annotated[
        Path | None,
        typer.Option(help="Folder of good pictures: learn windows of exposure and sharpness."),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(min=10, help="The same from so many good parts in front of the camera."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="x,y,width,height in px of a mark that has to be in view."),
    ] = None,
    within_px: Annotated[
        int, typer.Option(min=0, max=1000, help="How far the mark may be from its place.")
    ] = 10,
    samples: Annotated[
        Path | None,
        typer.Option(
            help="Folder with good/ and bad/, or a state_dir with what operators said of its "
            "parts: show what each limit would have done. Sets none."
        ),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who; else the user of this shell.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
) -> None:
    """Set what a scratch may not reach, the scale, and what a picture has to be like, as a dated
    record beside the line's file.
    """
    from inspector.calibrate import record
    from inspector.calibration import Calibrated

    if min_scratch_px is not None and min_scratch_mm is not None:
        raise typer.BadParameter("expected --min-scratch-px or --min-scratch-mm, found both")
    limits = Calibrated(min_scratch_px=min_scratch_px, min_scratch_mm=min_scratch_mm)
    sets = limits != Calibrated()
    scale = options.target(target, known_mm, squares, between, picture)
    box = options.box("--reference", reference) if reference else None
    options.refuse_lone(picture, scale or box)
    learns = options.learns(sight, frames)
    asked = sets or learns or any(wish is not None for wish in (samples, scale, box))
    if (action == "set") != asked:
        raise typer.BadParameter(
            "expected a limit, as --min-scratch-px 40, or --samples DIR, or a --target with "
            "--known-mm, or --sight DIR, or a --reference, or one of: show, undo"
        )
    path = path_of(config, line)
    if samples is not None:
        from inspector.calibrate import samples as known

        known.show(path, samples, limits)
    found = limits if samples is None else Calibrated()  # with samples it is a question
    if scale is not None:
        from inspector.calibrate.target import find_scale

        found = found.model_copy(update={"scale": find_scale(path, scale)})
    if learns:
        from inspector.calibrate.sight import find_windows

        found = found.model_copy(update={"sight": find_windows(path, sight, frames or 0)})
    if box is not None:
        from inspector.calibrate.sight import find_reference

        place = find_reference(path, box, within_px, picture, keep=not dry_run)
        found = found.model_copy(update={"reference": place})
    match action:
        case "set" if found != Calibrated():
            record.add(path, found, by=by, dry_run=dry_run)
        case "undo":
            record.undo(path, by=by, dry_run=dry_run)
        case "show":
            record.show(path)


@app.command()
def outbox(
    action: Annotated[
        Literal["status", "replay"],
        typer.Argument(help="Say what stands in it; publish results once more."),
    ] = "status",
    config: Config = None,
    line: LineName = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=TIMES, help="Replay what the broker has acknowledged since then."),
    ] = None,
    seq: Annotated[
        str | None, typer.Option(help="Replay what was acknowledged of the numbers A-B.")
    ] = None,
    parked: Annotated[
        bool, typer.Option("--parked", help="Replay what the broker has refused.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be replayed, and change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The results of a line on its disk: how many wait, and publishing of them once more."""
    from inspector import outbox as command
    from inspector.record import replay

    chosen = [choice for choice in (since, seq, parked) if choice not in (None, False)]
    if len(chosen) != (action == "replay"):
        raise typer.BadParameter(
            "expected status, or replay with one of --since TIME, --seq A-B and --parked"
        )
    if action == "replay" and as_json:
        raise typer.BadParameter("expected --json with status only")
    rows = replay.REFUSED
    if seq is not None:
        rows = replay.numbered(*_range("--seq", seq))
    if since is not None:
        rows = replay.acknowledged_since(instant("--since", since))
    state_dir = line_of(config, line).config.state_dir
    if action == "status":
        command.status(state_dir, as_json=as_json)
    else:
        command.replay(state_dir, rows, dry_run=dry_run)


def _range(option: str, text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last)):
        raise typer.BadParameter(f"{option}: expected A-B, as 120-250, found {text}")
    return int(first), int(last)


@app.command()
def watch(
    host: Annotated[str | None, typer.Option(help="The broker, where no line is named.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its port; else 1883.")] = None,
    config: Config = None,
    line: LineName = None,
    as_json: Json = False,
) -> None:
    """Print results as they arrive at the broker: of the line, or with --host of all lines."""
    from inspector import watch as command
    from inspector.config import MqttConfig
    from inspector.page.settings import LOOPBACK

    found = None if host and not (config or line) else lines.find(config, line)
    if found is not None and (host or port):
        raise typer.BadParameter(
            f"expected --host and --port, or the broker of {found}, found both"
        )
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
    command.run(MqttConfig(host=host, port=port or 1883), as_json=as_json)


@app.command()
def secret(
    file: Annotated[Path, typer.Argument(help="Where it goes: page.pin_file, page.password_file.")],
) -> None:
    """Ask for a PIN or password of the page, and write its hash to a file."""
    from inspector import secret as command

    typed = typer.prompt("PIN or password", hide_input=True, confirmation_prompt=True)
    command.write(file, typed)


@app.command()
def demo(
    seconds: Annotated[
        float | None, typer.Option(min=1, max=1e6, help="End by itself after so long.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Of its web page; else 8080 if it is free.")
    ] = None,
) -> None:
    """The whole factory on one machine: conveyor, camera, daemon, broker, page and a live table."""
    from inspector import demo as command

    command.run(seconds, port)
