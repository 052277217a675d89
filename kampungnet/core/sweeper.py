"""Brings the log of an SQLite file into the file while others write.

By itself SQLite does that in the commit that finds its log long, within the turn of that writer: copying and two waits
for the disk, and everybody queues up meanwhile. Here a thread copies beside the writers, as SQLite's page on the log
advises (wal.html, "Performance Considerations"), and takes a turn for the rest alone: what came while it copied. Then
nothing is left, and the next writer begins the log anew.
"""

import logging
import threading
from contextlib import closing
from typing import Final

from sqlalchemy import Engine

from kampungnet.core.line import Driver
from kampungnet.core.turn import Turn

log = logging.getLogger(__name__)

ROWS: Final = 8_000
"""Changed by one line since its last sweep; each costs the log a page or so, of 4 kB."""


class Sweeper:
    """One for each process that writes all day; several do not disturb each other."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        """Wait for work."""
        self._engine, self._turn = engine, turn
        self._swept_at = 0
        self._is_long, self._ends = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def look(self, driver: Driver | None) -> None:
        """Sweep when enough was written over this connection since the last time."""
        rows = driver.connection.total_changes if driver else 0
        if not 0 <= rows - self._swept_at < ROWS:  # a new connection begins at nothing
            self._swept_at = rows
            self._is_long.set()

    def close(self) -> None:
        """Finish what is under way, then stop."""
        self._ends = True
        self._is_long.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while self._is_long.wait() and not self._ends:
            self._is_long.clear()
            try:
                with closing(self._engine.raw_connection()) as connection:
                    cursor = connection.cursor()
                    cursor.execute(_SWEEP)
                    with self._turn:
                        if not self._turn.is_doubtful():  # else the next writer does it, and looks what became of it
                            cursor.execute(_SWEEP)
            except (self._engine.dialect.loaded_dbapi.Error, OSError) as error:
                # Nothing is lost, the log has it all. The next writer tries again, and says so when it cannot.
                self._turn.doubt()
                log.error("the database's log could not be brought into its file: %s", error)


_SWEEP: Final = "PRAGMA wal_checkpoint(PASSIVE)"
"""Waits for nobody: not for writers, and what somebody still reads is left where it is."""
