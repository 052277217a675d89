"""The ledger: a regency's month added up, against databases with a row per slot; days made anew from readings."""

import gc
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from sqlalchemy import insert

from kampungnet.core import clock
from kampungnet.core.collector import rest_the_collector
from kampungnet.core.database import Database
from kampungnet.measurement import closing, recompute, traffic
from kampungnet.measurement.ledger import Slot
from kampungnet.measurement.models import TrafficDay, TrafficSlots
from kampungnet.measurement.month import HOUR_MS
from kampungnet.measurement.outage_models import LoggedOutage
from kampungnet.measurement.outage_words import Cause, Evidence, Finding
from kampungnet.measurement.slots import SLOT_MS, SLOT_SECONDS, SLOTS_A_DAY
from kampungnet.upkeep import pack_all
from tests.benchmarks.central import prepare_sqlite, sqlite_url
from tests.benchmarks.context import Context
from tests.benchmarks.duckdb_peer import duckdb
from tests.benchmarks.ledger_month import Found, month_of_regency
from tests.benchmarks.past import Past, store
from tests.benchmarks.process import Unusable, module
from tests.benchmarks.rows import Row, at_most, less, median, missing
from tests.support import postgres

VILLAGES = 401
FEW_VILLAGES = 40
ROUNDS = 5
DOWN_EVERY = 15
"""So many days of a village bring one outage: an hour from noon."""
DOWN_HOUR = 12
MONTH = date(2026, 6, 1)
YEAR = [date(2026, n, 1) for n in range(1, 13)]
REGENCY = "33.10"
WHAT = "a month of 401 villages (3.46 M slots), totals, 95th percentile and availability, inside the process"
QUESTION = (
    "SELECT site, sum(rx), sum(tx), count(*), sum(up), percentile_cont(0.95) WITHIN GROUP (ORDER BY rx), "
    "percentile_cont(0.95) WITHIN GROUP (ORDER BY tx) FROM slots GROUP BY site"
)
_SAME = (
    "SELECT site, sum(rx), sum(tx), sum(up), percentile_disc(0.95) WITHIN GROUP (ORDER BY rx), "
    "percentile_disc(0.95) WITHIN GROUP (ORDER BY tx) FROM slots GROUP BY site ORDER BY site"
)


