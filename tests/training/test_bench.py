"""The benchmarks draw what they say, take turns, and write their tables where they belong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inspector.segment import bundle as bundles
from training.bench import frames, lines, profiles, report, values
from training.bench.frames import Cost, Seams, Straight
from training.bench.peers import BARE, Row
from training.bench.pictures import MARGIN_PX, arc, in_a_grid, scratched, wandering
from training.bench.profiles import STAGES, Stages, Step
from training.bench.values import Spread

ROOT = Path(__file__).parents[2]


def test_an_arc_is_as_long_as_asked_and_visible_all_along() -> None:
    rng = np.random.default_rng(1)
    line = arc(rng, np.array([300.0, 100.0]), 400, 0.1, 0.5)
    made = scratched(rng, 600, 200, [line])

    assert made.lengths_px[0] == pytest.approx(400, rel=0.01)
    x, y = np.rint(line).astype(int).T
    along = made.image[y, x].mean(axis=1)
    beside = np.median(made.image)
    assert np.convolve(along, np.ones(7) / 7, "valid").min() > beside + 20


@pytest.mark.parametrize("length", [200, 3880])
def test_a_hand_s_line_sways_within_its_frame(length: int) -> None:
    """As long as asked, from left to right, and nowhere along the rows for long."""
    line = wandering(np.random.default_rng(5), np.array([2000.0, 320.0]), length, 640)

    assert np.hypot(*np.diff(line, axis=0).T).sum() == pytest.approx(length, abs=2)
    assert line[:, 1].min() > MARGIN_PX
    assert line[:, 1].max() < 640 - MARGIN_PX
    ahead = line[60:] - line[:-60]
    assert ahead[:, 0].min() > 0
    swayed = np.degrees(np.abs(np.arctan2(ahead[:, 1], ahead[:, 0])).max())
    assert swayed > (15 if length > 1000 else 3)


@pytest.mark.parametrize("count", [0, 3, 20])
def test_a_grid_holds_as_many_as_asked(count: int) -> None:
    made = in_a_grid(np.random.default_rng(2), 640, count)
    assert made.image.shape == (640, 640, 3)
    assert len(made.lengths_px) == count


def test_ways_take_turns() -> None:
    called: list[str] = []
    took = values.in_turn({n: lambda n=n: called.append(n) for n in "abc"}, 3)

    assert {len(ms) for ms in took.values()} == {3}
    assert "".join(called[-9:]) == "abcbcacab"
    assert values.ratio([2.0, 4.0], [1.0, 2.0]).median == 2


def test_seams_lie_where_one_answer_ends() -> None:
    """Between neighbours that share 64 px the seam is in the middle; the last one is the end."""
    edges = frames._seams_of(4000, 640)
    assert edges[-1] == 4000
    assert all(540 <= b - a <= 640 for a, b in zip([0, *edges], edges, strict=False))


def test_tables_go_where_they_belong(tmp_path: Path) -> None:
    """All marks of the page are filled, and what stands round them stays."""
    page = tmp_path / "performance.md"
    page.write_bytes((ROOT / "docs" / "performance.md").read_bytes())
    one = Spread.of([1.0, 2.0, 3.0])
    tables = {
        "peers": report.peers([Row("us", 3, one, {BARE["f32"]: one}, 3)], ["SAHI: not there"]),
        "stages": report.stages([Stages(3, dict.fromkeys(STAGES, one))]),
        "steps": report.steps([Step("thin", 0.07, 1.0)]),
        "seams": report.seams([Seams("inspector", 6, 1.0, 2.0, 1.0)], []),
        "straight": report.straight([Straight(45, 19, 1, 20)]),
        "area": report.cost([Cost("1 MP", 1.0, 4, one, 20.0)]),
        "lines": report.lines([lines.Lines(1, 2, 20.0, 20.0, 20.0, 50.0, 60.0, 90.0)]),
    }
    before = page.read_text()
    for name, table in tables.items():
        report.put(page, name, table)
        assert "\n".join(table) in page.read_text()
    assert [x for x in page.read_text().splitlines() if x.startswith("#")] == [
        x for x in before.splitlines() if x.startswith("#")
    ]
    with pytest.raises(ValueError, match="<!-- other -->"):
        report.put(page, "other", [])


def test_the_stages_of_a_part_make_up_the_whole() -> None:
    """What was timed by itself and what the inspector says of itself fit together."""
    made = bundles.load(bundles.locate("default"))
    stages, steps = profiles.run(made, rounds=9)

    for row in stages:
        ms = {name: spread.median for name, spread in row.ms.items()}
        assert sum(ms.values()) - ms["whole"] == pytest.approx(ms["whole"], rel=0.3)
        assert ms["inference alone"] > 0.5 * ms["whole"] / 2 > abs(ms["cut, check, spots"])
    assert stages[0].ms["refine"].median < 0.1 < stages[-1].ms["refine"].median
    assert 0.1 < sum(step.share for step in steps) < 1
    assert any(step.name.startswith("inspector/") and step.calls == 1 for step in steps)


def test_memory_is_that_of_the_work_and_not_of_what_was_before() -> None:
    """40 MB that are gone again before are not counted; 40 MB within are. In a process of its own:
    what other tests give back meanwhile would count against it.
    """
    code = (
        "import numpy as np; from training.bench import frames\n"
        "work = lambda: np.ones(10_000_000, np.float32).sum()\n"
        "work(); print(frames._more_mb(lambda: None), frames._more_mb(work))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )

    nothing, work = map(float, done.stdout.split())
    assert nothing < 8
    assert work == pytest.approx(38, abs=8)


def test_lines_run_beside_each_other() -> None:
    told = lines._row(2, 1, lines._together(2, 1, 0.3), 0.3)
    assert told.instances == 2
    assert 0 < told.slowest <= told.fastest <= told.rate
    assert told.own_mb > 10
