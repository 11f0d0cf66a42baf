"""From crops to a bundle: a tiny training, its resumption, the export, and the edge reading it."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from inspector.errors import BundleError, ConfigError, NoInputError
from inspector.segment import bundle as bundles
from training import export, gate, threshold, train
from training.__main__ import app
from training.synth.dataset import Recipe, generate

# Libraries of training warn of their own future; that is not this project's to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of a dozen crops."""
    folder = tmp_path_factory.mktemp("data")
    for split, seed, count in (("train", 1, 12), ("val", 2, 4)):
        generate(Recipe(seed=seed, size=64), folder, split, count, workers=1)
    return folder


def _settings(data: Path, hours: float) -> dict[str, object]:
    return train.settings(
        None, data=str(data / "data.yaml"), hours=hours, imgsz=64, batch=4, workers=0
    )


@pytest.fixture(scope="module")
def weights(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights after about two seconds of training."""
    return train.train(_settings(data, 2 / 3600), "tiny", runs=tmp_path_factory.mktemp("runs"))


def test_training_writes_weights_and_stops_by_the_clock(weights: Path) -> None:
    """Two seconds of hours give a last and a best checkpoint, and a curve."""
    assert (weights / "last.pt").stat().st_size > 1_000_000
    assert (weights / "best.pt").is_file()
    assert len((weights.parent / "results.csv").read_text().splitlines()) >= 2


def test_a_run_that_does_not_exist_cannot_be_resumed(data: Path, tmp_path: Path) -> None:
    """The message names the checkpoint that was expected."""
    with pytest.raises(NoInputError, match=r"last\.pt: expected a checkpoint to resume from"):
        train.train(_settings(data, 0.001), "never", resume=True, runs=tmp_path)
    with pytest.raises(NoInputError, match=r"last\.pt"):  # of the data nothing is asked
        train.train(_settings(tmp_path, 0.001), "never", resume=True, runs=tmp_path)


class Interrupted(Exception):
    """The machine went off before the run could be finished."""


@pytest.mark.parametrize("model", [None, "yolo11n-seg.yaml"])
def test_an_interrupted_run_goes_on_with_its_own_settings(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str | None
) -> None:
    """Its name is enough: net, data and hours lie in its folder. What is given again counts."""
    monkeypatch.chdir(tmp_path)
    chosen = _settings(data, 0.5 / 3600) | {"save_minutes": 7}
    chosen |= {"model": model} if model else {}
    with monkeypatch.context() as patch:

        def interrupted(_: object) -> None:
            raise Interrupted

        patch.setattr(train.BaseTrainer, "final_eval", interrupted)
        with pytest.raises(Interrupted):
            train.train(chosen, "mine")

    done = CliRunner().invoke(app, ["train", "--name", "mine", "--resume"])

    assert done.exit_code == 0, done.output
    weights = tmp_path / "runs" / "mine" / "weights"
    assert json.loads((weights.parent / "clock.json").read_text())["hours"] == 0.5 / 3600
    args = yaml.safe_load((weights.parent / "args.yaml").read_text())
    assert (args["data"], args["imgsz"]) == (str(data / "data.yaml"), 64)
    given = train.settings(train.kept("mine"), hours=3.0)
    assert (given["hours"], given["save_minutes"]) == (3.0, 7)

    again = CliRunner().invoke(app, ["train", "--name", "mine", "--resume"])
    assert again.exit_code == 66
    assert "expected a run that was interrupted, found a finished one" in again.stderr


def test_a_run_is_not_written_over(weights: Path, data: Path) -> None:
    """Curves of two trainings in one file, and weights lost: another name is asked for."""
    before = (weights / "last.pt").read_bytes()
    with pytest.raises(ConfigError, match=r"another --name, or --resume .*found weights"):
        train.train(_settings(data, 0.001), "tiny", runs=weights.parents[1])
    assert (weights / "last.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("yolo11n-seg.pt", "expected weights .pt on this machine, found no such file"),
        ("yolo11n-seg", "expected an architecture .yaml or weights .pt, found neither"),
        ("https://localhost/yolo11n-seg.yaml", "weights .pt, found neither"),
        ("nothing.yaml", "expected an architecture .yaml, found no such file"),
        ("junk.pt", "expected a net of ultralytics, found another file"),
        ("list.yaml", "expected a net of ultralytics, found another file"),
    ],
)
def test_a_net_that_is_not_here_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, expected: str
) -> None:
    """Ultralytics would look for it on the net."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "junk.pt").write_bytes(b"junk")
    (tmp_path / "list.yaml").write_text("[1]")
    arguments = ["train", "--data", str(data / "data.yaml"), "--name", "n", "--model", model]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 66
    assert f"refused: {model}: " in done.stderr
    assert expected in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("weights_name", "facts", "expected"),
    [
        ("nope.pt", "facts.yaml", "nope.pt: expected weights .pt on this machine"),
        ("junk.pt", "facts.yaml", "junk.pt: expected a net of ultralytics, found another file"),
        ("junk.pt", "nofacts.yaml", "nofacts.yaml: expected a YAML file of facts, found: No such"),
        ("junk.pt", "junk.pt", "junk.pt: expected keys with values, found 'junk'"),
        ("junk.pt", "torn.yaml", "torn.yaml: expected a YAML file of facts, found: "),
    ],
)
def test_an_export_without_its_input_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights_name: str, facts: str,
    expected: str,
) -> None:  # fmt: skip
    """In one line, before any work is done."""
    monkeypatch.setattr(gate, "LEAST_PICTURES", 4)
    (tmp_path / "junk.pt").write_bytes(b"junk")
    (tmp_path / "facts.yaml").write_text("site: here")
    (tmp_path / "torn.yaml").write_text("site: [")
    done = CliRunner().invoke(app, [
        "export", "--weights", str(tmp_path / weights_name), "--out", str(tmp_path / "out"),
        "--data", str(data), "--facts", str(tmp_path / facts),
    ])  # fmt: skip
    assert done.exit_code == 1
    assert expected in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_data_set_is_named(tmp_path: Path) -> None:
    """Nothing is fetched in place of a data set that is not there."""
    with pytest.raises(NoInputError, match=r"data\.yaml"):
        train.train(_settings(tmp_path, 0.001), "none", runs=tmp_path)


