"""Opening a net: an architecture, or weights that lie on this machine. Nothing is fetched."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("YOLO_OFFLINE", "true")

from ultralytics import YOLO

from inspector.errors import NoInputError

ARCHITECTURES = (".yaml", ".yml")


def opened(model: str | Path) -> YOLO:
    """The net of an architecture (.yaml, ultralytics' own by name) or of weights (.pt).

    Raises:
        NoInputError: weights that are not there, which ultralytics would look for on the net, or
            a file that holds no net of ultralytics.
    """
    path = Path(model)
    known = path.suffix in ARCHITECTURES and "://" not in str(model)
    if not known and path.suffix != ".pt":
        raise NoInputError(f"{model}: expected an architecture .yaml or weights .pt, found neither")
    if not known and not path.is_file():
        raise NoInputError(f"{model}: expected weights .pt on this machine, found no such file")
    try:
        # By a bare name ultralytics would fetch one that it cannot read once more.
        return YOLO(str(model) if known else str(path.resolve()))
    except FileNotFoundError:
        raise NoInputError(f"{model}: expected an architecture .yaml, found no such file") from None
    except Exception:
        raise NoInputError(f"{model}: expected a net of ultralytics, found another file") from None
