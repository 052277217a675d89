"""The command ``kampungnet recompute``."""

import argparse

from kampungnet.core.collector import rest_the_collector
from kampungnet.core.commands import Add, day, open_database
from kampungnet.core.errors import BadInput
from kampungnet.upkeep import recompute_days
from kampungnet.villages import service as villages


def add_commands(add: Add) -> None:
    """Add the command."""
    one = add("recompute", _recompute)
    one.add_argument("--from", dest="first", type=day, required=True, help="first local day, for example 2026-07-01")
    one.add_argument("--to", dest="last", type=day, required=True, help="last local day, included")
    one.add_argument("--village", help="only this one: its Kemendagri code, for example 35.10.15.2012")


def _recompute(options: argparse.Namespace) -> None:
    if options.last < options.first:
        raise BadInput("The last day is before the first: give --from the earlier one.")
    database = open_database(options)
    if options.village is not None:
        with database.reads() as db:
            villages.village(db, options.village)
    rest_the_collector()
    number = recompute_days(database, options.first, options.last, options.village)
    print(f"{number} days of devices were made anew from their readings.")
