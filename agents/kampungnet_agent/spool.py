"""The spool: every reading is on disk before it is sent, and leaves only by a receipt.

Plain synchronous code over one SQLite file, which one thread at a time may call. Where the disk is quick the
agent adds a reading without changing the thread; an SD card may take 50 ms for an fsync (``Worker.do_quickly``).
"""

import contextlib
import itertools
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from kampungnet.shared import wire
from kampungnet_agent import spool_file
from kampungnet_agent.ballast import Ballast
from kampungnet_agent.box import Box
from kampungnet_agent.reading import encode_checked
from kampungnet_agent.spool_numbers import Mark, Numbers, first_number, read_mark
from kampungnet_agent.steadiness import Steadiness

log = logging.getLogger(__name__)
Result = TypeVar("Result")

MAX_QUARANTINE = 200
"""Readings kept aside for a person to look at; older ones go."""
MAX_BATCH_BYTES = 3_500_000
"""Readings of one batch, unpacked; leaves room for the envelope under the wire's limit."""
RESCUE_AT_ONCE = 200
"""Readings carried over in one transaction, so that the log needs little disk beside two spools."""
EVICT_AT_ONCE = 20
"""Readings dropped in one step at the cap, so that not every add has to."""
_NEWEST = """SELECT sequence, payload, checksum, created_ms, clock_true FROM readings
    WHERE sequence > ? ORDER BY sequence DESC LIMIT ?"""
_OLDEST = """SELECT sequence, payload, checksum, created_ms, clock_true FROM readings
    WHERE sequence <= ? ORDER BY sequence LIMIT ?"""
_LAST_TOO_OLD = """SELECT max(sequence) FROM (SELECT * FROM readings ORDER BY sequence LIMIT 5000)
    WHERE clock_true AND created_ms < ?"""
_SET_ASIDE = """INSERT INTO quarantine (sequence, reason, payload, set_aside_ms)
    SELECT sequence, ?, payload, ? FROM readings WHERE sequence = ?"""


class SpoolError(Exception):
    """The spool cannot do its work now (read-only disk, no rights, no room at all)."""


class Spooled(NamedTuple):
    """One reading as it lies on disk."""

    sequence: int
    payload: bytes
    """JSON of a ``wire.Reading``, byte for byte as it is sent."""


class SpoolState(NamedTuple):
    """Counts for the box's health; the last three are cumulative since the spool was made."""

    readings: int
    oldest_ms: int | None
    dropped: int
    refused: int
    corrupt: int


