"""The operator's page in a real browser, before the real daemon."""

import json
import re

import pytest
from playwright.sync_api import expect

from inspector import lines
from inspector.demo.factory import Factory
from inspector.page import marks
from tests.browser.acting import ALARM, assert_all_named, type_pin, wait
from tests.browser.conftest import SIZES, SLACK_MS

pytestmark = pytest.mark.timeout(600)
expect.set_options(timeout=SLACK_MS)


@pytest.mark.parametrize("size", SIZES)
def test_everything_is_there_and_fits(open_page, size: str) -> None:
    """Nothing is cut off sideways; a panel shows all of it without scrolling; all has a name."""
    page = open_page(size)

    regions = ("verdict", "counts", "strip", "health", "rejects", "histogram", "alarms")
    for region in regions:
        expect(page.locator(f'[data-region="{region}"]')).to_be_visible()
    for thing in ("#live", "#wish", "#set-limit", "#lock", "#theme"):
        expect(page.locator(thing)).to_be_visible()
    width, height = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert width <= SIZES[size][0]
    if size != "phone":
        assert height <= SIZES[size][1]
    assert_all_named(page)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_verdict_is_read_from_three_metres(
    open_page, factory: tuple[Factory, str], size: str, scheme: str
) -> None:
    """At least 35 px high: 10 mm on a panel of 15 inches; a word and a shape beside the colour,
    and a contrast that tired eyes see.
    """
    page = open_page(size, color_scheme=scheme)
    seen = {}
    try:
        for verdict in ("pass", "fail", "unknown"):
            factory[0].conveyor.blur(verdict == "unknown")
            # Looked for and read in one go: the next part may come in between.
            seen[verdict] = page.wait_for_function(
                """verdict => {
                    const box = document.querySelector(`.verdict-box[data-verdict="${verdict}"]`);
                    if (!box) return null;
                    const word = box.querySelector(".word"), style = getComputedStyle(word);
                    const ground = getComputedStyle(word.parentElement);
                    // Of stripes the darker one.
                    const striped = ground.backgroundImage.match(/color\\(srgb ([^)]+)\\)/);
                    const dark = striped && striped[1].split(" ").map((c) => Math.floor(255 * c));
                    return [word.textContent, parseFloat(style.fontSize), style.color,
                            dark ? `rgb(${dark})` : ground.backgroundColor,
                            box.querySelector(".shape .body").outerHTML];
                }""",
                arg=verdict,
            ).json_value()
    finally:
        factory[0].conveyor.blur(False)
    assert [word for word, *_ in seen.values()] == ["PASS", "FAIL", "UNKNOWN"]
    assert len({shape for *_, shape in seen.values()}) == 3
    for _, size_px, text, ground, _ in seen.values():
        assert size_px >= 35
        assert contrast(text, ground) >= 4.5


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2 reckons it."""

    def luminance(colour: str) -> float:
        channels = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_live_picture_moves_and_is_that_of_the_verdict(open_page) -> None:
    """Parts of the three surfaces have pictures of three sizes: the one that is shown is the one
    of the verdict beside it, and not the one before.
    """
    page = open_page()
    heights = set()
    wait(page, "() => document.querySelector('#live').naturalHeight > 0")
    first = page.get_attribute(".verdict-box", "data-part")
    wait(page, "(b) => document.querySelector('.verdict-box').dataset.part !== b", first)
    for _ in range(8):
        shown, own = page.evaluate(
            """async () => {
                const part = () => document.querySelector(".verdict-box").dataset.part;
                const id = part();
                const image = new Image();
                image.src = `parts/${id}.jpg`;
                await image.decode();
                const shown = new Set();
                while (part() === id) {
                    shown.add(document.querySelector("#live").naturalHeight);
                    await new Promise((resolve) => setTimeout(resolve, 20));
                }
                return [[...shown], image.naturalHeight];
            }"""
        )
        heights |= {own}
        assert own in shown, "while its verdict is shown"
    assert len(heights) > 1


@pytest.mark.parametrize("size", SIZES)
def test_what_if_and_another_limit(open_page, factory: tuple[Factory, str], size: str) -> None:
    """The slider tells by keyboard and touch what would have flipped; setting needs the PIN, is
    asked once more, holds from the next part on, and is a record.
    """
    running, _ = factory
    path = running.log.with_name("line.yaml")
    before = lines.read_history(path)
    page = open_page(size, has_touch=True)
    # Until some were rejected.
    wait(page, "document.querySelectorAll('[data-region=rejects] .reject').length >= 3")
    expect(page.locator("#set-limit")).to_be_disabled()
    page.focus("#wish")
    page.keyboard.press("End")
    expect(page.locator("#flips")).to_contain_text("more would have passed")
    expect(page.locator(".wished")).to_be_visible()
    flips = page.evaluate("fetch(`whatif?limit=${wish.value}`).then((a) => a.json())")
    assert int(re.search(r"(\d+) more would have passed", flips["flips"])[1]) > 0
    page.tap('[data-step="-1"]')
    wished = float(page.input_value("#wish"))

    page.tap("#set-limit")
    type_pin(page, "9999")
    expect(page.locator("#pin .error")).to_have_text("Wrong PIN.")
    assert lines.read_history(path) == before
    type_pin(page)
    expect(page.locator("#ask")).to_contain_text("Limit 40 px →")
    assert_all_named(page)
    page.tap("#ask-yes")

    expect(page.locator("#flips")).to_contain_text("from now on")
    expect(page.locator('[data-region="histogram"] .limit-name')).to_contain_text(f"{wished:g} px")
    expect(page.locator('[data-region="health"]')).to_contain_text("page, with the PIN")
    assert lines.read(path).config.limits.min_scratch_px == wished
    page.evaluate(
        """() => fetch("limit", {method: "POST", body: '{"limit": 40}', headers: {
            "content-type": "application/json", "x-token": token}})"""
    )
    expect(page.locator('[data-region="histogram"] .limit-name')).to_have_text("limit 40 px")
    page.tap("#lock")
    expect(page.locator("body")).to_have_attribute("data-locked", "true")


def test_what_if_is_about_the_parts_of_now(open_page) -> None:
    """Also for somebody who only looks: the number of parts grows."""
    page = open_page()
    told = "() => Number(/last (\\d+) parts/.exec(document.querySelector('#flips').textContent)[1])"
    wait(page, told)
    wait(page, f"(first) => ({told})() > first + 3", page.evaluate(told))


@pytest.mark.parametrize("size", SIZES)
def test_a_part_is_looked_at_and_marked(open_page, factory: tuple[Factory, str], size: str) -> None:
    """By touch from the list of rejects: picture, zoom, lengths, «was it right?»."""
    running, _ = factory
    page = open_page(size, has_touch=True)
    page.tap('[data-region=rejects] .reject:has(img):has-text("FAIL") >> nth=0')
    expect(page.locator("#part h2")).to_contain_text("FAIL")
    wait(page, "document.querySelector('#part .zoom img').naturalWidth > 300")
    expect(page.locator("#part .scratches tbody tr").first).to_contain_text("px")
    before = page.locator("#part .zoom img").bounding_box()["width"]
    assert_all_named(page)
    page.tap('[data-zoom="1"]')
    assert page.locator("#part .zoom img").bounding_box()["width"] >= 1.9 * before
    page.tap('[data-right="false"]')
    expect(page.locator("#pin")).to_be_visible()
    assert_all_named(page)
    type_pin(page)
    expect(page.locator("#part .said")).to_have_text("Noted.")
    expect(page.locator('[data-right="false"]')).to_have_attribute("aria-pressed", "true")

    said = marks.read(running.log.parent / "state" / "conveyor" / "marks.jsonl")
    assert (said[-1].verdict, said[-1].right) == ("fail", False)
    page.tap("#part [data-close]")
    expect(page.locator("#part")).to_be_hidden()


def test_the_strip_is_walked_by_keyboard(open_page) -> None:
    """One stop of the tab key, arrows within, Enter opens; new parts do not take the focus away."""
    page = open_page()
    wait(page, "document.querySelectorAll('.tile[data-part]').length > 4")
    assert page.locator('.tile[data-part][tabindex="0"]').count() == 1
    page.focus('.tile[data-part][tabindex="0"]')
    page.keyboard.press("ArrowRight")
    chosen = page.evaluate("document.activeElement.dataset.part")
    name = page.evaluate("document.activeElement.ariaLabel").partition(",")[0]
    newest = page.get_attribute(".verdict-box", "data-part")
    wait(page, "(n) => document.querySelector('.tile[data-part]').dataset.part !== n", newest)
    assert page.evaluate("document.activeElement.dataset.part") == chosen
    page.keyboard.press("Enter")
    expect(page.locator("#part h2")).to_have_text(name)


def test_nothing_moves_while_all_changes(open_page, factory: tuple[Factory, str]) -> None:
    """No layout shift: no button is elsewhere when the finger comes down."""
    running, _ = factory
    for size in SIZES:
        page = open_page(size)
        page.evaluate(
            """() => { window.shifts = [];
                new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(
                    (e) => [e.value, e.sources.map((s) => s.node && s.node.outerHTML
                        && s.node.outerHTML.slice(0, 90))])))
                .observe({type: "layout-shift"}); }"""
        )
        running.conveyor.pull(True)
        try:
            expect(page.locator(ALARM)).to_contain_text("Camera lost")
        finally:
            running.conveyor.pull(False)
        expect(page.locator(".calm")).to_be_visible()
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < 0.01, json.dumps(shifts)
        page.close()


def test_it_loads_nothing_from_elsewhere(open_page, factory: tuple[Factory, str]) -> None:
    """A panel PC has no internet."""
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload(wait_until="domcontentloaded")
    wait(page, "document.querySelector('#live').naturalHeight > 0")

    assert len(asked) > 4
    assert all(url.startswith(factory[1]) for url in asked)


@pytest.mark.parametrize(("locale", "word"), [("de-DE", "SCHLECHT"), ("zh-CN", "不合格")])
def test_it_speaks_the_operators_language(open_page, locale: str, word: str) -> None:
    """That of the browser, and another one by touch; the choice stays."""
    page = open_page(locale=locale)
    page.wait_for_selector('.verdict-box[data-verdict="fail"]')
    wait(page, "(w) => document.querySelector('.word').textContent === w", word)
    page.click('a[lang="en"]')
    wait(page, "document.documentElement.lang === 'en'")
    page.reload(wait_until="domcontentloaded")
    assert page.get_attribute("html", "lang") == "en"


def test_light_and_dark_by_touch(open_page) -> None:
    """The other one of what the system has, and it stays."""
    page = open_page(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#theme")
    light = page.evaluate(ground)
    page.reload(wait_until="domcontentloaded")

    assert dark != light
    assert page.evaluate(ground) == light


def test_pictures_are_not_fetched_by_a_hidden_tab(open_page) -> None:
    """A forgotten tab costs the line nothing."""
    page = open_page()
    page.evaluate(
        """() => { Object.defineProperty(document, "hidden", {value: true, configurable: true});
            document.dispatchEvent(new Event("visibilitychange")); }"""
    )

    assert page.get_attribute("#live", "src") is None
