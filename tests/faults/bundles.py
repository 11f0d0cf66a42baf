"""Bundles that somebody or a disk has changed: none is opened."""

import shutil
from pathlib import Path

from inspector.errors import BundleError
from inspector.segment import bundle
from inspector.segment.manifest import GOLDEN_INPUT, GOLDEN_LABELS, MODEL
from inspector.segment.runtime import FakeRuntime
from tests.faults.fault import Fault, Outcome, Run
from tests.support.bundles import manifest_of, write_bundle
from tests.support.onnx_models import tiny

HASHED = (bundle.MANIFEST, MODEL, GOLDEN_INPUT, GOLDEN_LABELS)


def _refused(outcome: Outcome, root: Path, what: str) -> None:
    outcome.injected += 1
    try:
        bundle.load(root)
    except BundleError:
        return
    except BaseException as error:
        outcome.broken.append(f"{what}: {type(error).__name__}: {error}")
        return
    outcome.broken.append(f"{what} was loaded")


def flip_bits(run: Run) -> Outcome:
    """Bits of all files of a small bundle, `count` of them."""
    outcome = Outcome()
    manifest = manifest_of()
    model = tiny(FakeRuntime.none(manifest)[0][:, :4], side=manifest.input.width, prototypes=32)
    root = write_bundle(run.folder / "bundle", model).root
    places = [(name, at) for name in HASHED for at in range(8 * (root / name).stat().st_size)]
    for _, (name, at) in zip(run.each(), run.rng.sample(places, run.count), strict=True):
        original = (root / name).read_bytes()
        changed = bytearray(original)
        changed[at // 8] ^= 1 << at % 8
        (root / name).write_bytes(changed)
        _refused(outcome, root, f"bit {at} of {name}")
        (root / name).write_bytes(original)
    bundle.load(root)
    outcome.measured = f"of {len(places):,} bits in all"
    return outcome


def damage(run: Run) -> Outcome:
    """The bundle that ships, each time with one file damaged in one way."""
    outcome, rng = Outcome(), run.rng
    root = run.folder / "bundle"
    shutil.copytree(bundle.DEFAULT, root)
    kept = {name: (root / name).read_bytes() for name in HASHED}
    for _ in run.each():
        name, how = rng.choice(HASHED), rng.choice(DAMAGE)
        path, data = root / name, kept[name]
        path.unlink()
        how(path, data, rng.randrange(len(data)))
        _refused(outcome, root, f"{name}, {how.__name__}")
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        path.write_bytes(data)
    bundle.load(root)
    return outcome


def _flipped(path: Path, data: bytes, at: int) -> None:
    path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])


def _cut_off(path: Path, data: bytes, at: int) -> None:
    path.write_bytes(data[:at])


def _longer(path: Path, data: bytes, at: int) -> None:
    path.write_bytes(data + data[at : at + 1])


def _with_a_hole(path: Path, data: bytes, at: int) -> None:
    """A block of another file, as after a crash of the file system."""
    path.write_bytes(data[:at] + b"\xa5" * 4096 + data[at + 4096 :])


def _gone(path: Path, data: bytes, at: int) -> None:
    pass


def _a_folder(path: Path, data: bytes, at: int) -> None:
    path.mkdir()


DAMAGE = (_flipped, _cut_off, _longer, _with_a_hole, _gone, _a_folder)

FAULTS = (
    Fault("a flipped bit in a small bundle", "refused", flip_bits, 500, 70_000),
    Fault("damage to the shipped bundle", "refused", damage, 30, 1_000),
)
