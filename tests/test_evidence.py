"""What a line keeps, from the camera to `inspector evidence` and `inspector replay`: as a process,
and over kills.
"""

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from inspector.bench import SAMPLES
from inspector.broker import Broker
from inspector.daemon import Line
from inspector.keeping import Kept
from inspector.lines import read
from inspector.pipeline import Inspector, View
from inspector.record.evidence import Reader
from inspector.record.evidence.store import Store
from inspector.record.outbox import Outbox
from inspector.segment.bundle import open_segmenter
from inspector.types import Frame
from tests.support.bundles import write_bundle
from tests.support.daemon import Start
from tests.support.evidence import draft
from tests.support.listener import Listener
from tests.support.onnx_models import tiny
from tests.test_cli import run

LINE = "site: a\nline: b\ncamera: {source: 'folder:x'}\nstate_dir: state\n"
KILLS = 8


@pytest.fixture
def line(tmp_path: Path) -> Path:
    """A line that has kept four parts, and one among the last."""
    (tmp_path / "line.yaml").write_text(LINE)
    kinds = (Kept.FAIL, Kept.UNKNOWN, Kept.SAMPLE, Kept.FAIL, Kept.LAST)
    with closing(Store(tmp_path / "state" / "evidence")) as store:
        for seq, kept in enumerate(kinds, start=1):
            store.add(draft(seq, kept), 50)
    return tmp_path


@pytest.fixture
def judged(start: Start, listener: Listener, tmp_path: Path) -> Path:
    """A line that has judged a scratched part, a good one, and a file that is no picture."""
    daemon = start()
    assert daemon.wait(30) == 0, daemon.stderr.read()
    listener.wait(lambda heard: len(heard.on("result")) == 3)
    return tmp_path


def evidence(line: Path, *args: object) -> subprocess.CompletedProcess[str]:
    return run("evidence", *args, cwd=line)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_message_names_the_picture(judged: Path, listener: Listener) -> None:
    """The scratched part's: the good one is only among the last, and of the third there is none."""
    bad, good, torn = listener.on("result")
    reader = Reader(judged / "state" / "line1" / "evidence")

    assert bad["evidence"] == bad["id"]
    assert (good["evidence"], torn["evidence"]) == (None, None)
    stored = reader.find(bad["id"])
    assert stored.result() | {"historical": bad["historical"]} == bad
    picture = cv2.imread(str(stored.picture))
    assert (picture == cv2.imread(str(judged / "pictures" / "bad.png"))).all()
    assert reader.find(good["id"]).kept is Kept.LAST
    assert reader.find(torn["id"]) is None


def test_a_kept_picture_gives_the_same_result_again(judged: Path, listener: Listener) -> None:
    """Verdict, reasons, and every length to the last bit; of one that passed as well."""
    ids = [result["id"] for result in listener.on("result")[:2]]

    done = run("replay", *ids, "--json", cwd=judged)

    assert done.returncode == 0, done.stderr
    told = lines(done)
    assert [(one["id"], one["same"], one["verdict"]) for one in told] == [
        (ids[0], True, "fail"),
        (ids[1], True, "pass"),
    ]
    assert told[0]["scratches"] == 1
    assert run("replay", ids[0], cwd=judged).stdout.startswith("same       fail")


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_what_the_shipped_model_judged_is_judged_alike_again(
    broker: Broker, listener: Listener, tmp_path: Path, runtime: str
) -> None:
    """Every sample to the last bit, also where the frame is several tiles, cut to a `roi`, measured
    in millimetres, and held against zones.
    """
    width, height = 900, 700
    (tmp_path / "parts").mkdir()
    for path in sorted(SAMPLES.rglob("*.jpg"))[1::2]:
        part = cv2.copyMakeBorder(cv2.imread(str(path)), 0, 800, 0, 1000, cv2.BORDER_REFLECT_101)
        cv2.imwrite(
            str(tmp_path / "parts" / f"{path.parent.name}-{path.stem}.png"), part[:height, :width]
        )
    zone = [[200, 150], [700, 160], [690, 550], [210, 500]]
    line = {
        "site": "plant-a",
        "line": "line1",
        "camera": {"source": "folder:parts", "roi": [60, 40, 800, 640]},
        "model": {"runtime": runtime},
        "mqtt": {"port": broker.port, "version": broker.mqtt_version},
        "scale": {"mm_per_px": 0.125, "size": [width, height]},
        "limits": {
            "min_scratch_mm": 6,
            "guard": {"px": 2, "policy": "recheck"},
            "zones": [{"name": "lid", "polygon": zone, "limits": {"min_scratch_mm": 2}}],
        },
    }
    (tmp_path / "line.yaml").write_text(yaml.safe_dump(line))
    assert run("run", cwd=tmp_path).returncode == 0
    listener.wait(lambda heard: len(heard.on("result")) == 9)
    results = {result["id"]: result for result in listener.on("result")}
    assert sum(len(result["scratches"]) for result in results.values()) > 5

    done = run("replay", *results, "--json", cwd=tmp_path)

    told = lines(done)
    assert done.returncode == 0, done.stderr
    assert [(one["id"], one["same"]) for one in told] == [(name, True) for name in results]
    assert [one["verdict"] for one in told] == [r["verdict"] for r in results.values()]


