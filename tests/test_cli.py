"""The command line as a user types it: output, exit codes, errors."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator

import inspector

SCHEMA = Path(inspector.__file__).parent / "publish" / "schemas" / "result.json"


def run(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inspector", *map(str, args)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, timeout=60)


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


def test_what_nobody_foresaw_is_no_verdict(model: Path, pictures: Path) -> None:
    """Exit 1 would say that the part was judged and did not pass."""
    command = [sys.executable, "-m", "inspector", "inspect", pictures / "good.png"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*map(str, command), "--model", str(model)],
            check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip

    assert done.returncode == 70
    assert "No space left on device" in done.stderr


def test_what_was_said_before_an_error_is_not_lost() -> None:
    """It may still lie in a buffer; only a stdout that refuses it is given up."""
    code = (
        "import sys; from inspector import cli\n"
        "cli.app = lambda: sys.stdout.write('told') / 0\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout) == (70, "told")
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_no_verdict(model: Path, pictures: Path, closed: str) -> None:
    """Exit 1 would say that a part did not pass."""
    command = f"{sys.executable} -m inspector inspect {pictures}/good.png --model {model} {closed}"

    done = subprocess.run(
        ["/bin/sh", "-c", command], check=False, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_each_picture_is_one_line_however_it_is_called(model: Path, pictures: Path) -> None:
    """A name may hold line breaks and what steers a terminal."""
    named = (pictures / "good.png").rename(pictures / "a\nPASS  b\x1b[2J\u2028 ü.png")

    done = run("inspect", named, "--model", model)

    assert done.stdout == f"PASS  {pictures}/a\\nPASS  b\\x1b[2J\\u2028 ü.png\n"


def test_inspect_draws_what_it_found(model: Path, pictures: Path, tmp_path: Path) -> None:
    """One overlay per picture, also for the one that could not be read."""
    out = tmp_path / "drawn"

    run("inspect", pictures, "--model", model, "--overlay", out)

    assert sorted(p.name for p in out.iterdir()) == ["bad.png", "good.png", "torn.jpg"]
    assert all(cv2.imread(str(p)) is not None for p in out.iterdir())


def test_an_overlay_goes_into_a_folder_whose_name_is_no_text(
    model: Path, pictures: Path, tmp_path: Path
) -> None:
    """Archives of another code page leave such names; OpenCV ends the process over them."""
    out = tmp_path / "k\udcfcrz"

    done = run("inspect", pictures / "good.png", "--model", model, "--overlay", out)

    assert (done.returncode, done.stderr) == (0, "")
    assert [p.name for p in out.iterdir()] == ["good.png"]


def test_each_overlay_has_a_file_of_its_own_in_the_folder(
    model: Path, pictures: Path, tmp_path: Path
) -> None:
    """However the pictures are called, linked and named on the command line."""
    for place in ("in/a/1.bmp", "in/a/1.bmp.jpg", "in/b/1.png"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / place), cv2.imread(str(pictures / "good.png")))
    (tmp_path / "in/a/2.png").symlink_to("2.png")
    out, beside = tmp_path / "drawn", tmp_path / "in/a/../b/1.png"

    done = run("inspect", tmp_path / "in/a", beside, "--model", model, "--overlay", out)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert {str(p.relative_to(out)) for p in out.rglob("*.*")} == {
        "a/1.bmp.jpg.jpg", "a/1.bmp.jpg", "a/2.png", "b/1.png",
    }  # fmt: skip


def test_an_overlay_that_the_disk_does_not_take_is_told_with_the_reason(
    model: Path, pictures: Path, tmp_path: Path
) -> None:
    """As one in whose place is a folder."""
    (tmp_path / "drawn" / "good.png").mkdir(parents=True)

    done = run("inspect", pictures / "good.png", "--model", model, "--overlay", tmp_path / "drawn")

    assert done.returncode == 70
    assert "good.png: expected to write the overlay, found: Is a directory" in done.stderr


def test_an_overlay_that_cannot_be_written_is_told_before_anything_is_judged(
    model: Path, pictures: Path
) -> None:
    """Exit 1 would say that a part did not pass."""
    (pictures / "note").write_text("")
    done = run("inspect", pictures / "good.png", "--model", model, "--overlay", pictures / "note")

    assert (done.returncode, done.stdout) == (70, "")
    assert "expected a folder for overlays, found: File exists" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_overlay_never_takes_the_place_of_a_picture(model: Path, pictures: Path) -> None:
    """Known samples may be the only copies."""
    before = {p: p.read_bytes() for p in pictures.iterdir()}

    done = run("inspect", pictures, "--model", model, "--overlay", pictures)

    assert (done.returncode, done.stdout) == (70, "")
    assert "would be overwritten" in done.stderr
    assert {p: p.read_bytes() for p in pictures.iterdir()} == before


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
        (["watch", "--host", "10.0.0.1"], 78, "mqtt.tls"),
        (["watch", "--port", "1"], 69, "127.0.0.1:1"),
        (["fly"], 2, "fly"),
    ],
)
def test_bad_input_gets_a_sentence_and_its_exit_code(tmp_path, args, code, message) -> None:
    """No traceback, nothing on stdout, and the thing that is wrong is named."""
    cv2.imwrite(str(tmp_path / "part.png"), np.zeros((9, 9, 3), np.uint8))
    if args == ["inspect", "."]:
        (tmp_path / "part.png").unlink()
    (tmp_path / "wrong.yaml").write_text(
        "site: a\nextra: 1\nline: b\ncamera: {source: 'folder:x'}\n"
    )

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
    assert rows["limits.min_scratch_px"] == {
        "key": "limits.min_scratch_px", "value": 40.0, "origin": "default"
    }  # fmt: skip
    assert rows["camera.roi"]["value"] is None
    assert rows["page.shifts"]["value"] == ["06:00", "14:00", "22:00"]
    assert rows["bundle.runtime"]["value"].startswith("openvino/CPU/")


@pytest.mark.parametrize("verb", ["check", "run"])
def test_a_precision_that_the_bundle_does_not_have_is_told_with_its_place(
    model: Path, tmp_path: Path, verb: str
) -> None:
    """As any other defect of the file: path, line, key, expected, found."""
    config = tmp_path / "line.yaml"
    config.write_text(
        "site: a\nline: b\ncamera: {source: 'folder:x'}\npage: null\n"
        f"model:\n  bundle: '{model}'\n  precision: int8\n"
    )

    done = run(verb, "--config", config)

    assert done.returncode == 78
    assert f"{config}:7: model.precision: expected one of" in done.stderr


def test_check_shows_values_as_one_writes_them_and_no_password(model: Path, tmp_path: Path) -> None:
    """What is printed can be put into the file again; an address is told without its secret."""
    (tmp_path / "line.yaml").write_text(
        "site: a\nline: b\ncamera: {source: 'rtsp://eve:secret@10.0.0.9/1', loop: false}\n"
        f"model: {{bundle: '{model}'}}\n"
    )

    told = run("check", cwd=tmp_path).stdout

    assert re.search(r"^camera\.loop +false +line\.yaml:3$", told, re.MULTILINE)
    assert re.search(r"^camera\.roi +null +default$", told, re.MULTILINE)
    assert "10.0.0.9/1" in told
    assert "secret" not in told + run("check", "--json", cwd=tmp_path).stdout


def test_version() -> None:
    """The version that the package has."""
    assert run("--version").stdout.strip() == inspector.__version__


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_class_that_the_model_does_not_have_is_named_with_its_line(
    tmp_path: Path, command: str
) -> None:
    """Neither starts with limits that would hold for nothing."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "line.yaml").write_text(
        "site: a\nline: b\ncamera: {source: 'folder:parts'}\nlimits:\n  classes:\n"
        "    - {name: scratch, limits: {min_scratch_px: 9}}\n"
        "    - {name: dent, limits: none}\n"
    )

    done = run(command, cwd=tmp_path)

    assert done.returncode == 78
    assert "line.yaml:7: limits.classes.1.name: expected a class of the model" in done.stderr
    assert "found dent" in done.stderr


def test_a_model_of_which_nothing_is_judged_is_named_with_the_line_too(tmp_path: Path) -> None:
    (tmp_path / "line.yaml").write_text(
        "site: a\nline: b\ncamera: {source: 'folder:parts'}\nlimits:\n  classes:\n"
        "    - {name: scratch, limits: none}\n"
    )

    done = run("check", cwd=tmp_path)

    assert done.returncode == 78
    assert "line.yaml:6: limits.classes: expected a class that is judged" in done.stderr
