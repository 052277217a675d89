"""Copies of the embedded database: made while it is written to, and put in its place."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from kampungnet.core.errors import Conflict, Unavailable

KIND: Final = "sqlite"
PAGES_AT_ONCE: Final = 4096
"""Between two looks at signals; 16 MB."""
_SIDE_FILES: Final = ("", "-wal", "-shm")


def engine_version() -> str:
    """Return the version of the library."""
    return sqlite3.sqlite_version


def copy(database: Path, to: Path) -> None:
    """Copy the database as it is at this moment, by SQLite's online backup. Writers go on meanwhile.

    One read transaction lasts from the first page to the last: without it the copy would begin again whenever
    another process writes.
    """
    with closing(_opened(database)) as source, closing(sqlite3.connect(to, isolation_level=None)) as target:
        # The copy is brought to disk once, when the whole file is; if we die before, nobody looks at it.
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):
            target.execute(f"PRAGMA {pragma}")
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=PAGES_AT_ONCE)


def revision(copied: Path) -> str | None:
    """Return the version of the tables in a copy; ``None`` when there are none."""
    with closing(_frozen(copied)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        found = db.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else None


def check(copied: Path) -> None:
    """Look at the structure of a copy: what the disk had spoilt already would be copied faithfully."""
    with closing(_frozen(copied)) as db:
        try:
            (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            said = str(error)
    if said != "ok":
        raise Unavailable(
            f"The database itself is damaged ({' '.join(said.split())}): keep the older backups and restore a good one."
        )


def exists(database: Path) -> bool:
    """Tell whether a database lies there, whatever state it is in."""
    return database.exists() and database.stat().st_size > 0


def expect_unused(database: Path) -> None:
    """Raise ``Conflict`` when anybody has the database open; one too damaged to be opened is nobody's."""
    try:
        with closing(_opened(database)) as db:
            # Leaving the write-ahead log needs the database for oneself alone, and brings the log into the file.
            db.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise Conflict(
                f"Somebody has {database} open: stop the server first (systemctl stop kampungnet), then restore."
            ) from error
    except sqlite3.DatabaseError:
        return


def put_aside(database: Path, name: str) -> Path | None:
    """Move a database away with its side files, and return where it lies now."""
    kept = database.with_name(f"{database.name}.{name}")
    moved = False
    for suffix in _SIDE_FILES:
        one = database.with_name(database.name + suffix)
        if one.exists():
            one.rename(kept.with_name(kept.name + suffix))
            moved = True
    return kept if moved else None


def _opened(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=2)


def _frozen(copied: Path) -> sqlite3.Connection:
    """Open a file that nobody writes to, without making side files beside it."""
    return sqlite3.connect(f"{copied.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None)
