"""What stands retained, before it is sent."""

import json

from inspector.publish import board as board_module
from inspector.publish.board import Board
from tests.publish.conftest import TOPICS
from tests.publish.test_message import NOON


class Clock:
    """Goes on by a minute whenever it is asked."""

    def __init__(self):
        self.minute = -1

    def now(self, _):
        self.minute += 1
        return NOON.replace(minute=self.minute)


def test_an_alarm_stands_since_it_was_raised(monkeypatch):
    """Whatever becomes of its text; raised again after its end, it is a new one."""
    monkeypatch.setattr(board_module, "datetime", Clock())
    board = Board(TOPICS, 1, confirmed=True)

    def told(text):
        board.alarm("disk_low", text)
        topic, payload = board.take(0.0)
        assert topic == TOPICS.alarm("disk_low")
        message = json.loads(payload)
        return message["text"], message["since"]

    assert told("9 % free") == ("9 % free", "2026-11-20T12:00:00.123Z")
    assert told("8 % free") == ("8 % free", "2026-11-20T12:00:00.123Z")
    board.alarm("disk_low", None)
    assert board.take(0.0) == (TOPICS.alarm("disk_low"), "")
    assert told("7 % free") == ("7 % free", "2026-11-20T12:01:00.123Z")
