"""What is asked to be on the disk: a power cut in a test."""

import os
from pathlib import Path

import pytest


def synced(monkeypatch: pytest.MonkeyPatch) -> dict[Path, bytes | set[str]]:
    """What would be left after a power cut, as it grows: files with what is in them, folders with
    the names in them.
    """
    left: dict[Path, bytes | set[str]] = {}
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        left[path] = {p.name for p in path.iterdir()} if path.is_dir() else path.read_bytes()

    monkeypatch.setattr(os, "fsync", fsync)
    return left
