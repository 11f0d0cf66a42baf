"""What a process holds, as the kernel counts it."""

import os
from dataclasses import dataclass
from pathlib import Path


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


def growth(before: Held, after: Held) -> str:
    """What there is more of, for people."""
    return (
        f"{after.rss_mib - before.rss_mib:+.1f} MiB, "
        f"{after.descriptors - before.descriptors:+d} descriptors, "
        f"{after.threads - before.threads:+d} threads"
    )
