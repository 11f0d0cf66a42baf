"""A model with its manifest: what may be loaded, and the proof that it is what was made.

A bundle is a folder with `manifest.yaml`, `model.onnx` (read by both runtimes) and a golden picture
with the detections that are expected in it. The manifest names the hash of each file, and its last
line the hash of what stands above it: a changed digit of a threshold is a changed model.
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import ValidationError

from inspector import strictyaml
from inspector.config import ModelConfig
from inspector.errors import BundleError, ConfigError, InferenceError
from inspector.files import sha256_of
from inspector.publish.message import ModelInfo
from inspector.segment import compiled
from inspector.segment.manifest import GOLDEN_INPUT, GOLDEN_LABELS, MODEL, Manifest
from inspector.segment.runtime import Runtime
from inspector.segment.segmenter import Segmenter
from inspector.types import Detection, Image

log = logging.getLogger(__name__)

DEFAULT = Path(__file__).parent / "models" / "default"
MANIFEST = "manifest.yaml"
SEAL = "seal: "
MASK_IOU = 0.9  # a golden mask must be met at least this well by every runtime and precision
CONFIDENCE_ERROR = 0.08  # what bf16 may change in a confidence


@dataclass(frozen=True, slots=True)
class Bundle:
    """A manifest whose files were found and have the hashes that it names."""

    root: Path
    manifest: Manifest

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.root / MODEL

    @property
    def sha256(self) -> str:
        """Hash of the model that judges; it stands in every result."""
        return self.manifest.files[MODEL]

    def golden(self) -> tuple[Image, NDArray[np.uint8]]:
        """The golden input (H, W, 3) and its labels (H, W): 0, or k + 1 for the k-th."""
        image = cv2.imread(str(self.root / GOLDEN_INPUT), cv2.IMREAD_COLOR)
        labels = cv2.imread(str(self.root / GOLDEN_LABELS), cv2.IMREAD_GRAYSCALE)
        if image is None or labels is None or image.shape[:2] != labels.shape:
            raise BundleError(f"{self.root}: expected two golden pictures of one size")
        return image.astype(np.uint8), labels.astype(np.uint8)


def locate(name: str) -> Path:
    """`default` is the bundle inside this package; anything else is a folder."""
    return DEFAULT if name == "default" else Path(name)


def load(root: Path) -> Bundle:
    """Read the manifest of the folder `root` and check the hash of every file that it names.

    Raises:
        BundleError: no such bundle, a manifest that does not validate, a file missing or altered.
    """
    try:
        str(root).encode()
        there = (root / MANIFEST).is_file()
    except UnicodeEncodeError:  # OpenCV and OpenVINO end the process over it
        raise BundleError(f"{root}: expected a path that is UTF-8, found other bytes") from None
    except OSError as error:  # a folder on the way is closed to us, a name too long
        raise BundleError(
            f"{root}: expected a bundle's folder with {MANIFEST}, found: {error.strerror}"
        ) from None
    if not there:
        hint = " (an exported .pt cannot be loaded: export it)" if root.suffix == ".pt" else ""
        raise BundleError(f"{root}: expected a bundle's folder with {MANIFEST}, found none{hint}")
    manifest = _manifest(root / MANIFEST)
    for name, expected in manifest.files.items():
        found = _sha256(root / name)
        if found != expected:
            raise BundleError(f"{root / name}: expected sha256 {expected}, found {found}")
    return Bundle(root, manifest)


def title(name: str) -> str | None:
    """Name and version of a bundle, as a person calls it; None where its manifest tells none.

    Its files are not looked at.
    """
    try:
        manifest = _manifest(locate(name) / MANIFEST)
    except BundleError:
        return None
    return f"{manifest.name} {manifest.version}"


def _manifest(path: Path) -> Manifest:
    try:
        tree, _ = strictyaml.load(_unsealed(path), name=str(path))
        return Manifest.model_validate(tree)
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise BundleError(f"{path}: expected a readable manifest, found: {error}") from None
    except ValidationError as error:
        defects = "; ".join(
            f"{'.'.join(map(str, defect['loc']))}: {defect['msg']}" for defect in error.errors()
        )
        raise BundleError(f"{path}: {defects}") from None


def write(root: Path, **fields: Any) -> Bundle:
    """Write the manifest of the files in `root` (`files` is computed), then load it back."""
    names = sorted(p.name for p in root.iterdir() if p.is_file() and p.name != MANIFEST)
    manifest = Manifest(files={name: _sha256(root / name) for name in names}, **fields)
    text = yaml.safe_dump(manifest.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (root / MANIFEST).write_text(sealed(text), encoding="utf-8")
    return load(root)


def sealed(text: str) -> str:
    """A manifest with the hash of its text as the last line."""
    return f"{text}{SEAL}{hashlib.sha256(text.encode()).hexdigest()}\n"


def _unsealed(path: Path) -> str:
    """The text of a manifest without its seal, if that is right.

    Raises:
        BundleError: a byte is not as it was written.
    """
    told = path.read_bytes().decode("utf-8")
    text = told.rpartition(SEAL)[0]
    if told != sealed(text):
        raise BundleError(
            f"{path}: expected it as the export wrote it, with its sha256 in the last line, found "
            "it changed: export again; another threshold is `model.confidence` of the line"
        )
    return text


def open_runtime(bundle: Bundle, config: ModelConfig, cache: Path | None = None) -> Runtime:
    """The runtime that the configuration asks for; `auto` takes OpenVINO.

    `cache` is a folder for compiled models, which only OpenVINO uses.

    Raises:
        BundleError: the library cannot read the model, or its shapes are not the manifest's.
        ConfigError: a device or precision that the library does not have.
    """
    # Imported on use: each library costs memory and start time, and one of them is enough.
    if config.runtime == "onnxruntime":
        from inspector.segment.onnx_runtime import OnnxRuntime

        return OnnxRuntime(bundle.model, bundle.manifest, config)
    from inspector.segment.openvino_runtime import OpenVinoRuntime

    return OpenVinoRuntime(bundle.root, bundle.manifest, config, cache)


def open_segmenter(config: ModelConfig, cache: Path | None = None) -> tuple[Segmenter, ModelInfo]:
    """Load the bundle that the configuration names and prove it on its golden picture.

    `cache` is a folder for compiled models. What is damaged there is compiled anew: it says nothing
    about the bundle.

    Raises:
        BundleError: the model may not run.
        ConfigError: a device or precision that the library does not have.
    """
    loaded = load(locate(config.bundle))
    if cache is not None:
        compiled.drop_damaged(cache)
    try:
        runtime = _proved(loaded, config, cache)
    except (BundleError, InferenceError) as error:
        if cache is None:
            raise
        log.warning("the model is compiled anew: %s", error)
        runtime = _proved(loaded, config, cache if compiled.clear(cache) else None)
    if cache is not None:
        compiled.prove(cache)
    info = ModelInfo(name=loaded.manifest.name, sha256=loaded.sha256, runtime=runtime.name)
    return Segmenter(loaded.manifest, runtime, config.confidence), info


def _proved(bundle: Bundle, config: ModelConfig, cache: Path | None) -> Runtime:
    runtime = open_runtime(bundle, config, cache)
    self_test(bundle, runtime)
    return runtime


def self_test(bundle: Bundle, runtime: Runtime) -> None:
    """Judge the bundle's golden picture and compare; it also warms the runtime up.

    Raises:
        BundleError: a golden detection is missing or has another mask or confidence.
        InferenceError: the runtime failed.
    """
    image, labels = bundle.golden()
    found = Segmenter(bundle.manifest, runtime).segment(image)
    for k, confidence in enumerate(bundle.manifest.golden.confidences):
        expected = labels == k + 1
        iou, nearest = max(((_iou(expected, d), d.confidence) for d in found), default=(0.0, 0.0))
        if not (iou >= MASK_IOU and abs(nearest - confidence) <= CONFIDENCE_ERROR):
            raise BundleError(
                f"{bundle.root}: self-test on {runtime.name}: expected golden detection {k + 1} "
                f"with confidence {confidence:.3f} and mask IoU ≥ {MASK_IOU}, "
                f"found {nearest:.3f} and {iou:.3f}"
            )


def golden_labels(image: Image, found: list[Detection]) -> NDArray[np.uint8]:
    """Labels (H, W) for golden-labels.png: k + 1 where the k-th detection in `image` lies."""
    labels = np.zeros(image.shape[:2], np.uint8)
    for k, d in enumerate(found):
        height, width = d.mask.shape
        labels[d.y : d.y + height, d.x : d.x + width][d.mask] = k + 1
    return labels


def _iou(expected: NDArray[np.bool_], found: Detection) -> float:
    full = np.zeros(expected.shape, np.bool_)
    height, width = found.mask.shape
    full[found.y : found.y + height, found.x : found.x + width] = found.mask
    union = int(np.count_nonzero(full | expected))
    return int(np.count_nonzero(full & expected)) / max(1, union)


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        return f"nothing ({error.strerror})"
