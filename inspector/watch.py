"""`inspector watch`: what arrives at the broker, one line per result."""

import json
import logging
import sys

from inspector import report
from inspector.config import MqttConfig
from inspector.publish.subscriber import Subscriber
from inspector.publish.topics import ROOT

log = logging.getLogger(__name__)


def run(mqtt: MqttConfig, *, site: str = "+", line: str = "+", as_json: bool = False) -> None:
    """Print results until Ctrl-C.

    Raises:
        BrokerError: the broker cannot be reached, or refuses.
    """
    subscriber = Subscriber(mqtt, f"{ROOT}/{site}/{line}/result")
    try:
        for received in subscriber:
            try:
                text = _json(received.content) if as_json else _line(received.content)
            except (AttributeError, LookupError, TypeError, ValueError):
                log.warning("%s: expected a result, found other JSON", received.topic)
                continue
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        subscriber.stop()


def _json(result: dict[str, object]) -> str:
    return json.dumps({**result}, allow_nan=False)  # an object, or it raises


def _line(result: dict[str, object]) -> str:
    return f"{result['time']}  {result['site']}/{result['line']}  {report.line(result)}"
