"""How many threads a runtime gets where the line's configuration does not say."""

import os


def default_threads() -> int:
    """The cores that this process may use: a runtime's own guess ignores cpusets and affinity."""
    return max(1, len(os.sched_getaffinity(0)))
