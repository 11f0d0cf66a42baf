"""What the page's own thread does, and what is done beside it."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from inspector.limits import Limits
from inspector.page import recorded
from inspector.page.book import Book
from inspector.publish.message import ResultMessage
from tests.support.page import answers, served, until


def test_recorded_parts_are_read_aside_and_remembered_by_the_page_s_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers from the same book meanwhile."""
    threads = []
    remember = Book.restore

    def read(_: Path) -> Iterator[ResultMessage]:
        threads.append(threading.current_thread().name)
        yield from ()

    def restore(book: Book, messages: Iterable[ResultMessage], limits: Limits) -> None:
        remember(book, messages, limits)
        threads.append(threading.current_thread().name)

    monkeypatch.setattr(recorded, "results", read)
    monkeypatch.setattr(Book, "restore", restore)
    with served(tmp_path) as (_, browser, _page):
        until(lambda: answers(browser))
        until(lambda: len(threads) == 2)

    assert threads[0].startswith("page-hand")
    assert threads[1] == "page"
