"""An outbox of its own for each test."""

from contextlib import closing

import pytest

from inspector.record.outbox import Outbox


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "outbox.db"


@pytest.fixture
def outbox(path):
    with closing(Outbox(path)) as outbox:
        yield outbox
