"""Both runtimes read the same file, refuse the same files, and give the same scratches."""

import time
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
from pydantic import ValidationError

from inspector.config import ModelConfig
from inspector.errors import BundleError, ConfigError, InferenceError
from inspector.limits import Limits
from inspector.pipeline import Inspector
from inspector.segment import bundle
from inspector.segment.segmenter import Segmenter
from inspector.segment.threads import default_threads
from inspector.segment.tiles import EMPTY, Tile, is_empty
from inspector.types import Frame
from tests.support.bundles import write_bundle
from tests.support.onnx_models import tiny

RUNTIMES = ["openvino", "onnxruntime"]
SAMPLES = sorted((Path(bundle.__file__).parents[1] / "samples").rglob("*.jpg"))
END2END = np.zeros((1, 300, 38), np.float32)
RAW = np.zeros((1, 37, 84), np.float32)


def config(runtime: str, **more: object) -> ModelConfig:
    return ModelConfig(runtime=runtime, precision="f32", **more)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_tile_reaches_the_model_as_rgb_between_0_and_1(tmp_path: Path, runtime: str) -> None:
    """The prototypes of the tiny model are the colour planes that it was given."""
    made = write_bundle(tmp_path / "b", tiny(END2END))
    tile = np.zeros((64, 64, 3), np.uint8)
    tile[:] = 51, 102, 255  # blue, green, red

    outputs = bundle.open_runtime(made, config(runtime)).infer(tile)

    planes = outputs[1][0, :3].mean(axis=(1, 2))
    assert planes == pytest.approx([1.0, 0.4, 0.2], abs=1e-6)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("model", "head"),
    [
        (tiny(END2END, batch="N"), "end2end"),
        (tiny(END2END, side=96), "end2end"),
        (tiny(END2END, prototypes=16), "end2end"),
        (tiny(END2END), "raw"),
        (tiny(RAW), "end2end"),
        (tiny(END2END, first_output=[1, "boxes", 38]), "raw"),
    ],
    ids=["dynamic batch", "other size", "16 prototypes", "not raw", "not end2end", "dynamic boxes"],
)
def test_a_model_of_another_shape_is_refused(tmp_path, runtime, model, head) -> None:
    """Dynamic, or not what the manifest says: the error names both shapes."""
    made = write_bundle(tmp_path / "b", model, head)

    with pytest.raises(BundleError, match=r"expected .*, found"):
        bundle.open_runtime(made, config(runtime))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_tile_of_another_size_is_an_error(tmp_path: Path, runtime: str) -> None:
    """The runtime's own refusal becomes ours."""
    made = write_bundle(tmp_path / "b", tiny(END2END))

    with pytest.raises(InferenceError):
        bundle.open_runtime(made, config(runtime)).infer(np.zeros((32, 32, 3), np.uint8))


@pytest.mark.parametrize(
    "settings",
    [
        ModelConfig(runtime="onnxruntime", device="GPU"),
        ModelConfig(runtime="onnxruntime", precision="bf16"),
        ModelConfig(runtime="openvino", device="NPU.7"),
    ],
)
def test_a_device_or_precision_that_is_not_there_is_refused(tmp_path: Path, settings) -> None:
    """The configuration is wrong, and the error says what there is."""
    made = write_bundle(tmp_path / "b", tiny(END2END))

    with pytest.raises(ConfigError, match="expected"):
        bundle.open_runtime(made, settings)


def test_eight_bits_are_refused_where_the_bundle_has_none(tmp_path: Path) -> None:
    """The error names the file that is not there."""
    made = write_bundle(tmp_path / "b", tiny(END2END))

    with pytest.raises(ConfigError, match=r"model\.int8\.xml"):
        bundle.open_runtime(made, ModelConfig(runtime="openvino", precision="int8"))


