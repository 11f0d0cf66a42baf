"""A real headless Chromium in front of the real factory of the demo."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from inspector.broker import Broker, free_port
from inspector.demo.factory import Factory

SIZES = {"panel": (1280, 800), "desk": (1920, 1080), "phone": (390, 844)}
SLACK_MS = 60_000
"""For a machine that trains a model beside this."""


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The Chromium of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("needs an installed Chromium")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which root has none of
    browser = playwright.chromium.launch(executable_path=program, args=sandbox)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def factory() -> Iterator[tuple[Factory, str]]:
    """The real daemon over a conveyor, and the address of its page."""
    with tempfile.TemporaryDirectory() as folder:
        page = f"127.0.0.1:{free_port()}"
        running = Factory(Path(folder), Broker.start(), page=page, framed_by=[])
        yield running, f"http://{page}/"
        running.stop()


@pytest.fixture
def open_page(chromium: Browser, factory: tuple[Factory, str]) -> Iterator:
    """Opens the page: `open_page("phone", locale="de")`; what the browser complains of fails."""
    contexts, complaints = [], []

    def begin(size: str = "panel", **settings: object) -> Page:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, **({"locale": "en"} | settings)
        )
        context.set_default_timeout(SLACK_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if is_complaint(said.text) else None,
        )
        for _ in range(50):
            try:
                page.goto(factory[1], wait_until="domcontentloaded")
                break
            except Exception:
                page.wait_for_timeout(200)  # the line is starting
        page.wait_for_selector('.verdict-box:not([data-verdict="none"])')
        return page

    yield begin
    for context in contexts:
        context.close()
    assert complaints == []


def is_complaint(text: str) -> bool:
    """Of the page's own; that a request was refused or the server is away is part of some tests."""
    return "Failed to load resource" not in text and "ERR_" not in text
