"""Verbs of `python -m training`; each is one function of its own module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make a model of scratches.")


@app.callback()
def main() -> None:
    """Generate, train, export: the README beside this file has the commands."""
    from inspector.arguments import open_streams

    open_streams()  # a file's name may be any bytes


@app.command()
def synth(
    out: Annotated[Path, typer.Option(help="folder of the data set")] = Path("datasets/synth"),
    train: Annotated[int, typer.Option(min=0, help="pictures to train on")] = 16000,
    val: Annotated[int, typer.Option(min=0, help="pictures held out, from the next seed")] = 600,
    size: Annotated[int, typer.Option(help="side of a picture in pixels, a multiple of 32")] = 320,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same pictures")] = 1,
    good_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="pictures without scratch")
    ] = 0.45,
    good: Annotated[
        Path | None, typer.Option(help="folder of good pictures of your own part to scratch")
    ] = None,
    good_surface_share: Annotated[
        float, typer.Option(min=0, max=1, help="pictures of that part; the rest keep the net broad")
    ] = 0.7,
    workers: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    samples: Annotated[
        Path | None, typer.Option(help="write whole sample parts here instead")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="a data set that is there")] = False,
) -> None:
    """Generate pictures of scratched and good parts with their labels."""
    from inspector.errors import InspectorError
    from training import place
    from training.synth import dataset
    from training.synth import good as good_pictures
    from training.synth import samples as whole_parts

    if samples is not None:
        for path in whole_parts.write_samples(samples, seed):
            typer.echo(path)
        return
    try:
        place.refuse(out, replace, (good,))
        own = good_pictures.read_folder(good) if good else None
        for line in own.left_out if own else ():
            typer.echo(f"left out: {line}", err=True)
        splits = (("train", train, own and own.train), ("val", val, own and own.val))
        with place.filled(out) as root:
            for offset, (split, count, part) in enumerate(splits):
                try:
                    recipe = dataset.Recipe(
                        seed=seed + offset, size=size, good_share=good_share,
                        own=part, own_share=good_surface_share, held_out=split == "val",
                    )  # fmt: skip
                except ValueError as error:
                    raise typer.BadParameter(str(error)) from None
                dataset.generate(recipe, root, split, count, workers, home=out)
    except InspectorError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    typer.echo(out / "data.yaml")


@app.command("import")
def import_(
    out: Annotated[Path, typer.Option(help="folder of the data set")],
    path: Annotated[
        Path | None, typer.Argument(help="annotation file, or folder of annotated pictures")
    ] = None,
    from_evidence: Annotated[
        Path | None,
        typer.Option(help="instead: state_dir of a line whose operators marked verdicts"),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="where the pictures lie, if not beside the annotation")
    ] = None,
    form: Annotated[
        Literal["via", "coco", "labelme", "cvat", "masks", "sorted"] | None,
        typer.Option("--format", help="masks: images/ and masks/; sorted: good/ and bad/"),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="marks that are scratches, where there are several labels; repeatable"),
    ] = None,
    crop: Annotated[int, typer.Option(help="side of crops in px; 0 leaves pictures whole")] = 320,
    line_width_px: Annotated[
        float, typer.Option(help="of polylines without an attribute `width`")
    ] = 3.0,
    part_pattern: Annotated[
        str | None,
        typer.Option(
            help="regular expression whose group is the part in a picture's name; "
            "default: the name without a trailing _N, -N or (N)"
        ),
    ] = None,
    val_share: Annotated[float, typer.Option(help="share of the parts that is held out")] = 0.2,
    seed: Annotated[int, typer.Option(help="same seed, same split and same crops")] = 1,
    replace: Annotated[bool, typer.Option("--replace", help="a data set that is there")] = False,
) -> None:
    """Make a data set of annotated pictures: VIA, COCO, LabelMe, CVAT, masks, good/ and bad/, or
    of what operators said of the verdicts of a line.
    """
    import re

    from inspector.errors import InspectorError
    from training.annotations import importer
    from training.annotations.formats import Format

    if (path is None) == (from_evidence is None):
        raise typer.BadParameter("expected either PATH or --from-evidence")
    chosen = Format.EVIDENCE if from_evidence else Format(form) if form else None
    try:
        settings = importer.Settings(
            path=from_evidence or Path(str(path)), out=out, pictures=pictures, form=chosen,
            labels=tuple(label or ()), crop=crop, line_width_px=line_width_px,
            part_pattern=None if part_pattern is None else re.compile(part_pattern),
            val_share=val_share, seed=seed, replace=replace,
        )  # fmt: skip
    except (ValueError, re.error) as error:
        raise typer.BadParameter(str(error)) from None
    try:
        done = importer.run(settings)
    except InspectorError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    for name, count in done.counts.items():
        typer.echo(
            f"{name}: {done.parts[name]} parts, {count.pictures} pictures ({count.good} good), "
            f"{count.scratches} scratches; {count.crops} crops with a scratch, "
            f"{count.empty_crops} without"
        )
    for note in done.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(done.data)


@app.command()
def train(
    name: Annotated[str, typer.Option(help="the run's folder below runs/")] = "first",
    config: Annotated[
        Path | None, typer.Option(help="settings; default configs/training/default.yaml")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="data.yaml of a data set")] = None,
    model: Annotated[
        str | None, typer.Option(help="architecture .yaml, or weights .pt to go on from")
    ] = None,
    hours: Annotated[float | None, typer.Option(help="wall clock of the run, above 0")] = None,
    imgsz: Annotated[
        int | None, typer.Option(help="side of the crops in pixels, a multiple of 32")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="pictures per step")] = None,
    lr0: Annotated[float | None, typer.Option(min=0, help="highest learning rate")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on where the run stopped, with its settings")
    ] = False,
) -> None:
    """Train a net on a data set, by the clock; interrupted runs go on with --resume."""
    from inspector.errors import InspectorError, NoInputError
    from training import train as recipe

    given = {"model": model, "hours": hours, "imgsz": imgsz, "batch": batch, "lr0": lr0}
    try:
        file = config or (recipe.kept(name) if resume else None)
        chosen = recipe.settings(file, data=data and str(data), **given)
        weights = recipe.train(chosen, name, resume)
    except (InspectorError, FileNotFoundError) as error:
        typer.echo(f"refused: {error}", err=True)
        code = error.exit_code if isinstance(error, InspectorError) else NoInputError.exit_code
        raise typer.Exit(code) from None
    typer.echo(weights / "best.pt")


@app.command()
def evaluate(
    data: Annotated[
        Path, typer.Option(help="data set, its .jsonl file, or a folder with good/ and bad/")
    ],
    bundle: Annotated[str, typer.Option(help="`default`, or the folder of a bundle")] = "default",
    runtime: Annotated[
        Literal["auto", "openvino", "onnxruntime"], typer.Option(help="what runs the model")
    ] = "auto",
    out: Annotated[Path, typer.Option(help="folder of the report")] = Path("report"),
    min_scratch_px: Annotated[
        float, typer.Option(help="smallest length of a scratch that fails, in px")
    ] = 40.0,
    as_json: Annotated[bool, typer.Option("--json", help="the figures as JSON on stdout")] = False,
) -> None:
    """Say how good a bundle is on labelled pictures: out/report.html and out/results.json."""
    import math

    from inspector.errors import InspectorError
    from training import evaluate as evaluation

    if not 0 < min_scratch_px < math.inf:
        raise typer.BadParameter(f"--min-scratch-px: expected above 0, found {min_scratch_px}")
    settings = evaluation.Settings(data, bundle, runtime, out, min_scratch_px)
    try:
        evaluation.run(settings, as_json=as_json)
    except InspectorError as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(error.exit_code) from None


@app.command()
def export(
    weights: Annotated[Path, typer.Option(help="best.pt or last.pt of a run")],
    out: Annotated[Path, typer.Option(help="folder of the bundle; replaces a bundle only")],
    data: Annotated[
        Path, typer.Option(help="data set whose hold-out chooses the confidence")
    ] = Path("datasets/synth"),
    name: Annotated[str, typer.Option(help="name in the manifest")] = "scratches",
    version: Annotated[str, typer.Option(help="version in the manifest")] = "0.1.0",
    confidence: Annotated[
        float | None, typer.Option(min=0.01, max=0.99, help="instead of the hold-out's")
    ] = None,
    facts: Annotated[
        Path | None, typer.Option(help="YAML to put under `training:` in the manifest")
    ] = None,
) -> None:
    """Turn weights into a bundle that the edge loads; exit 1 if it does not pass its self-test."""
    from inspector.errors import InspectorError
    from training import export as exporter

    try:
        told = exporter.facts_of(facts) if facts else None
        made = exporter.export(weights, out, data, name, version, confidence, told)
    except (exporter.ExportRefused, InspectorError) as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{made.root}: confidence {made.manifest.confidence}, sha256 {made.sha256}")


@app.command()
def bench(
    weights: Annotated[Path, typer.Option(help="the net of the bundle, for ultralytics")] = Path(
        "training/weights/scratches.pt"
    ),
    bundle: Annotated[str, typer.Option(help="folder of a bundle, or default")] = "default",
    page: Annotated[Path, typer.Option(help="whose tables are written")] = Path(
        "docs/performance.md"
    ),
    only: Annotated[
        Literal["peers", "profile", "frames", "lines"] | None, typer.Option(help="one of them")
    ] = None,
    rounds: Annotated[int, typer.Option(min=5, help="turns of each way")] = 40,
    seconds: Annotated[float, typer.Option(min=1, help="for each number of lines")] = 20.0,
) -> None:
    """Hold the edge beside bare runtimes and other libraries; on an idle machine."""
    from training.bench import command

    command.run(bundle, weights, page, only, rounds, seconds)


@app.command()
def metrology(
    out: Annotated[Path, typer.Option(help="folder of the report")] = Path("report"),
    count: Annotated[int, typer.Option(min=20, help="scratches to draw")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same scratches")] = 1,
) -> None:
    """How true lengths are: drawn scratches of exactly known geometry, measured in several ways."""
    import sys

    from rich.console import Console

    from training import metrology as bench

    # In a pipe rich takes a terminal of 80 columns for granted, and cuts the figures off.
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(bench.table(bench.run(out, count, seed)))


if __name__ == "__main__":
    app()
