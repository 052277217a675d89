"""A process of its own that adds a regency's month up: what it needs beyond the idle server's memory.

``python -m tests.benchmarks.ledger_month DATABASE_URL REGENCY MONTH`` prints megabytes of memory.
"""

import sys
from datetime import date

from kampungnet import tables
from kampungnet.app import Server
from kampungnet.core.database import Database
from kampungnet.measurement import closing
from tests.benchmarks import own_process


def main() -> None:
    """Measure once."""
    url, regency, first = sys.argv[1:]
    tables.load()
    database = Database(url)
    server = Server(database, upkeep=False)
    with database.reads() as db:
        closing.months_of(db, regency, date(2000, 1, 1))  # connects, and compiles the question
    idle = own_process.resident_megabytes()
    own_process.forget_peak()
    with database.reads() as db:
        found = closing.months_of(db, regency, date.fromisoformat(first))
    sys.stdout.write(f"{own_process.peak_megabytes() - idle:.2f} {len(found)} {bool(server)}\n")


if __name__ == "__main__":
    main()
