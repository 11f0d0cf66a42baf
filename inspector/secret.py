"""PINs and passwords as they are kept: salted and hashed by scrypt (RFC 7914), one to a file."""

import hashlib
import hmac
import os
import re
from pathlib import Path

from inspector.errors import ConfigError
from inspector.files import replace

KEPT = re.compile(
    r"scrypt:(?P<n>[1-9][0-9]{1,6}):(?P<r>[2-8]):(?P<p>[1-4]):"
    r"(?P<salt>[0-9a-f]{32}):(?P<digest>[0-9a-f]{128})"
)
SHORTEST = 4
N, R, P = 1 << 14, 8, 1  # 16 MB and about 50 ms for each try
MOST_N = 1 << 20  # 1 GB with r = 8: a file must not be able to take all memory


def hashed(secret: str) -> str:
    """The text that is kept of a secret.

    Raises:
        ConfigError: it is too short.
    """
    if len(secret) < SHORTEST:
        raise ConfigError(f"expected at least {SHORTEST} characters, found {len(secret)}")
    salt = os.urandom(16)
    return f"scrypt:{N}:{R}:{P}:{salt.hex()}:{_hash(secret, salt, N, R, P).hex()}"


def write(path: Path, secret: str) -> None:
    """Keep a secret in a file that its owner and group may read.

    Raises:
        ConfigError: it is too short, or the file cannot be written.
    """
    text = hashed(secret) + "\n"
    before = os.umask(0o027)  # from the beginning on: a PIN is soon guessed from its hash
    try:
        replace(path, text.encode())
    except OSError as error:
        raise ConfigError(f"{path}: expected to write it, found: {error.strerror}") from None
    finally:
        os.umask(before)


class Secret:
    """A kept secret, that can be compared with what somebody types."""

    def __init__(self, kept: str, *, name: str) -> None:
        """`kept` is what `hashed` made; `name` stands in errors.

        Raises:
            ConfigError: it is none.
        """
        found = KEPT.fullmatch(kept.strip())
        if found is None or not _is_cost(int(found["n"])):
            raise ConfigError(
                f"{name}: expected what `inspector secret` writes, found something else"
            )
        self._settings = int(found["n"]), int(found["r"]), int(found["p"])
        self._salt, self._digest = (bytes.fromhex(found[part]) for part in ("salt", "digest"))

    @classmethod
    def read(cls, path: Path) -> "Secret":
        """The secret in a file.

        Raises:
            ConfigError: it cannot be read, or holds none.
        """
        try:
            return cls(path.read_text(encoding="utf-8"), name=str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"{path}: expected a readable file, found: {reason}") from None

    def is_(self, typed: str) -> bool:
        """Whether it is what was typed. Takes as long either way."""
        return hmac.compare_digest(_hash(typed, self._salt, *self._settings), self._digest)


def _is_cost(n: int) -> bool:
    return n & (n - 1) == 0 and n <= MOST_N


def _hash(secret: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r)
