"""What a process holds, as the kernel counts it."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.faults.fault import Outcome


@dataclass(frozen=True, slots=True)
class Held:
    """Resident memory in MiB, open descriptors, threads."""

    rss_mib: float
    descriptors: int
    threads: int

    @classmethod
    def by(cls, pid: int | None = None) -> "Held":
        """By a process, None: by this one."""
        folder = Path("/proc", str(pid or os.getpid()))
        status = dict(
            row.split(":", 1) for row in (folder / "status").read_text().splitlines() if ":" in row
        )
        return cls(
            int(status["VmRSS"].split()[0]) / 1024,
            len(list((folder / "fd").iterdir())),
            int(status["Threads"]),
        )

    def __str__(self) -> str:
        return f"{self.rss_mib:.0f} MiB, {self.descriptors} descriptors, {self.threads} threads"


def expect_flat(outcome: Outcome, before: Held, after: Held) -> str:
    """Note what has grown; returns by how much. Of memory 5 % and 5 MiB are allowed, for caches
    that fill up.
    """
    more = after.rss_mib - before.rss_mib
    descriptors, threads = (
        after.descriptors - before.descriptors,
        after.threads - before.threads,
    )
    grown = f"{more:+.1f} MiB, {descriptors:+d} descriptors, {threads:+d} threads"
    allowed = more <= 0.05 * before.rss_mib + 5
    outcome.expect(allowed and descriptors <= 0 and threads <= 0, f"it grows: {grown}")
    return grown
