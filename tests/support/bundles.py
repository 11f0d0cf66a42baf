"""Manifests and bundles made for tests."""

from pathlib import Path

import cv2
import numpy as np

from inspector.segment import bundle
from inspector.segment.manifest import (
    GOLDEN_INPUT,
    GOLDEN_LABELS,
    MODEL,
    Golden,
    Head,
    Input,
    Manifest,
)

NO_HASH = "0" * 64


def manifest_of(
    head: Head = "end2end", side: int = 64, classes: tuple[str, ...] = ("scratch",)
) -> Manifest:
    """A manifest whose files nobody looks at."""
    return Manifest(
        name="test",
        version="1",
        classes=classes,
        input=Input(width=side, height=side),
        head=head,
        task="semantic" if head == "dense" else "segment",
        confidence=0.25,
        overlap=0.5,
        golden=Golden(confidences=()),
        files=dict.fromkeys((MODEL, GOLDEN_INPUT, GOLDEN_LABELS), NO_HASH),
    )


def write_bundle(root: Path, model: bytes, head: Head = "end2end", side: int = 64) -> bundle.Bundle:
    """A bundle on the disk around an ONNX model; its golden picture expects nothing."""
    root.mkdir(parents=True, exist_ok=True)
    (root / MODEL).write_bytes(model)
    cv2.imwrite(str(root / GOLDEN_INPUT), np.full((side, side, 3), 90, np.uint8))
    cv2.imwrite(str(root / GOLDEN_LABELS), np.zeros((side, side), np.uint8))
    fields = manifest_of(head, side).model_dump(exclude={"files"})
    return bundle.write(root, **fields)
