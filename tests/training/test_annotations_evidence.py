"""What operators say of verdicts on the page teaches the next model."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from inspector.errors import NoInputError
from inspector.measure import measure
from inspector.page.marks import Marks
from inspector.publish.message import ResultMessage
from inspector.record.evidence import FOLDER
from inspector.record.evidence.record import to_png
from inspector.record.evidence.store import Store
from inspector.types import Detection, Verdict
from tests.support.evidence import draft
from training.__main__ import app
from training.annotations.formats import Format
from training.annotations.importer import Settings, run

FAIL, PASS, UNKNOWN = Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN
SAID = [(FAIL, True), (FAIL, False), (PASS, True), (PASS, False), (UNKNOWN, True)] * 3
SIZE = (200, 300)


def scratch_of(seq: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    cv2.line(mask, (30, 40 + 3 * seq), (230, 90 + 3 * seq), 1, 4)
    return mask > 0


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A line that has kept fifteen parts, and an operator who said something of each."""
    state = tmp_path_factory.mktemp("line")
    marks = Marks(state / "marks.jsonl")
    with closing(Store(state / FOLDER)) as store:
        for seq, (verdict, right) in enumerate(SAID, start=1):
            made = draft(seq)
            mask = scratch_of(seq)
            noise = np.random.default_rng(seq).integers(60, 90, (*SIZE, 3), np.uint8)
            noise[mask] = 200
            found = measure([Detection(0.9, 0, 0, mask)]) if verdict is FAIL else []
            result = {
                **made.result,
                "verdict": verdict,
                "scratches": [{"polygon": scratch.polygon} for scratch in found],
            }
            store.add(replace(made, picture=to_png(noise), result=result), 50)
            part = ResultMessage.model_construct(
                id=made.id, seq=seq, time=made.judged_at, verdict=verdict
            )
            marks.add(part, right=not right)
            marks.add(part, right=right)  # a second thought counts
    return state


def rows(out: Path) -> Iterator[tuple[str, dict]]:
    for split in ("train", "val"):
        for line in (out / f"truth-{split}.jsonl").read_text().splitlines():
            yield split, json.loads(line)


def test_words_of_operators_become_labels(state: Path, tmp_path: Path) -> None:
    """Good and bad are what the operator says; a measured outline comes back to the pixel."""
    out = tmp_path / "out"
    done = run(Settings(state, out, crop=0, val_share=0.4))
    assert done.form is Format.EVIDENCE
    told = {row["picture"]: (split, row) for split, row in rows(out)}
    assert len(told) == 12
    for seq, (verdict, right) in enumerate(SAID, start=1):
        if verdict is UNKNOWN:
            continue
        split, row = told[f"dev-1-{seq}.png"]
        assert row["label"] == ("bad" if (verdict is FAIL) is right else "good")
        if verdict is PASS and not right:
            assert split == "val", "nobody said where: it cannot be trained on"
            assert row["mask"] is None
        elif verdict is FAIL and right:
            mask = cv2.imread(str(out / row["mask"]), cv2.IMREAD_UNCHANGED)
            assert (mask > 0).sum() == pytest.approx(scratch_of(seq).sum(), abs=4)
            assert ((mask > 0) & scratch_of(seq)).sum() >= scratch_of(seq).sum() - 4
    assert {split for split, _ in told.values()} == {"train", "val"}, "each part is by itself"
    assert any("3 parts unknown" in note for note in done.notes)


def test_the_command_takes_them(state: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["import", "--from-evidence", str(state), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    parts = [int(n) for n in re.findall(r"(?:train|val): (\d+) parts", ran.stdout)]
    assert sum(parts) == 12


def test_a_picture_that_is_gone_is_told(state: Path, tmp_path: Path) -> None:
    """What was deleted since is counted, and the others are imported."""
    copy = tmp_path / "line"
    copy.mkdir()
    (copy / "marks.jsonl").write_bytes((state / "marks.jsonl").read_bytes())
    with pytest.raises(NoInputError, match="12 parts whose pictures are no longer kept"):
        run(Settings(copy, tmp_path / "out"))


@pytest.mark.parametrize("given", [[], ["PATH", "--from-evidence", "STATE"]])
def test_one_input_is_asked_for(given: list[str], tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["import", *given, "--out", str(tmp_path / "out")])
    assert ran.exit_code == 2
    assert "either PATH or --from-evidence" in ran.output


def test_nothing_said_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "marks.jsonl").write_text("torn")
    with pytest.raises(NoInputError, match="expected what operators said"):
        run(Settings(tmp_path, tmp_path / "out"))
