"""A bar is for people at a terminal: results in a pipe are whole beside it."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from inspector.progress import tracked
for step in tracked(iter("abc"), "Stepping", 3):
    print(step, flush=True)
"""


@pytest.mark.parametrize("on_a_terminal", [True, False])
def test_a_bar_is_drawn_on_the_terminal_alone(on_a_terminal: bool) -> None:
    """Whatever stderr is, stdout holds the results and nothing else."""
    ours, theirs = os.openpty() if on_a_terminal else os.pipe()
    environ = os.environ | {"TERM": "xterm"}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=theirs, env=environ,
        check=True,
    )  # fmt: skip
    os.close(theirs)
    drawn = os.read(ours, 65536)
    os.close(ours)

    assert done.stdout == b"a\nb\nc\n"
    assert (b"Stepping" in drawn) is on_a_terminal
