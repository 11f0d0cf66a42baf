"""`inspector calibrate --samples`: what another limit of length would have done to known parts."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from inspector import lines
from inspector.calibrate import known, samples
from inspector.calibrate.trial import unjudged
from inspector.calibration import Calibrated
from inspector.errors import ConfigError, NoInputError
from inspector.keeping import Kept
from inspector.page.marks import Marks
from inspector.pipeline import Inspector, View
from inspector.publish.message import ResultMessage
from inspector.record.evidence import FOLDER
from inspector.record.evidence.record import to_png
from inspector.record.evidence.store import Store
from inspector.segment import bundle
from inspector.types import Reason, Result, Rule, Timing, Verdict
from tests.support.evidence import draft
from tests.test_cli import run

SIDE = 400
ALL = [[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]]
GOOD_PX, BAD_PX = (0, 0, 40), (0, 120, 200)

Write = Callable[..., Path]
Show = Callable[..., str]


def part(length_px: int, side: int = SIDE) -> np.ndarray:
    """A part with a scratch that the model of the tests finds, 0: without."""
    image = np.zeros((side, side, 3), np.uint8)
    image[:, :, 0] = np.arange(side) % 200
    image[100:108, 100 : 100 + length_px, 2] = 255
    return image


@pytest.fixture
def write(tmp_path: Path, model: Path) -> Write:
    """Writes the file of a line with these sections."""

    def line(**sections: object) -> Path:
        path = tmp_path / "line.yaml"
        base = {
            "site": "a",
            "line": "b",
            "camera": {"source": "folder:x"},
            "model": {"bundle": str(model), "runtime": "onnxruntime"},
            "state_dir": "state",
        }
        path.write_text(yaml.safe_dump(base | sections))
        return path

    return line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three good parts and three bad ones; one of the bad ones shows nothing."""
    root = tmp_path / "known"
    for kind, lengths in (("good", GOOD_PX), ("bad", BAD_PX)):
        (root / kind).mkdir(parents=True)
        for number, length in enumerate(lengths):
            cv2.imwrite(str(root / kind / f"{number}.png"), part(length))
    return root


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Show:
    """What is printed, each run of spaces as one."""
    monkeypatch.setenv("COLUMNS", "200")

    def told(line: Path, folder: Path, **wish: float) -> str:
        samples.show(line, folder, Calibrated(**wish))
        return " ".join(capsys.readouterr().out.split())

    return told


def rejected(line: Path, folder: Path) -> int:
    """How many of the parts in a folder the line does not pass."""
    config = lines.read(line).config
    segmenter, _ = bundle.open_segmenter(config.model)
    inspector = Inspector(segmenter, config.limits, View.of(config, None))
    found = known.find_pictures([folder])
    parts = map(samples.load_picture, found)
    return sum(inspector.inspect(one).verdict is not Verdict.PASS for one in parts)


@pytest.mark.parametrize(
    "limits",
    [
        {"min_scratch_px": 60},
        {"zones": [{"name": "all", "polygon": ALL, "limits": "none"}]},
        {"zones": [{"name": "all", "polygon": ALL, "limits": {"min_scratch_px": 150}}]},
        {"min_scratch_px": 500, "min_scratch_width_px": 0.5},
        {"min_scratch_px": 195, "guard": {"px": 10, "policy": "pass"}},
        {"min_scratch_px": 205, "guard": {"px": 10, "policy": "recheck"}},
        {"min_scratch_px": None, "min_scratch_mm": 15},
    ],
    ids=["plain", "no limits", "zone", "width", "let pass", "recheck", "mm"],
)
def test_what_is_shown_of_the_line_is_what_it_does(
    limits: dict, write: Write, folder: Path, show: Show
) -> None:
    """Under zones, other limits and policies."""
    line = write(limits=limits, scale={"mm_per_px": 0.1})
    passed, wrong = 3 - rejected(line, folder / "bad"), rejected(line, folder / "good")

    told = show(line, folder)

    (row,) = (row for row in told.split("│ │") if "in force" in row)
    assert f"│ {passed} of 3 = " in row
    assert f"│ {wrong} of 3 = " in row
    missed = f"{passed} of 3" if passed else "none of 3"
    assert f", {missed} bad parts missed:" in told


def test_a_zone_without_limits_leaves_nothing_to_recommend(
    write: Write, folder: Path, show: Show
) -> None:
    """Nothing in it is judged, so a limit turns no part."""
    told = show(
        write(limits={"zones": [{"name": "all", "polygon": ALL, "limits": "none"}]}), folder
    )

    assert "│ 40 │ 3 of 3 = 100.0%" in told
    assert "no limit of length does better with these parts than to have none" in told
    assert told.endswith("nothing was set")


