"""An outbox that is deleted while its line runs."""

from pathlib import Path

from tests.support.daemon import Start
from tests.support.listener import Listener


def test_a_deleted_outbox_is_told_and_nothing_is_lost_over_a_kill(
    start: Start, listener: Listener, tmp_path: Path
) -> None:
    """An alarm; what comes then is delivered, before the kill or after it, without a gap."""
    first = start(loop=True, every_ms=20)
    listener.wait(lambda heard: len(heard.on("result")) >= 5)
    for file in (tmp_path / "state" / "line1").glob("outbox.db*"):
        file.unlink()
    listener.wait(lambda heard: (heard.on("alarm/outbox_astray") or [None])[-1])
    told = listener.on("alarm/outbox_astray")[-1]["text"]
    assert told.endswith("all that was in it is written anew")
    first.kill()
    first.wait()

    before = len(listener.on("result"))
    start(loop=True, every_ms=20)
    listener.wait(lambda heard: len(heard.on("result")) >= before + 10)
    numbers = {result["id"]: result["seq"] for result in listener.on("result")}
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    assert listener.on("alarm/outbox_astray")[-1] is None
