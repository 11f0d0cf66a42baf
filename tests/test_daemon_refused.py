"""What keeps a line from starting is told before its model is loaded."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from inspector.record.outbox import Outbox
from tests.test_cli import run


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """Of a line whose model cannot be loaded."""
    (tmp_path / "bundle").mkdir()
    (tmp_path / "line.yaml").write_text(
        "site: a\nline: b\ncamera: {source: 'folder:x'}\nstate_dir: state\n"
        "model: {bundle: bundle}\n"
    )
    path = tmp_path / "state" / "outbox.db"
    Outbox(path).close()
    return path


def test_another_line_in_the_same_folder(outbox: Path, tmp_path: Path) -> None:
    """70: once that one has ended, systemd starts this one."""
    with closing(Outbox(outbox)):
        done = run("run", cwd=tmp_path)

    assert done.returncode == 70
    assert "found another inspector using it" in done.stderr


def test_an_outbox_of_a_newer_version(outbox: Path, tmp_path: Path) -> None:
    """65: systemd does not start it again, as nobody but a person can help."""
    with closing(sqlite3.connect(outbox)) as database:
        database.execute("PRAGMA user_version = 99")

    done = run("run", cwd=tmp_path)

    assert done.returncode == 65
    assert "found 99: a newer inspector wrote it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_first_start_has_nothing_to_refuse(outbox: Path, tmp_path: Path) -> None:
    """What is said then is what is wrong with the model; nothing is left behind."""
    for file in outbox.parent.iterdir():
        file.unlink()
    outbox.parent.rmdir()

    done = run("run", cwd=tmp_path)

    assert (done.returncode, "bundle" in done.stderr) == (65, True)
    assert not outbox.parent.exists()
