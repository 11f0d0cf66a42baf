"""Data sets on the disk, held against each other."""

import hashlib
from pathlib import Path


def digest(folder: Path) -> dict[str, str]:
    """The hash of each file by its name, but for data.yaml, which names the place."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "data.yaml"]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
