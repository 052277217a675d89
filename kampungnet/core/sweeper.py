"""Brings the log of an SQLite file into the file while others write.

By itself SQLite does that in the commit that finds its log long, within the turn of that writer: copying and two waits
for the disk, and everybody queues up meanwhile. Here a thread copies beside the writers, as SQLite's page on the log
advises (wal.html, "Performance Considerations"), and takes a turn for the rest alone: what came while it copied. Then
nothing is left, and the next writer begins the log anew.

What SQLite copies while others write it counts as done before the disk has it; it waits for the disk when nothing is
left to copy. A disk that fails in between is told of then, and :func:`all_again` makes it copy the whole log anew.
"""

import logging
import os
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from kampungnet.core.errors import Unavailable
from kampungnet.core.line import Driver
from kampungnet.core.turn import Turn

log = logging.getLogger(__name__)

ROWS: Final = 8_000
"""Changed by one line since its last sweep; each costs the log a page or so, of 4 kB."""
LONGEST_LOG_PAGES: Final = 16_000
"""65 MB: a commit that finds its log longer brings it into the file itself. Nobody sweeps for a command."""
PATIENCE_SECONDS: Final = 2.0
"""Everybody who writes waits as long, after the disk failed somebody."""
_SWEEP: Final = "PRAGMA wal_checkpoint(PASSIVE)"
"""Waits for nobody: not for writers, and what somebody still reads is left where it is."""
_COPIED_AT: Final = 96
"""Where SQLite's index of the log says how many pages of it are in the file (walformat.html 2.1, ``nBackfill``)."""


class Sweeper:
    """One for each process that writes all day; several do not disturb each other."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        """Wait for work."""
        self._engine, self._turn = engine, turn
        self._swept_at, self._trouble = 0, ""
        self._is_long, self._ends = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def look(self, driver: Driver | None) -> None:
        """Sweep when enough was written over this connection since the last time, or it was given up.

        It may have been given up because the disk is full, and what fills it may be the log.
        """
        rows = driver.connection.total_changes if driver else 0
        if driver is None or not 0 <= rows - self._swept_at < ROWS:  # a new connection begins at nothing
            self._swept_at = rows
            self._is_long.set()

    def close(self) -> None:
        """Finish what is under way, then stop."""
        self._ends = True
        self._is_long.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while True:
            self._is_long.wait()
            self._is_long.clear()
            if self._ends:
                return
            try:
                self._sweep()
            except (self._engine.dialect.loaded_dbapi.Error, SQLAlchemyError, OSError) as error:
                # Nothing is lost: the log has it all, and is not begun anew before the file has it.
                self._tell(f"could not be brought into its file: {error}")
            else:
                self._tell("")

    def _tell(self, trouble: str) -> None:
        """Say once what is wrong, and once that it is over: a full disk stays full for hours."""
        if trouble and trouble != self._trouble:
            log.error("the database's log %s", trouble)
        elif self._trouble and not trouble:
            log.warning("the database's log is brought into its file again")
        self._trouble = trouble

    def _sweep(self) -> None:
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            try:
                cursor.execute(_SWEEP)
                with self._turn:
                    if not self._turn.is_doubtful():  # else the next writer does it, and looks what became of it
                        cursor.execute(_SWEEP)
            except self._engine.dialect.loaded_dbapi.Error:
                self._turn.doubt()
                raise


def all_again(engine: Engine) -> None:
    """Bring the whole log into the file, what was copied before too, and both to disk: after the disk failed somebody.

    To be called within a turn. Raises ``Unavailable`` while somebody reads what is older, or the disk still fails.
    """
    index, fault, is_done = Path(f"{engine.url.database}-shm").resolve(), None, False
    try:
        with closing(engine.raw_connection()) as connection:
            cursor: Any = connection.cursor()
            if _is_whole(cursor):  # so that nobody else is copying, and would write down how far it got
                _forget_what_was_copied(index)
                busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                is_done = not busy
    except engine.dialect.loaded_dbapi.Error as error:
        fault = error
    if not is_done:
        raise Unavailable(
            "The disk failed and is being looked at: nothing was stored, try again in a minute."
        ) from fault


def _is_whole(cursor: Any) -> bool:
    """Copy what is left, and wait a moment for a sweep under way, and for those who read what is older."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        busy, pages, copied = cursor.execute(_SWEEP).fetchone()
        if not busy and pages == copied:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.02)


def _forget_what_was_copied(index: Path) -> None:
    # By SQLite's own descriptor: whoever opens this file and closes it drops all locks that SQLite has on it.
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            if one.readlink() == index:
                os.pwrite(int(one.name), bytes(4), _COPIED_AT)
                return
    raise Unavailable("SQLite's index of its log cannot be found: start the server anew.")
