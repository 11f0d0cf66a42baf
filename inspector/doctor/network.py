"""The broker, and the certificates that lead to it."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from inspector.config import LineConfig
from inspector.doctor import certificates
from inspector.doctor.finding import Finding, Status
from inspector.errors import BrokerError
from inspector.page.serving import listen
from inspector.publish.connection import Answer, Connection
from inspector.publish.topics import Topics
from inspector.record.database import is_held
from inspector.record.schema import OUTBOX

ANSWER_S = 5.0  # for the broker's answer to one message
EXPIRY_WARN = timedelta(days=30)
NETWORK = "is it running, and do host, port, firewall, user, password and CA agree with it?"


def broker(line: LineConfig) -> Iterator[Finding]:
    """It accepts us, and takes what the line may say.

    Tried with an empty message that is not kept, below the line's own topic.
    """
    where = f"{line.mqtt.host}:{line.mqtt.port}"
    topic = f"{Topics(line.site, line.line).root}/doctor"
    try:
        answer = _say_nothing(line, topic)
    except BrokerError as error:
        yield Finding("broker", Status.BAD, str(error), NETWORK)
        return
    if answer is None:
        found = f"{where}: accepted us, and did not answer to a message within {ANSWER_S:g} s"
        yield Finding("broker", Status.BAD, found, "look at the broker's log")
    elif answer.refusal is not None:
        found = f"{where}: accepted us, and refused a message to {topic}: {answer.refusal}"
        advice = f"let the user of this line write to {Topics(line.site, line.line).root}/#"
        yield Finding("broker", Status.BAD, found, advice)
    elif line.mqtt.version != 5:
        found = f"{where}: accepted us with MQTT {line.mqtt.version}"
        advice = "take version 5 if the broker knows it: only there it can say that it refused"
        yield Finding("broker", Status.WARN, found, advice)
    else:
        yield Finding("broker", Status.OK, f"{where}: accepted us, and a message to {topic}")


def _say_nothing(line: LineConfig, topic: str) -> Answer | None:
    connection = Connection(line.mqtt, f"inspector-doctor-{os.getpid()}", topic, "")
    try:
        connection.send(topic, "")
        answers: list[Answer] = []
        deadline_s = time.monotonic() + ANSWER_S
        while not answers and time.monotonic() < deadline_s:
            answers = connection.pump(0.1)
        connection.close()
    except BaseException:
        connection.drop()
        raise
    return answers[0] if answers else None


def tls(line: LineConfig) -> Iterator[Finding]:
    """Until when the CA, the broker's certificate and our own hold."""
    config, tls = line.mqtt, line.mqtt.tls
    if tls is None:
        return
    yield _ask(str(tls.ca_file), partial(certificates.ca_end, tls.ca_file))
    shown = f"certificate of {config.host}:{config.port}"
    yield _ask(shown, partial(certificates.broker_end, config, tls))
    if tls.cert_file is not None:
        yield _ask(str(tls.cert_file), partial(certificates.own_end, tls.cert_file))


def ports(line: LineConfig) -> Iterator[Finding]:
    """The addresses of the page and of the metrics are ours to listen at."""
    wanted = (("page", line.page), ("metrics", line.metrics))
    for name, config in wanted:
        if config is None:
            continue
        try:
            listen(config.listen).close()
        except OSError as error:
            yield _taken(name, error, running=is_held(line.state_dir / OUTBOX))
        else:
            yield Finding(name, Status.OK, f"{config.listen}: free")


def _taken(name: str, error: OSError, *, running: bool) -> Finding:
    in_use = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
    if in_use and running:
        return Finding(name, Status.OK, "its port is in use, and this line is running")
    advice = (
        "another program has it: `ss -ltnp` names it; give the line another port"
        if in_use
        else "take an address of this PC, and a port from 1024 on"
    )
    return Finding(name, Status.BAD, str(error), advice)


def _ask(name: str, end: Callable[[], datetime | None]) -> Finding:
    try:
        return expiry(name, end(), datetime.now(UTC))
    except OSError as error:
        return Finding("tls", Status.BAD, f"{name}: {error}", NETWORK)


def expiry(name: str, end: datetime | None, now: datetime) -> Finding:
    """How long a certificate still holds; `end` None: nothing here can read it."""
    if end is None:
        advice = "install openssl, which reads certificates"
        return Finding("tls", Status.WARN, f"{name}: expected its date, found no openssl", advice)
    left = end - now
    status = Status.OK if left > EXPIRY_WARN else Status.WARN if left > timedelta() else Status.BAD
    advice = "" if status is Status.OK else "renew it"
    found = f"{name}: until {end:%Y-%m-%d}, {left.days} days"
    return Finding("tls", status, found, advice)
