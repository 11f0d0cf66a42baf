"""The benchmark of lengths: its drawings are true, and our lengths keep their bounds on them."""

import json
from pathlib import Path

import numpy as np
import pytest

from training import metrology
from training.metrology import SHAPES, Drawn


def scratches(count: int, seed: int = 7) -> list[Drawn]:
    rng = np.random.default_rng(seed)
    return [metrology.draw(rng) for _ in range(count)]


def test_a_drawing_has_the_area_of_its_geometry() -> None:
    """Pixels that are half covered round up and down, so only the mean of many tells."""
    excess_px = [
        np.count_nonzero(drawn.mask) / drawn.length_px - drawn.width_px
        for drawn in scratches(300)
        if drawn.shape in ("straight", "curved") and drawn.length_px > 60
    ]

    assert len(excess_px) > 60
    assert np.mean(excess_px) == pytest.approx(0, abs=0.08)


def test_lengths_keep_their_bounds() -> None:
    """Bias within half a pixel, 95 % of errors within 2 px or 2 %, on scratches of any shape; 95 %
    of widths within a pixel.
    """
    drawn = scratches(300)
    error = [np.subtract(metrology.ours(s), (s.length_px, s.width_px)) for s in drawn]

    found = metrology.summary(drawn, metrology.Method("inspector", *np.array(error).T))

    assert {s.shape for s in drawn} == set(SHAPES)
    assert abs(found["bias_px"]) <= 0.5
    assert found["within"] >= 0.95
    assert abs(found["width_bias_px"]) <= 0.25
    assert found["width_within"] >= 0.95


def test_the_report_says_it_for_every_method_and_shape(tmp_path: Path) -> None:
    """A table, the single errors, and a picture; the same seed gives the same numbers."""
    rows = metrology.run(tmp_path, count=30, seed=3)

    told = json.loads((tmp_path / "metrology.json").read_text())
    assert told["rows"] == rows
    assert {row["method"] for row in rows} >= {"inspector", "bounding-box diagonal"}
    assert len((tmp_path / "metrology.csv").read_text().splitlines()) == 31
    assert (tmp_path / "metrology.png").stat().st_size > 10_000
    assert rows == metrology.run(tmp_path, count=30, seed=3)
