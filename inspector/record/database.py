"""A SQLite file in which what is committed stays: locked, checked, migrated, damage set aside."""

import contextlib
import errno
import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from inspector.errors import OutboxError, OutboxTooNew
from inspector.files import sync_folder
from inspector.notify import notify

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 2.0  # somebody looks into the database with a tool of their own
WAL_AUTOCHECKPOINT = 200  # pages; SQLite's own 1000 lets the log of a small disk grow to 4 MB
JOURNAL_SIZE_LIMIT = 1 << 20  # bytes that the log keeps after a checkpoint
LOGS = ("-wal", "-shm")
Files = tuple[tuple[int, int] | None, ...]
"""Device and inode of a database and of its logs."""
COPIED = 2000  # pages at a time: between them systemd hears that the process lives
PATIENCE_S = 30.0  # a replay waits for a line that records much, so that this one need not
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# What a write to a full disk ends with; a quota and some network disks say it in other words.
FULL = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)


def still_holds(path: Path, guard: int) -> bool:
    """Whether the lock that `hold` returned is the one that others would find."""
    held = os.fstat(guard)
    return _file_of(Path(f"{path}.lock")) == (held.st_dev, held.st_ino)


def hold(path: Path) -> int:
    """Lock other processes out until the returned descriptor is closed, at the latest by our end.

    Raises:
        OutboxError: another process holds it.
    """
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OutboxError(
            f"{path.parent}: expected a state_dir of our own, found another inspector using it"
        ) from None
    return descriptor


def is_held(path: Path) -> bool:
    """Whether a process holds it. The kernel is asked: to try would disturb one that starts."""
    try:
        inode = Path(f"{path}.lock").stat().st_ino
        locks = [row.split() for row in Path("/proc/locks").read_text("ascii").splitlines()]
    except OSError:
        return False
    # number: FLOCK ADVISORY WRITE pid major:minor:inode start end
    return any("FLOCK" in lock and lock[-3].endswith(f":{inode}") for lock in locks)


def refuse(path: Path, migrations: Sequence[str]) -> None:
    """Before anything that takes long: what would be refused after it, too.

    Raises:
        OutboxError: another process holds the file.
        OutboxTooNew: a newer version made it.
    """
    with contextlib.suppress(OSError):  # none yet, or not for us: who opens it says so
        os.close(hold(path))
    with contextlib.suppress(sqlite3.Error), contextlib.closing(look(path)) as database:
        _expect_no_newer(database, path, len(migrations))


def connect(path: Path, migrations: Sequence[str]) -> tuple[sqlite3.Connection, Path | None]:
    """A durable connection in autocommit mode, usable from any thread under a lock of the caller's.

    Each migration takes the schema one version up, in one transaction. A damaged file is renamed,
    never deleted, and an empty one takes its place: then its new name is returned too.

    Raises:
        sqlite3.Error: the disk refuses.
        OutboxTooNew: a newer version made the file.
    """
    try:
        return _connect(path, migrations), None
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in DAMAGED:
            raise
        aside = _put_aside(path)
        log.error(  # noqa: TRY400 - the damage is in the file, not in the stack
            "%s: damaged (%s); kept as %s, starting with an empty one", path, error, aside.name
        )
        return _connect(path, migrations), aside


def join(path: Path, version: int) -> sqlite3.Connection:
    """A second connection that writes, beside the process that holds the file, if there is one.

    Raises:
        sqlite3.Error: the disk refuses.
        OutboxError: the file is of another schema version.
    """
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=PATIENCE_S,
        isolation_level=None,
    )
    try:
        _make_durable(database)
        _expect(database, path, version)
    except BaseException:
        database.close()
        raise
    return database


def look(path: Path) -> sqlite3.Connection:
    """A connection that only reads: it holds up no writer, and leaves nothing behind.

    Raises:
        sqlite3.Error: the disk refuses.
    """
    # A file without a log belongs to nobody now. SQLite would make a log even in order to read it.
    alone = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{alone}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
    )
    database.text_factory = _text
    return database


def identity(path: Path) -> Files:
    """Which files bear the names of a database and its logs, None where there is none.

    Of an open one it stays the same. When it changes, somebody has deleted or replaced a file: what
    is written goes on into one without a name, of which nothing is left when it is closed.
    """
    return tuple(_file_of(Path(f"{path}{suffix}")) for suffix in ("", *LOGS))


