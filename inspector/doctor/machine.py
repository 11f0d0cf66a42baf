"""What the machine says about itself: its processor, its clock, its users."""

import ctypes
import grp
import os
import platform
import pwd

FAST = {"avx2", "asimd"}  # without one of them a model takes several times as long
INTEGER = {"avx_vnni", "avx512_vnni", "amx_int8", "asimddp"}  # what makes int8 models fast
UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)


class _Timex(ctypes.Structure):
    """The head of `struct timex`; the rest only has to have room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maximum_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


def is_clock_synchronised() -> bool | None:
    """Whether the kernel knows that something keeps the clock right; None where it does not say."""
    asked = _Timex()  # modes 0: only read
    if ctypes.CDLL(None).adjtimex(ctypes.byref(asked)) < 0:
        return None
    return not asked.status & UNSYNCHRONISED


def processor(cpuinfo: str) -> tuple[str, frozenset[str]]:
    """The name and the features of the first processor that the text of /proc/cpuinfo tells of."""
    told: dict[str, str] = {}
    for row in cpuinfo.splitlines():
        key, _, value = row.partition(":")
        told.setdefault(key.strip().lower(), value.strip())
    features = told.get("flags") or told.get("features") or ""
    return told.get("model name") or platform.machine(), frozenset(features.split())


def cores() -> int:
    """How many of them this process may use."""
    return len(os.sched_getaffinity(0))


def become(user: str) -> bool:
    """Go on as this user, with the groups that it has; False where there is none, or we are not
    root and cannot.
    """
    if os.geteuid() != 0:
        return False
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return False
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.chdir("/")
    return True


def me() -> str:
    """The name of the user that this process runs as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def group(number: int) -> str:
    """The name of a group."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
