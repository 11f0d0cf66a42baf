"""What the page's own thread does, and what is done beside it."""

import re
import socket
import threading
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from inspector.limits import Limits
from inspector.page import desk, recorded, server
from inspector.page.book import Book
from inspector.publish.message import ResultMessage
from tests.support.page import Browser, answers, result, served, until


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


def counts(browser: Browser) -> list[int]:
    """Passed, failed and unknown in the shift, and then since midnight."""
    table = re.search(r'(?s)data-region="counts">(.*?)</table>', browser.page())[1]
    return [int(n) for n in re.findall(r'<td class="(?:pass|fail|unknown)">(\d+)</td>', table)]


def came_again(browser: Browser, token: str) -> bool:
    """Whether another page than the one with this token is there."""
    try:
        browser.page()
    except OSError:
        return False
    return browser.token != token


def test_a_page_that_comes_in_a_later_shift_counts_that_shift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its port was taken while the line began; what the shift before had is none of the new one."""
    monkeypatch.setattr(server, "AGAIN_S", 0.1)
    now, later, tries = desk._now, timedelta(), []
    monkeypatch.setattr(desk, "_now", lambda: tries.append(later) or now() + later)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with served(tmp_path, listen=where) as (judge, browser, _):
            for _ in range(3):
                judge.judge(result(50))
            tries.clear()
            until(lambda: len(tries) > 1)
            later = timedelta(days=1)
            until(lambda: later in tries[:-1])
            judge.judge(result(50))
            taken.close()
            until(lambda: answers(browser))
            assert counts(browser)[:3] == [0, 1, 0]


def test_a_page_that_comes_again_goes_on_counting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the next part, too."""
    monkeypatch.setattr(server, "AGAIN_S", 0.1)
    real, crash = desk.Desk._round, threading.Event()

    async def round_(one: desk.Desk) -> None:
        if crash.is_set():
            crash.clear()
            raise RuntimeError("broken")
        await real(one)

    monkeypatch.setattr(desk.Desk, "_round", round_)
    with served(tmp_path) as (judge, browser, _):
        until(lambda: answers(browser))
        judge.judge(result(50))
        judge.judge(result())
        until(lambda: counts(browser) == [1, 1, 0] * 2)
        token = browser.token
        crash.set()
        until(lambda: came_again(browser, token))
        assert counts(browser) == [1, 1, 0] * 2
