"""What a test does with the page: waits, types a PIN, and looks that everything has a name."""

import time

from playwright.sync_api import Error, Page

from inspector.demo.factory import PIN
from tests.browser.conftest import SLACK_MS

ALARM = '[data-region="alarms"] .alarm'


def wait(page: Page, expression: str, value: object = None) -> None:
    """Until this JavaScript is true.

    (Playwright's own wait evaluates text within the page, which the page's policy forbids.)
    """
    deadline = time.monotonic() + SLACK_MS / 1000
    while not _holds(page, expression, value):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def _holds(page: Page, expression: str, value: object) -> bool:
    try:
        return bool(page.evaluate(expression, value))
    except Error:
        return False  # the page was just left, and the next one is not there yet


def type_pin(page: Page, pin: str = PIN) -> None:
    """On the keypad, with a finger."""
    for digit in pin:
        page.tap(f'#pin [data-digit="{digit}"]')
    page.tap('#pin button[type="submit"]')


def assert_all_named(page: Page) -> None:
    """What can be seen now and pressed, typed into or looked at says what it is."""
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, img")].filter((e) =>
            e.checkVisibility() && !e.getAttribute("aria-label") && !e.innerText.trim()
            && !e.getAttribute("alt") && !(e.labels && e.labels.length)
            && !e.closest("button")).map((e) => e.outerHTML)"""
    )
    assert unnamed == []
