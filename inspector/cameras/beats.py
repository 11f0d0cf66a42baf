"""When the next part is due at the pace of a line."""


class Beats:
    """One beat per `every_s`. Beats that were missed are skipped, not made up for."""

    def __init__(self, every_s: float, now_s: float) -> None:
        """The first one is due now; 0: there is always one due."""
        self.due_s = now_s
        self._every_s = every_s
        self._arrived_s = now_s

    def meet(self, now_s: float) -> bool:
        """Whether the frame that arrives now is the one nearest to the beat; if so, the next beat
        is the due one.

        A frame that comes earlier by less than half the time since the frame before it is nearer
        than the next one will be, so a camera that runs at the pace meets every beat.
        """
        interval_s = min(now_s - self._arrived_s, self._every_s)
        self._arrived_s = now_s
        if not now_s >= self.due_s - interval_s / 2:
            return False
        self.go_on(now_s)
        return True

    def go_on(self, now_s: float) -> None:
        """A part was handed over: wait for the next beat."""
        missed = now_s - self.due_s > self._every_s
        self.due_s = (now_s if missed else self.due_s) + self._every_s
