"""How much room a disk has, and how little of it is too little.

Who gives way first: below what `evidence.min_free_gib` says, kept pictures; when it is tight, no
new ones are written and acknowledged results leave the outbox sooner; when it is low, an alarm. A
share of the disk stands beside each number of bytes, and the smaller counts: 10 % of a large disk
would last for months.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from inspector.record.ballast import BALLAST_BYTES

LOW_SHARE, LOW_BYTES = 0.10, 1 << 30
TIGHT_SHARE, TIGHT_BYTES = 0.15, 3 << 29  # the space between keeps the alarm from flapping
SHORT_SHARE = 0.20


@dataclass(frozen=True, slots=True)
class Room:
    """What is free of a disk, in bytes."""

    free: int
    total: int

    @classmethod
    def at(cls, path: Path) -> Self:
        """Of the disk that holds `path`.

        Raises:
            OSError: it is not known.
        """
        usage = shutil.disk_usage(path)
        return cls(usage.free, usage.total)

    @property
    def is_low(self) -> bool:
        """Somebody has to make room."""
        return self.free < min(LOW_SHARE * self.total, LOW_BYTES)

    @property
    def is_tight(self) -> bool:
        """It could soon be low, or was and is not well yet."""
        return self.free < min(TIGHT_SHARE * self.total, TIGHT_BYTES)

    def lacking(self, wanted_bytes: float) -> int:
        """What has to be freed until as much is free as wanted, or the share of a small disk; of
        the smallest one, until the ballast finds room.
        """
        wanted = max(min(SHORT_SHARE * self.total, wanted_bytes), 3 * BALLAST_BYTES)
        return max(0, int(wanted) - self.free)

    def __str__(self) -> str:
        return f"{self.free / 2**20:.0f} of {self.total / 2**20:.0f} MiB free"