class Spool:
    """Readings waiting for their receipt. Not for two threads at once."""

    def __init__(self, path: Path, max_megabytes: int, box: Box, max_age_days: int = 30) -> None:
        self.path, self._max_megabytes, self._box = path, max_megabytes, box
        self._max_age_ms, self._steadiness = max_age_days * 86_400_000, Steadiness(box)
        self._counters: dict[str, int] = {}
        self._count = 0
        self._numbers: Numbers | None = None
        self._ballast = Ballast(path.with_name(path.name + ".ballast"))
        self._ballast_wanted = True
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = spool_file.lock(path.with_name(path.name + ".lock"))
            self._open()
        except (OSError, *spool_file.ERRORS) as error:
            raise SpoolError(f"the spool {path} cannot be opened: {error}") from error

    # -- what poller and uplink use -------------------------------------------------

    def add(self, reading: wire.Reading) -> int:
        """Number ``reading``, put it on disk and return its sequence; durable on return."""
        self._guarded(self._come_back_if_deleted)
        numbers = self._numbers_now()
        if numbers.used_up:
            self._reserve(numbers)
        sequence = numbers.take()
        payload = encode_checked(msgspec.structs.replace(reading, sequence=sequence))
        row = (
            sequence,
            payload,
            spool_file.checksum(sequence, payload),
            reading.taken_at_ms,
            int(self._box.clock_synchronised()),
        )
        self._guarded(lambda: self._insert(row))
        self._count += 1
        if self._ballast_wanted:
            self._ballast_wanted = not self._ballast.take()
        return sequence

    def newest(self, above: int, limit: int = wire.MAX_READINGS) -> list[Spooled]:
        """Return the newest readings with a sequence over ``above``, in ascending order."""
        return self._read(_NEWEST, above, limit)[::-1]

    def oldest(self, up_to: int, limit: int = wire.MAX_READINGS) -> list[Spooled]:
        """Return the oldest readings with a sequence up to ``up_to``, in ascending order."""
        return self._read(_OLDEST, up_to, limit)

    def settle(self, accepted: Iterable[int], refused: Iterable[tuple[int, str]] = ()) -> int:
        """Forget what a receipt accepted, set aside what it refused (sequence, reason); return how many left."""
        return self._guarded(lambda: self._settle(list(accepted), list(refused)))

    def drop_too_old(self) -> int:
        """Drop readings over the age limit and return how many; nothing while the clock may be wrong."""
        if not (self._steadiness.is_proven() and self._box.clock_synchronised()):
            return 0
        return self._guarded(lambda: self._drop_before(self._box.wall_ms() - self._max_age_ms))

    def state(self) -> SpoolState:
        """Return counts for health and metrics."""
        return self._guarded(self._state)

    def close(self) -> None:
        """Close the file and note the last number, so that the next start leaves no hole."""
        numbers = self._numbers_now()
        if self._lock.closed:
            return
        try:
            self._save_counters(last=numbers.last)
            numbers.write(numbers.reserved)
        except (OSError, *spool_file.ERRORS) as error:
            log.warning("spool: closing without a last note: %s", error)
        self._db.close()
        self._lock.close()

    # -- opening and starting over ----------------------------------------------------

    def _open(self) -> None:
        side_path = self.path.with_name(self.path.name + ".sequence")
        side = read_mark(side_path)
        lowest = 0
        try:
            known = self._load()
        except spool_file.ERRORS as error:
            if not spool_file.is_corrupt(error, self.path):
                raise
            # Nobody has polled once a second since 1970, so this is above anything a lost spool gave out.
            known, lowest = None, self._box.wall_ms() // 1000
            self._start_over(str(error))
        last = max(first_number(known, side, lowest), self._guarded(self._highest_row))
        if known is not None and side is not None and known.is_older_than(side):
            log.warning("spool: %s is an old copy; numbering goes on above %d", self.path, last)
        marks = [mark for mark in (known, side) if mark is not None]
        reserved = max([last, *(mark.reserved for mark in marks)])
        opens = max([0, *(mark.opens for mark in marks)]) + 1
        self._numbers = Numbers(side_path, last, reserved, opens)
        self._guarded(lambda: self._save_counters(opens=opens, last=last, reserved=reserved))
        self._numbers.write(reserved)

    def _load(self) -> Mark | None:
        """Open the file and learn what it remembers; ``None`` when it is new."""
        db = self._open_file()
        try:
            self._counters = dict(db.execute("SELECT name, value FROM counters"))
            self._count, highest = db.execute("SELECT count(*), max(sequence) FROM readings").fetchone()
        except spool_file.ERRORS:
            db.close()
            raise
        self._db = db
        if "opens" not in self._counters:
            return None
        last = max(self._counters.get("last", 0), highest or 0)
        return Mark(self._counters.get("reserved", 0), self._counters["opens"], last)

    def _open_file(self) -> sqlite3.Connection:
        db = spool_file.open_file(self.path, self._max_megabytes)
        self._file_number = spool_file.number_of(self.path)
        return db

    def _start_over(self, reason: str) -> None:
        """Set the corrupt file aside, begin a new one and carry over what can be rescued."""
        aside = spool_file.set_aside(self.path, str(self._box.wall_ms()))
        self._db = self._open_file()
        try:
            self._take_over(spool_file.rescue(aside))
        except spool_file.ERRORS as error:
            log.warning("spool: the rescue ended early: %s", error)
        self._count = self._db.execute("SELECT count(*) FROM readings").fetchone()[0]
        numbers = self._numbers
        marks = {"last": numbers.last, "reserved": numbers.reserved, "opens": numbers.opens} if numbers else {}
        self._save_counters(corrupt=self._counters.get("corrupt", 0) + 1, **marks)
        log.error(
            "spool: %s was damaged (%s); set aside as %s, %d readings rescued",
            self.path,
            reason,
            aside.name,
            self._count,
        )

    def _come_back_if_deleted(self) -> None:
        """Put the file back when somebody removed it under us: what waits in it is still in our hands."""
        if spool_file.number_of(self.path) == self._file_number:
            return
        rescued = self.path.with_name(self.path.name + ".rescued")
        spool_file.copy(self._db, rescued)
        # SQLite removes side files by name when it closes, so the old one must be closed before the new one opens.
        self._db.close()
        rescued.replace(self.path)
        self._db = self._open_file()
        log.error("spool: %s was removed while in use; written again with its %d readings", self.path, self._count)

    def _take_over(self, rows: Iterator[spool_file.Row]) -> None:
        while some := list(itertools.islice(rows, RESCUE_AT_ONCE)):
            with self._transaction():
                self._db.executemany("INSERT OR IGNORE INTO readings VALUES (?, ?, ?, ?, ?)", some)

    def _highest_row(self) -> int:
        found = self._db.execute("SELECT max(sequence) FROM readings").fetchone()[0]
        return int(found or 0)

    def _numbers_now(self) -> Numbers:
        if self._numbers is None:
            raise SpoolError("the spool is not open")
        return self._numbers

    def _reserve(self, numbers: Numbers) -> None:
        reserved = numbers.next_block()
        self._guarded(lambda: self._save_counters(reserved=reserved, last=numbers.last))
        try:
            numbers.write(reserved)
        except OSError as error:
            raise SpoolError(f"no new sequence numbers: {error}") from error

    def _guarded(self, operation: Callable[[], Result]) -> Result:
        """Run ``operation``; when the file turns out to be damaged, start over and run it once more."""
        try:
            try:
                return operation()
            except spool_file.ERRORS as error:
                if not spool_file.is_corrupt(error, self.path):
                    raise
                self._db.close()
                self._start_over(str(error))
                return operation()
        except (*spool_file.ERRORS, OSError) as error:
            raise SpoolError(f"the spool {self.path} does not work: {error}") from error

    # -- single steps, each one transaction ------------------------------------------

    def _insert(self, row: spool_file.Row) -> None:
        for _ in range(wire.MAX_READINGS):
            try:
                self._db.execute("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", row)
            except sqlite3.OperationalError as error:
                if not spool_file.is_full(error):
                    raise
                self._make_room()
            else:
                return
        raise SpoolError(f"there is no room for one more reading at {self.path}, not even after dropping old ones")

    def _make_room(self) -> None:
        try:
            self._evict()
        except sqlite3.OperationalError as error:
            if not spool_file.is_full(error):
                raise
            self._evict_on_full_disk()

    def _evict_on_full_disk(self) -> None:
        """The disk itself is full, so even DELETE has no room in the log: give the ballast back for it."""
        self._ballast_wanted = True
        self._ballast.release()
        # Folding the log in makes its room usable again; new pages it holds need at most half a ballast.
        self._db.execute("PRAGMA wal_checkpoint(RESTART)")
        self._evict()

    def _evict(self) -> None:
        first = self._db.execute("SELECT sequence FROM readings ORDER BY sequence LIMIT ?", (EVICT_AT_ONCE,)).fetchall()
        if not first:
            with self._transaction():
                self._db.execute("DELETE FROM quarantine")
            return
        self._drop_up_to(first[-1][0])

    def _drop_before(self, instant_ms: int) -> int:
        # Only rows taken with a true clock say how old they are; what lies before such a row is older still.
        row = self._db.execute(_LAST_TOO_OLD, (instant_ms,)).fetchone()
        return self._drop_up_to(row[0]) if row[0] is not None else 0

    def _drop_up_to(self, sequence: int) -> int:
        with self._transaction():
            gone = self._db.execute("DELETE FROM readings WHERE sequence <= ?", (sequence,)).rowcount
            self._count_more("dropped", gone)
        self._count -= gone
        return gone

    def _settle(self, accepted: list[int], refused: list[tuple[int, str]]) -> int:
        with self._transaction():
            aside = sum(self._set_row_aside(sequence, reason) for sequence, reason in refused)
            gone = aside + self._delete(accepted)
            if gone < len(accepted) + len(refused):
                self._see_that_they_are_gone([*accepted, *(sequence for sequence, _ in refused)])
            if aside:
                self._count_more("refused", aside)
            self._write_counter("last", self._numbers_now().last)
        self._count -= gone
        return gone

    def _delete(self, sequences: list[int]) -> int:
        if not sequences:
            return 0
        rows = [(sequence,) for sequence in sequences]
        return self._db.executemany("DELETE FROM readings WHERE sequence = ?", rows).rowcount

    def _see_that_they_are_gone(self, sequences: list[int]) -> None:
        """A flipped bit can hide a row from whoever looks for its number, but not from readers: it is sent for ever."""
        numbers = set(sequences)
        if any(number in numbers for (number,) in self._db.execute("SELECT sequence FROM readings NOT INDEXED")):
            raise spool_file.Damaged("a reading cannot be found by its number")

    def _set_row_aside(self, sequence: int, reason: str) -> int:
        moved = self._db.execute(_SET_ASIDE, (reason[:500], self._box.wall_ms(), sequence)).rowcount
        self._db.execute(
            "DELETE FROM quarantine WHERE place <= (SELECT max(place) FROM quarantine) - ?", (MAX_QUARANTINE,)
        )
        return moved and self._delete([sequence])

    def _read(self, query: str, border: int, limit: int) -> list[Spooled]:
        return self._guarded(lambda: self._read_whole(query, border, limit))

    def _read_whole(self, query: str, border: int, limit: int) -> list[Spooled]:
        while True:
            good: list[Spooled] = []
            bad: list[int] = []
            room = MAX_BATCH_BYTES
            for row in self._db.execute(query, (border, limit)):
                if not spool_file.is_whole(row):
                    bad.append(row[0])
                    continue
                room -= len(row[1]) + 1
                if room < 0 and good:
                    break
                good.append(Spooled(row[0], row[1]))
            if not bad:
                return good
            self._set_corrupt_aside(bad)

    def _set_corrupt_aside(self, sequences: list[int]) -> None:
        with self._transaction():
            gone = sum(self._set_row_aside(sequence, "checksum of the row does not match") for sequence in sequences)
            if gone < len(sequences):
                raise spool_file.Damaged("a damaged reading cannot be found by its number")
            self._count_more("corrupt", gone)
        self._count -= gone
        log.error("spool: %d damaged readings set aside, first sequence %d", gone, sequences[0])

    def _state(self) -> SpoolState:
        row = self._db.execute("SELECT created_ms FROM readings ORDER BY sequence LIMIT 1").fetchone()
        seen = self._counters.get
        return SpoolState(
            self._count, row[0] if row else None, seen("dropped", 0), seen("refused", 0), seen("corrupt", 0)
        )

    # -- counters and transactions -------------------------------------------------------

    def _count_more(self, name: str, more: int) -> None:
        self._write_counter(name, self._counters.get(name, 0) + more)

    def _write_counter(self, name: str, value: int) -> None:
        self._counters[name] = value
        self._db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, value))

    def _save_counters(self, **values: int) -> None:
        self._counters.update(values)
        with self._transaction():
            for name, value in self._counters.items():
                self._write_counter(name, value)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        before = dict(self._counters)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._counters = before
            with contextlib.suppress(*spool_file.ERRORS):  # SQLite has often rolled back by itself
                self._db.execute("ROLLBACK")
            raise
