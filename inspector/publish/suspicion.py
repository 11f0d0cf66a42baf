"""Which result makes the broker hang up, if one does. Pure.

A broker that cannot say no ends the connection instead: over MQTT 3.1.1 it has no other word for a
message that is too large. Sent again on the next connection, that one message would hold up all.

So whatever was under way at a loss goes alone on the next connection. A result is given up once the
broker has hung up on it `ENOUGH` connections in a row: each time it was the oldest message without
an answer, no other result was under way, and the end came within `connection.ANSWER_S` of it. A
network that comes and goes does not look like that: a pulled cable takes longer to be noticed, what
it cuts off is this message only by chance, and one connection on which it is another one begins the
count anew. A broker that says that it restarts, is busy or gives our name to somebody else is not
believed to mean the message at all (`connection.NOT_THE_MESSAGE`).

What remains: chance can do it `ENOUGH` times. Then a good result waits among the refused ones, with
an alarm; it is kept, and is tried again as they are. And a broker that hangs up on most of what a
line sends takes about a second for each, so that the line may be faster.
"""

import math

ENOUGH = 3  # connections


class Suspicion:
    """What the losses of one line's connections say of its results."""

    def __init__(self) -> None:
        self.suspects: frozenset[int] = frozenset()
        """Numbers of the results that have to go alone."""
        self._seq = 0
        self._times = 0
        self._proved_bytes: float = math.inf  # the size of the smallest one that was given up

    def lost(self, under_way: frozenset[int], blamed: int | None, size_bytes: int) -> int | None:
        """A connection was lost with these results under way; `blamed` is the one that it ended
        with, of this size, if it looks like that.

        Returns how often the broker has hung up on it, once that is enough to give it up. For one
        that is as large as another that was given up, once is enough.
        """
        self.suspects = under_way or self.suspects
        if blamed is None:
            self._seq = self._times = 0
            return None
        self._times = self._times + 1 if blamed == self._seq else 1
        self._seq = blamed
        if self._times < ENOUGH and size_bytes < self._proved_bytes:
            return None
        self._proved_bytes = min(self._proved_bytes, size_bytes)
        return self._times

    def apart(self, seqs: tuple[int, ...], under_way: frozenset[int]) -> int:
        """How many of the next results, `seqs` in order, may go now: a suspect goes alone."""
        if self.suspects & under_way:
            return 0
        for before, seq in enumerate(seqs):
            if seq in self.suspects:
                return before or (0 if under_way else 1)
        return len(seqs)
