"""Orders this box took, on its disk before anything is done. What was begun once is not begun again.

Orders are rare, so the file is open only while something is written or read. Synchronous like the spool; one that
cannot be read is set aside, and what stood in it is never done: the server goes on to name a mark that nobody has.
"""

import contextlib
import enum
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from kampungnet.shared.orders import OrderKind, OrderState, OrderTold, Why

MOST_KEPT: Final = 200
"""Orders that ended and were told; a server that names an older one again has another mark for it."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, step TEXT NOT NULL, data BLOB NOT NULL);
"""


class Step(enum.StrEnum):
    """How far an order has come on this box."""

    TAKEN = "taken"
    BEGUN = "begun"
    """From here on nothing is sent to the device any more, whatever happens."""
    ENDED = "ended"
    """It has an ending, which the server does not have yet."""
    TOLD = "told"


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order as it stands on the disk."""

    id: str
    kind: OrderKind
    device: str
    mark: str
    boot_id: str
    """Of the box, when it took the order: the time to begin ends with it."""
    step: Step = Step.TAKEN
    begun_ms: int = 0
    """``CLOCK_BOOTTIME`` when the device was about to be asked."""
    uptime_seconds: int = 0
    """Of the device, just before."""
    sent: bool = False
    """The device was asked, and did not say no."""
    ending: OrderTold | None = None

    def told(self) -> OrderTold:
        """Return what is to be said of it."""
        return self.ending or OrderTold(self.id, self.mark, OrderState.TAKEN)

    def ended(self, state: OrderState, why: Why = Why.NOTHING, **more: object) -> "Entry":
        """Return it with an ending."""
        ending = msgspec.structs.replace(OrderTold(self.id, self.mark, state, why), **more)
        return msgspec.structs.replace(self, step=Step.ENDED, ending=ending)


class OrderBook:
    """The file. Every call is one transaction, on the disk when it returns. Raises ``sqlite3.Error``."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made with the first order."""
        self._path = path

    def open_entries(self) -> list[Entry]:
        """Return what the server does not know the end of, oldest first."""
        if not self._path.exists():
            return []
        with self._opened() as db:
            rows = db.execute("SELECT data FROM orders WHERE step != ? ORDER BY place", (Step.TOLD,)).fetchall()
        return [msgspec.json.decode(data, type=Entry) for (data,) in rows]

    def knows(self, order: str) -> bool:
        """Tell whether an order was ever taken here, as far as is kept."""
        if not self._path.exists():
            return False
        with self._opened() as db:
            return db.execute("SELECT 1 FROM orders WHERE id = ?", (order,)).fetchone() is not None

    def write(self, entry: Entry) -> None:
        """Keep an order as it stands now."""
        with self._opened() as db:
            data = (entry.step, msgspec.json.encode(entry))
            known = db.execute("UPDATE orders SET step = ?, data = ? WHERE id = ?", (*data, entry.id)).rowcount
            if not known:
                db.execute("INSERT INTO orders (step, data, id) VALUES (?, ?, ?)", (*data, entry.id))

    def forget(self, entries: list[Entry]) -> None:
        """Note that the server has these endings; of the oldest not even the number is kept for ever."""
        with self._opened() as db:
            for one in entries:
                bare = msgspec.structs.replace(one, step=Step.TOLD, ending=None)
                data = (Step.TOLD, msgspec.json.encode(bare), one.id)
                db.execute("UPDATE orders SET step = ?, data = ? WHERE id = ?", data)
            db.execute(
                "DELETE FROM orders WHERE step = ? AND place <= (SELECT max(place) FROM orders) - ?",
                (Step.TOLD, MOST_KEPT),
            )

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            db = _connected(self._path)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise
            self._path.rename(self._path.with_name(f"{self._path.name}.broken"))
            db = _connected(self._path)
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()


def _connected(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        db.execute("PRAGMA journal_mode=DELETE")  # one file, so that a rename takes all of it
        db.execute("PRAGMA synchronous=EXTRA")  # the folder too: a journal that comes back would undo a "begun"
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db