def test_a_manifest_cannot_promise_eight_bits_without_their_files(tmp_path: Path) -> None:
    """What `auto` would take has to be there."""
    made = write_bundle(tmp_path / "b", tiny(END2END))
    fields = made.manifest.model_dump(exclude={"files"}) | {"precisions": ("f32", "int8")}

    with pytest.raises(ValidationError, match=r"model\.int8\.xml"):
        bundle.write(made.root, **fields)


def test_auto_takes_eight_bits_that_were_proved(tmp_path: Path) -> None:
    """And they answer for the model that the manifest names."""
    made = write_bundle(tmp_path / "b", tiny(END2END))
    ov.save_model(ov.Core().read_model(made.model), made.root / "model.int8.xml")
    fields = made.manifest.model_dump(exclude={"files"}) | {"precisions": ("f32", "int8")}
    proved = bundle.write(made.root, **fields)

    runtime = bundle.open_runtime(proved, ModelConfig())

    assert runtime.name == "openvino/CPU/int8"
    assert [a.shape for a in runtime.infer(np.zeros((64, 64, 3), np.uint8))] == [
        (1, 300, 38),
        (1, 32, 16, 16),
    ]


@pytest.mark.parametrize("ground", [2, 20, 128, 230])
def test_what_a_tile_is_left_out_for_the_shipped_model_would_not_find(ground: int) -> None:
    """A long line that is as clear as an empty tile allows."""
    made = bundle.load(bundle.locate("default"))
    side = made.manifest.input.width
    tile = np.full((side, side, 3), ground, np.uint8)
    cv2.line(tile, (80, 100), (560, 420), [ground + EMPTY] * 3, 3)

    assert is_empty(tile, Tile(0, 0, side, side))
    assert Segmenter(made.manifest, bundle.open_runtime(made, ModelConfig())).segment(tile) == []


@pytest.mark.parametrize("threads", [None, 1])
def test_no_core_is_claimed(tmp_path: Path, threads: int | None) -> None:
    """Each line is a process: pinned, all of them would compute on the same core."""
    made = write_bundle(tmp_path / "b", tiny(END2END))
    asked = ModelConfig(runtime="openvino", threads=threads)

    compiled = bundle.open_runtime(made, asked)._request.get_compiled_model()

    assert compiled.get_property("ENABLE_CPU_PINNING") is False
    assert compiled.get_property("INFERENCE_NUM_THREADS") == (threads or default_threads())


def test_a_compiled_model_is_cached(tmp_path: Path) -> None:
    """A second start finds a blob; a cache that cannot be written keeps nothing from starting."""
    made = write_bundle(tmp_path / "b", tiny(END2END))

    bundle.open_runtime(made, config("openvino"), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir())
    (tmp_path / "file").touch()
    assert bundle.open_runtime(made, config("openvino"), tmp_path / "file")


def judge(runtime: str, precision: str, image: np.ndarray):
    shipped = bundle.load(bundle.DEFAULT)
    opened = bundle.open_runtime(shipped, ModelConfig(runtime=runtime, precision=precision))
    bundle.self_test(shipped, opened)
    return Inspector(Segmenter(shipped.manifest, opened), Limits()).inspect(
        Frame(image, "x", time.monotonic())
    )


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_both_runtimes_give_the_same_scratches(path: Path) -> None:
    """Same verdict, same number of scratches, lengths within 0.5 px in float32."""
    image = cv2.imread(str(path))

    one, other = (judge(runtime, "f32", image) for runtime in RUNTIMES)

    assert one.verdict is other.verdict
    assert [s.length_px for s in one.scratches] == pytest.approx(
        [s.length_px for s in other.scratches], abs=0.5
    )


def test_auto_takes_no_precision_that_was_not_proved(tmp_path: Path) -> None:
    """A bundle whose export did not judge alike in bf16 runs in f32, whatever the CPU offers."""
    made = write_bundle(tmp_path / "b", tiny(END2END))

    assert bundle.open_runtime(made, ModelConfig(runtime="openvino")).name == "openvino/CPU/f32"
