"""The gate of an export: what judges differently is seen, and refused."""

import errno
import shutil
from pathlib import Path

import cv2
import numpy as np
import openvino
import pytest
from openvino import opset13
from rich.console import Console

from inspector.bench import SAMPLES
from inspector.config import ModelConfig
from inspector.errors import InspectorError, NoInputError
from inspector.segment import bundle
from inspector.segment.manifest import INT8, MODEL
from inspector.segment.openvino_runtime import OpenVinoRuntime
from inspector.segment.runtime import FakeRuntime
from inspector.segment.segmenter import Segmenter
from inspector.types import Result, Scratch, Timing, Verdict
from tests.support.bundles import manifest_of
from training import export, gate
from training.evaluation.labels import LabelError
from training.gate import Comparison

MANIFEST = manifest_of("end2end", 640)
ROOT = Path(__file__).parents[2]


def finder(length: float, confidence: float = 0.9) -> FakeRuntime:
    """A runtime that finds a bar of this length in every picture."""
    candidates = FakeRuntime.none(MANIFEST)[0]
    candidates[0, 0, :7] = 100, 100, 100 + length, 108, confidence, 0, 1
    bar = np.full(MANIFEST.prototypes_shape, -1, np.float32)
    bar[0, 0, 25:27, 25 : 25 + round(length / 4)] = 1
    return FakeRuntime((candidates, bar))


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three pictures with contrast, on which so few are enough."""
    monkeypatch.setattr(gate, "LEAST_PICTURES", 3)
    image = np.zeros((400, 400, 3), np.uint8)
    image[:] = np.arange(400)[None, :, None] % 200
    paths = [tmp_path / f"{k}.png" for k in range(3)]
    for path in paths:
        cv2.imwrite(str(path), image)
    return paths


def test_who_judges_alike_passes(pictures: list[Path]) -> None:
    """The reference against itself is the first row, and the same answers differ in nothing."""
    rows = gate.compare(finder(80), [finder(80)], MANIFEST, pictures)

    assert [(r.pictures, r.mask_iou, r.length_px, r.flips, r.passes) for r in rows] == [
        (3, 1.0, 0.0, 0, True)
    ] * 2


@pytest.mark.filterwarnings("ignore")  # of libraries of training, about their own future
def test_the_net_itself_judges_frames_of_any_size() -> None:
    """The reference is the net in PyTorch, in the edge's own pipeline; it finds what the bundle's
    model finds, also where a frame is more than one tile.
    """
    made = bundle.load(bundle.locate("default"))
    image = cv2.imread(
        str(next(p for p in sorted(SAMPLES.rglob("*.jpg")) if "scratched" in p.name))
    )
    assert max(image.shape) > made.manifest.input.width
    edge = bundle.open_runtime(made, ModelConfig(runtime="onnxruntime"))
    net = gate.TorchRuntime(ROOT / "training" / "weights" / "scratches.pt", made.manifest)

    found, known = (Segmenter(made.manifest, runtime).segment(image) for runtime in (net, edge))

    assert len(found) == len(known) >= 1
    for a, b in zip(found, known, strict=True):
        assert (a.x, a.y, a.mask.shape) == (b.x, b.y, b.mask.shape)
        assert a.confidence == pytest.approx(b.confidence, abs=1e-3)


@pytest.mark.parametrize(
    ("candidate", "flips"), [(finder(20), 3), (finder(80, 0.1), 3), (finder(72), 0)]
)
def test_who_judges_otherwise_does_not(
    pictures: list[Path], candidate: FakeRuntime, flips: int
) -> None:
    """Another verdict, nothing found, or another length."""
    _, row = gate.compare(finder(80), [candidate], MANIFEST, pictures)

    assert row.flips == flips
    assert row.length_px >= 8
    assert not row.passes


@pytest.mark.parametrize(
    ("change", "passes"),
    [
        ({}, True),
        ({"flips": 1}, True),
        ({"flips": 2}, False),
        ({"length_px": 0.5}, True),
        ({"length_px": 0.51}, False),
        ({"mask_iou": 0.95}, True),
        ({"mask_iou": 0.94}, False),
    ],
)
def test_the_bounds_are_exact(change: dict[str, float], passes: bool) -> None:
    """One picture in two hundred may flip, not two."""
    row = {"mask_iou": 1.0, "length_px": 0.0, "worst_length_px": 0.0, "flips": 0, "ms": 1.0}

    assert Comparison("r", 200, **{**row, **change}).passes is passes


@pytest.mark.parametrize(
    ("length", "pixels", "passes"),
    [(80.5, 47_500, True), (80.5004, 50_000, False), (80.0, 47_499, False)],
)
def test_what_is_rounded_decides_nothing(length: float, pixels: int, passes: bool) -> None:
    """A mean of 0.5004 px is more than 0.5, and an IoU of 0.94998 less than 0.95."""

    def of(length: float, pixels: int) -> Result:
        found = Scratch(length, 1.0, 1.0, pixels, 0.9, ((0, 0), (pixels - 1, 0)))
        return Result("", Verdict.FAIL, (), (found,), (50_000, 1), Timing(segment=1.04))

    row = gate._compare("r", [of(80.0, 50_000)] * 200, [of(length, pixels)] * 200)

    assert row.passes is passes
    assert gate.facts([row])[0] == {
        "runtime": "r", "pictures": 200, "mask_iou": round(pixels / 50_000, 4),
        "length_px": round(length - 80, 3), "worst_length_px": round(length - 80, 2), "flips": 0,
        "ms": 1.0,
    }  # fmt: skip


def test_few_pictures_prove_nothing(pictures: list[Path], monkeypatch) -> None:
    """The error says how many are needed."""
    monkeypatch.setattr(gate, "LEAST_PICTURES", 200)

    with pytest.raises(ValueError, match="at least 200 pictures, found 3"):
        gate.compare(finder(80), [], MANIFEST, pictures)


def test_only_a_proved_precision_is_offered() -> None:
    """A fast precision that differs stays out of the manifest; ONNX Runtime's row is none."""
    good = {"mask_iou": 1.0, "length_px": 0.0, "worst_length_px": 0.0, "flips": 0, "ms": 1.0}
    rows = [
        Comparison("openvino/CPU/f32", 200, **good),
        Comparison("openvino/CPU/bf16", 200, **{**good, "flips": 9}),
        Comparison("onnxruntime/CPU/f32", 200, **good),
    ]

    assert export.proved(rows) == ("f32",)


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ({"ms": 4.0}, True),
        ({"ms": 4.1}, False),  # not 1.5 times faster
        ({"ms": 2.0, "flips": 2}, False),
        ({"ms": 2.0, "length_px": 0.6}, False),
    ],
)
def test_eight_bits_must_judge_alike_and_be_worth_it(row: dict[str, float], kept: bool) -> None:
    """Half as much time again is the least that a second model has to save."""
    good = {"mask_iou": 1.0, "length_px": 0.0, "worst_length_px": 0.0, "flips": 0, "ms": 6.0}
    rows = [
        Comparison("openvino/CPU/f32", 200, **good),
        Comparison("openvino/CPU/int8", 200, **{**good, **row}),
    ]

    assert export.proved(rows) == (("f32", "int8") if kept else ("f32",))