def test_frames_of_another_size_than_the_first_are_judged_alike_again(
    model: Path, tmp_path: Path
) -> None:
    """A live camera's; the line says no size, so it is the first frame that did."""
    path = tmp_path / "line.yaml"
    told = {"site": "a", "line": "b", "camera": {"source": "v4l2:/dev/null"}}
    kept = {"model": {"bundle": str(model)}, "evidence": {"pass_one_in": 1}}
    path.write_text(yaml.safe_dump(told | kept))
    config = read(path).config
    segmenter, info = open_segmenter(config.model)
    inspector = Inspector(segmenter, config.limits, View.of(config, None, live=True))
    rng = np.random.default_rng(0)
    with closing(Outbox(config.state_dir / "outbox.db")) as outbox:
        line = Line(config, inspector, info, outbox)
        line.evidence.start()
        for side in (64, 96, 64):
            image = rng.integers(40, 200, (side, 64, 3), np.uint8)
            line.judge(Frame(image, f"{side}", time.monotonic()))
        assert line.evidence.stop(10)
        line.publisher.stop(0.0)
        results = [json.loads(row.payload) for row in outbox.pending(0, 9)]
    size = {"rule": "frame_size", "value": 96.0, "limit": 64.0, "unit": "px"}
    assert size.items() <= results[1]["reasons"][0].items()

    done = run("replay", *(result["id"] for result in results), "--json", cwd=tmp_path)

    assert [one["differences"] for one in lines(done)] == [[], [], []]


def test_a_replay_does_not_ask_what_is_in_force_now(judged: Path, listener: Listener) -> None:
    """The limit that the part was judged by counts, not the one of today."""
    name = listener.on("result")[0]["id"]
    path = judged / "line.yaml"
    path.write_text(
        yaml.safe_dump(yaml.safe_load(path.read_text()) | {"limits": {"min_scratch_px": 4000}})
    )

    assert run("replay", name, cwd=judged).returncode == 0


