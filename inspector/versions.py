"""What computes a verdict, by name and version: where all of it is equal, so is every bit."""

import importlib.metadata
import platform
from contextlib import suppress
from pathlib import Path

import cv2

import inspector

CPUINFO = Path("/proc/cpuinfo")


def versions(runtime: str) -> dict[str, str]:
    """Of this program, its libraries and the processor; `runtime` as in `ModelInfo.runtime`."""
    library = runtime.partition("/")[0]
    found = {
        "inspector": inspector.__version__,
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "processor": processor(),
    }
    for name in ("numpy", library):
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def processor() -> str:
    """The name of the processor, by which libraries choose their code."""
    with suppress(OSError):
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.machine()
