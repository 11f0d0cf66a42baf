"""How far something is that takes long: a bar on a terminal, and none in a pipe."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

T = TypeVar("T")


def tracked(steps: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """The steps, one after the other, with a bar on stderr; of steps without a length in `total`.

    Results go to stdout meanwhile.
    """
    console = Console(stderr=True)
    bar = Progress(
        console=console,
        disable=not console.is_terminal,
        transient=True,
        redirect_stdout=False,  # results belong on stdout, also while the bar is drawn
        redirect_stderr=False,
    )
    with bar:
        yield from bar.track(steps, description=what, total=total)
