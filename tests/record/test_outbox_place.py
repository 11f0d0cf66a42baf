"""Where an outbox is kept: who may not write there is told so."""

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.errors import ConfigError, NotPermitted, OutboxError
from inspector.record import outbox as outbox_module
from inspector.record.outbox import Outbox

ROOT = Path(__file__).parents[2]


def test_a_folder_that_cannot_be_made_is_a_wrong_configuration(tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "state").write_text("")
    with pytest.raises(ConfigError, match=r"state_dir: expected a folder.*state: File exists"):
        Outbox(tmp_path / "state" / "outbox.db")


def test_a_folder_that_is_somebody_else_s_is_told_as_such(tmp_path, monkeypatch):
    """Who may not make the folder is told which one, with the exit code of permissions."""

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)

    with pytest.raises(NotPermitted, match=r"state: expected to keep results there, found: Perm"):
        Outbox(tmp_path / "state" / "outbox.db")


OPENING = """
import sys
from pathlib import Path
from inspector.errors import InspectorError
from inspector.record.outbox import Outbox

try:
    Outbox(Path(sys.argv[1]))
except InspectorError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("shut", ["folder", "written", "lock", "database"])
def test_what_this_user_may_not_write_is_told_as_such(path, shut):
    """77 and the folder: one that cannot be looked into, or written, or whose files cannot be."""
    Outbox(path).close()
    places = {
        "folder": (path.parent, 0o600),
        "written": (path.parent, 0o500),
        "lock": (Path(f"{path}.lock"), 0o400),
        "database": (path, 0o400),
    }
    place, mode = places[shut]
    place.chmod(mode)
    # Root may do all, but without these rights.
    unarmed = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    command = [*(unarmed if os.geteuid() == 0 else []), sys.executable, "-c", OPENING, path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    place.chmod(0o700)
    assert done.returncode == 77, done.stderr
    assert f"{path.parent}: expected to keep results there, found: " in done.stdout
    assert "it has to belong to the user of the line" in done.stdout


@pytest.mark.parametrize("refuses", ["hold", "connect"])
def test_so_it_is_whoever_notices_first(path, monkeypatch, refuses):
    """The lock of the file system, or SQLite, which knows no rights and says something else."""

    def refused(*_, **__):
        if refuses == "hold":
            raise PermissionError(errno.EACCES, "Permission denied")
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(outbox_module, refuses, refused)
    monkeypatch.setattr(outbox_module.os, "access", lambda *_: False)

    with pytest.raises(NotPermitted, match="it has to belong to the user of the line"):
        Outbox(path)


def test_a_lock_that_cannot_be_made_is_named(tmp_path):
    """Here a folder lies in its place."""
    (tmp_path / "outbox.db.lock").mkdir()

    with pytest.raises(OutboxError, match=r"outbox\.db: expected to keep results there, found: "):
        Outbox(tmp_path / "outbox.db")