def test_the_table_is_read_on_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Of 80 columns; which runtime and precision a row is of is said in full."""
    row = {"mask_iou": 0.98, "length_px": 0.12, "worst_length_px": 12.3, "flips": 3, "ms": 123.4}
    names = ["openvino/CPU/f32", "openvino/CPU/bf16", "openvino/CPU/int8", "onnxruntime/CPU/f32"]

    Console(width=80).print(gate.table([Comparison(name, 1000, **row) for name in names]))

    shown = capsys.readouterr().out
    assert "…" not in shown
    assert all(f" {name} " in shown for name in names)


def test_a_broken_model_in_eight_bits_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped model beside itself with weights that were cut off at a fifth of their range."""
    monkeypatch.setattr(gate, "LEAST_PICTURES", 6)
    shipped = bundle.load(bundle.DEFAULT)
    model = openvino.Core().read_model(shipped.model)
    for node in model.get_ops():
        if node.get_type_name() == "Constant" and len(node.shape) == 4:
            reach = np.abs(node.data).max() / 5
            cut = opset13.constant(node.data.clip(-reach, reach))
            node.output(0).replace(cut.output(0))
    openvino.save_model(model, tmp_path / INT8, compress_to_fp16=False)
    shutil.copy(shipped.model, tmp_path / MODEL)
    manifest = shipped.manifest.model_copy(
        update={"files": {**shipped.manifest.files, INT8: "0" * 64}, "precisions": ("f32", "int8")}
    )
    whole, broken = (
        OpenVinoRuntime(tmp_path, manifest, ModelConfig(precision=p, threads=1))
        for p in ("f32", "int8")
    )
    rows = gate.compare(whole, [broken], manifest, sorted(SAMPLES.rglob("*-scratched.jpg")))

    assert [row.runtime for row in rows] == ["openvino/CPU/f32", "openvino/CPU/int8"]
    assert not rows[1].passes
    assert export.proved(rows) == ("f32",)


def test_an_export_without_a_hold_out_is_refused(tmp_path: Path) -> None:
    """Before any work is done, and the message says how to make one."""
    with pytest.raises(export.ExportRefused, match="training synth --val 200"):
        export.export(tmp_path / "w.pt", tmp_path / "out", tmp_path, "t", "0")


@pytest.mark.parametrize(
    ("row", "error", "expected"),
    [
        ('{"image": "a.png", "label": "good"}', NoInputError, "expected a picture at .*a.png"),
        ('{"image": "a.png"', LabelError, "expected one JSON object"),
        ('{"label": "good"}', LabelError, "image: expected this field, found none"),
    ],
)
def test_an_export_on_a_hold_out_that_is_gone_or_broken_is_refused(
    tmp_path: Path, row: str, error: type[Exception], expected: str
) -> None:
    """Before any work is done, with the line."""
    (tmp_path / "truth-val.jsonl").write_text(f"{row}\n")

    with pytest.raises(error, match=rf"truth-val.jsonl:1: .*{expected}"):
        export.export(tmp_path / "w.pt", tmp_path / "out", tmp_path, "t", "0")


def test_an_export_replaces_nothing_but_a_bundle(tmp_path: Path) -> None:
    """A slip in --out must not cost a folder of pictures."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_bytes(b"kept")

    for out in (tmp_path / "pictures", tmp_path / "pictures" / "1.png"):
        with pytest.raises(export.ExportRefused, match="expected nothing there, or a bundle to r"):
            export.export(tmp_path / "w.pt", out, tmp_path, "t", "0")

    assert (tmp_path / "pictures" / "1.png").read_bytes() == b"kept"


def test_a_bundle_stays_until_the_next_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes no more is told, and leaves nothing else behind."""

    def full(_weights: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export, "to_onnx", full)
    monkeypatch.setattr(export, "_hold_out", lambda _: [])
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "manifest.yaml").write_text("before")
    net = ROOT / "configs" / "training" / "scratch-sem.yaml"

    with pytest.raises(InspectorError, match="expected to write the bundle, found: No space left"):
        export.export(net, tmp_path / "bundle", tmp_path, "t", "0")

    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert (tmp_path / "bundle" / "manifest.yaml").read_text() == "before"
