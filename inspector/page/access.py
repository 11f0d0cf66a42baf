"""Who may see the page and who may change something: sessions, and patience with wrong guesses."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

SESSIONS = 500  # the oldest ends when one more begins
SEEN_S = 12 * 3600.0  # a login lasts for a shift and a bit
UNLOCKED_S = 600.0  # after the last change the PIN is asked for again
TRIES = 5  # wrong ones in a row, then one more in every
WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Session:
    """A browser: until when it may see the page, and until when it may change something."""

    until_s: float
    logged_in: bool = False
    unlocked_until_s: float = 0.0


class Sessions:
    """The sessions of one page, by the random names in their cookies; in memory only."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def find(self, name: str | None) -> Session | None:
        """The session of that name, unless it is over."""
        session = self._sessions.get(name or "")
        if session is None or self._clock() >= session.until_s:
            return None
        return session

    def log_in(self) -> str:
        """A browser that knew the password: its session's new name."""
        return self._keep(Session(self._clock() + SEEN_S, logged_in=True))

    def unlock(self, name: str | None) -> str:
        """A browser that knew the PIN; its new name, so that one known before is of no use."""
        before = self.find(name)
        self.end(name)
        now_s = self._clock()
        session = before or Session(now_s + SEEN_S)
        return self._keep(replace(session, unlocked_until_s=now_s + UNLOCKED_S))

    def may_change(self, name: str | None) -> bool:
        """Whether it is unlocked; what is used stays unlocked."""
        session, now_s = self.find(name), self._clock()
        if name is None or session is None or now_s >= session.unlocked_until_s:
            return False
        self._sessions[name] = replace(session, unlocked_until_s=now_s + UNLOCKED_S)
        return True

    def lock(self, name: str | None) -> None:
        """Nothing can be changed until the PIN is typed again."""
        session = self.find(name)
        if name is not None and session is not None:
            self._sessions[name] = replace(session, unlocked_until_s=0.0)

    def end(self, name: str | None) -> None:
        """Log out."""
        self._sessions.pop(name or "", None)

    def _keep(self, session: Session) -> str:
        name = secrets.token_urlsafe(32)
        self._sessions[name] = session
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        return name


class Patience:
    """With guesses of one secret, whoever makes them: so many, then one in every `WAIT_S`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong = 0
        self._next_s = 0.0

    def wait_s(self) -> float:
        """For how long no guess is looked at, 0: it is now."""
        return max(0.0, self._next_s - self._clock()) if self._wrong >= TRIES else 0.0

    def wrong(self) -> None:
        """A guess was wrong."""
        self._wrong += 1
        self._next_s = self._clock() + WAIT_S

    def right(self) -> None:
        """A guess was right: all is forgotten."""
        self._wrong = 0
