"""`inspector` with a camera of pictures that hangs while /share/hang is there."""

import os
from pathlib import Path

from inspector import cli, daemon
from inspector.cameras import FolderCamera


class Hanging(FolderCamera):
    def read(self):
        if Path("/share/hang").exists():
            os.read(os.pipe()[0], 1)
        return super().read()


daemon.make_camera = lambda config: Hanging(config.source.target, loop=True)
cli.main()
