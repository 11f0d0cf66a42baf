"""What the broker refuses, or hangs up on: it is set aside, and holds up nothing else."""

import json
import signal

import pytest

from inspector.publish import connection, publisher
from inspector.publish.suspicion import ENOUGH
from inspector.record import replay
from tests.publish.conftest import TOPICS, ids, results, until
from tests.support.scripted_broker import Mood, ScriptedBroker


def test_a_refused_result_is_parked_and_blocks_nothing(line, mosquitto, listen, tmp_path):
    """PUBACK 0x87: the row is kept, an alarm is raised, and the next one is delivered."""
    acl = tmp_path / "acl"
    allowed = ("status", "birth", "alarm/#", "count", "stats", "other")
    acl.write_text(
        "".join(f"topic write {TOPICS.root}/{name}\n" for name in allowed) + "topic read #\n"
    )
    broker = mosquitto(f"acl_file {acl}")
    listener = listen(broker.port)
    line.record(2)
    line.record(1, topic=f"{TOPICS.root}/other")
    publisher = line.publish(port=broker.port)
    listener.wait(lambda seen: [message["seq"] for message in seen.on("other")] == [3])
    listener.wait(lambda seen: any(seen.on("alarm/publish_refused")))
    until(lambda: line.outbox.depth() == 0)
    assert results(listener) == []
    assert publisher.delivered == 1
    alarm = listener.on("alarm/publish_refused")[-1]
    assert "Not authorized" in alarm["text"]
    parked = line.outbox._database.execute("SELECT seq FROM outbox WHERE parked IS NOT NULL")
    assert parked.fetchall() == [(1,), (2,)]


def test_a_broker_that_refuses_everything_does_not_fill_the_log(line, caplog):
    """Told when the reason is new and whenever there are twice as many, and again after a fix."""
    with ScriptedBroker(Mood(puback=0x87)) as broker:
        line.record(200)
        line.publish(port=broker.port)
        until(lambda: line.outbox.refused() == 200)
        broker.mood = Mood(puback=0x97)
        line.record(10)
        line.publisher.notify()
        until(lambda: line.outbox.refused() == 210)
        until(lambda: "0x97" in caplog.text)
    told = [text for text in caplog.messages if "refused" in text]
    assert 4 <= len(told) <= 10
    assert told[0].endswith("Not authorized (0x87)")
    assert told[-1].endswith("Quota exceeded (0x97)")


def test_a_result_that_is_too_large_for_the_broker_is_parked(line, mosquitto, listen):
    """Sent, it would cost the connection, again and again."""
    broker = mosquitto("max_packet_size 5000")
    listener = listen(broker.port)
    line.outbox.record(TOPICS.result, lambda _: json.dumps({"x": "y" * 6000}))
    last = line.record()
    line.publish(port=broker.port)
    listener.wait(lambda seen: ids(seen) == last)
    assert len(listener.on("birth")) == 1
    listener.wait(lambda seen: any(seen.on("alarm/publish_refused")))


def record_large(line):
    return line.outbox.record(TOPICS.result, lambda _: json.dumps({"x": "y" * 6000}))


@pytest.mark.parametrize(
    ("column", "value"), [("payload", b'{"id": '), ("payload", b"\xff"), ("topic", b"results/#")]
)
def test_a_result_that_the_disk_has_damaged_blocks_nothing(line, mosquitto, listen, column, value):
    """It is set aside with an alarm, and those before and behind it arrive."""
    broker = mosquitto()
    listener = listen(broker.port)
    first, _, last = line.record(3)
    line.outbox._database.execute(
        f"UPDATE outbox SET {column} = CAST(? AS TEXT) WHERE seq = 2", (value,)
    )
    publishing = line.publish(port=broker.port)
    listener.wait(lambda seen: ids(seen) == [first, last])
    assert publishing.stop(5.0)
    assert line.outbox.refused() == 1
    assert "it was damaged on the disk" in publishing.alarms[0].text


def test_a_broker_that_says_so_in_a_word_of_its_own_is_understood(line, mosquitto, listen):
    """PUBACK 0x95, which the standard does not have: no connection ends for it."""
    broker = mosquitto("message_size_limit 5000")
    listener = listen(broker.port)
    first = line.record()
    record_large(line)
    last = line.record()
    line.publish(port=broker.port)
    listener.wait(lambda seen: ids(seen) == first + last)
    listener.wait(lambda seen: any(seen.on("alarm/publish_refused")))
    assert "Packet too large (0x95)" in listener.on("alarm/publish_refused")[-1]["text"]
    assert len(listener.on("birth")) == 1
    assert line.outbox.refused() == 1


