"""From a frame to the scratches in it: bundle, runtimes, tiles, and one decode for all."""

import sys

# A line PC reports to nobody: where this package is missing OpenVINO takes a stub of its own.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
