"""`python -m training evaluate`: from labelled pictures to figures, a page and worst cases."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from training.__main__ import app
from training.synth import dataset

BAR = (100, 100, 300, 108)
"""Where the model of these tests looks for red: left, top, right, bottom, the last two outside."""
ELSEWHERE = (50, 300, 250, 308)


def picture(path: Path, bar: tuple[int, int, int, int] | None) -> None:
    """A part with or without a red bar."""
    image = np.zeros((400, 400, 3), np.uint8)
    image[:, :, 0] = np.arange(400) % 200
    if bar is not None:
        left, top, right, bottom = bar
        image[top:bottom, left:right, 2] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def row(root: Path, name: str, bar: Any, *, bad: bool = True, **more: Any) -> dict[str, Any]:
    """A picture and its line of the manifest, with a mask and a polygon if it is bad."""
    picture(root / name, bar)
    line = {"image": name, "label": "bad" if bad else "good", "surface": "plate", **more}
    if bar is not None and bad:
        left, top, right, bottom = bar
        mask = np.zeros((400, 400), np.uint8)
        mask[top:bottom, left:right] = 255
        line["mask"] = str(Path(name).with_suffix(".mask.png"))
        cv2.imwrite(str(root / line["mask"]), mask)
        corners = [[left, top], [right - 1, top], [right - 1, bottom - 1], [left, bottom - 1]]
        scratch = {"polygon": corners, "length_px": right - left, "contrast": 60}
        line["scratches"] = [scratch]
    return line


def invoke(*arguments: Any) -> Any:
    """The verb, as typed."""
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two found, one missed, two good parts, a hard one that looks scratched, and a torn file."""
    root = tmp_path_factory.mktemp("data")
    lines = [
        row(root, "found.png", BAR),
        row(root, "found <b>.png", BAR, surface="text"),
        row(root, "missed.png", ELSEWHERE),
        row(root, "good.png", None, bad=False),
        row(root, "clean.png", None, bad=False, surface="text"),
        row(root, "hard.png", BAR, bad=False, hard=True),
        {"image": "torn.jpg", "label": "good", "surface": "plate"},
    ]
    (root / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    (root / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return root


@pytest.fixture(scope="module")
def report(data: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report on them."""
    out = tmp_path_factory.mktemp("reports") / "report"
    done = invoke("--data", data, "--bundle", model, "--out", out, "--runtime", "onnxruntime")
    assert done.exit_code == 0, done.output
    assert str(out / "report.html") in done.stdout.replace("\n", "")
    assert "false rejects, hard good" in done.stdout
    return out


def test_the_results_are_what_was_drawn(report: Path) -> None:
    """Figures with their counts and intervals, for all and for each surface."""
    results = json.loads((report / "results.json").read_text())

    both, plate = results["all"], results["surfaces"]["plate"]
    assert (both["pictures"], both["bad"], plate["pictures"]) == (7, 3, 5)
    recall = both["by_limit"]["recall"]
    assert (recall["hits"], recall["n"]) == (2, 3)
    assert 0 < recall["low"] < recall["value"] < recall["high"] < 1
    assert (plate["by_limit"]["recall"]["hits"], plate["by_limit"]["recall"]["n"]) == (1, 2)
    assert (both["false_reject_good"]["hits"], both["false_reject_good"]["n"]) == (1, 3)
    assert (both["false_reject_hard"]["hits"], both["false_reject_hard"]["n"]) == (1, 1)
    assert (both["unknown"]["hits"], both["scratches"]["recall"]["hits"]) == (1, 2)
    assert both["iou"]["value"] == pytest.approx(2 / 3, abs=0.02)
    assert both["length"]["median_relative"]["value"] < 0.05
    assert results["runtime"].startswith("onnxruntime")
    assert results["min_scratch_px"] == 40


def test_each_picture_is_told(report: Path) -> None:
    """Verdict, reasons, and what became of every scratch."""
    told = json.loads((report / "results.json").read_text())["pictures"]

    by_name = {picture["image"]: picture for picture in told}
    assert {name: picture["verdict"] for name, picture in by_name.items()} == {
        "found.png": "fail", "found <b>.png": "fail", "missed.png": "pass", "good.png": "pass",
        "clean.png": "pass", "hard.png": "fail", "torn.jpg": "unknown",
    }  # fmt: skip
    assert by_name["torn.jpg"]["reasons"] == ["unreadable_image"]
    assert by_name["hard.png"]["predictions"][0]["kind"] == "wrong"
    assert by_name["missed.png"]["scratches"][0]["found"] is False


class Page(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_the_page_needs_nothing_else(report: Path) -> None:
    """No address, no script; every picture inside; every reference within the page has its end."""
    text = (report / "report.html").read_text()
    page = Page(text)

    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    sources = [value for name, value in page.attributes if name in ("src", "srcset", "data")]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = [value for name, value in page.attributes if name.endswith("href")]
    targets = [f"#{name}" for name in re.findall(r"url\(#([^)]*)\)", text)] + links
    assert targets
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_the_page_shows_what_one_learns_from(report: Path, data: Path) -> None:
    """Figures, plots, the missed part, the false alarm, the unknown one; names are text."""
    text = (report / "report.html").read_text()

    assert text.count("<svg") == 4
    for said in (
        "200 px, contrast 60: not found", "px, confidence 0.90: no scratch", "missed.png",
        "hard.png", "torn.jpg", "unreadable_image", "found &lt;b&gt;.png", "2/3",
        "What another limit would cost", "min_scratch_px: 40", str(data),
    ):  # fmt: skip
        assert said in text
    assert "found <b>" not in text
    assert "nan" not in re.sub(r"base64,[^\"]*", "", text).lower()


def test_the_limit_decides_what_ought_to_be_rejected(
    data: Path, model: Path, tmp_path: Path
) -> None:
    """Above the scratches nothing ought to be, nothing is, and --json says so without a table."""
    done = invoke(
        "--data", data, "--bundle", model, "--out", tmp_path, "--min-scratch-px", 300, "--json"
    )

    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["all"]["by_limit"]["recall"]["value"] is None
    assert told["all"]["by_limit"]["bad"] == 0
    assert told["all"]["false_reject_hard"]["value"] == 0
    assert "pictures" not in told
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_folders_of_good_and_bad_are_enough(model: Path, tmp_path: Path) -> None:
    """Then only the parts are asked about; figures of scratches are absent, not zero."""
    picture(tmp_path / "bad/a.png", BAR)
    picture(tmp_path / "bad/b.png", ELSEWHERE)
    picture(tmp_path / "good/c.png", None)

    done = invoke("--data", tmp_path, "--bundle", model, "--out", tmp_path / "out", "--json")

    told = json.loads(done.stdout)
    assert list(told["surfaces"]) == ["parts"]
    both = told["all"]
    assert (both["by_limit"]["recall"]["hits"], both["by_limit"]["recall"]["n"]) == (1, 2)
    assert both["by_label"] == both["by_limit"]
    assert [both["scratches"][key]["n"] for key in ("recall", "precision")] == [0, 0]
    assert both["dice"]["value"] is None
    assert "passed; longest measured 0 px" in (tmp_path / "out/report.html").read_text()


@pytest.mark.parametrize(
    "name", ["lid [v2]", "a[/b]", r"$\odd$", "5 $ or 6 $", "零件", "<i>", "_lid"]
)
def test_a_surface_is_called_as_it_is(model: Path, tmp_path: Path, name: str) -> None:
    """Its name is no markup of the terminal, no formula of a plot, and of any script."""
    lines = [
        row(tmp_path, "a.png", BAR, surface=name), row(tmp_path, "b.png", BAR),
        row(tmp_path, "c.png", None, surface=name, bad=False),
    ]  # fmt: skip
    (tmp_path / "[a].jsonl").write_text("\n".join(map(json.dumps, lines)))

    done = invoke("--data", tmp_path / "[a].jsonl", "--bundle", model, "--out", tmp_path)

    assert done.exit_code == 0, done.output
    assert f" {name} " in done.stdout
    assert "/[a].jsonl" in done.stdout.replace("\n", "")
    page = (tmp_path / "report.html").read_text()
    assert f"{html.escape(name)}, AUC" in page
    assert f"<th>{html.escape(name)}<br>" in page


def test_the_names_of_many_surfaces_are_read_in_a_pipe(model: Path, tmp_path: Path) -> None:
    """Of two that begin alike, whose beginning says nothing, and of each figure."""
    names = [f"{part}-{side}" for part in ("cover", "housing", "lid") for side in ("left", "right")]
    lines = [row(tmp_path, f"{name}.png", BAR, surface=name) for name in names]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))

    done = invoke("--data", tmp_path / "a.jsonl", "--bundle", model, "--out", tmp_path)

    assert all(f" {name} " in done.stdout for name in names)
    assert "  recall, ≥ 20 px, contrast ≥ 16 " in done.stdout
    assert "…" not in done.stdout


def test_a_name_that_is_no_text_costs_no_report(model: Path, tmp_path: Path) -> None:
    """Archives of another code page leave such names; what cannot be shown of one is spelled."""
    picture(tmp_path / "given/good/a.png", None)
    (tmp_path / "given/good/a.png").rename(tmp_path / "given/good/a\udcfc.png")
    given = (tmp_path / "given").rename(tmp_path / "k\udcfcrz")

    done = invoke("--data", given, "--bundle", model, "--out", tmp_path / "out")

    assert done.exit_code == 0, done.output
    assert r"/k\udcfcrz" in done.stdout.replace("\n", "")
    assert r"/k\udcfcrz" in (tmp_path / "out/report.html").read_text()


def test_a_generated_data_set_is_evaluated_as_it_is(model: Path, tmp_path: Path) -> None:
    """Every scratch of the generator lies on its mask, and good pictures have none."""
    for kind in ("images", "labels", "masks"):
        (tmp_path / kind / "val").mkdir(parents=True)
    recipe = dataset.Recipe(seed=7, size=160)
    rows = [dataset.write(recipe, tmp_path, "val", k) for k in range(12)]
    (tmp_path / "truth-val.jsonl").write_text("\n".join(map(json.dumps, rows)))

    done = invoke("--data", tmp_path, "--bundle", model, "--out", tmp_path / "out", "--json")

    assert done.exit_code == 0, done.output
    both = json.loads(done.stdout)["all"]
    assert both["pictures"] == 12
    assert both["bad"] == sum(row["label"] == "bad" for row in rows) > 0
    scratches = [scratch for row in rows for scratch in row["scratches"]]
    assert both["scratches"]["recall"]["n"] == len(scratches) > 0
    assert sum(b["recall"]["n"] for b in both["scratches"]["bins"]) == len(scratches)


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--data", "nowhere"], 66, "nowhere: expected a folder of labelled pictures"),
        (["--data", "torn.jsonl"], 65, "torn.jsonl:1: expected one JSON object"),
        (["--data", "ok.jsonl", "--bundle", "nobody"], 65, "nobody: expected a bundle's folder"),
        (["--data", "ok.jsonl", "--out", "ok.jsonl"], 70, "expected a folder to write to"),
        (["--data", "ok.jsonl", "--min-scratch-px", "nan"], 2, "expected above 0, found nan"),
        (["--data", "ok.jsonl", "--min-scratch-px", "0"], 2, "expected above 0, found 0"),
    ],
)
def test_what_cannot_be_evaluated_ends_with_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, expected: str
) -> None:
    """One line on stderr that says why, and nothing on stdout."""
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "a.png", None)
    (tmp_path / "torn.jsonl").write_text("{")
    (tmp_path / "ok.jsonl").write_text('{"image": "a.png", "label": "good"}')

    done = invoke(*arguments)

    assert done.exit_code == code
    assert expected in done.stderr
    assert code == 2 or len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert not (tmp_path / "report").exists()


def test_an_earlier_report_stays_until_the_next_is_complete(
    data: Path, model: Path, tmp_path: Path
) -> None:
    """A mask that turns out wrong at the last picture does not cost the report that was there."""
    (tmp_path / "report.html").write_text("before")
    line = json.loads((data / "manifest.jsonl").read_text().splitlines()[0])
    line |= {"image": str(data / "found.png"), "mask": str(data / "good.png")}
    (tmp_path / "one.jsonl").write_text(json.dumps(line))

    done = invoke("--data", tmp_path / "one.jsonl", "--bundle", model, "--out", tmp_path)

    assert done.exit_code == 65
    assert "mask: expected grey levels 0, 128 (ignore) and 255 (scratch)" in done.stderr
    assert (tmp_path / "report.html").read_text() == "before"
