"""From crops to a bundle: a tiny training, its resumption, the export, and the edge reading it."""

from pathlib import Path

import numpy as np
import pytest

from inspector.errors import BundleError
from inspector.segment import bundle as bundles
from training import export, gate, threshold, train
from training.synth.dataset import Recipe, generate

# Libraries of training warn of their own future; that is not this project's to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of a dozen crops."""
    folder = tmp_path_factory.mktemp("data")
    for split, seed, count in (("train", 1, 12), ("val", 2, 4)):
        generate(Recipe(seed=seed, size=64), folder, split, count, workers=1, progress=False)
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
    with pytest.raises(FileNotFoundError, match=r"last\.pt"):
        train.train(_settings(data, 0.001), "never", resume=True, runs=tmp_path)


def test_a_missing_data_set_is_named(tmp_path: Path) -> None:
    """Nothing is fetched in place of a data set that is not there."""
    with pytest.raises(FileNotFoundError, match=r"data\.yaml"):
        train.train(_settings(tmp_path, 0.001), "none", runs=tmp_path)


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
