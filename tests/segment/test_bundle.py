"""Only the intended model runs: every way to tamper with a bundle is refused."""

from pathlib import Path

import pytest
import yaml

from inspector.config import ModelConfig
from inspector.errors import BundleError
from inspector.segment import bundle
from inspector.segment.manifest import MODEL
from inspector.segment.runtime import FakeRuntime
from tests.support.bundles import write_bundle


def test_a_written_bundle_loads(tmp_path: Path) -> None:
    """What `write` made, `load` accepts, with the model's hash."""
    made = write_bundle(tmp_path / "b", b"model")

    assert bundle.load(tmp_path / "b") == made
    assert made.sha256 == made.manifest.files[MODEL]


@pytest.mark.parametrize("name", [MODEL, "golden.png", "golden-labels.png"])
def test_one_flipped_bit_is_refused(tmp_path: Path, name: str) -> None:
    """The error names the file, the expected and the found hash."""
    root = write_bundle(tmp_path / "b", b"model").root
    data = bytearray((root / name).read_bytes())
    data[len(data) // 2] ^= 1
    (root / name).write_bytes(data)

    with pytest.raises(BundleError, match=f"{name}: expected sha256 [0-9a-f]+, found [0-9a-f]+"):
        bundle.load(root)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A model that is not there has no hash."""
    root = write_bundle(tmp_path / "b", b"model").root
    (root / MODEL).unlink()

    with pytest.raises(BundleError, match="found nothing"):
        bundle.load(root)


def test_a_folder_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    """The libraries that read the model end the process over such a path."""
    write_bundle(tmp_path / "b", b"model")
    root = (tmp_path / "b").rename(tmp_path / "k\udcfcrz")

    with pytest.raises(BundleError, match="expected a path that is UTF-8, found other bytes"):
        bundle.load(root)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("head", "mystery", "head"),
        ("task", "classify", "task"),
        ("classes", [], "classes"),
        ("confidence", 0, "confidence"),
        ("confidence", float("nan"), "confidence"),
        ("input", {"width": 641, "height": 640}, "input.width"),
        ("files", {}, "files to name"),
        ("files", {"../../etc/passwd.png": "0" * 64}, "files"),
        ("files", {"weights.pt": "0" * 64}, "files"),
        ("surprise", 1, "surprise"),
        ("format", "inspector.bundle/2", "format"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(tmp_path, key, value, message) -> None:
    """Unknown heads, foreign paths, a .pt, unknown keys: each is named."""
    root = write_bundle(tmp_path / "b", b"model").root
    path = root / bundle.MANIFEST
    told = yaml.safe_load(path.read_text())
    del told["seal"]
    path.write_text(bundle.sealed(yaml.safe_dump(told | {key: value})))

    with pytest.raises(BundleError, match=message):
        bundle.load(root)


@pytest.mark.parametrize("text", ["", "a: [", "just words", "\x00"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """Not YAML, or no mapping."""
    root = write_bundle(tmp_path / "b", b"model").root
    (root / bundle.MANIFEST).write_text(bundle.sealed(text))

    with pytest.raises(BundleError, match=bundle.MANIFEST):
        bundle.load(root)


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    """Each bit of it decides how parts are judged, or might: none may change, and none be lost."""
    root = write_bundle(tmp_path / "b", b"model").root
    path = root / bundle.MANIFEST
    written = path.read_bytes()
    changed = [
        written[:at] + bytes([written[at] ^ 1 << at % 8]) + written[at + 1 :]
        for at in range(len(written))
    ]

    for data in (*changed, written[:-1], written + b"\n", written[: written.index(b"seal: ")]):
        path.write_bytes(data)
        with pytest.raises(BundleError, match=bundle.MANIFEST):
            bundle.load(root)

    path.write_bytes(written)
    assert bundle.load(root).manifest.confidence == 0.25


def test_the_advice_for_another_threshold(tmp_path: Path) -> None:
    """Whoever edits the manifest by hand is told where a line sets its own."""
    root = write_bundle(tmp_path / "b", b"model").root
    path = root / bundle.MANIFEST
    path.write_text(path.read_text().replace("confidence: 0.25", "confidence: 0.05"))

    with pytest.raises(BundleError, match=r"found it changed: .* `model\.confidence`"):
        bundle.load(root)


def test_a_pt_file_is_refused_with_advice(tmp_path: Path) -> None:
    """Weights of a training framework are code, and are not loaded."""
    weights = tmp_path / "best.pt"
    weights.write_bytes(b"PK")

    with pytest.raises(BundleError, match="export it"):
        bundle.load(weights)


def test_a_folder_that_cannot_be_looked_into_is_refused() -> None:
    """Here its name is too long; somebody else's, on the way to it, is the same."""
    with pytest.raises(BundleError, match=r"expected a bundle's folder .* found: File name too"):
        bundle.load(Path("n" * 300))


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("model", [b"", b"not a model", b"PK\x03\x04"])
def test_a_file_that_is_no_onnx_is_refused(tmp_path: Path, runtime: str, model: bytes) -> None:
    """A right hash of a wrong file does not help."""
    made = write_bundle(tmp_path / "b", model)

    with pytest.raises(BundleError, match="cannot read"):
        bundle.open_runtime(made, ModelConfig(runtime=runtime))


def test_the_self_test_fails_where_a_golden_scratch_is_not_found() -> None:
    """A runtime that answers nothing does not pass for the shipped model."""
    shipped = bundle.load(bundle.DEFAULT)
    blind = FakeRuntime(FakeRuntime.none(shipped.manifest))

    with pytest.raises(BundleError, match="self-test"):
        bundle.self_test(shipped, blind)
