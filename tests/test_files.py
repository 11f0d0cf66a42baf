"""Files that are replaced as a whole, and survive a power cut where that is promised."""

from pathlib import Path

import pytest

from inspector.files import PART, replace
from tests.support.power import synced


def test_what_was_replaced_survives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new content is on the disk before it takes the name, and then the name is."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    left = synced(monkeypatch)

    replace(path, b"new")

    assert left == {path.with_name(f"a.json{PART}"): b"new", tmp_path: {"a.json"}}
    assert path.read_bytes() == b"new"


def test_what_may_be_lost_spares_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is synced."""
    left = synced(monkeypatch)

    replace(tmp_path / "a.json", b"new", durable=False)

    assert left == {}


def test_what_a_link_leads_to_is_not_written(tmp_path: Path) -> None:
    """Root calibrates in a folder in which the line's own user may make one."""
    (tmp_path / "elsewhere").write_bytes(b"of root")
    (tmp_path / f"a.json{PART}").symlink_to("elsewhere")

    replace(tmp_path / "a.json", b"new")

    assert (tmp_path / "a.json").read_bytes() == b"new"
    assert not (tmp_path / "a.json").is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == b"of root"


def test_what_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no part of the new content beside it."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        replace(path, b"new")

    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert path.read_bytes() == b"old"
