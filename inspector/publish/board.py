"""What stands retained on the broker: the newest payload of each topic, and what is to be sent."""

import math
import platform
import threading
from datetime import UTC, datetime

import inspector
from inspector.publish.announcement import (
    SCHEMAS,
    AlarmMessage,
    BirthMessage,
    CountMessage,
    Online,
    Totals,
)
from inspector.publish.message import LimitsInForce, ModelInfo, encode
from inspector.publish.topics import Topics

COUNT_EVERY_S = 1.0


class Board:
    """The retained messages of one session, first put up first. Usable from any thread."""

    def __init__(self, topics: Topics, session: int, *, confirmed: bool) -> None:
        self._topics = topics
        self._session = session
        self._confirmed = confirmed
        self._lock = threading.Lock()
        self._payloads: dict[str, str] = {}
        self._unsent: set[str] = set()
        self._count_due_s = -math.inf
        self._alarmed: dict[str, AlarmMessage] = {}
        self.alarms: tuple[AlarmMessage, ...] = ()
        """What is alarming now, the oldest first."""

    def state(self, state: str) -> None:
        """What the line does."""
        delivery = "confirmed" if self._confirmed else "assumed"
        message = Online(session=self._session, state=state, delivery=delivery)
        self._put(self._topics.status, encode(message))

    def birth(self, device: str, model: ModelInfo, limits: LimitsInForce) -> None:
        """What is running, from now on."""
        message = BirthMessage(
            time=datetime.now(UTC),
            session=self._session,
            device=device,
            versions={"inspector": inspector.__version__, "python": platform.python_version()},
            model=model,
            limits=limits,
            schemas=SCHEMAS,
        )
        self._put(self._topics.birth, encode(message))

    def count(self, since_start: Totals, since_midnight: Totals) -> None:
        """How many parts were judged."""
        message = CountMessage(
            session=self._session, since_start=since_start, since_midnight=since_midnight
        )
        self._put(self._topics.count, encode(message))

    def alarm(self, code: str, text: str | None) -> None:
        """Raise an alarm, change its text, or with None clear it."""
        message = None
        with self._lock:
            before = self._alarmed.pop(code, None) if text is None else self._alarmed.get(code)
            if text is not None:
                since = before.since if before else datetime.now(UTC)
                message = self._alarmed[code] = AlarmMessage(code=code, text=text, since=since)
            self.alarms = tuple(self._alarmed.values())
        self._put(self._topics.alarm(code), encode(message) if message else "")

    def _put(self, topic: str, payload: str) -> None:
        with self._lock:
            if self._payloads.get(topic) != payload:
                self._payloads[topic] = payload
                self._unsent.add(topic)

    def resend(self) -> None:
        """A new connection: the broker may have forgotten everything."""
        with self._lock:
            self._unsent = set(self._payloads)
            self._count_due_s = -math.inf

    def take(self, now_s: float, *, hurry: bool = False) -> tuple[str, str] | None:
        """The next topic and payload to send at this monotonic time, None when there is none.

        The count changes with every part and is held back to once per second, unless in a hurry.
        """
        with self._lock:
            for topic, payload in self._payloads.items():
                is_count = topic == self._topics.count
                if topic not in self._unsent or (
                    is_count and now_s < self._count_due_s and not hurry
                ):
                    continue
                if is_count:
                    self._count_due_s = now_s + COUNT_EVERY_S
                self._unsent.discard(topic)
                return topic, payload
        return None
