"""PINs and passwords as they are kept."""

import hashlib
from pathlib import Path

import pytest

from inspector.errors import ConfigError
from inspector.secret import Secret, hashed, write

SALT, DIGEST = "0" * 32, "0" * 128


def kept(n: object, r: object, p: object, *, salt: str = SALT, digest: str = DIGEST) -> str:
    return f"scrypt:{n}:{r}:{p}:{salt}:{digest}"


def test_a_secret_is_what_was_kept_and_nothing_else(tmp_path: Path) -> None:
    """Its file is for owner and group, and does not say what it is."""
    write(tmp_path / "pin", "2468")
    secret = Secret.read(tmp_path / "pin")

    assert secret.is_("2468")
    assert not secret.is_("2469")
    assert not secret.is_("")
    assert (tmp_path / "pin").stat().st_mode & 0o777 == 0o640
    assert "2468" not in (tmp_path / "pin").read_text()


@pytest.mark.parametrize(
    ("n", "r", "p"), [(16, 2, 4), (16, 8, 4), (1 << 16, 2, 1), (1 << 14, 8, 1)]
)
def test_other_costs_are_taken(n: int, r: int, p: int) -> None:
    """Whatever is not refused can be tried."""
    digest = hashlib.scrypt(b"2468", salt=bytes(16), n=n, r=r, p=p, maxmem=1 << 28).hex()

    assert Secret(kept(n, r, p, digest=digest), name="pin").is_("2468")


@pytest.mark.parametrize(
    "wrong",
    [
        "2468",
        kept(1 << 21, 8, 1),
        kept(1000, 8, 1),
        kept(8, 8, 1),
        kept(1 << 20, 99, 1),
        kept(1 << 14, 9, 1),
        kept(1 << 16, 1, 1),
        kept(1 << 14, 8, 5),
        kept("१६", 8, 1),
        kept("1६", 8, 1),
        kept(1 << 14, 8, 1, salt="0" * 31),
        kept(1 << 14, 8, 1, digest="0" * 127),
    ],
)
def test_what_cannot_or_may_not_be_tried_is_no_secret(wrong: str) -> None:
    """It would take all memory or minutes, or fail when somebody types."""
    with pytest.raises(ConfigError, match=r"^pin: expected what `inspector secret` writes"):
        Secret(wrong, name="pin")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 4 characters, found 3"):
        hashed("246")