def test_a_replay_says_what_is_different(
    judged: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1; here somebody has altered what the record says."""
    name = listener.on("result")[0]["id"]
    stored = Reader(judged / "state" / "line1" / "evidence").find(name)
    tree = json.loads(stored.record.read_text())
    tree["exact"][0]["length_px"] = float(np.nextafter(tree["exact"][0]["length_px"], 1e9))
    stored.record.write_text(json.dumps(tree))

    done = run("replay", name, cwd=judged)

    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("different  fail")
    assert "measures:" in done.stdout


def test_what_came_to_be_told_since_is_no_difference(judged: Path, listener: Listener) -> None:
    """A record of before: it says neither branches nor class nor whose edges they are."""
    name = listener.on("result")[0]["id"]
    stored = Reader(judged / "state" / "line1" / "evidence").find(name)
    tree = json.loads(stored.record.read_text())
    (scratch, *_), (reason, *_) = tree["result"]["scratches"], tree["result"]["reasons"]
    for told, keys in (
        (scratch, ("branches_px", "refined", "class")),
        (reason, ("class",)),
        (tree["exact"][0], ("branches_px",)),
    ):
        for key in keys:
            del told[key]
    stored.record.write_text(json.dumps(tree))

    assert run("replay", name, cwd=judged).returncode == 0
    scratch["fragments"] += 1
    stored.record.write_text(json.dumps(tree))
    assert run("replay", name, cwd=judged).returncode == 1


def test_a_replay_needs_the_model_that_judged(
    judged: Path, listener: Listener, model: Path, tmp_path: Path
) -> None:
    """Another one is refused, with the way to name the right one."""
    name = listener.on("result")[0]["id"]
    candidates = np.zeros((1, 4, 38), np.float32)
    other = write_bundle(tmp_path / "other", tiny(candidates, side=640), side=640).root

    done = run("replay", name, "--model", other, cwd=judged)

    assert done.returncode == 65
    assert "--model DIR" in done.stderr
    assert run("replay", name, "--model", model, cwd=judged).returncode == 0


def test_a_replay_refuses_an_altered_picture(judged: Path, listener: Listener) -> None:
    """Its hash says so."""
    name = listener.on("result")[0]["id"]
    stored = Reader(judged / "state" / "line1" / "evidence").find(name)
    cv2.imwrite(str(stored.picture), np.zeros((400, 400, 3), np.uint8))

    done = run("replay", name, cwd=judged)

    assert done.returncode == 65
    assert "altered" in done.stderr


def test_a_replay_of_what_is_not_kept(judged: Path) -> None:
    """No input."""
    assert run("replay", "dev-1-9", cwd=judged).returncode == 66


def test_ls(line: Path) -> None:
    """The newest first; of one verdict."""
    assert [one["id"] for one in lines(evidence(line, "ls", "--json"))] == [
        f"dev-1-{seq}" for seq in (5, 4, 3, 2, 1)
    ]
    assert [one["number"] for one in lines(evidence(line, "ls", "-n", 2, "--json"))] == [None, 4]
    told = evidence(line, "ls", "--verdict", "fail", "--verdict", "unknown").stdout.splitlines()
    assert [row.split()[-1] for row in told] == ["dev-1-4", "dev-1-2", "dev-1-1"]


def test_show(judged: Path, listener: Listener) -> None:
    """What was found, what it was judged by, where the files are."""
    name = listener.on("result")[0]["id"]

    told = evidence(judged, "show", name)

    assert told.returncode == 0, told.stderr
    for words in ("because min_scratch_px is 40 and was 200 px", "200 px long", "number 1, sha256"):
        assert words in told.stdout
    (tree,) = lines(evidence(judged, "show", name, "--json"))
    assert tree["record"]["judging"]["limits"]["min_scratch_px"] == 40
    assert Path(tree["picture"]).exists()
    assert evidence(judged, "show", "dev-9-9").returncode == 66


def test_verify(line: Path) -> None:
    """0 and the head of the chain; 65 and what is wrong."""
    done = evidence(line, "verify", "--json")
    assert done.returncode == 0, done.stderr
    (told,) = lines(done)
    assert (told["records"], told["defects"]) == (4, 0)
    head = f"{told['head']['number']}:{told['head']['sha256']}"
    assert evidence(line, "verify", "--head", head).returncode == 0
    assert evidence(line, "verify", "--head", "4:" + "0" * 64).returncode == 65
    assert evidence(line, "verify", "--head", "4").returncode == 2

    picture = Reader(line / "state" / "evidence").find("dev-1-2").picture
    picture.write_bytes(b"x")
    done = evidence(line, "verify")
    assert done.returncode == 65
    assert f"2 dev-1-2: {picture}: altered" in done.stdout
    assert "found 1 defects" in done.stderr


def test_export(line: Path, tmp_path: Path) -> None:
    """Pictures and records, which the system's own tool can check."""
    target = tmp_path / "copy"

    done = evidence(line, "export", target, "--verdict", "fail")

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in target.glob("dev*")) == [
        f"dev-1-{seq}{suffix}" for seq in (1, 4) for suffix in (".jpg", ".json", ".png")
    ]
    check = ["sha256sum", "-c", "SHA256SUMS"]
    assert subprocess.run(check, cwd=target, capture_output=True, check=False).returncode == 0
    assert evidence(line, "export", tmp_path / "one", "dev-1-5").returncode == 0
    assert len(list((tmp_path / "one").iterdir())) == 4
    assert evidence(line, "export", tmp_path / "no", "--since", "2030-01-01").returncode == 66
    (tmp_path / "file").touch()
    refused = evidence(line, "export", tmp_path / "file", "dev-1-5")
    assert (refused.returncode, "Traceback" in refused.stderr) == (65, False)
    assert f"{tmp_path / 'file'}: expected to copy records there" in refused.stderr

    Reader(line / "state" / "evidence").find("dev-1-1").overlay.write_bytes(b"x")
    assert evidence(line, "export", target, "--verdict", "fail").returncode == 65


