"""`inspector demo`: the whole factory on one machine, without camera, broker or network.

A conveyor of sample pictures is the camera, the real daemon judges them in a process of its own, a
broker of our own carries the results, and the table shows what was read back from the broker. A web
page shows the operator's page, and breaks things on request.
"""

import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, nullcontext, suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live

from inspector import report
from inspector.broker import HOST, Broker, free_port
from inspector.demo.factory import LINE, PIN, SITE, Factory
from inspector.demo.panel import Fault, Panel
from inspector.errors import InspectorError
from inspector.page.serving import listen
from inspector.publish.subscriber import Subscriber
from inspector.publish.topics import Topics

PORT = 8080


def run(seconds: float | None, port: int | None = None) -> None:
    """Show the factory until Ctrl-C, or for so many seconds; then say what was seen.

    `port` is that of its web page, by default `PORT` if that is free.

    Raises:
        InspectorError: the port is taken, the daemon ended by itself, or no result arrived.
    """
    started_s = time.monotonic()
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="inspector-demo-")))
        listener = stack.enter_context(closing(_listen(port)))
        port = listener.getsockname()[1]
        broker = Broker.start()
        stack.callback(broker.stop)
        page = f"{HOST}:{free_port()}"
        names = [f"http://{name}:{port}" for name in (HOST, "localhost")]
        factory = Factory(folder, broker, page=page, framed_by=names)
        stack.callback(factory.stop)
        stack.enter_context(Panel(listener, f"http://{page}", _faults(factory)))
        stack.callback(factory.stop)  # a broker that the panel started ends with the panel's thread
        console.print(f"{broker.kind} listens on {broker.host}:{broker.port}; Ctrl-C ends the demo")
        console.print(f"look, and break something: {names[0]}  (PIN {PIN})", highlight=False)
        command = sys.argv[0] if Path(sys.argv[0]).name == "inspector" else "inspector"
        another = f"{command} calibrate --min-scratch-px 190 --config {factory.config}"
        console.print(f"set another limit: {another}", highlight=False, soft_wrap=True)
        results = Subscriber(factory.mqtt, Topics(SITE, LINE).result)
        if seconds is not None:
            timer = threading.Timer(seconds, results.stop)
            timer.start()
            stack.callback(timer.cancel)
        threading.Thread(target=factory.end, args=(results.stop,), daemon=True).start()
        board, first_s = _show(console, results, started_s)
        if factory.process.poll() is not None:
            said = factory.log.read_text()
            raise InspectorError(f"expected the daemon to run on, found:\n{said}")
    if first_s is None:
        raise InspectorError("expected results from the broker, found none")
    console.print(f"{board.summary()}; first verdict {first_s:.1f} s after the start")


def _faults(factory: Factory) -> dict[str, Fault]:
    conveyor = factory.conveyor
    return {
        "camera": Fault(
            "Pull the camera",
            "Plug the camera in",
            "No picture, no pass: every part that passes is UNKNOWN, and an alarm says why. "
            "Plugged in again, it is judged by within 10 s.",
            conveyor.pull,
        ),
        "lens": Fault(
            "Blur the lens",
            "Wipe the lens",
            "What cannot be seen sharply is UNKNOWN: the picture is less sharp than this line's "
            "pictures have to be.",
            conveyor.blur,
        ),
        "broker": Fault(
            "Stop the broker",
            "Start the broker",
            "Judging goes on, results wait in the outbox (Health). Started again, the broker gets "
            "all of them, each once, marked as historical.",
            factory.stop_broker,
        ),
        "disk": Fault(
            "Fill the disk",
            "Make room on the disk",
            "Every write of the inspector is refused, as on a full disk (yours is not touched). "
            "What cannot be recorded is rejected, whatever was seen on it.",
            factory.fill_disk,
        ),
    }


def _listen(port: int | None) -> socket.socket:
    """The port that was asked for; else the usual one, or any other if that is taken."""
    try:
        return listen(f"{HOST}:{port or PORT}")
    except OSError as error:
        if port is not None:
            raise InspectorError(str(error)) from None
        return socket.create_server((HOST, 0))


def _show(
    console: Console, results: Subscriber, started_s: float
) -> tuple[report.Board, float | None]:
    """Draw what the broker delivers until the end; the board, and when the first verdict came."""
    board, first_s = report.Board(), None
    title = "Scratch inspector: verdicts as the broker delivers them"
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    with suppress(KeyboardInterrupt), live or nullcontext():
        for received in results:
            if first_s is None:
                first_s = time.monotonic() - started_s
            board.add(received.content)
            if live:
                live.update(board.table(title), refresh=True)
            else:
                console.print(report.line(received.content), soft_wrap=True, highlight=False)
    return board, first_s
