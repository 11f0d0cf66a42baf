"""sd_notify(3) in a few lines: tell systemd how the service is doing. Does nothing elsewhere."""

import logging
import os
import socket

log = logging.getLogger(__name__)

PATIENCE_S = 1.0  # a service manager that does not listen must not stop the line


def notify(*assignments: str) -> None:
    """Send assignments such as `READY=1` to the service manager, if one listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket's name begins with a zero byte
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(PATIENCE_S)
        try:
            channel.sendto("\n".join(assignments).encode(), address)
        except OSError as error:
            log.warning("expected a service manager that listens, found: %s", error)
