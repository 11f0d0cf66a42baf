"""The whole factory, over both brokers."""

import os
import re
import signal
import subprocess
import sys

import pytest

from inspector import broker, demo


def start(*args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "inspector", "demo", *args]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e300"])
def test_a_time_that_no_clock_counts_is_a_mistake(seconds: str) -> None:
    """Exit 2: the demo would not end by itself."""
    process = start("--seconds", seconds)
    out, _ = process.communicate(timeout=40)

    assert (process.returncode, out) == (2, "")


def test_the_demo_ends_by_itself_with_a_summary() -> None:
    """Verdicts of all three surfaces come back from the broker, the first within ten seconds."""
    process = start("--seconds", "8")
    out, err = process.communicate(timeout=40)

    assert process.returncode == 0, err
    first = re.search(r"(\d+) parts: .*; first verdict ([\d.]+) s after the start", out)
    assert first, out
    assert int(first[1]) >= 3
    assert float(first[2]) <= 10
    assert all(f"-{surface}-" in out for surface in ("text", "plate", "phone"))


def test_another_limit_can_be_set_as_it_says_while_it_runs() -> None:
    """From the next part on scratches pass that failed before."""
    process = start("--seconds", "25")
    told = ""
    while not (hint := re.search(r"set another limit: inspector (.+)", told)):
        told = process.stdout.readline()
        assert told, process.stderr.read()
    while not told.startswith("FAIL"):
        told = process.stdout.readline()
    command = [sys.executable, "-m", "inspector", *hint[1].split()]
    subprocess.run(command, check=True, capture_output=True, timeout=60)

    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    lengths = {word: [] for word in ("PASS", "FAIL")}
    for word, length in re.findall(r"^(PASS|FAIL) +([\d.]+) px", out, re.MULTILINE):
        lengths[word].append(float(length))
    assert 40 < max(lengths["PASS"]) < 190
    assert max(lengths["FAIL"]) >= 190


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_demo_cleanly(number: int) -> None:
    """The whole process group gets the signal, as from a terminal; nothing is left running."""
    process = start()
    while " ms " not in process.stdout.readline():
        assert process.poll() is None
    os.killpg(process.pid, number)

    out, err = process.communicate(timeout=30)

    assert process.returncode == 0, err
    assert "parts: " in out
    assert err == ""


def test_the_demo_runs_without_mosquitto(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """amqtt in process, MQTT 3.1.1."""
    monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
    before = signal.getsignal(signal.SIGTERM)
    try:
        demo.run(6)
    finally:
        signal.signal(signal.SIGTERM, before)

    out = capsys.readouterr().out
    assert out.startswith("amqtt listens")
    assert re.search(r"\d+ parts: ", out)
