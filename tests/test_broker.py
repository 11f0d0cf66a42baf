"""The broker of our own that the demo and the tests use."""

import gc
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from inspector import broker as module
from inspector.broker import Broker, find_mosquitto
from inspector.errors import BrokerError
from tests.support.listener import Listener
from tests.support.ports import is_listening

ROOT = Path(__file__).parents[1]
mosquitto_only = pytest.mark.skipif(
    find_mosquitto() is None, reason="needs MQTT 5: no mosquitto is installed"
)
KINDS = [pytest.param("mosquitto", marks=mosquitto_only), "amqtt"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_ready_when_it_is_there_and_gone_when_it_is_stopped(kind, capfd):
    """A client connects at once; afterwards nobody listens, and nothing was printed."""
    with Broker.start(kind) as broker:
        assert (broker.kind, broker.host) == (kind, "127.0.0.1")
        assert broker.mqtt_version == (5 if kind == "mosquitto" else "3.1.1")
        listener = Listener(broker.port)
        listener.close()
    broker.stop()
    assert not is_listening(broker.port)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", KINDS)
def test_it_leaves_no_connection_open(kind):
    """Neither of a client that has gone without a word nor of one that is still there."""
    with warnings.catch_warnings(record=True, action="always", category=ResourceWarning) as told:
        broker = Broker.start(kind)
        socket.create_connection((broker.host, broker.port)).close()
        with socket.create_connection((broker.host, broker.port)):
            broker.stop()
        del broker
        gc.collect()

    assert [str(warning.message) for warning in told] == []


@pytest.mark.parametrize("kind", KINDS)
def test_two_brokers_do_not_meet(kind):
    """Each has a port of its own, and a port can be asked for again."""
    with Broker.start(kind) as one, Broker.start(kind) as other:
        assert one.port != other.port
    with Broker.start(kind, port=one.port) as again:
        assert again.port == one.port


@mosquitto_only
def test_auto_takes_an_installed_mosquitto():
    """It knows MQTT 5."""
    with Broker.start() as broker:
        assert broker.kind == "mosquitto"


def test_auto_falls_back_to_amqtt(monkeypatch):
    """Without Mosquitto the demo still has a broker; asking for Mosquitto itself is an error."""
    monkeypatch.setattr(module, "find_mosquitto", lambda: None)
    with Broker.start() as broker:
        assert broker.kind == "amqtt"
    with pytest.raises(BrokerError, match="mosquitto"):
        Broker.start("mosquitto")


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_that_is_taken_is_an_error(kind):
    """No broker pretends that somebody else's port is its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BrokerError, match=str(port)):
            Broker.start(kind, port=port)


@mosquitto_only
def test_a_wrong_configuration_is_told_in_mosquittos_words():
    """The error carries what Mosquitto complained about."""
    with pytest.raises(BrokerError, match="no_such_option"):
        Broker.start("mosquitto", extra=["no_such_option true"])


@mosquitto_only
def test_it_dies_with_us():
    """No Mosquitto is left behind when its parent is killed."""
    program = (
        "import time; from inspector.broker import Broker; "
        "print(Broker.start('mosquitto').port, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"import inspector.broker as b; {program}"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as parent:
        port = int(parent.stdout.readline())
        assert is_listening(port)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while is_listening(port):
        assert time.monotonic() < deadline
        time.sleep(0.02)