def write_anew(
    database: sqlite3.Connection, path: Path, opened: Files
) -> tuple[sqlite3.Connection, Path | None, Files]:
    """A new file with all that is in the open `database`, whose files were `opened` and are no
    longer at `path`. It is closed, and the returned connection takes its place, with its `Files`.

    Somebody else's file with its name is renamed, never deleted: then its new name is returned too.

    Raises:
        OSError, sqlite3.Error: the disk refuses; `database` is as it was.
    """
    fresh = path.with_name(f"{path.name}.anew")
    _discard(fresh)  # of a kill
    try:
        with contextlib.closing(sqlite3.connect(fresh)) as copy:
            copy.execute("PRAGMA synchronous = FULL")
            database.backup(copy, pages=COPIED, progress=lambda *_: notify("WATCHDOG=1"))
        sync_folder(path.parent)
    except BaseException:
        _discard(fresh)  # half of it only takes room
        raise
    is_ours = identity(path)[0] in {None, opened[0]}
    aside = None if is_ours else _put_aside(path, "found")
    for log_file in (Path(f"{path}{suffix}") for suffix in LOGS):
        log_file.unlink(missing_ok=True)  # its pages are in the copy, and must not come upon it
    written = _file_of(fresh)
    fresh.replace(path)
    sync_folder(path.parent)
    renewed = _open(path, mode="rw")  # or it would begin an empty one where it is gone again
    found = identity(path)
    if found[0] != written or any(was and not now for was, now in zip(opened, found, strict=True)):
        renewed.close()
        raise FileNotFoundError(errno.ENOENT, "it was deleted or replaced again", str(path))
    database.close()
    return renewed, aside, found


def is_full(error: BaseException) -> bool:
    """Whether this is how a full disk shows."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) in FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _open(path: Path, *, mode: str = "rwc") -> sqlite3.Connection:
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _make_durable(database)
        database.execute("PRAGMA user_version").fetchone()  # makes its logs
    except BaseException:
        database.close()
        raise
    return database


def _connect(path: Path, migrations: Sequence[str]) -> sqlite3.Connection:
    database = _open(path)
    try:
        _check(database)
        _migrate(database, path, migrations)
    except BaseException:
        database.close()
        raise
    return database


def _text(data: bytes) -> str:
    """What a disk has altered is read all the same: its row must not keep others from being so."""
    return data.decode("utf-8", "replace")


def _make_durable(database: sqlite3.Connection) -> None:
    database.text_factory = _text
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(f"PRAGMA wal_autocheckpoint = {WAL_AUTOCHECKPOINT}")
    database.execute(f"PRAGMA journal_size_limit = {JOURNAL_SIZE_LIMIT}")


def _check(database: sqlite3.Connection) -> None:
    found: str = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        error = sqlite3.DatabaseError(found.replace("\n", " "))
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _expect(database: sqlite3.Connection, path: Path, version: int) -> None:
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found != version:
        raise OutboxError(
            f"{path}: expected schema version {version}, found {found}: start the line once with "
            "this version of the inspector"
        )


def _expect_no_newer(database: sqlite3.Connection, path: Path, newest: int) -> int:
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version > newest:
        raise OutboxTooNew(
            f"{path}: expected schema version {newest} or less, found {version}: "
            "a newer inspector wrote it"
        )
    return version


def _migrate(database: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    version = _expect_no_newer(database, path, len(migrations))
    for number, script in enumerate(migrations[version:], start=version + 1):
        database.executescript(f"BEGIN;{script};PRAGMA user_version = {number};COMMIT;")


def kept_aside(path: Path) -> tuple[Path, ...]:
    """The files that were found damaged at a start, this one or an earlier, and are still there."""
    found = sorted(path.parent.glob(f"{path.name}.corrupt-*"))
    return tuple(file for file in found if not file.name.endswith(LOGS))


def _file_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _discard(path: Path) -> None:
    for suffix in ("", "-journal", *LOGS):
        with contextlib.suppress(OSError):
            Path(f"{path}{suffix}").unlink()


def _put_aside(path: Path, why: str = "corrupt") -> Path:
    """Rename the database and its log, so that what is in them can be recovered by hand."""
    number = 1
    while (aside := path.with_name(f"{path.name}.{why}-{number}")).exists():
        number += 1
    for suffix in (*LOGS, ""):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    return aside


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of what is done inside, or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # some errors have rolled back already
            database.execute("ROLLBACK")
        raise
