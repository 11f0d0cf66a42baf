"""The publisher: one thread that carries recorded results, and how the line is, to the broker.

The outbox is the session: a row is marked only by a successful PUBACK, and whatever was under way
when a connection ended goes out again on the next one, with the same id.
"""

import json
import logging
import math
import random
import threading
import time
from collections.abc import Callable

from inspector.config import MqttConfig
from inspector.errors import BrokerError, OutboxError
from inspector.limits import Limits
from inspector.publish.announcement import AlarmMessage, Offline, StatsMessage, Totals
from inspector.publish.bell import Bell
from inspector.publish.board import Board
from inspector.publish.connection import ANSWER_S, Connection
from inspector.publish.message import ModelInfo, encode, limits_in_force
from inspector.publish.suspicion import Suspicion
from inspector.publish.topics import Topics
from inspector.record.outbox import Outbox, Row

log = logging.getLogger(__name__)

TICK_S = 0.25  # how often it looks around while nothing happens
STATS_EVERY_S = 10.0
RETRY_FIRST_S = (0.2, 1.0)  # a broker that restarts is back soon, and not for all lines at once
RETRY_MAX_S = 60.0
DOUBLINGS = 10  # of 1 s, far beyond RETRY_MAX_S: after half a day no float holds them all
ANSWERS_AGAIN_S = 5.0  # without an overdue answer a broker that hung is there again
STEADY_S = 5.0  # a connection that lived so long was no failure
GOODBYE_S = 1.0  # for the answer to the last status
PUBLISH_REFUSED = "publish_refused"


