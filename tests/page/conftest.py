"""A page that is served, with a PIN."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.secret import hashed
from tests.support.page import Browser, Judge, answers, served, until

PIN = "2468"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[Judge, Browser]]:
    """A line that can be shown parts, and a browser for its page."""
    (tmp_path / "pin").write_text(hashed(PIN))
    with served(tmp_path, pin_file="pin") as (judge, browser, _):
        until(lambda: answers(browser))
        yield judge, browser


@pytest.fixture
def judge(line: tuple[Judge, Browser]) -> Judge:
    """The line."""
    return line[0]


@pytest.fixture
def browser(line: tuple[Judge, Browser]) -> Browser:
    """The browser, which has loaded the page."""
    line[1].page()
    return line[1]
