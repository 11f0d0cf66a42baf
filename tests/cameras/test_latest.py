"""The slot of one frame."""

import threading
import time

from inspector.cameras import LatestFrame
from tests.cameras.conftest import frame


def test_a_live_part_overwrites_what_nobody_took() -> None:
    """The newest frame is taken, and the others are counted."""
    slot = LatestFrame()
    frames = [frame(n) for n in range(5)]
    for part in frames:
        slot.put(part)
    assert slot.take(0) is frames[-1]
    assert slot.take(0) is None
    assert slot.dropped == 4


def test_a_part_of_files_waits_until_the_slot_is_free() -> None:
    """Ten parts through the slot, each taken once and in order, while the producer is held back."""
    slot = LatestFrame()
    frames = [frame(n) for n in range(10)]
    assert slot.put_when_free(frames[0], 0)
    assert not slot.put_when_free(frames[1], 0.01)

    def produce() -> None:
        for part in frames[1:]:
            assert slot.put_when_free(part, 5)

    producer = threading.Thread(target=produce)
    producer.start()
    taken = [slot.take(5) for _ in frames]
    producer.join(5)
    assert [part is wanted for part, wanted in zip(taken, frames, strict=True)] == [True] * 10
    assert slot.dropped == 0


def test_taking_waits_for_a_part() -> None:
    """Who waits is woken by the part, long before the time is over."""
    slot = LatestFrame()
    threading.Timer(0.02, slot.put, [frame()]).start()
    started = time.monotonic()
    assert slot.take(5) is not None
    assert time.monotonic() - started < 1


def test_closing_wakes_who_waits_and_keeps_the_last_part() -> None:
    """The last part is still taken; after it nothing comes, at once."""
    slot = LatestFrame()
    last = frame()
    slot.put(last)
    slot.close()
    assert not slot.drained
    assert slot.take(5) is last
    assert slot.drained
    started = time.monotonic()
    assert slot.take(5) is None
    assert time.monotonic() - started < 1


def test_what_is_cleared_is_counted() -> None:
    """A cleared part is gone and was dropped; clearing nothing drops nothing."""
    slot = LatestFrame()
    slot.put(frame())
    slot.clear()
    slot.clear()
    assert slot.take(0) is None
    assert slot.dropped == 1
