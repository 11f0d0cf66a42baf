"""A line PC with a systemd of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machine import Machine, missing

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture(scope="session")
def systemd_analyze() -> str:
    """The program, where it is installed."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze")
    return program


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One for all tests of a module."""
    needed = missing()
    if needed:
        pytest.skip(needed)
    started = Machine(tmp_path_factory.mktemp("machine"))
    yield started
    started.stop()