class Publisher:
    """Delivers an outbox. Its methods are for any thread, and all but `stop` return at once."""

    def __init__(
        self,
        config: MqttConfig,
        topics: Topics,
        outbox: Outbox,
        *,
        model: ModelInfo,
        limits: Limits,
        stats: Callable[[], StatsMessage],
    ) -> None:
        self.connected = False
        """Whether the broker has accepted us, is still there, and answers in time."""
        self.delivered = 0
        """Results that the broker acknowledged since the start."""
        self.last_progress_s = time.monotonic()
        """When the thread last went round, on the monotonic clock. A connect can take 15 s."""
        self._config = config
        self._topics = topics
        self._outbox = outbox
        self._model = model
        self._limits = limits_in_force(limits)
        self._stats = stats
        self._bell = Bell()
        self._recorded = threading.Event()
        self._stop_by: float | None = None
        self._refused = 0
        self._complaint = "", 0  # the last reason that was told, and the number of results then
        self._answers: dict[int, str | None] = {}  # of the broker, not yet written down
        self._suspicion = Suspicion()
        self._stats_due_s = 0.0
        self._overdue_s = -math.inf  # when an answer was last overdue on this connection
        self._board = Board(topics, outbox.session, confirmed=config.version == 5)
        self.set_state("starting")
        self._board.birth(outbox.device, self._model, self._limits)
        self.alarm(PUBLISH_REFUSED, None)
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Start to connect and deliver."""
        if self._config.version != 5:
            log.warning(
                "MQTT %s: the broker cannot say that it refused a result, so delivery is assumed",
                self._config.version,
            )
        self._thread.start()

    def notify(self) -> None:
        """A result was recorded."""
        self._recorded.set()
        self._bell.ring()

    def set_state(self, state: str) -> None:
        """What `status` says that the line does."""
        self.state = state
        self._board.state(state)
        self._bell.ring()

    def set_count(self, since_start: Totals, since_midnight: Totals) -> None:
        """How many parts were judged; sent once per second at most."""
        self._board.count(since_start, since_midnight)

    def set_limits(self, limits: Limits) -> None:
        """The limits in force have changed; `birth` says so."""
        self._limits = limits_in_force(limits)
        self._board.birth(self._outbox.device, self._model, self._limits)
        self._bell.ring()

    def alarm(self, code: str, text: str | None) -> None:
        """Raise an alarm, change its text, or with None clear it, be it of an earlier session."""
        self._board.alarm(code, text)
        self._bell.ring()

    @property
    def alarms(self) -> tuple[AlarmMessage, ...]:
        """What is alarming now, the oldest first."""
        return self._board.alarms

    def stop(self, timeout_s: float) -> bool:
        """Deliver what can be delivered in that time and say goodbye; True if nothing is left."""
        self._stop_by = time.monotonic() + timeout_s
        self._bell.ring()
        if self._thread.ident is not None:
            self._thread.join(timeout_s + GOODBYE_S)
        if self._thread.is_alive():
            return False
        self._bell.close()
        return self._outbox.depth() == 0

    def _run(self) -> None:
        failures = 0
        while True:
            last_try = self._stop_by is not None
            began_s, before = time.monotonic(), (self.delivered, self._refused)
            try:
                self._deliver()
            except BrokerError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("publishing failed")
            else:
                return
            finally:
                self.connected = False
            if last_try:
                return
            lived = time.monotonic() - began_s > STEADY_S
            helped = before != (self.delivered, self._refused)
            failures = 1 if lived or helped else failures + 1
            self._pause(_backoff_s(failures))

    def _pause(self, delay_s: float) -> None:
        until_s = time.monotonic() + delay_s
        while self._stop_by is None and (left_s := until_s - time.monotonic()) > 0:
            self.last_progress_s = time.monotonic()
            self._bell.wait(min(left_s, TICK_S))

    def _deliver(self) -> None:
        """One connection. Returns after a goodbye, raises when it is lost."""
        will = Offline(session=self._outbox.session, reason="lost")
        client_id = f"inspector-{self._outbox.device}"  # takes over from a half-dead connection
        connection = Connection(self._config, client_id, self._topics.status, encode(will))
        try:
            self._serve(connection)
        except BaseException as error:
            if isinstance(error, BrokerError):
                self._suspect(connection)
            connection.drop()
            raise
        connection.close()

    def _suspect(self, connection: Connection) -> None:
        """The connection is lost: was it for one of the results?"""
        blamed = connection.blamed
        seq, size_bytes = (blamed.seq, blamed.size_bytes) if blamed else (None, 0)
        times = self._suspicion.lost(connection.under_way, seq, size_bytes)
        if blamed and times:
            often = "once" if times == 1 else f"{times} times"
            said = f": {blamed.reason}" if blamed.reason else ", without a word"
            self._answers[blamed.seq] = f"it hung up on it {often}{said}"
            self._write_down(is_news=True)

    def _serve(self, connection: Connection) -> None:
        waited = self._outbox.last_seq  # rows up to this one were recorded before the connection
        cursor = 0
        log.info("connected to %s:%s", self._config.host, self._config.port)
        self.connected, self._overdue_s = True, -math.inf
        self._board.birth(self._outbox.device, self._model, self._limits)
        self._board.resend()
        self._recorded.set()
        while not self._finished(connection):
            self.last_progress_s = time.monotonic()
            self._send_board(connection)
            self._send_stats(connection)
            cursor = self._send_rows(connection, cursor, waited)
            self._settle(connection, self._bell)
            self._notice(connection)
        self._say_goodbye(connection)

    def _notice(self, connection: Connection) -> None:
        """Tell of a broker that hangs with its connection open, and of its coming back. One that is
        always too slow does not come and go with each result.
        """
        now_s = time.monotonic()
        if not connection.answering:
            self._overdue_s = now_s
        connected = connection.answering and now_s - self._overdue_s > ANSWERS_AGAIN_S
        if connected != self.connected:
            self.connected = connected
            how = "answers again" if connected else f"does not answer within {ANSWER_S} s"
            log.warning("the broker at %s:%s %s", self._config.host, self._config.port, how)

    def _finished(self, connection: Connection) -> bool:
        if self._stop_by is None:
            return False
        delivered = connection.idle and not self._answers and not self._recorded.is_set()
        return delivered or time.monotonic() > self._stop_by

    def _send_board(self, connection: Connection) -> None:
        hurry = self._stop_by is not None
        while connection.room > 0:
            message = self._board.take(time.monotonic(), hurry=hurry)
            if message is None:
                return
            connection.send(*message, retain=True)

    def _send_stats(self, connection: Connection) -> None:
        now_s = time.monotonic()
        if now_s < self._stats_due_s or connection.room <= 0:
            return
        self._stats_due_s = now_s + STATS_EVERY_S
        try:
            payload = encode(self._stats())
        except Exception:
            log.exception("stats could not be made")
        else:
            connection.send(self._topics.stats, payload)

    def _send_rows(self, connection: Connection, cursor: int, waited: int) -> int:
        if self._outbox.changed_elsewhere():
            cursor = 0
            self._recorded.set()
            self._count_refused()
        room = connection.room
        # What was answered and could not be written down would be sent again, so all wait for it.
        if room <= 0 or self._answers or not self._recorded.is_set():
            return cursor
        self._recorded.clear()  # before looking, so that a row that comes meanwhile is not missed
        under_way = connection.under_way  # beyond the cursor only after somebody changed the rows
        rows = self._outbox.pending(cursor, room + len(under_way))
        rows = tuple(row for row in rows if row.seq not in under_way)[:room]
        number = self._suspicion.apart(tuple(row.seq for row in rows), under_way)
        if len(rows) == room or number < len(rows):
            self._recorded.set()
        rows = rows[:number]
        for row in rows:
            waits = row.seq <= waited or row.replayed
            refusal = _send(connection, row, is_historical=waits)
            if refusal is not None:
                self._answers[row.seq] = refusal
            cursor = row.seq
        return cursor

    def _settle(self, connection: Connection, bell: Bell | None = None) -> None:
        """Wait for answers, and write them down."""
        answers = connection.pump(TICK_S, bell)
        for answer in answers:
            if answer.seq is not None:
                self._answers[answer.seq] = answer.refusal
            elif answer.refusal is not None:
                log.error("the broker refused %s: %s", answer.topic, answer.refusal)
        if self._answers:
            self._write_down(is_news=bool(answers))

    def _write_down(self, *, is_news: bool) -> None:
        """What the broker said. Where the disk takes nothing it is tried again, for ever."""
        try:
            self._outbox.answered(self._answers)
        except OutboxError as error:
            if is_news:
                log.warning("%d answers of the broker wait: %s", len(self._answers), error)
            return
        refusals = {seq: reason for seq, reason in self._answers.items() if reason is not None}
        self.delivered += len(self._answers) - len(refusals)
        self._answers.clear()
        if refusals:
            self._refused += len(refusals)
            self._complain(*refusals.popitem())

    def _complain(self, seq: int, reason: str) -> None:
        """Tell of refused results, but not of each one: without rights a line has no others.

        It is told when the reason is another, and when there are twice as many as last time.
        """
        told, number = self._complaint
        if reason == told and self._refused < 2 * number:
            return
        self._complaint = reason, self._refused
        text = f"the broker refused {self._refused} results so far, last number {seq}: {reason}"
        log.error("%s", text)
        self.alarm(PUBLISH_REFUSED, text)

    def _count_refused(self) -> None:
        """Somebody may have put back what was refused."""
        self._refused, self._complaint = self._outbox.refused(), ("", 0)
        if not self._refused:
            self.alarm(PUBLISH_REFUSED, None)

    def _say_goodbye(self, connection: Connection) -> None:
        self._send_board(connection)
        offline = Offline(session=self._outbox.session, reason="stopped")
        connection.send(self._topics.status, encode(offline), retain=True)
        until_s = time.monotonic() + GOODBYE_S
        while not connection.idle and time.monotonic() < until_s:
            self._settle(connection)


def _backoff_s(failures: int) -> float:
    if failures <= 1:
        return random.uniform(*RETRY_FIRST_S)  # noqa: S311 - no secret
    ceiling_s = min(2.0 ** min(failures - 2, DOUBLINGS), RETRY_MAX_S)
    return random.uniform(ceiling_s / 2, ceiling_s)  # noqa: S311 - no secret


def _send(connection: Connection, row: Row, *, is_historical: bool) -> str | None:
    """Send a result; why it cannot be sent, None where it is."""
    try:
        payload = _historical(row.payload) if is_historical else row.payload
        if not connection.fits(row.topic, payload):
            return "larger than the broker takes"
        connection.send(row.topic, payload, seq=row.seq)
    except ValueError as error:
        return f"it was damaged on the disk: {error}"
    return None


def _historical(payload: str) -> str:
    """The same message, saying that it waited."""
    message = json.loads(payload) | {"historical": True}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