@pytest.mark.parametrize(
    "args",
    [
        ("ls", "-n", "1" + 20 * "0"),
        ("prune", "--until", "0001-01-01T00:00:00+0100"),
        ("export", "copy", "--since", "9999-12-31T23:00:00-0100"),
    ],
)
def test_what_no_database_holds_is_told_as_such(line: Path, args: tuple[str, ...]) -> None:
    """Numbers and times beyond all measure."""
    done = evidence(line, *args)

    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr


def test_prune(line: Path) -> None:
    """What is named, or what is beyond the limits; the chain stays whole."""
    dry = evidence(line, "prune", "--until", "2026-11-21T12:03:00+0000", "--dry-run")
    assert dry.stdout.startswith("2 records")
    assert len(lines(evidence(line, "ls", "--json"))) == 5

    assert evidence(line, "prune", "dev-1-2").returncode == 0
    (line / "line.yaml").write_text(LINE + f"evidence: {{max_gib: {2500 / 2**30}}}\n")
    done = evidence(line, "prune")
    assert done.returncode == 0, done.stderr

    left = [one["id"] for one in lines(evidence(line, "ls", "--json"))]
    assert "dev-1-3" not in left
    assert "dev-1-2" not in left
    assert "dev-1-4" in left
    assert evidence(line, "verify").returncode == 0


def test_without_evidence(tmp_path: Path) -> None:
    """The line has never kept any."""
    (tmp_path / "line.yaml").write_text(LINE)
    for verb in (["ls"], ["verify"], ["show", "a"], ["export", "to"], ["prune"]):
        assert evidence(tmp_path, *verb).returncode == 66, verb


def test_a_kill_leaves_nothing_half_and_loses_no_result(
    start: Start, listener: Listener, tmp_path: Path, pictures: Path
) -> None:
    """Whenever it comes: the next start finds whole records only, the chain is whole, and every
    result that was recorded is delivered.
    """
    rng = np.random.default_rng(1)
    for number in range(8):  # large enough to be killed while they are written
        image = cv2.imread(str(pictures / "bad.png"))
        image[200:, :, :2] = rng.integers(0, 200, (200, 400, 2))
        cv2.imwrite(str(pictures / f"bad-{number}.png"), image)
    state = tmp_path / "state" / "line1"
    root = state / "evidence"
    half = 0
    for _ in range(KILLS):
        daemon = start(loop=True, every_ms=5)
        seen = len(listener.on("result"))
        wanted = seen + int(rng.integers(3, 30))
        listener.wait(lambda heard, n=wanted: len(heard.on("result")) >= n)
        daemon.kill()
        daemon.wait()
        half += len(list(root.rglob("*.part")))
        with closing(Store(root)):
            pass
        assert list(root.rglob("*.part")) == []
        done = run("evidence", "verify", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stdout
    assert start().wait(30) == 0

    with closing(Outbox(state / "outbox.db")) as outbox:
        assert outbox.depth() == 0
    heard = {result["id"]: result for result in listener.on("result")}
    assert sorted(r["seq"] for r in heard.values()) == list(range(1, len(heard) + 1))
    named = [r["id"] for r in heard.values() if r["evidence"]]
    found = [name for name in named if Reader(root).find(name)]
    sys.stdout.write(f"{half} half files after {KILLS} kills; {len(found)} of {len(named)} kept\n")
    # What waited in the memory when the kill came is not kept: a picture, never a result.
    assert len(named) - len(found) <= KILLS * 9
    assert len(found) > KILLS
    for name in found:
        assert Reader(root).find(name).result()["id"] == name
