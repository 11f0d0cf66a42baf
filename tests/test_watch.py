"""`inspector watch`, as somebody starts it to see what arrives."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.publish import single

from inspector.broker import Broker
from tests.test_cli import run


def test_what_others_say_below_the_topics_of_results_does_not_end_it(
    broker: Broker, model: Path, pictures: Path
) -> None:
    """It is a warning each; results go on to be printed."""
    result = run("inspect", pictures / "bad.png", "--model", model, "--json").stdout
    foreign = ("[1, 2]", '{"a": 1}', "", '{"time": 1, "site": 2, "line": 3, "scratches": 4}')
    topic, port = "inspector/v1/a/b/result", broker.port
    single(topic, result, 1, retain=True, port=port)  # the first that it hears
    command = [sys.executable, "-m", "inspector", "watch", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        try:
            shown = watching.stdout.readline()
            for payload in (*foreign, result.replace('"id":"', '"id":"another-')):
                single(topic, payload, 1, port=port)
            shown += watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            _, said = watching.communicate(timeout=15)
        finally:
            watching.kill()

    assert shown.count("FAIL") == 2
    assert watching.returncode == 0
    assert said.count("expected a result, found other JSON") == len(foreign)


@pytest.mark.parametrize("told", [("--port", 1884), ("--host", "127.0.0.1")])
def test_a_broker_beside_the_one_of_a_line_is_a_mistake(tmp_path: Path, told: Any) -> None:
    """Exit 2: one of the two would be heard, and nobody knows which."""
    (tmp_path / "line.yaml").write_text("site: a\nline: b\ncamera: {source: 'folder:c'}\n")

    done = run("watch", *told, "--config", "line.yaml", cwd=tmp_path)

    assert (done.returncode, "the broker of line.yaml" in done.stderr) == (2, True)


def test_json_is_json_whatever_others_say(broker: Broker) -> None:
    """One object per line, and a NaN is none."""
    topic, port = "inspector/v1/a/b/result", broker.port
    single(topic, '{"length_px": NaN}', 1, retain=True, port=port)
    command = [sys.executable, "-m", "inspector", "watch", "--json", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        try:
            said = watching.stderr.readline()
            single(topic, "", 1, retain=True, port=port)
            single(topic, "[]", 1, port=port)
            single(topic, '{"id": "1"}', 1, port=port)
            shown = watching.stdout.readline()
        finally:
            watching.kill()

    assert "expected a result, found other JSON" in said
    assert shown == '{"id": "1"}\n'
