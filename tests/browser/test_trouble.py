"""What the page shows when a camera, a broker, a disk, a lens or the page itself fails."""

import re
import signal

import pytest
from playwright.sync_api import expect

from inspector.demo.factory import Factory
from tests.browser.acting import ALARM, assert_all_named
from tests.browser.conftest import SIZES, SLACK_MS

pytestmark = pytest.mark.timeout(600)
expect.set_options(timeout=SLACK_MS)


@pytest.mark.parametrize("size", SIZES)
def test_a_pulled_camera_is_seen_and_heals(
    open_page, factory: tuple[Factory, str], size: str
) -> None:
    """Verdict, veil over the old picture, alarm with what to do; and all well again by itself."""
    running, _ = factory
    page = open_page(size)
    running.conveyor.pull(True)
    try:
        expect(page.locator(ALARM)).to_contain_text("Camera lost")
        expect(page.locator(ALARM)).to_contain_text("Check plug, cable and power")
        expect(page.locator(".verdict-box")).to_have_attribute("data-verdict", "unknown")
        expect(page.locator(".veil")).to_contain_text("CAMERA LOST")
        expect(page.locator(".health .row.bad")).to_contain_text("Camera")
        page.click(ALARM)
        expect(page.locator("#alarm-list")).to_contain_text("expected a folder of pictures")
        assert_all_named(page)
        page.keyboard.press("Escape")
    finally:
        running.conveyor.pull(False)

    expect(page.locator(".calm")).to_be_visible()
    expect(page.locator(".veil")).to_have_count(0)
    expect(page.locator(".verdict-box")).not_to_have_attribute("data-verdict", "unknown")


def test_a_stopped_broker_is_no_drama(open_page, factory: tuple[Factory, str]) -> None:
    """Verdicts go on, results wait and are counted, and leave when it is back."""
    running, _ = factory
    page = open_page()
    running.stop_broker(True)
    try:
        expect(page.locator(f"{ALARM}.warn")).to_contain_text("Broker away")
        expect(page.locator('[data-region="health"]')).to_contain_text(re.compile(r"\d+ wait"))
        expect(page.locator(".verdict-box")).not_to_have_attribute("data-verdict", "unknown")
    finally:
        running.stop_broker(False)

    expect(page.locator(".calm")).to_be_visible()
    expect(page.locator('[data-region="health"]')).to_contain_text("nothing waits")


def test_a_full_disk_rejects_what_cannot_be_recorded(
    open_page, factory: tuple[Factory, str]
) -> None:
    """And says so; with room again the line goes on."""
    running, _ = factory
    page = open_page()
    running.fill_disk(True)
    try:
        expect(page.locator(ALARM)).to_contain_text("Results cannot be recorded")
        expect(page.locator(".verdict-box")).to_contain_text("could not be recorded")
    finally:
        running.fill_disk(False)

    expect(page.locator(".calm")).to_be_visible()
    expect(page.locator(".verdict-box")).not_to_have_attribute("data-verdict", "unknown")


def test_a_blurred_lens_is_unknown(open_page, factory: tuple[Factory, str]) -> None:
    """With the reason in words."""
    running, _ = factory
    page = open_page()
    running.conveyor.blur(True)
    try:
        expect(page.locator(".verdict-box .why")).to_contain_text("blurred")
    finally:
        running.conveyor.blur(False)

    expect(page.locator(".verdict-box")).not_to_have_attribute("data-verdict", "unknown")


def test_an_old_page_says_that_it_is_old(open_page, factory: tuple[Factory, str]) -> None:
    """A verdict of a minute ago must not be taken for one of now."""
    running, _ = factory
    page = open_page()
    running.process.send_signal(signal.SIGSTOP)
    try:
        expect(page.locator("#offline")).to_be_visible()
        expect(page.locator("#offline")).to_contain_text("NO CONNECTION")
    finally:
        running.process.send_signal(signal.SIGCONT)

    expect(page.locator("#offline")).to_be_hidden()
