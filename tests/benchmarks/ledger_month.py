"""A regency's month: traffic and percentiles of every line, availability of every site.

As a process of its own it tells what that needs beyond the idle server's memory.

``python -m tests.benchmarks.ledger_month DATABASE_URL REGENCY MONTH`` prints megabytes of memory.
"""

import sys
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet import tables
from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.measurement import closing, outage_log
from kampungnet.measurement.availability import Availability, Record, availability
from kampungnet.measurement.month import Month
from kampungnet.measurement.outage_models import UnseenDay
from kampungnet.measurement.outage_words import Span
from tests.benchmarks import own_process


@dataclass(frozen=True)
class Found:
    """What a month was."""

    lines: dict[closing.Line, Month]
    sites: dict[str, Availability]


def month_of_regency(db: Session, regency: str, first: date) -> Found:
    """Add a month up: days to months, outages and what nobody saw to availability."""
    period = Span(*closing.period_ms(first, clock.zone_of(regency)))
    lines = closing.months_of(db, regency, first)
    outages = outage_log.of_regency(db, regency, period)
    rows = db.execute(
        select(UnseenDay.site, UnseenDay.day, UnseenDay.spans)
        .where(UnseenDay.regency == regency, UnseenDay.day.between(first, closing.last_day(first)))
    ).all()  # fmt: skip
    if rows:
        raise RuntimeError("the benchmark's villages were seen all the time")
    sites = {site: availability([period], Record(outages.get(site, ()))) for site, *_ in lines}
    return Found(lines, sites)


def main() -> None:
    """Measure once."""
    url, regency, first = sys.argv[1:]
    tables.load()
    database = Database(url)
    server = Server(database, upkeep=False)
    with database.reads() as db:
        month_of_regency(db, regency, date(2000, 1, 1))  # connects, and compiles the question
    idle = own_process.resident_megabytes()
    own_process.forget_peak()
    with database.reads() as db:
        found = month_of_regency(db, regency, date.fromisoformat(first))
    sys.stdout.write(f"{own_process.peak_megabytes() - idle:.2f} {len(found.lines)} {bool(server)}\n")


if __name__ == "__main__":
    main()
