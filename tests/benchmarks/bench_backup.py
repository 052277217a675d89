"""How long a backup takes while reports come in, and how long bringing it back."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from kampungnet.core import clock
from kampungnet.core.database import Database
from tests.benchmarks.central import (
    Central,
    Enrolled,
    Readings,
    SteadyBox,
    prepare_sqlite,
    request_of,
    serving,
    sqlite_url,
)
from tests.benchmarks.context import Context
from tests.benchmarks.http_load import run
from tests.benchmarks.process import program
from tests.benchmarks.rows import Row, at_most

VILLAGES = 401
PART = 10
"""A whole year (9.5 GB) would take longer to fill than all other benchmarks: this is a tenth of it, and the figure is
ten times what it takes, the start of the program once. That what is ten times as long also takes ten times as long
holds while the disk keeps pace."""
RAW_DAYS, SLOT_DAYS = 90 // PART, 365 // PART
RAW_BYTES, SLOT_BYTES = 100_000, 15_700
"""Of a device and day (router and ONT have readings), of a site and day: `bench_disk` finds 23.7 MB a year."""
READINGS = 10
PAUSE_SECONDS = 0.1

_DAYS = "WITH RECURSIVE days(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM days WHERE n + 1 < :days)"
_RAW = (
    f"{_DAYS} INSERT INTO reading_days (regency, agent, device, day, site, readings, first_sequence, last_sequence,"
    " packed, part, stored_ms) SELECT regency, id, device, date('2026-01-01', n || ' days'), site, 1440, 1, 1440,"
    " randomblob(:bytes), 0, 0 FROM agents, days, (SELECT 'router' AS device UNION ALL SELECT 'ont')"
)
_SLOTS = (
    f"{_DAYS} INSERT INTO traffic_slots (regency, site, device, day, slots)"
    " SELECT regency, code, 'router', date('2025-01-01', n || ' days'), randomblob(:bytes) FROM sites, days"
)


def backup(context: Context) -> list[Row]:
    """Back up and restore through the command line; what compresses no further is filled in at random."""
    folder = context.own_folder("backup")
    boxes = prepare_sqlite(folder, VILLAGES)
    database = Database(sqlite_url(folder))
    for statement, days, size in ((_RAW, RAW_DAYS, RAW_BYTES), (_SLOTS, SLOT_DAYS, SLOT_BYTES)):
        with database.writes() as db:
            db.execute(text(statement), {"days": days, "bytes": size})
    database.close()
    with serving(folder) as central, _reports(central, boxes) as sent:
        start = _run("backup", "--help")
        before = len(sent)
        took = _run("backup", str(folder / "backups"), "--data", str(folder))
        reports = len(sent) - before
    (file,) = (folder / "backups").iterdir()
    megabytes = file.stat().st_size / 1e6
    context.say(f"{megabytes:,.0f} MB in {took:.1f} s, {reports / took:.0f} reports of {READINGS} readings a second")
    back = _run("restore", str(file), "--data", str(folder / "again"))
    context.say(f"restored in {back:.1f} s; the program alone takes {start:.1f} s to start")
    what = f"of {VILLAGES} villages and a year (SQLite; {PART} times what {megabytes:,.0f} MB take, the start once)"
    return [
        at_most(
            f"backup {what}, verified, while {reports / took:.0f} reports a second come in",
            start + (took - start) * PART,
            "s",
            (60, 20),
        ),
        at_most(f"restore {what}", start + (back - start) * PART, "s", (120, 40)),
    ]


def _run(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([program("kampungnet"), *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


@contextmanager
def _reports(central: Central, boxes: list[Enrolled]) -> Iterator[list[float]]:
    """Let each box report in its turn, somewhat faster than 401 boxes do; yield how long each answer took."""
    stopping = threading.Event()
    answered: list[float] = []
    failed: list[bytes] = []

    def report() -> None:
        readings = Readings(clock.now_ms() - 3_600_000)
        box = SteadyBox()
        while not stopping.wait(PAUSE_SECONDS):
            sender = boxes[len(answered) % len(boxes)].sender(box)
            load = run(central.address, [[request_of(sender, [readings.next() for _ in range(READINGS)])]])
            answered.extend(load.latencies_ms)
            failed.extend(status for status in load.statuses if status != b"200")

    thread = threading.Thread(target=report)
    thread.start()
    try:
        yield answered
    finally:
        stopping.set()
        thread.join()
    if failed or not answered:
        raise RuntimeError(f"{len(failed)} of {len(answered)} reports were not taken")
