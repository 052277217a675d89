"""How much disk a village needs in a year."""

import sqlite3
from contextlib import closing
from pathlib import Path

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.upkeep import pack_all
from tests.benchmarks.central import prepare_sqlite, sqlite_url
from tests.benchmarks.context import Context
from tests.benchmarks.past import Past, store
from tests.benchmarks.rows import Row, at_most, median, number

VILLAGES = 4
DAYS = 4
STEP_SECONDS = 60
RAW_DAYS = 90
YEAR_DAYS = 365
YOUNG_HOURS = 2
READINGS_A_DAY = 2 * 86_400 // STEP_SECONDS
"""Of two devices, router and ONT, when nothing is ever cut."""


_EVERYTHING = "; ".join(
    f"DELETE FROM {table}" for table in ("reading_days", "slot_days", "traffic_days", "traffic_slots", "traffic_hours")
)


def disk(context: Context) -> list[Row]:
    """Store whole days of single villages, pack them, and extrapolate plainly."""
    found = [_village(context, place) for place in range(VILLAGES)]
    raw, slots, young = (median([one[part] for one in found]) for part in range(3))
    for one in found:
        context.say(f"raw {number(one[0])} kB a day, slots {number(one[1])} kB a day, young {number(one[2])} kB")
    year = (raw * RAW_DAYS + slots * YEAR_DAYS + young) / 1000
    what = (
        f"disk per village and year, router and ONT each minute (raw {number(raw)} kB x {RAW_DAYS} days, slots "
        f"{number(slots)} kB x {YEAR_DAYS} days, {number(young)} kB not yet packed)"
    )
    return [at_most(what, year, "MB", (25, 10))]


def _village(context: Context, place: int) -> tuple[float, float, float]:
    """Return kilobytes of raw readings a day, of slots a day, and of what is not yet packed."""
    folder = context.own_folder("disk")
    box = prepare_sqlite(folder, VILLAGES, "banyuwangi")[place]
    file = folder / "kampungnet.db"
    empty = _compact_bytes(file)
    database = Database(sqlite_url(folder))
    zone = clock.zone_of(box.village[:5])
    midnight = clock.day_start_ms(clock.local_day(clock.now_ms() - 4 * 3_600_000, zone), zone)
    readings = store(database, [box], Past("banyuwangi", DAYS, STEP_SECONDS, midnight))
    young = _compact_bytes(file) - empty
    pack_all(database)
    database.close()
    whole = _compact_bytes(file)
    without_raw = _compact_bytes(file, "DELETE FROM reading_days")
    nothing = _compact_bytes(file, _EVERYTHING)
    # A village with power cuts has fewer readings: count as if it had none.
    raw = (whole - without_raw) / readings * READINGS_A_DAY
    return (
        raw / 1000,
        (without_raw - nothing) / DAYS / 1000,
        young / readings * READINGS_A_DAY / 24 * YOUNG_HOURS / 1000,
    )


def _compact_bytes(file: Path, first: str = "") -> int:
    """Return the size of a compacted copy of a database, after doing something to the copy."""
    copy = file.with_suffix(".copy")
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as db:
        db.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.executescript(f"{first}; VACUUM;")
    return copy.stat().st_size
