"""Verbs of `python -m training`; each is one function of its own module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make a model of scratches.")


@app.callback()
def main() -> None:
    """Generate, train, export: the README beside this file has the commands."""


@app.command()
def synth(
    out: Annotated[Path, typer.Option(help="folder of the data set")] = Path("datasets/synth"),
    train: Annotated[int, typer.Option(min=0, help="pictures to train on")] = 16000,
    val: Annotated[int, typer.Option(min=0, help="pictures held out, from the next seed")] = 600,
    size: Annotated[int, typer.Option(help="side of a picture in pixels, a multiple of 32")] = 320,
    seed: Annotated[int, typer.Option(help="same seed, same pictures")] = 1,
    good_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="pictures without scratch")
    ] = 0.45,
    workers: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    samples: Annotated[
        Path | None, typer.Option(help="write whole sample parts here instead")
    ] = None,
) -> None:
    """Generate pictures of scratched and good parts with their labels."""
    import sys

    from training.synth import dataset
    from training.synth import samples as whole_parts

    if samples is not None:
        for path in whole_parts.write_samples(samples, seed):
            typer.echo(path)
        return
    show = sys.stderr.isatty()
    for split, count, offset in (("train", train, 0), ("val", val, 1)):
        recipe = dataset.Recipe(seed=seed + offset, size=size, good_share=good_share)
        done = dataset.generate(recipe, out, split, count, workers, show)
    typer.echo(done)


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
    hours: Annotated[float | None, typer.Option(min=0, help="wall clock of the run")] = None,
    imgsz: Annotated[int | None, typer.Option(help="side of the crops in pixels")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="pictures per step")] = None,
    lr0: Annotated[float | None, typer.Option(min=0, help="highest learning rate")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on where the run stopped")] = False,
) -> None:
    """Train a net on a data set, by the clock; interrupted runs go on with --resume."""
    from training import train as recipe

    chosen = recipe.settings(
        config, data=data and str(data), model=model, hours=hours, imgsz=imgsz, batch=batch, lr0=lr0
    )
    typer.echo(recipe.train(chosen, name, resume) / "best.pt")


@app.command()
def export(
    weights: Annotated[Path, typer.Option(help="best.pt or last.pt of a run")],
    out: Annotated[Path, typer.Option(help="folder of the bundle; replaced if it exists")],
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
    import sys

    import yaml

    from inspector.errors import InspectorError
    from training import export as exporter

    told = yaml.safe_load(facts.read_text(encoding="utf-8")) if facts else None
    try:
        made = exporter.export(
            weights, out, data, name, version, confidence, told, sys.stderr.isatty()
        )
    except (exporter.ExportRefused, InspectorError) as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{made.root}: confidence {made.manifest.confidence}, sha256 {made.sha256}")


if __name__ == "__main__":
    app()
