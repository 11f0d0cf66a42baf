"""The demo as a newcomer sees it: one address, four buttons that break things, and what follows."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browser.conftest import SIZES, SLACK_MS, is_complaint

pytestmark = pytest.mark.timeout(600)
expect.set_options(timeout=SLACK_MS)
ALARM = '[data-region="alarms"] .alarm'
UNKNOWN = '.verdict-box[data-verdict="unknown"]'


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where `inspector demo` says that there is something to look at."""
    command = [sys.executable, "-m", "inspector", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        said = iter(demo.stdout.readline, "")
        found = next(filter(None, (re.search(r"http://127\.0\.0\.1:\d+", row) for row in said)))
        yield found[0]
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=30)
    assert demo.returncode == 0


@pytest.fixture
def panel(chromium: Browser, address: str) -> Iterator[Page]:
    width, height = SIZES["panel"]
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="en")
    context.set_default_timeout(SLACK_MS)
    page, complaints = context.new_page(), []
    page.on("console", lambda said: complaints.append(said.text) if is_complaint(said.text) else 0)
    page.goto(address)
    yield page
    context.close()
    assert complaints == []


def shown(panel: Page) -> FrameLocator:
    """The operator's page, in its frame."""
    return panel.frame_locator("iframe")


@pytest.mark.parametrize(
    ("fault", "place", "text"),
    [
        ("camera", ALARM, "Camera lost"),
        ("lens", f"{UNKNOWN} .why", "blurred"),
        ("broker", '[data-region="health"]', re.compile(r"\d+ wait")),
        ("disk", ".verdict-box", "could not be recorded"),
    ],
)
def test_what_is_broken_is_seen_and_heals_when_it_is_mended(
    panel: Page, fault: str, place: str, text: str | re.Pattern[str]
) -> None:
    """By the buttons alone; the panel says what to expect."""
    page, button = shown(panel), panel.locator(f'[data-fault="{fault}"]')
    expect(page.locator(".calm")).to_be_visible()
    label = button.text_content()

    button.click()
    try:
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(panel.locator("[role=status]")).to_have_text(button.get_attribute("data-expect"))
        expect(page.locator(place).first).to_contain_text(text)
        panel.reload()
        expect(button).to_have_text(button.get_attribute("data-mend"))
    finally:
        button.click()
    expect(button).to_have_text(label)
    expect(page.locator(".calm")).to_be_visible()
    expect(page.locator('[data-region="health"]')).to_contain_text("nothing waits")
    expect(page.locator(UNKNOWN)).to_have_count(0)


def test_nobody_else_breaks_anything(panel: Page, address: str) -> None:
    """A page of another origin can post, but knows no token."""
    answer = panel.request.post(f"{address}/faults/camera", headers={"x-token": "guessed"})

    assert answer.status == 403
    expect(panel.locator('[data-fault="camera"]')).to_have_attribute("aria-pressed", "false")
