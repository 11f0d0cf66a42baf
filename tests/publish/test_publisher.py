"""Delivery over real brokers: everything arrives, once, in order, and is never given up."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from inspector.broker import free_port
from inspector.errors import OutboxError
from inspector.publish import connection, publisher
from inspector.publish.announcement import Totals
from inspector.record import replay
from tests.publish.conftest import TOPICS, ids, results, until
from tests.support.scripted_broker import Mood, ScriptedBroker

ROOT = Path(__file__).parents[2]
SLACK_S = 1.0  # for a machine that runs other tests beside this one


def test_every_result_arrives_once_and_in_order(line, dialect, listen):
    """What waited is marked as historical, what is recorded under a connection is not."""
    listener = listen(dialect["port"])
    waited = line.record(50)
    publisher = line.publish(**dialect)
    until(lambda: publisher.connected)
    fresh = []
    for _ in range(50):
        fresh += line.record()
        publisher.notify()
    listener.wait(lambda seen: len(results(seen)) >= 100)
    assert publisher.stop(5.0)
    assert ids(listener) == waited + fresh
    assert [m["historical"] for m in results(listener)] == [True] * 50 + [False] * 50
    assert [m["seq"] for m in results(listener)] == list(range(1, 101))
    assert publisher.delivered == 100
    assert line.outbox.depth() == 0


def test_a_connection_begins_and_ends_with_status(line, dialect, listen):
    """Online, birth and then results; a clean stop says so, and the will is not published."""
    listener = listen(dialect["port"])
    line.record()
    publisher = line.publish(**dialect)
    publisher.set_state("running")
    listener.wait(results)
    assert publisher.stop(5.0)
    listener.wait(lambda seen: not seen.on("status")[-1]["online"])
    topics = [topic.removeprefix(f"{TOPICS.root}/") for topic, _, _ in listener.messages]
    assert topics[0] == "status"
    assert topics.index("birth") < topics.index("result")
    delivery = "confirmed" if dialect["version"] == 5 else "assumed"
    online = {"online": True, "session": 1, "state": "running", "delivery": delivery}
    offline = {"online": False, "session": 1, "reason": "stopped"}
    assert listener.on("status")[0]["online"]
    assert listener.on("status")[-2:] == [online, offline]
    birth = listener.on("birth")[0]
    assert birth["device"] == line.outbox.device
    assert birth["schemas"]["result"] == "inspector.result/1"
    assert birth["limits"] == {"min_scratch_px": 40}


def test_what_is_retained_awaits_those_who_come_later(line, dialect, listen):
    """Status, birth, count and alarms are there for a new dashboard; results and stats are not."""
    publisher = line.publish(**dialect)
    publisher.alarm("camera_lost", "no frame")
    publisher.alarm("disk_low", "1 % free")
    publisher.alarm("disk_low", None)
    publisher.set_count(Totals(parts=1, passed=1), Totals(parts=2, passed=2))
    line.record()
    publisher.notify()
    assert publisher.stop(5.0)
    listener = listen(dialect["port"])
    listener.wait(lambda seen: len(seen.messages) >= 4)
    messages = {topic.removeprefix(f"{TOPICS.root}/"): m for topic, m, _ in listener.messages}
    assert messages.keys() == {"status", "birth", "count", "alarm/camera_lost"}
    assert all(retained for _, _, retained in listener.messages)
    assert json.loads(messages["count"])["since_midnight"]["pass"] == 2
    assert json.loads(messages["alarm/camera_lost"])["text"] == "no frame"


def test_counts_are_sent_once_per_second_at_most(line, dialect, listen):
    """A count for every part would be more traffic than the parts; the last one always arrives."""
    listener = listen(dialect["port"])
    publisher = line.publish(**dialect)
    until(lambda: publisher.connected)
    for parts in range(1, 101):
        publisher.set_count(Totals(parts=parts), Totals(parts=parts))
        time.sleep(0.001)
    assert publisher.stop(5.0)
    listener.wait(lambda seen: not seen.on("status")[-1]["online"])
    counts = [message["since_start"]["parts"] for message in listener.on("count")]
    assert counts[-1] == 100
    assert len(counts) <= 3


def test_stats_that_cannot_be_made_stop_nothing(line, dialect, listen, caplog):
    """An exception in the daemon's own function is logged, and results flow on."""

    def broken():
        raise RuntimeError("no sensor")

    listener = listen(dialect["port"])
    publisher = line.publish(stats=broken, **dialect)
    line.record(3)
    publisher.notify()
    listener.wait(lambda seen: len(results(seen)) == 3)
    assert "no sensor" in caplog.text


VICTIM = """
import sys, time
from pathlib import Path
from tests.publish.conftest import Line
line = Line(Path(sys.argv[1]))
line.record(5)
publisher = line.publish(port=int(sys.argv[2]), version=sys.argv[3] if sys.argv[3] != "5" else 5)
while publisher.delivered < 5:
    time.sleep(0.01)
print("delivered", flush=True)
time.sleep(60)
"""


