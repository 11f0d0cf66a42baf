"""A network cable between this machine and another one, which is a namespace of its kernel."""

import os
import shutil
import subprocess
from typing import Self

from tests.support.machine import NO_RIGHT

HERE, THERE = "10.213.77.1", "10.213.77.2"


def missing() -> str | None:
    """What it takes to lay one; None if it is there."""
    if shutil.which("ip") is None:
        return "apt install iproute2"
    try:
        with Cable():
            return None
    except subprocess.CalledProcessError as error:
        return f"{NO_RIGHT}, nor to lay a cable: {error.stderr.decode().strip()}"


class Cable:
    """Laid while it is entered. Pulled, packets vanish: no reset, no goodbye tells either end."""

    def __init__(self) -> None:
        self._name = f"i{os.getpid() % 100_000}"
        self._near, self._far = f"{self._name}a", f"{self._name}b"

    def __enter__(self) -> Self:
        self._ip("netns", "add", self._name)
        self._ip("link", "add", self._near, "type", "veth", "peer", "name", self._far)
        self._ip("link", "set", self._far, "netns", self._name)
        self._ip("addr", "add", f"{HERE}/30", "dev", self._near)
        self._ip("link", "set", self._near, "up")
        inside = ("-n", self._name)
        self._ip(*inside, "addr", "add", f"{THERE}/30", "dev", self._far)
        self._ip(*inside, "link", "set", self._far, "up")
        self._ip(*inside, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        self._ip("link", "del", self._near)
        self._ip("netns", "del", self._name)  # with its end

    @property
    def at_the_far_end(self) -> list[str]:
        """What to write before a command that shall run there."""
        return ["ip", "netns", "exec", self._name]

    def pull(self, pulled: bool) -> None:
        """Or plug it in again. The near end stays up, as that of a switch does."""
        self._ip("-n", self._name, "link", "set", self._far, "down" if pulled else "up")

    @staticmethod
    def _ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)
