"""The README's pictures of the page, from the real daemon in a real Chromium.

python -m tests.browser.screenshots docs/
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from inspector.broker import Broker, free_port
from inspector.demo.factory import Factory
from tests.browser.conftest import SIZES

PARTS_S = 25.0
"""Until a strip of parts has come together."""
QUALITY = 85
READY = """() => {
    const loaded = [...document.querySelectorAll("#live, img[src^='parts/']")]
        .filter((img) => img.complete && img.naturalWidth > 0);
    return document.querySelector('.verdict-box[data-verdict="fail"]') && loaded.length > 2;
}"""
"""A reject, the live picture, and pictures of two rejects at least."""


def main(out: Path) -> None:
    """Write page-light.jpg and page-dark.jpg."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("expected an installed Chromium, found none")
    width, height = SIZES["panel"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        listen = f"127.0.0.1:{free_port()}"
        factory = Factory(Path(folder), Broker.start(), page=listen, framed_by=[])
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=program, args=sandbox)
        time.sleep(PARTS_S)
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme, locale="en"
            )
            page.goto(f"http://{listen}/", wait_until="domcontentloaded")
            page.wait_for_function(READY, timeout=60_000)
            page.screenshot(path=out / f"page-{scheme}.jpg", type="jpeg", quality=QUALITY)
            page.close()
        browser.close()
        factory.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
