"""Work that only one process may do at a time, on this machine or on several: who does not get it stands by."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from zlib import crc32

from sqlalchemy import text

from kampungnet.core.database import Database

_OURS: Final = 0x4B4E << 32
"""Advisory locks of a PostgreSQL database are numbers: ours begin with KN."""
_ASK: Final = text("SELECT pg_try_advisory_lock(:number)")
_GIVE_BACK: Final = text("SELECT pg_advisory_unlock(:number)")


@contextmanager
def only_one(database: Database, work: str, wait: Callable[[], bool]) -> Iterator[bool]:
    """Hold the right to do some work until the end; asked for again after each ``wait`` that says to go on.

    Yields whether we have it. Whoever dies gives it back: the kernel does, or the database server.
    """
    if database.engine.dialect.name == "sqlite" and database.engine.url.database:
        with _file(Path(f"{database.engine.url.database}-{work}"), wait) as has:
            yield has
    else:
        with _advisory(database, {"number": _OURS | crc32(work.encode())}, wait) as has:
            yield has


@contextmanager
def _file(path: Path, wait: Callable[[], bool]) -> Iterator[bool]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        has = _locked(file)
        while not has and wait():
            has = _locked(file)
        yield has
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _advisory(database: Database, number: dict[str, int], wait: Callable[[], bool]) -> Iterator[bool]:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        has = bool(connection.scalar(_ASK, number))
        while not has and wait():
            has = bool(connection.scalar(_ASK, number))
        try:
            yield has
        finally:
            if has:  # the connection goes back to its pool, and would hold the lock there
                connection.execute(_GIVE_BACK, number)
