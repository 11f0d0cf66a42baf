"""What operators said is kept."""

from pathlib import Path

import pytest

from inspector import lines
from inspector.page.marks import MARKS, Marks, read
from inspector.publish.message import ResultMessage
from tests.support.page import Judge, result
from tests.support.power import synced


@pytest.fixture
def part(tmp_path: Path) -> ResultMessage:
    """One that was judged."""
    path = tmp_path / "line.yaml"
    path.write_text("site: a\nline: b\ncamera: {source: 'folder:x'}\n")
    return Judge(lines.read(path)).judge(result(50))


def test_a_mark_survives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: ResultMessage
) -> None:
    """The file is on the disk on return, and so is its name, which may be new."""
    path = tmp_path / MARKS
    left = synced(monkeypatch)

    Marks(path).add(part, right=False)

    assert left[path] == path.read_bytes() != b""
    assert MARKS in left[tmp_path]


def test_a_torn_mark_spoils_no_other(tmp_path: Path, part: ResultMessage) -> None:
    """The next one stands on a line of its own."""
    path = tmp_path / MARKS
    Marks(path).add(part, right=True)
    path.write_bytes(path.read_bytes() + b'{"id": "ab')

    Marks(path).add(part, right=False)

    assert [mark.right for mark in read(path)] == [True, False]
