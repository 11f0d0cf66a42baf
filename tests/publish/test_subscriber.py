"""What `watch` and the demo hear."""

import threading

import pytest
from paho.mqtt.publish import single

from inspector.broker import Broker, find_mosquitto
from inspector.config import MqttConfig
from inspector.errors import BrokerError
from inspector.publish.subscriber import Received, Subscriber
from tests.publish.conftest import until

TOPIC = "inspector/v1/a/b/result"


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request):
    if request.param == "mosquitto" and find_mosquitto() is None:
        pytest.skip("needs MQTT 5: no mosquitto is installed")
    with Broker.start(request.param) as broker:
        yield broker


class Watcher:
    """Iterates a subscriber on a thread of its own."""

    def __init__(self, broker, *topic_filters):
        config = MqttConfig(port=broker.port, version=broker.mqtt_version)
        self.subscriber = Subscriber(config, *topic_filters)
        self.received = []
        self.thread = threading.Thread(target=lambda: self.received.extend(self.subscriber))
        self.thread.start()
        assert self.subscriber.subscribed.wait(5)

    def stop(self):
        self.subscriber.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def watcher(broker):
    watcher = Watcher(broker, "inspector/v1/+/+/result", "inspector/v1/+/+/alarm/+")
    yield watcher
    watcher.stop()


def say(broker, payload, topic=TOPIC):
    single(topic, payload, qos=1, port=broker.port)


def test_messages_come_parsed_and_a_duplicate_only_once(broker, watcher):
    """An id that was seen is dropped; what has no id, and what is empty, is passed on."""
    for payload in ('{"id": "1"}', '{"id": "2"}', '{"id": "1"}', "[1]", ""):
        say(broker, payload)
    say(broker, '{"code": "x"}', "inspector/v1/a/b/alarm/x")
    until(lambda: len(watcher.received) == 5)
    assert watcher.received == [
        Received(TOPIC, {"id": "1"}),
        Received(TOPIC, {"id": "2"}),
        Received(TOPIC, [1]),
        Received(TOPIC, None),
        Received("inspector/v1/a/b/alarm/x", {"code": "x"}),
    ]


def test_what_is_no_json_is_dropped_with_a_word(broker, watcher, caplog):
    """Another program on the same topic does not end the watch."""
    say(broker, b"\xff\xfe")
    say(broker, b"[" * 100_000)
    say(broker, '{"id": "1"}')
    until(lambda: watcher.received)
    assert watcher.received[0].content == {"id": "1"}
    assert "expected JSON" in caplog.text


def test_it_comes_back_after_a_restart(broker, watcher):
    """The broker is gone and there again: the iteration goes on."""
    broker.stop()
    until(lambda: not watcher.subscriber.subscribed.is_set())
    with Broker.start(broker.kind, port=broker.port) as again:
        assert watcher.subscriber.subscribed.wait(10)
        say(again, '{"id": "1"}')
        until(lambda: watcher.received)


def test_without_a_broker_it_says_so_at_once(broker):
    """A typing error in the address is not waited for."""
    broker.stop()
    with pytest.raises(BrokerError, match=str(broker.port)):
        next(iter(Subscriber(MqttConfig(port=broker.port), "#")))