def test_the_broker_publishes_the_will_of_a_killed_process(tmp_path, dialect, listen):
    """Retained and within two seconds, for everybody who asks how the line is."""
    listener = listen(dialect["port"])
    arguments = [tmp_path, str(dialect["port"]), str(dialect["version"])]
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as victim:
        assert victim.stdout.readline() == "delivered\n"
        victim.send_signal(signal.SIGKILL)
    lost = {"online": False, "session": 1, "reason": "lost"}
    listener.wait(lambda seen: seen.on("status")[-1:] == [lost], timeout_s=2.0)
    later = listen(dialect["port"])
    later.wait(lambda seen: seen.on("status")[-1:] == [lost])


def test_a_broker_that_restarts_loses_nothing(line, mosquitto, tmp_path):
    """A subscriber with a session sees every id, in order, and twice only what was under way."""
    keep = ("persistence true", f"persistence_location {tmp_path}/")
    broker = mosquitto(*keep)
    command = ["mosquitto_sub", "-p", str(broker.port), "-V", "5", "-c", "-i", "dashboard"]
    command += ["-x", "3600", "-q", "1", "-t", "probe", "-t", TOPICS.result]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dashboard:
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(iter(dashboard.stdout.readline, "")))
        reader.start()
        try:
            probe = ["mosquitto_pub", "-p", str(broker.port), "-t", "probe", "-m", "probe"]
            until(lambda: subprocess.run(probe, check=True) and seen)
            expected = line.record(100)
            publisher = line.publish(port=broker.port)
            until(lambda: publisher.delivered >= 20)
            broker.stop()
            until(lambda: not publisher.connected)
            expected += line.record(50)
            publisher.notify()
            mosquitto(*keep, port=broker.port)
            until(lambda: publisher.connected)
            fresh = line.record(20)
            publisher.notify()

            def received():
                return [json.loads(text) for text in seen if text.startswith("{")]

            until(lambda: {m["id"] for m in received()} >= {*expected, *fresh})
        finally:
            dashboard.terminate()
            reader.join()
    names = [message["id"] for message in received()]
    assert list(dict.fromkeys(names)) == expected + fresh
    assert len(names) - len(set(names)) <= connection.WINDOW
    historical = {m["id"]: m["historical"] for m in received()}
    assert all(historical[name] for name in expected[100:])
    assert not any(historical[name] for name in fresh)
    assert line.outbox.depth() == 0


def test_a_broker_that_hangs_is_noticed_and_comes_back(
    line, mosquitto, listen, caplog, monkeypatch
):
    """Within 2 s of a result, on the connection that stays; nothing is lost or doubled."""
    caplog.set_level("INFO")
    monkeypatch.setattr(publisher, "ANSWERS_AGAIN_S", 0.5)
    broker = mosquitto()
    listener = listen(broker.port)
    publishing = line.publish(port=broker.port)
    names = line.record(3)
    publishing.notify()
    until(lambda: line.outbox.depth() == 0 and publishing.connected)

    broker._process.send_signal(signal.SIGSTOP)
    try:
        names += line.record(3)
        publishing.notify()
        hung_s = time.monotonic()
        until(lambda: not publishing.connected)
        assert time.monotonic() - hung_s < 2.0 + SLACK_S
    finally:
        broker._process.send_signal(signal.SIGCONT)
    until(lambda: publishing.connected)
    listener.wait(lambda seen: len(ids(seen)) >= 6)

    assert ids(listener) == names
    assert "does not answer within 1.5 s" in caplog.text
    assert "answers again" in caplog.text
    assert caplog.text.count("connected to") == 1


def test_a_replay_doubles_only_what_is_replayed(line, dialect, listen):
    """Also while other results are under way; it is historical, with the same id."""
    listener = listen(dialect["port"])
    names = line.record(400)
    publishing = line.publish(**dialect)
    until(lambda: publishing.delivered >= 60)
    path = line.outbox.path
    again = list(replay.put_back(path, replay.find(path, replay.numbered(11, 50))))
    assert again == list(range(11, 51))
    publishing.notify()
    until(lambda: line.outbox.depth() == 0)
    listener.wait(lambda seen: len(ids(seen)) >= 440)
    fresh = line.record()
    publishing.notify()
    listener.wait(lambda seen: ids(seen)[-1:] == fresh)
    assert sorted(ids(listener)) == sorted(names + names[10:50] + fresh)
    told = [m for m in results(listener) if m["id"] in names[10:50]]
    assert all(message["historical"] for message in told)
    assert not results(listener)[-1]["historical"]


