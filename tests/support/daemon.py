"""The daemon as a process; the fixture `start` begins it."""

import subprocess
from collections.abc import Callable

Start = Callable[..., subprocess.Popen[str]]
"""Called with settings of the camera, and with `mqtt` those of the broker; the line's file is
`tmp_path / "line.yaml"`.
"""
