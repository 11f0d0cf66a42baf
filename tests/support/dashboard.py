"""A dashboard that shares no line of code with the product: Mosquitto's own subscriber."""

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any

SUBSCRIBER = "mosquitto_sub"


@dataclass(frozen=True, slots=True)
class Heard:
    """A result, and when it was heard on the monotonic clock."""

    at_s: float
    result: dict[str, Any]


class Dashboard:
    """Collects the results of a broker on this machine, also over the broker's restarts."""

    def __init__(self, port: int) -> None:
        self.heard: list[Heard] = []
        command = [SUBSCRIBER, "-p", str(port), "-V", "5", "-c", "-i", "dashboard", "-x", "3600"]
        command += ["-q", "1", "-t", "ready", "-t", "inspector/v1/+/+/result"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        knock = ["mosquitto_pub", "-p", str(port), "-t", "ready", "-m", "ready"]
        deadline_s = time.monotonic() + 10
        while not self._ready.wait(0.05):
            assert time.monotonic() < deadline_s, "expected a subscriber that listens"
            subprocess.run(knock, check=True)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            if text.startswith("{"):
                self.heard.append(Heard(time.monotonic(), json.loads(text)))
            else:
                self._ready.set()

    def ids(self) -> set[str]:
        """Of all results so far."""
        return {heard.result["id"] for heard in list(self.heard)}

    def first(self, session: int) -> float | None:
        """When the first result of a session was heard; ids are device-session-number-drawn."""
        return next((h.at_s for h in list(self.heard) if session_of(h.result) == session), None)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


def session_of(result: dict[str, Any]) -> int:
    return int(result["id"].split("-")[1])
