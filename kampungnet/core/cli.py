"""The commands ``kampungnet migrate`` and ``kampungnet job``."""

import argparse
import os

from kampungnet.core import clock, jobs, migrate
from kampungnet.core.commands import Add, unmigrated, with_database
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput

RESULT = "SERVICE_RESULT"
"""What systemd says to ``ExecStopPost=`` of how a unit ended: ``success``, or in which way not (systemd.exec(5))."""


def add_commands(add: Add) -> None:
    """Add the commands."""
    one = add("migrate", _migrate)
    one.add_argument("--to", default="head", help="another version, also an older one before an older program is "
                     "installed: it drops what that version has no place for, so make a backup first")  # fmt: skip
    one = add("job", with_database(_job))
    one.add_argument("name", choices=sorted(jobs.PATIENCE_MS), help="the job, named as its unit is")


def _migrate(options: argparse.Namespace) -> None:
    before, after = migrate.migrate(unmigrated(options), options.to)
    if before == after:
        print(f"Database version {after}.")
    else:
        print(f"Database migrated from {before} to {after}." if before else f"Database made, version {after}.")


def _job(options: argparse.Namespace, database: Database) -> None:
    result = os.environ.get(RESULT)
    if not result:
        raise BadInput(f"Only the unit of the job says how it ended: ${RESULT} is not set.")
    with database.writes() as db:
        jobs.ended(db, options.name, clock.now_ms(), well=result == "success")