@pytest.mark.parametrize("about", ["path: {0}/moved\ntrain: t\nval: v\nnames: [a]", "path: ["])
def test_a_data_set_without_its_pictures_is_named(data: Path, tmp_path: Path, about: str) -> None:
    """Its data.yaml still says where they were."""
    (tmp_path / "data.yaml").write_text(about.format(tmp_path))
    settings = _settings(data, 0.001) | {"data": str(tmp_path / "data.yaml")}
    with pytest.raises(NoInputError, match=r"data\.yaml: expected a data set with pictures, found"):
        train.train(settings, "none", runs=tmp_path)


def test_an_untrained_net_is_refused(
    weights: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A net that finds nothing on any golden candidate does not become a bundle."""
    monkeypatch.setattr(gate, "LEAST_PICTURES", 4)
    monkeypatch.setattr(export, "GOLDEN_TRIES", 2)
    with pytest.raises(export.ExportRefused, match="found none"):
        export.export(weights / "last.pt", tmp_path / "bundle", data, "t", "0", confidence=0.7)
    assert not (tmp_path / "bundle").exists()


def test_the_graph_is_static_and_its_head_is_named(weights: Path, tmp_path: Path) -> None:
    """ONNX of one picture of 640 x 640 with the dense head of what is trained by default."""
    assert export.to_onnx(weights / "last.pt", tmp_path / "model.onnx") == "dense"
    assert (tmp_path / "model.onnx").stat().st_size > 4_000_000  # 1.1 million parameters


def test_the_shipped_bundle_passes_its_self_test() -> None:
    """What lies in the package loads with right hashes and reproduces its golden detections."""
    shipped = bundles.load(bundles.DEFAULT)
    bundles.self_test(shipped, bundles.open_runtime(shipped, export.ModelConfig(precision="f32")))
    assert shipped.manifest.input.pad == "gray"


def test_a_checkpoint_is_not_a_bundle(weights: Path) -> None:
    """The edge refuses a .pt."""
    with pytest.raises(BundleError):
        bundles.load(weights / "last.pt")


def test_the_confidence_weighs_false_rejects_against_misses() -> None:
    """With one loud good picture the choice goes above it while no bad one is lost."""
    bad = np.array([True, True, False, False])
    peaks = np.array([0.8, 0.7, 0.4, 0.0])
    choice = threshold.best_choice(bad, peaks[:, None] >= threshold.TRIED)
    assert 0.4 < choice.confidence <= 0.7
    assert (choice.recall, choice.false_reject) == (1.0, 0.0)