def test_parts_that_cannot_be_judged_prove_nothing(write: Write, folder: Path, show: Show) -> None:
    """They are counted with their reasons, and are left out of the curve and the claims."""
    for number in range(7, 77):
        cv2.imwrite(str(folder / "bad" / f"{number}.png"), part(200, side=333))
    (folder / "good" / "torn.png").write_bytes(b"torn")

    told = show(write(scale={"mm_per_px": 0.1, "size": [SIDE, SIDE]}), folder)

    assert (
        "left out: 71 of 77 could not be judged: unreadable_image (1 good), frame_size (70 bad)"
        in told
    )
    assert "at 40 px, 1 of 3 bad parts missed" in told
    assert "fewer than 5% are missed (95 % confidence): 90 more" in told
    assert "of 4" not in told


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        (["good", "bad"], "6 of 6 could not be judged: frame_size (3 good, 3 bad)"),
        (["bad"], "3 of 6 could not be judged: frame_size (3 bad)"),
    ],
)
def test_samples_of_which_none_can_be_judged_are_no_samples(
    kinds: list[str], found: str, write: Write, folder: Path, tmp_path: Path
) -> None:
    """Neither of both kinds nor of one of them; nothing is drawn."""
    for kind in kinds:
        for picture in (folder / kind).iterdir():
            cv2.imwrite(str(picture), part(200, side=333))
    line = write(scale={"mm_per_px": 0.1, "size": [SIDE, SIDE]})

    with pytest.raises(
        NoInputError, match="expected good and bad parts that can be judged"
    ) as told:
        samples.show(line, folder, Calibrated())

    assert found in str(told.value)
    assert not (tmp_path / "state").exists()


def test_why_a_part_could_not_be_judged() -> None:
    """It was not seen, or something on it could not be measured; not because it is near a limit."""

    def why(verdict: Verdict, *rules: Rule) -> Rule | None:
        reasons = tuple(map(Reason, rules))
        return unjudged(Result("x", verdict, reasons, (), (9, 9), Timing()))

    assert why(Verdict.PASS) is None
    assert why(Verdict.FAIL, Rule.MIN_SCRATCH_PX) is None
    assert why(Verdict.UNKNOWN, Rule.MARGINAL, Rule.MIN_SCRATCH_PX) is None
    assert why(Verdict.UNKNOWN, Rule.TOO_DARK) is Rule.TOO_DARK
    assert why(Verdict.FAIL, Rule.MIN_SCRATCH_WIDTH_PX, Rule.NOT_FINITE) is Rule.NOT_FINITE


def test_a_line_in_mm_is_asked_in_mm(write: Write, folder: Path) -> None:
    """As typed: the limits, the flips, what is recommended, and how it would be set; none is."""
    line = write(limits={"min_scratch_mm": 4}, scale={"mm_per_px": 0.1})

    done = run("calibrate", "--samples", folder, "--min-scratch-mm", "15", cwd=line.parent)

    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "┃ limit mm ┃" in told
    assert "│ 15 │" in told
    assert "asked for" in told
    assert "4 → 15 mm: 0 parts more would be rejected, 2 more would pass" in told
    assert "recommended by these samples: --min-scratch-mm 8" in told
    assert "at 15 mm, 2 of 3 bad parts missed" in told
    command = "inspector calibrate --config line.yaml --min-scratch-mm 15"
    assert told.endswith(f"nothing was set; this would set it: {command}")
    assert not lines.history_of(line).exists()
    assert "limit, mm" in (line.parent / "state" / "samples.svg").read_text()


def test_the_unit_may_change_with_the_question(write: Write, folder: Path, show: Show) -> None:
    """What is in force is told in the unit of the wish."""
    in_px = write(limits={"min_scratch_px": 60}, scale={"mm_per_px": 0.1})
    assert "6 → 15 mm: 0 parts more would be rejected, 1 more would pass" in show(
        in_px, folder, min_scratch_mm=15
    )
    in_mm = write(limits={"min_scratch_mm": 6}, scale={"mm_per_px": 0.1})
    assert "60 → 150 px: 0 parts more would be rejected, 1 more would pass" in show(
        in_mm, folder, min_scratch_px=150
    )


@pytest.mark.parametrize(
    ("sections", "wish", "message"),
    [
        ({}, {"min_scratch_mm": 4.0}, "scale.mm_per_px"),
        ({"limits": {"guard": {"px": 5}}}, {"min_scratch_px": 5.0}, "guard band below"),
    ],
)
def test_a_limit_that_the_line_may_not_have_is_not_tried(
    sections: dict, wish: dict[str, float], message: str, write: Write, folder: Path
) -> None:
    """The same message as when it is set."""
    with pytest.raises(ConfigError, match=message):
        samples.show(write(**sections), folder, Calibrated(**wish))


