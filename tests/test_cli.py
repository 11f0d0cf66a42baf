"""The command line as a user types it: output, exit codes, errors."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator

import inspector
from inspector.segment.decode import Outputs
from inspector.segment.runtime import FakeRuntime
from tests.support.bundles import manifest_of, write_bundle
from tests.support.onnx_models import tiny

SCHEMA = Path(inspector.__file__).parent / "publish" / "schemas" / "result.json"
SIDE = 640


def scratch_outputs(*, found: bool) -> Outputs:
    """End-to-end outputs with one candidate of 200 × 8 px where the picture is red enough, or none."""
    outputs = FakeRuntime.none(manifest_of("end2end", SIDE))
    if found:
        outputs.candidates[0, 0, :7] = 100, 100, 300, 108, 0.9, 0, 1
    return outputs


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that calls every red bar at (100, 100) to (300, 108) a scratch."""
    candidates = scratch_outputs(found=True).candidates
    return write_bundle(tmp_path_factory.mktemp("model"), tiny(candidates, side=SIDE), side=SIDE).root


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A scratched part, a good one, and a file that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    bad = np.zeros((400, 400, 3), np.uint8)
    bad[:, :, 0] = np.arange(400) % 200
    good = bad.copy()
    bad[100:108, 100:300, 2] = 255
    cv2.imwrite(str(folder / "bad.png"), bad)
    cv2.imwrite(str(folder / "good.png"), good)
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    return folder


def run(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inspector", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60)


def test_inspect_gives_one_valid_message_per_picture(model: Path, pictures: Path) -> None:
    """Pass, fail and unknown; the schema holds for each; exit 1 because not all passed."""
    done = run("inspect", pictures, "--model", model, "--json", "--runtime", "onnxruntime")

    assert done.returncode == 1, done.stderr
    messages = {Path(m["source"]).name: m for m in map(json.loads, done.stdout.splitlines())}
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    for message in messages.values():
        validator.validate(message)
    assert {name: m["verdict"] for name, m in messages.items()} == {
        "bad.png": "fail",
        "good.png": "pass",
        "torn.jpg": "unknown",
    }
    assert messages["bad.png"]["scratches"][0]["length_px"] == pytest.approx(200, abs=6)
    assert messages["torn.jpg"]["reasons"][0]["rule"] == "unreadable_image"
    assert messages["torn.jpg"]["image"] is None
    assert [m["seq"] for m in messages.values()] == [1, 2, 3]


def test_inspect_exits_0_when_all_pass(model: Path, pictures: Path) -> None:
    """Also with a limit that the scratch does not reach."""
    done = run("inspect", pictures / "bad.png", "--model", model, "--min-scratch-px", 250)

    assert (done.returncode, done.stdout.split()[0]) == (0, "PASS"), done.stderr


def test_inspect_draws_what_it_found(model: Path, pictures: Path, tmp_path: Path) -> None:
    """One overlay per picture, also for the one that could not be read."""
    out = tmp_path / "drawn"

    run("inspect", pictures, "--model", model, "--overlay", out)

    assert sorted(p.name for p in out.iterdir()) == ["bad.png", "good.png", "torn.jpg"]
    assert all(cv2.imread(str(p)) is not None for p in out.iterdir())


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["inspect", "nowhere.png"], 66, "nowhere.png"),
        (["inspect", "."], 66, "picture"),
        (["inspect", "x.png", "--min-scratch-px", "nan"], 2, "above 0"),
        (["inspect", "x.png", "--min-scratch-px", "-3"], 2, "above 0"),
        (["inspect", "x.png", "--runtime", "tensorrt"], 2, "tensorrt"),
        (["inspect", "part.png", "--model", "nowhere"], 65, "nowhere"),
        (["inspect"], 2, "Missing"),
        (["check"], 78, "--config FILE"),
        (["check", "--config", "nowhere.yaml"], 78, "nowhere.yaml"),
        (["run", "--config", "wrong.yaml"], 78, "wrong.yaml:2: extra"),
        (["fly"], 2, "fly"),
    ],
)
def test_bad_input_gets_a_sentence_and_its_exit_code(tmp_path, args, code, message) -> None:
    """No traceback, nothing on stdout, and the thing that is wrong is named."""
    cv2.imwrite(str(tmp_path / "part.png"), np.zeros((9, 9, 3), np.uint8))
    if args == ["inspect", "."]:
        (tmp_path / "part.png").unlink()
    (tmp_path / "wrong.yaml").write_text("site: a\nextra: 1\nline: b\ncamera: {source: 'folder:x'}\n")

    done = run(*args, cwd=tmp_path)

    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_check_says_what_is_in_force_and_from_where(model: Path, tmp_path: Path) -> None:
    """Values of the file with their line, defaults as such, and the model with its self-test."""
    line = tmp_path / "line.yaml"
    line.write_text(
        f"site: a\nline: b\ncamera: {{source: 'folder:x'}}\nmodel: {{bundle: '{model}'}}\n"
    )

    done = run("check", "--json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    rows = {row["key"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows["site"] == {"key": "site", "value": "a", "origin": "line.yaml:1"}
    assert rows["limits.min_scratch_px"]["origin"] == "default"
    assert rows["bundle.runtime"]["value"].startswith("openvino/CPU/")


def test_version() -> None:
    """The version that the package has."""
    assert run("--version").stdout.strip() == inspector.__version__
