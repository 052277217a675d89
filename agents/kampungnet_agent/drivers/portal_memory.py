"""What a box has to remember of a portal over power cuts: sessions, use, what is wanted, whose pseudonym is whose.

One small SQLite file beside the spool, synchronous like it; a look at the router is one transaction. A file that
cannot be read is set aside and begun anew: the sums that were told are safe on the server.
"""

import contextlib
import fcntl
import hmac
import os
import secrets
import sqlite3
from base64 import b32encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from kampungnet.shared.wanted import WantedPortal

from .portal_sessions import Session
from .portal_target import Use

MOST_USES: Final = 50_000
PSEUDONYM: Final = "g-"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uses (who TEXT PRIMARY KEY, seen_ms INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS devices (guest TEXT PRIMARY KEY, mac TEXT NOT NULL, seen_ms INTEGER NOT NULL) WITHOUT ROWID;
"""
KEY, MONTH, WANTED, LAST_MS, UPTIME, DONE, PASSWORDS, BEFORE = (
    "key", "month", "wanted", "last_ms", "uptime", "done", "passwords", "before",
)  # fmt: skip
"""Names of notes."""


class PortalMemory:
    """The file. Everything is read once; what changes is written in :meth:`look`."""

    def __init__(self, path: Path | None) -> None:
        """Open the file; without a path (a driver that is only tried) nothing outlives the process."""
        self._lock = _locked(path) if path is not None else None
        self.shared = path is not None and self._lock is None
        """Another process has the file: ``kampungnet-agent poll`` beside the agent. Nothing is kept then."""
        self._path = None if self.shared else path
        self._db = _opened(self._path)

    def close(self) -> None:
        """Close the file and let others have it."""
        self._db.close()
        if self._lock is not None:
            os.close(self._lock)

    @contextlib.contextmanager
    def look(self) -> Iterator[None]:
        """Write everything in between at once, or nothing of it."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def note(self, name: str) -> bytes | None:
        """Return a note."""
        row = self._db.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def write_note(self, name: str, value: bytes) -> None:
        """Keep a note."""
        self._db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def forget_note(self, name: str) -> None:
        """Throw a note away."""
        self._db.execute("DELETE FROM notes WHERE name = ?", (name,))

    def number(self, name: str) -> int:
        """Return a note that is a number, 0 when there is none."""
        return int(self.note(name) or 0)

    def wanted(self) -> WantedPortal | None:
        """Return what the server wanted last."""
        kept = self.note(WANTED)
        if kept is None:
            return None
        try:
            return msgspec.json.decode(kept, type=WantedPortal)
        except msgspec.DecodeError:  # of a later version, before a step back: the server will say it again
            return None

    def contents(self) -> tuple[WantedPortal | None, list[Session], dict[str, Use]]:
        """Return all that stands in the file. One with a row that cannot be read is set aside and begun anew."""
        try:
            return self.wanted(), self.sessions(), self.uses()
        except (sqlite3.DatabaseError, msgspec.DecodeError):
            self._db.close()
            if self._path is not None:
                _set_aside(self._path)
            self._db = _opened(self._path)
            return None, [], {}

    def sessions(self) -> list[Session]:
        """Return the sessions that run or were not told to the end."""
        return [msgspec.json.decode(data, type=Session) for (data,) in self._db.execute("SELECT data FROM sessions")]

    def write_sessions(self, sessions: Iterable[Session], gone: Iterable[str]) -> None:
        """Keep sessions, forget those that were told to the end."""
        rows = [(one.id, msgspec.json.encode(one)) for one in sessions]
        self._db.executemany("INSERT OR REPLACE INTO sessions VALUES (?, ?)", rows)
        self._db.executemany("DELETE FROM sessions WHERE id = ?", [(one,) for one in gone])

    def uses(self) -> dict[str, Use]:
        """Return what every voucher, account and device used, as far as it is kept."""
        return {
            who: msgspec.json.decode(data, type=Use) for who, data in self._db.execute("SELECT who, data FROM uses")
        }

    def write_uses(self, uses: Iterable[tuple[str, Use]], now_ms: int) -> None:
        """Keep what was used; beyond ``MOST_USES`` those seen longest ago are forgotten."""
        self._db.executemany(
            "INSERT OR REPLACE INTO uses VALUES (?, ?, ?)",
            [(who, now_ms, msgspec.json.encode(use)) for who, use in uses],
        )
        (number,) = self._db.execute("SELECT count(*) FROM uses").fetchone()
        if number > MOST_USES:
            self._db.execute(
                "DELETE FROM uses WHERE who IN (SELECT who FROM uses ORDER BY seen_ms LIMIT ?)", (number - MOST_USES,)
            )

    def devices(self) -> dict[str, str]:
        """Return the addresses of the devices that bindings name."""
        return dict(self._db.execute("SELECT guest, mac FROM devices"))

    def write_device(self, guest: str, mac: str, now_ms: int) -> None:
        """Remember which device a binding means: the pseudonym's key lives for a month only."""
        self._db.execute("INSERT OR IGNORE INTO devices VALUES (?, ?, ?)", (guest, mac, now_ms))

    def forget_devices(self, still_named: Iterable[str]) -> None:
        """Forget the devices that no binding names any more."""
        named = set(still_named)
        gone = [(guest,) for guest in self.devices() if guest not in named]
        self._db.executemany("DELETE FROM devices WHERE guest = ?", gone)

    def key_of_month(self, month: str) -> bytes:
        """Return the key of this month's pseudonyms; the first question of a month destroys the one before."""
        if self.note(MONTH) != month.encode():
            self.write_note(KEY, secrets.token_bytes(32))
            self.write_note(MONTH, month.encode())
            # What came by click is known by pseudonym only, and nobody has that pseudonym any more.
            self._db.execute("DELETE FROM uses WHERE who LIKE ?", (f"{PSEUDONYM}%",))
        return self.note(KEY) or b""


def pseudonym(key: bytes, mac: str) -> str:
    """Return what a device is called outside the village: 80 bits that nobody without the key can trace back."""
    digest = hmac.digest(key, mac.upper().encode(), "sha256")
    return PSEUDONYM + b32encode(digest[:10]).decode().lower()


def is_random(mac: str) -> bool:
    """Tell whether a device made its address up: the second digit is 2, 6, A or E (facts on hotspots 11)."""
    return mac[1:2].upper() in {"2", "6", "A", "E"}


def _opened(path: Path | None) -> sqlite3.Connection:
    if path is None:
        return _prepared(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))
    try:
        return _prepared(_connected(path))
    except sqlite3.DatabaseError:
        _set_aside(path)
        return _prepared(_connected(path))


def _set_aside(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + end).rename(path.with_name(f"{path.name}.broken{end}"))


def _locked(path: Path) -> int | None:
    """Take the file for this process, or return ``None``: two that wrote one ledger would count sessions twice."""
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _connected(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=ON")  # a destroyed key must not stand in a free page
    db.executescript(_SCHEMA)
    return db
