"""The SQLite file under the spool: opening it, knowing its errors, rescuing a corrupt one."""

import contextlib
import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PAGE_BYTES = 4096
CHECKPOINT_PAGES = 32
"""The log is folded in after 128 KiB: on a full disk the ballast must hold all new pages that wait in it."""
MAX_JUMPS = 40
"""How often a rescue steps over an unreadable place before it gives up."""


class Damaged(sqlite3.DatabaseError):
    """SQLite noticed nothing, but its file contradicts itself: a row that is read cannot be found by its number."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


Row = tuple[int, bytes, bytes, int, int]
"""sequence, payload, checksum, created_ms, clock_true."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (
    sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL, checksum BLOB NOT NULL,
    created_ms INTEGER NOT NULL, clock_true INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS quarantine (
    place INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, reason TEXT NOT NULL,
    payload BLOB NOT NULL, set_aside_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
_READABLE = """SELECT sequence, payload, checksum, created_ms, clock_true FROM readings
    WHERE sequence > ? ORDER BY sequence"""
ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""All that SQLite raises: a sentence of its own about a damaged file may quote bytes that are no text."""
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}


def open_file(path: Path, max_megabytes: int) -> sqlite3.Connection:
    """Open or make the spool file, durable at every commit and capped at ``max_megabytes``."""
    path.touch(mode=0o640)  # readings are no business of other users; the log beside it takes the same rights
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=32)
    # A flipped bit makes a text of bytes that are none; reading it must not fail before we know which row it is in.
    db.text_factory = lambda text: text.decode("utf-8", "replace")
    try:
        db.execute(f"PRAGMA page_size={PAGE_BYTES}")
        db.execute("PRAGMA auto_vacuum=NONE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA cache_size=-256")
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        db.execute(f"PRAGMA max_page_count={max_megabytes * 1_000_000 // PAGE_BYTES}")
        db.executescript(_SCHEMA)
    except ERRORS:
        db.close()
        raise
    return db


def number_of(path: Path) -> int | None:
    """Return the file's own number (inode), or ``None`` when nothing lies there."""
    try:
        return os.stat(path).st_ino  # noqa: PTH116 -- at every reading, and half the price
    except FileNotFoundError:
        return None


def copy(db: sqlite3.Connection, to: Path) -> None:
    """Write everything an open database holds into a new file, durably."""
    to.unlink(missing_ok=True)
    to.touch(mode=0o640)
    with contextlib.closing(sqlite3.connect(to)) as other:
        db.backup(other)


def lock(path: Path) -> IO[bytes]:
    """Keep a second agent away from the spool: two would give out the same numbers. Ends with the process."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BlockingIOError(f"another agent uses it ({path} is locked)") from error
    return file


def is_full(error: sqlite3.Error) -> bool:
    """Tell whether the page cap is reached or the disk is full."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def is_corrupt(error: Exception, path: Path) -> bool:
    """Tell whether the file's content cannot be read, so that trying again is useless.

    Damage can also show as a table that is suddenly missing or a row that cannot be there:
    no statement of ours is wrong in itself, so those count as damage too.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    if isinstance(error, UnicodeDecodeError) or code & 0xFF in _CORRUPT or code in _UNREADABLE:
        return True
    if code == sqlite3.SQLITE_READONLY:  # one bit in the version of the file's form, where the disk lets us write
        return os.access(path, os.W_OK)
    return isinstance(error, sqlite3.IntegrityError) or code == sqlite3.SQLITE_ERROR


def checksum(sequence: int, payload: bytes) -> bytes:
    """Return 8 bytes over a row; SQLite itself notices only 3 of 200 flipped bits (measured)."""
    return hashlib.blake2b(payload, digest_size=8, salt=sequence.to_bytes(8, "little")).digest()


def set_aside(path: Path, stamp: str) -> Path:
    """Move a corrupt file and its log out of the way; only the newest such file is kept. Raises ``OSError``."""
    for old in path.parent.glob(f"{path.name}.corrupt-*"):
        if not old.is_dir():  # a folder that stood there is somebody's, with whatever is in it
            old.unlink(missing_ok=True)
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def rescue(aside: Path) -> Iterator[Row]:
    """Yield every row of a corrupt file that can still be read and whose checksum is right, oldest first."""
    try:
        db = sqlite3.connect(f"{aside.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    except sqlite3.Error:
        return
    db.text_factory = bytes
    with contextlib.closing(db):
        above, step = -1, 1
        for _ in range(MAX_JUMPS):
            try:
                for row in db.execute(_READABLE, (above,)):
                    above, step = row[0], 1
                    if is_whole(row):
                        yield row
                return
            except (*ERRORS, OverflowError):
                above, step = above + step, step * 2


def is_whole(row: Row) -> bool:
    """Tell whether a row is what was written."""
    sequence, payload, written, created_ms, clock_true = row
    if not (isinstance(payload, bytes) and isinstance(created_ms, int) and isinstance(clock_true, int)):
        return False
    return sequence > 0 and checksum(sequence, payload) == written
