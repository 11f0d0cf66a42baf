"""The verbs of the command line about what is kept: `inspector evidence` and `inspector replay`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inspector.arguments import LARGEST, TIMES, Config, Json, LineName, instant, line_of
from inspector.record.evidence.verify import Head
from inspector.types import Verdict

if TYPE_CHECKING:
    from inspector.evidence import Chosen

app = typer.Typer(help="The pictures of a line that are kept, whether it runs or not.")

Verdicts = Annotated[
    list[Verdict] | None, typer.Option("--verdict", help="Only this verdict; may be repeated.")
]
Since = Annotated[datetime | None, typer.Option(formats=TIMES, help="Judged then or later.")]
Until = Annotated[datetime | None, typer.Option(formats=TIMES, help="Judged before.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The id of the result.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of results.")]


@app.command()
def ls(
    count: Annotated[int, typer.Option("-n", min=1, max=LARGEST, help="How many.")] = 20,
    verdict: Verdicts = None,
    config: Config = None,
    line: LineName = None,
    as_json: Json = False,
) -> None:
    """The newest parts that are kept."""
    from inspector import evidence

    evidence.ls(line_of(config, line).config.state_dir, count, verdict or [], as_json=as_json)


@app.command()
def show(name: Id, config: Config = None, line: LineName = None, as_json: Json = False) -> None:
    """One of them: what was found, what it was judged by, where its pictures are."""
    from inspector import evidence

    evidence.show(line_of(config, line).config.state_dir, name, as_json=as_json)


@app.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option(help="NUMBER:SHA256 as the line has published it in `stats`: is it still so?"),
    ] = None,
    config: Config = None,
    line: LineName = None,
    as_json: Json = False,
) -> None:
    """Is all as it was written? Checks every hash, and the chain of them."""
    from inspector import evidence

    told = None if head is None else _head(head)
    evidence.verify(line_of(config, line).config.state_dir, told, as_json=as_json)


@app.command()
def export(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="Where to.")],
    names: Ids = None,
    since: Since = None,
    until: Until = None,
    verdict: Verdicts = None,
    config: Config = None,
    line: LineName = None,
) -> None:
    """Copy pictures and records, with a list that `sha256sum -c` checks."""
    from inspector import evidence

    if names and (since or until or verdict):
        raise typer.BadParameter("expected ids, or --since, --until and --verdict, found both")
    chosen = evidence.by_name(names) if names else _by_time(since, until, verdict)
    evidence.export(line_of(config, line).config.state_dir, chosen, target)


@app.command()
def prune(
    names: Ids = None,
    since: Since = None,
    until: Until = None,
    verdict: Verdicts = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")
    ] = False,
    config: Config = None,
    line: LineName = None,
) -> None:
    """Delete pictures: those that are named, or else what is beyond the limits of the line."""
    from inspector import evidence
    from inspector.keeping import Keeping

    timed = bool(since or until or verdict)
    if names and timed:
        raise typer.BadParameter("expected ids, or --since, --until and --verdict, found both")
    chosen = evidence.by_name(names) if names else None
    if timed:
        chosen = _by_time(since, until, verdict)
    told = line_of(config, line).config
    evidence.prune(told.state_dir, told.evidence or Keeping(), chosen, dry_run=dry_run)


def replay(
    names: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of results.")],
    model: Annotated[
        Path | None, typer.Option(help="Folder of the model bundle, if it has moved.")
    ] = None,
    config: Config = None,
    line: LineName = None,
    as_json: Json = False,
) -> None:
    """Judge kept pictures again, by all that they were judged by. Exit 1: something came out
    otherwise.
    """
    from inspector import replay as command

    state_dir = line_of(config, line).config.state_dir
    if not command.run(state_dir, names, model=model, as_json=as_json):
        raise typer.Exit(1)


def _by_time(
    since: datetime | None, until: datetime | None, verdicts: list[Verdict] | None
) -> "Chosen":
    from inspector import evidence

    return evidence.by_time(
        since and instant("--since", since), until and instant("--until", until), verdicts or []
    )


def _head(text: str) -> Head:
    number, _, sha256 = text.partition(":")
    if not number.isdecimal() or len(sha256) != 64:
        raise typer.BadParameter(f"--head: expected NUMBER:SHA256, found {text}")
    return Head(int(number), sha256)