def test_no_limit_within_the_guard_band_is_recommended(
    write: Write, folder: Path, show: Show
) -> None:
    """What is recommended can be set, and so can what stands in the table."""
    for number, length in enumerate(BAD_PX):
        cv2.imwrite(str(folder / "bad" / f"{number}.png"), part(80 + length // 2))
        cv2.imwrite(str(folder / "good" / f"{number}.png"), part(0))

    told = show(write(limits={"min_scratch_px": 60, "guard": {"px": 50}}), folder)

    # What is shorter by the band of 50 px than a limit is rejected, too.
    assert "recommended by these samples: --min-scratch-px 90 (95 %: 50 … 230 px)" in told
    limits = [float(limit) for limit in re.findall(r"│ ([0-9.]+) │ \d of 3 = ", told)]
    assert len(limits) > 6
    assert min(limits) > 50


def test_nothing_found_on_any_part_is_no_error(
    write: Write, folder: Path, show: Show, tmp_path: Path
) -> None:
    """With a limit in mm, and without any limit of length: then there is no curve."""
    for picture in folder.rglob("*.png"):
        cv2.imwrite(str(picture), part(0))

    in_mm = show(write(limits={"min_scratch_mm": 4}, scale={"mm_per_px": 0.1}), folder)
    assert "│ 4 │ 3 of 3 = 100.0%" in in_mm
    (tmp_path / "state" / "samples.svg").unlink()
    no_limit = {"min_scratch_px": None, "min_scratch_width_px": 2}
    told = show(write(limits=no_limit), folder)

    assert told.startswith(
        "whatever the limit of length, 3 of 3 bad parts pass, and 0 of 3 good ones are rejected"
    )
    assert not (tmp_path / "state" / "samples.svg").exists()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Of a line that has kept parts of which its operators spoke, and one whose picture is gone."""
    root = tmp_path / "line1"
    fails, passes, unknown = Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN
    said = [(200, fails, True), (60, fails, False), (120, passes, False), (0, passes, True)]
    said += [(0, unknown, True), (200, fails, True)]
    with closing(Store(root / FOLDER)) as store:
        marks = Marks(root / "marks.jsonl")
        for seq, (length, verdict, right) in enumerate(said, start=1):
            made = draft(seq, Kept.FAIL)
            picture = None if seq == len(said) else to_png(part(length))
            result = {**made.result, "verdict": verdict}
            store.add(replace(made, picture=picture, result=result), 50)
            word = ResultMessage.model_construct(
                id=made.id, seq=seq, time=made.judged_at, verdict=verdict
            )
            marks.add(word, right=not right)
            marks.add(word, right=right)  # a second thought counts
    return root


@pytest.mark.parametrize("below", ["", FOLDER])
def test_what_operators_said_makes_samples(
    below: str, write: Write, state: Path, show: Show
) -> None:
    """A wrong reject is a good part, a wrong pass a bad one. What the line has chosen proves no
    share of all parts, so there are no claims and no intervals.
    """
    told = show(write(), state / below, min_scratch_px=100)

    assert "left out: 1 × unknown, neither good nor bad, 1 × picture no longer kept" in told
    assert "│ 40 │ 0 of 2 │ 1 of 2 │ in force" in told
    assert "│ 100 │ 0 of 2 │ 0 of 2 │ asked for" in told
    assert "40 → 100 px: 0 parts more would be rejected, 1 more would pass" in told
    assert "recommended by these samples: --min-scratch-px 90 the" in told
    assert "what share of all bad ones passes is not known" in told
    assert "95 %" not in told
    assert "claim" not in told


def test_a_line_of_which_nobody_said_anything_is_told_so(write: Write, tmp_path: Path) -> None:
    """Not that it has no folder `good`, which nobody would make there."""
    with closing(Store(tmp_path / FOLDER)) as store:
        store.add(replace(draft(1), picture=to_png(part(200))), 50)

    with pytest.raises(NoInputError, match=r"marks.jsonl: expected what operators said"):
        samples.show(write(), tmp_path, Calibrated())


def test_words_on_good_parts_only_are_no_samples(write: Write, tmp_path: Path) -> None:
    """The kind that is lacking is named."""
    with closing(Store(tmp_path / FOLDER)) as store:
        made = draft(1)
        store.add(replace(made, picture=to_png(part(200))), 50)
    word = ResultMessage.model_construct(
        id=made.id, seq=1, time=made.judged_at, verdict=Verdict.FAIL
    )
    Marks(tmp_path / "marks.jsonl").add(word, right=False)

    with pytest.raises(NoInputError, match=r"marks.jsonl: .* said that they are bad, found none"):
        samples.show(write(), tmp_path, Calibrated())
