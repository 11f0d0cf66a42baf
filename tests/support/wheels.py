"""Wheels made by hand: what `pip wheel` would make of the package, without its dependencies."""

import zipfile
from pathlib import Path

import inspector

PACKAGE = Path(inspector.__file__).parent
STUB = """
import os, socket, sys, time
def main():
    if "--version" in sys.argv:
        return print("{version}")
    if {broken}:
        sys.exit("this version does not work")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(b"WATCHDOG=1", os.environ["NOTIFY_SOCKET"])
        time.sleep(1)
"""


def write_stub(folder: Path, version: str, *, broken: bool = False) -> None:
    """A wheelhouse of an inspector that does nothing, or that does not even start."""
    _write(folder, version, {"inspector/cli.py": STUB.format(version=version, broken=broken)})


def write_real(folder: Path, libraries: str) -> None:
    """A wheelhouse of the package as it is here; what it needs lies in the folder `libraries`."""
    files = {
        str(path.relative_to(PACKAGE.parent)): path.read_bytes()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    _write(folder, inspector.__version__, files | {"libraries.pth": f"{libraries}\n".encode()})


def _write(folder: Path, version: str, files: dict[str, str] | dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    about = f"scratch_inspector-{version}.dist-info"
    meta = {
        f"{about}/METADATA": (
            f"Metadata-Version: 2.1\nName: scratch-inspector\nVersion: {version}\n"
        ),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": "[console_scripts]\ninspector = inspector.cli:main\n",
    }
    names = [*files, *meta, f"{about}/RECORD"]
    meta[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in names)
    path = folder / f"scratch_inspector-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in {**files, **meta}.items():
            wheel.writestr(zipfile.ZipInfo(name), content)  # without a date: the same each time