def test_a_result_on_which_the_broker_hangs_up_blocks_nothing(line, mosquitto, listen, monkeypatch):
    """Over 3.1.1 it has no other word for one that is too large: it is found among those that were
    under way, and parked; a second one costs one connection; put back, they are tried again.
    """
    monkeypatch.setattr(publisher, "RETRY_FIRST_S", (0.01, 0.02))
    broker = mosquitto("max_packet_size 5000")
    listener = listen(broker.port)
    small = line.record(3)
    large = record_large(line)
    small += line.record(30)
    publishing = line.publish(port=broker.port, version="3.1.1")
    listener.wait(lambda seen: set(ids(seen)) == set(small))
    until(lambda: line.outbox.depth() == 0)
    listener.wait(lambda seen: any(seen.on("alarm/publish_refused")))
    text = listener.on("alarm/publish_refused")[-1]["text"]
    assert f"last number {large.seq}: it hung up on it 3 times, without a word" in text
    parked = line.outbox._database.execute("SELECT seq FROM outbox WHERE parked IS NOT NULL")
    assert parked.fetchall() == [(large.seq,)]
    assert list(dict.fromkeys(ids(listener))) == small

    record_large(line)
    small += line.record(3)
    before = len(listener.on("birth"))
    publishing.notify()
    listener.wait(lambda seen: set(ids(seen)) == set(small))
    until(lambda: line.outbox.refused() == 2)
    assert len(listener.on("birth")) <= before + 2

    broker.stop()
    mosquitto(port=broker.port)
    path = line.outbox.path
    assert len(list(replay.put_back(path, replay.find(path, replay.REFUSED)))) == 2
    until(lambda: line.outbox.depth() == line.outbox.refused() == 0)


def test_a_result_on_which_the_broker_hangs_up_alone_is_parked(line, mosquitto, monkeypatch):
    """Also where nothing else is recorded."""
    monkeypatch.setattr(publisher, "RETRY_FIRST_S", (0.01, 0.02))
    broker = mosquitto("max_packet_size 5000")
    record_large(line)
    line.publish(port=broker.port, version="3.1.1")
    until(lambda: line.outbox.refused() == 1)


def test_what_the_broker_says_while_it_hangs_up_is_told(line, monkeypatch):
    """Of MQTT 5: DISCONNECT, payload format invalid."""
    monkeypatch.setattr(publisher, "RETRY_FIRST_S", (0.01, 0.02))
    with ScriptedBroker(Mood(reset_after=0, goodbye=0x99)) as broker:
        line.record()
        line.publish(port=broker.port)
        until(lambda: line.outbox.refused() == 1)
        assert broker.published[:ENOUGH] == [1] * ENOUGH
    found = line.outbox._database.execute("SELECT parked FROM outbox").fetchall()
    assert found == [("it hung up on it 3 times: Payload format invalid",)]


@pytest.mark.parametrize("version", [5, "3.1.1"])
def test_a_broker_that_restarts_again_and_again_refuses_nothing(
    line, mosquitto, monkeypatch, version
):
    """Killed or stopped, with results under way each time: all arrive in the end."""
    monkeypatch.setattr(publisher, "RETRY_FIRST_S", (0.01, 0.02))
    monkeypatch.setattr(publisher, "RETRY_MAX_S", 0.02)
    broker = mosquitto()
    publishing = line.publish(port=broker.port, version=version)
    for number in range(10):
        line.record(200)
        publishing.notify()
        until(lambda: publishing.connected and line.outbox.depth() < 190)
        if number % 2:
            broker._process.kill()
        broker.stop()
        broker = mosquitto(port=broker.port)
    until(lambda: line.outbox.depth() == 0)
    assert line.outbox.refused() == 0


@pytest.mark.parametrize(
    "mood",
    [Mood(reset_after=0, goodbye=0x8B), Mood(reset_after=0, delay_s=connection.ANSWER_S + 0.1)],
    ids=["restarts", "late"],
)
def test_who_hangs_up_for_another_reason_refuses_nothing(line, monkeypatch, mood):
    """It says so, or it takes long."""
    monkeypatch.setattr(publisher, "RETRY_FIRST_S", (0.01, 0.02))
    monkeypatch.setattr(publisher, "RETRY_MAX_S", 0.02)
    with ScriptedBroker(mood) as broker:
        line.record(3)
        line.publish(port=broker.port)
        until(lambda: len(broker.published) >= ENOUGH + 2)
        assert line.outbox.refused() == 0
        broker.mood = Mood()
        until(lambda: [result["seq"] for result in broker.took] == [1, 2, 3])


def test_refused_results_that_are_put_back_are_delivered(line, mosquitto, listen, tmp_path):
    """Once the broker's rights are put right, without a new start; the alarm is over."""
    acl = tmp_path / "acl"
    rights = f"topic write {TOPICS.root}/%s\ntopic read #\n"
    acl.write_text(rights % "alarm/#")
    broker = mosquitto(f"acl_file {acl}")
    listener = listen(broker.port)
    refused = line.record(2)
    line.publish(port=broker.port)
    until(lambda: line.outbox.refused() == 2)
    listener.wait(lambda seen: any(seen.on("alarm/publish_refused")))
    acl.write_text(rights % "#")
    broker._process.send_signal(signal.SIGHUP)
    path = line.outbox.path
    assert len(list(replay.put_back(path, replay.find(path, replay.REFUSED)))) == 2
    listener.wait(lambda seen: ids(seen) == refused)
    listener.wait(lambda seen: seen.on("alarm/publish_refused")[-1] is None)
    assert all(message["historical"] for message in results(listener))