@dataclass
class Books:
    """Slots of many villages: as day rows in SQLite, as lines of text for the others."""

    folder: Path
    villages: list[str]
    dice: random.Random = field(default_factory=lambda: random.Random(26))

    @property
    def text(self) -> Path:
        """Site, instant, bytes received and sent, seconds of service."""
        return self.folder / "slots.csv"

    def fill(self, days: list[date]) -> Database:
        """Write every slot of those days."""
        database = Database(sqlite_url(self.folder))
        with self.text.open("w") as lines, database.writes() as db:
            for number, village in enumerate(self.villages):
                down = sorted(self.dice.sample(days, len(days) // DOWN_EVERY))
                db.connection().execute(insert(LoggedOutage), [self._outage(village, day) for day in down])
                rows = [self._rows(village, day, slots) for day, slots in self._slots(days, (number, down), lines)]
                for place, table in enumerate((TrafficDay, TrafficSlots)):
                    db.connection().execute(insert(table), [both[place] for both in rows])
        return database

    def _outage(self, village: str, day: date) -> dict[str, Any]:
        start = clock.day_start_ms(day, clock.WIB) + DOWN_HOUR * HOUR_MS
        told = (Finding.LAST_SIGN, Finding.SILENCE, Finding.BOX_RESTARTED, Finding.ROUTER_RESTARTED)
        said = msgspec.json.encode([Evidence(start, finding) for finding in told]).decode()
        return {
            "regency": REGENCY, "site": f"{village}-1", "start_ms": start, "end_ms": start + HOUR_MS,
            "cause": Cause.LISTRIK, "confidence": 0.9, "evidence": said, "provisional": False,
        }  # fmt: skip

    def _slots(
        self, days: list[date], village: tuple[int, list[date]], lines: Any
    ) -> Iterator[tuple[date, dict[int, Slot]]]:
        draw, (number, down) = self.dice.lognormvariate, village
        for day in days:
            start, busy = clock.day_start_ms(day, clock.WIB), 1 + self.dice.random()
            slots = {
                # More in the evening, more on some days than on others.
                start + n * SLOT_MS: Slot(int(draw(17, 1) * busy * (1 + (n > 200))), int(draw(15, 1)), SLOT_MS)
                for n in range(SLOTS_A_DAY)
            }
            without = range(start + DOWN_HOUR * HOUR_MS, start + (DOWN_HOUR + 1) * HOUR_MS) if day in down else ()
            lines.writelines(
                f"{number},{at},{one.rx_bytes},{one.tx_bytes},{0 if at in without else SLOT_SECONDS}\n"
                for at, one in slots.items()
            )
            yield day, slots

    def _rows(self, village: str, day: date, slots: dict[int, Slot]) -> tuple[dict[str, Any], dict[str, Any]]:
        start = clock.day_start_ms(day, clock.WIB)
        one = traffic.summary(slots, start)
        key = {"regency": REGENCY, "site": f"{village}-1", "device": "router", "day": day}
        sums = key | {
            "interface": "ether1", "rx_bytes": one.rx_bytes, "tx_bytes": one.tx_bytes, "covered_ms": one.covered_ms,
            "samples": one.samples, "flags": int(one.flags), "busiest_hour": one.busiest_hour,
            "busiest_bytes": one.busiest_bytes, "packed": traffic.pack_day(day, one), "gaps": b"",
        }  # fmt: skip
        return sums, key | {"slots": traffic.pack_all({"ether1": slots}, start)}


def ledger_month(context: Context) -> list[Row]:
    """Add a month up in turn with PostgreSQL and DuckDB, both with a row per slot."""
    folder = context.own_folder("ledger")
    books = Books(folder, [one.village for one in prepare_sqlite(folder, VILLAGES)])
    database = books.fill(clock.days_between(MONTH, closing.last_day(MONTH)))
    context.say("written")
    with ExitStack() as stack:
        rows = [_against_postgresql(context, stack, books, database), _against_duckdb(stack, books, database)]
    return [*rows, _memory(folder), _linear(context)]


def _ours(database: Database, first: date = MONTH) -> tuple[float, Found]:
    gc.collect()
    began = time.perf_counter()
    with database.reads() as db:
        found = month_of_regency(db, REGENCY, first)
    return time.perf_counter() - began, found


def _against_postgresql(context: Context, stack: ExitStack, books: Books, database: Database) -> Row:
    programs = postgres.binaries()
    if programs is None:
        return missing(WHAT, "–", "PostgreSQL is not installed here")
    url = stack.enter_context(postgres.database(stack.enter_context(postgres.server(programs)), "ledger"))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as db:
        db.execute("CREATE TABLE slots (site int, at bigint, rx bigint, tx bigint, up int, PRIMARY KEY (site, at))")
        with db.cursor().copy("COPY slots FROM STDIN (FORMAT csv)") as copy, books.text.open("rb") as lines:
            while block := lines.read(1 << 20):
                copy.write(block)
        db.execute("VACUUM ANALYZE slots")
        _see_that_it_is_the_same(db, books, _ours(database)[1])
        context.say("PostgreSQL has the same totals, up-time and, by nearest rank, the same percentiles")
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(_ours(database)[0])
            began = time.perf_counter()
            db.execute(QUESTION).fetchall()
            theirs.append(time.perf_counter() - began)
    return less(f"{WHAT}; PostgreSQL: a row per slot, percentile_cont", ours, theirs, "s", (12, 20))


def _see_that_it_is_the_same(db: "psycopg.Connection[Any]", books: Books, found: Found) -> None:
    for number, rx, tx, up, rx_p95, tx_p95 in db.execute(_SAME):
        site = f"{books.villages[number]}-1"
        one = found.lines[site, "router", "ether1"]
        ours = (one.rx_bytes, one.tx_bytes, found.sites[site].up, one.rx_p95_bps, one.tx_p95_bps)
        if ours != (rx, tx, up, rx_p95 * 8 // 300, tx_p95 * 8 // 300):
            raise RuntimeError(f"PostgreSQL counts otherwise: {ours} in {books.villages[number]}")


def _against_duckdb(stack: ExitStack, books: Books, database: Database) -> Row:
    what = f"{WHAT}; DuckDB: a row per slot in memory, percentile_cont"
    try:
        peer = stack.enter_context(duckdb(books.text))
    except Unusable as why:
        return missing(what, "–", str(why))
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_ours(database)[0])
        theirs.append(peer.seconds(QUESTION))
    return less(what, ours, theirs, "s", (1.5, 3))


def _memory(folder: Path) -> Row:
    command = [*module("ledger_month"), sqlite_url(folder), REGENCY, MONTH.isoformat()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    extra, lines, _ = done.stdout.split()
    if int(lines) != VILLAGES:
        raise RuntimeError(f"{lines} months were added up")
    return at_most("the same: memory beyond the idle server", float(extra), "MB", (30, 10))


def _linear(context: Context) -> Row:
    """Add up the twelve months of a year, in turn with one of them: so both sums have the machine's busy moments."""
    folder = context.own_folder("ledger-year")
    books = Books(folder, [one.village for one in prepare_sqlite(folder, FEW_VILLAGES)])
    database = books.fill(clock.days_between(YEAR[0], closing.last_day(YEAR[-1])))
    days = closing.last_day(YEAR[-1]).timetuple().tm_yday / closing.last_day(MONTH).day
    ratios = []
    for _ in range(ROUNDS):
        in_turn = [(_ours(database, first)[0], _ours(database)[0]) for first in YEAR]
        year, month_twelve_times = map(sum, zip(*in_turn, strict=True))
        ratios.append(year / (month_twelve_times / len(YEAR)) / days)
    what = f"cost of a year of {FEW_VILLAGES} villages against that of its days at the price of one month (1 is linear)"
    return at_most(what, median(ratios), "x", (1.15, 1.05))


def ledger_recompute(context: Context) -> list[Row]:
    """Make one village's month anew from its readings, of every five minutes and of every minute."""
    rows = []
    for step, goal in ((300, (1.0, 0.3)), (60, (None, None))):
        seconds, number = _recomputed(context, step)
        what = f"one village's month made anew from {number:,} readings (router and ONT, each {step} s)"
        rows.append(at_most(what, seconds, "s", goal) if goal[0] else missing(what, f"{seconds:.2f} s", "no goal"))
    return rows


def _recomputed(context: Context, step: int) -> tuple[float, int]:
    folder = context.own_folder("ledger-recompute")
    boxes = prepare_sqlite(folder, 1, "banyuwangi")
    database = Database(sqlite_url(folder))
    zone = clock.zone_of(boxes[0].village[:5])
    today = clock.local_day(clock.now_ms() - 4 * 3_600_000, zone)
    store(database, boxes, Past("banyuwangi", 30, step, clock.day_start_ms(today, zone)))
    number = pack_all(database)
    context.say(f"{number} readings packed")
    took = []
    with _collector_rests():
        for _ in range(3):
            began = time.perf_counter()
            with database.reads() as db:
                spans = recompute.spans(db, today - timedelta(days=40), today)
                made = [recompute.remake(db, span) for span in spans]
            with database.writes() as db:
                for one in made:
                    recompute.write(db, one)
            took.append(time.perf_counter() - began)
    database.close()
    return median(took), number


@contextmanager
def _collector_rests() -> Iterator[None]:
    """Do as the server and ``kampungnet recompute`` do."""
    usual = gc.get_threshold()
    rest_the_collector()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)