def test_what_is_under_way_is_not_sent_again_for_a_replay(line):
    """On the same connection: the broker may still answer."""
    with ScriptedBroker() as broker:
        publishing = line.publish(port=broker.port)
        line.record()
        publishing.notify()
        until(lambda: line.outbox.depth() == 0)
        broker.mood = Mood(puback=None)
        line.record(3)
        publishing.notify()
        until(lambda: broker.published == [4])
        assert list(replay.put_back(line.outbox.path, [1])) == [1]
        until(lambda: broker.published == [5])
        time.sleep(3 * publisher.TICK_S)
        assert broker.published == [5]


def test_who_has_delivered_all_rests(line, mosquitto):
    """It looks for no more until it is told, and has nothing to wait for at a stop."""
    publishing = line.publish(port=mosquitto().port)
    line.record(3)
    publishing.notify()
    until(lambda: line.outbox.depth() == 0)
    time.sleep(2 * publisher.TICK_S)
    assert not publishing._recorded.is_set()
    began_s = time.monotonic()
    assert publishing.stop(10.0)
    assert time.monotonic() - began_s < 2.0 + SLACK_S


def test_answers_that_cannot_be_written_down_double_nothing(line, dialect, listen, monkeypatch):
    """On a full disk: nothing more is sent meanwhile, and then all goes on."""
    listener = listen(dialect["port"])
    names = line.record(60)
    with monkeypatch.context() as patch:
        tried = []

        def full(answers):
            tried.append(len(answers))
            raise OutboxError("full")

        patch.setattr(line.outbox, "answered", full)
        publishing = line.publish(**dialect)
        until(lambda: len(tried) > 3)
        listener.wait(lambda seen: len(ids(seen)) >= tried[-1])
        assert publishing.delivered == 0
        assert max(tried) <= connection.WINDOW
    until(lambda: line.outbox.depth() == 0)
    listener.wait(lambda seen: len(ids(seen)) >= 60)
    assert publishing.stop(5.0)
    assert ids(listener) == names


def test_a_broker_that_does_not_answer_is_left(line, monkeypatch, caplog):
    """An overdue PUBACK ends the connection; the window is the broker's, and nothing is lost."""
    monkeypatch.setattr(connection, "ACK_TIMEOUT_S", 0.3)
    monkeypatch.setattr(publisher, "TICK_S", 0.05)
    with ScriptedBroker(Mood(puback=None, at_most=5)) as deaf:
        line.record(30)
        publishing = line.publish(port=deaf.port)
        until(lambda: len(deaf.published) >= 3)
        before_s = publishing.last_progress_s
        until(lambda: publishing.last_progress_s > before_s)
        assert not publishing.stop(0.0)
    assert deaf.published[0] == 5
    assert "no answer to" in caplog.text
    assert line.outbox.depth() == 30


def test_a_stop_without_a_broker_is_soon_over(line):
    """What could not be delivered is said by the answer and stays in the outbox."""
    port = free_port()
    publishing = line.publish(port=port)
    line.record(2)
    publishing.notify()
    began_s = time.monotonic()
    assert not publishing.stop(5.0)
    assert time.monotonic() - began_s < 2.0
    assert line.outbox.depth() == 2
    assert not publishing.connected


def test_pauses_grow_and_differ():
    """The first retry comes at once, the later ones up to a minute apart, never in step."""
    first = [publisher._backoff_s(1) for _ in range(50)]
    late = [publisher._backoff_s(20) for _ in range(50)]
    assert min(first) >= 0.2
    assert max(first) <= 1.0
    assert min(late) >= 30.0
    assert max(late) <= 60.0
    assert len(set(late)) > 10


def test_a_broker_that_is_away_for_days_is_found_again(line, mosquitto, monkeypatch):
    """However often it was tried in vain: 1,100 times are half a day."""
    # Below those that clients get: one of so many would be its own address, and talk to itself.
    port = free_port(random.randrange(20_000, 30_000))
    for name, value in (("RETRY_FIRST_S", (0.0, 0.0)), ("RETRY_MAX_S", 0.0)):
        monkeypatch.setattr(publisher, name, value)
    tried = []
    deliver = publisher.Publisher._deliver
    monkeypatch.setattr(
        publisher.Publisher, "_deliver", lambda self: tried.append(1) or deliver(self)
    )
    line.record()
    publishing = line.publish(port=port)
    until(lambda: len(tried) > 1100)
    mosquitto(port=port)
    until(lambda: line.outbox.depth() == 0)
    assert publishing.stop(5.0)


def test_reconnecting_costs_no_descriptor(line):
    """A broker that is away for days does not use up the process."""
    port = free_port()

    def descriptors():
        return len(list(Path("/proc/self/fd").iterdir()))

    publishing = line.publish(port=port)
    publishing.stop(0.0)
    before = descriptors()
    for _ in range(20):
        with pytest.raises(connection.BrokerError):
            publishing._deliver()
    assert descriptors() == before
