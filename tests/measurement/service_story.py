"""Five hours in the middle of last month, told by one box: the provider failed for twenty minutes of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.measurement import closing, outage_log
from kampungnet.shared import wire
from kampungnet.upkeep import close_months, pack_all
from tests.support.server import REGENCY, SITE, Box, ingested, router_body

MINUTE: Final = 60_000
PLACE: Final = (REGENCY, SITE)
THIS: Final = clock.local_day(clock.now_ms() - 6 * 3_600_000, clock.WIB).replace(day=1)
LAST: Final = (THIS - timedelta(days=1)).replace(day=1)
DAY: Final = LAST + timedelta(days=14)
BEGAN: Final = clock.day_start_ms(DAY, clock.WIB) + 8 * 60 * MINUTE
AFTER: Final = clock.day_start_ms(THIS, clock.WIB) + closing.CLOSE_MS
FAILED: Final = range(60, 80)
MINUTES: Final = 301


def reading(box: Box, minute: int) -> wire.Reading:
    """Return what the box saw at a minute of the story: 6,000 bytes a minute came in."""
    received = 0 if minute in FAILED else 3
    pings = [wire.Ping("internet", "203.0.113.1", 3, received), wire.Ping("gateway", "10.0.0.1", 3, 3)]
    return box.reading(
        router_body(minute * 6_000, pings=pings), taken_at_ms=BEGAN + minute * MINUTE,
        device_uptime_seconds=100_000 + minute * 60,
    )  # fmt: skip


def store(database: Database, box: Box, minutes: Iterable[int]) -> None:
    """Store and pack what was seen at these minutes."""
    readings = [reading(box, minute) for minute in minutes]
    ingested(database, *(box.request(box.report(*readings[n : n + 100])) for n in range(0, len(readings), 100)))
    pack_all(database)


def judge(database: Database, now_ms: int = AFTER) -> None:
    """Judge the site as the background does."""
    with database.reads() as db:
        judged = outage_log.plan(db, PLACE, now_ms)
    with database.writes() as db:
        outage_log.carry_out(db, judged)


def closed(database: Database, box: Box, minutes: Iterable[int] = range(MINUTES)) -> None:
    """Tell the story and close its month."""
    store(database, box, minutes)
    judge(database)
    close_months(database, AFTER)
