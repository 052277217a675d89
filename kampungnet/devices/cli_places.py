"""The command ``kampungnet villages``: for people a list, for Ansible's inventory JSON."""

import argparse
import json
import sys
from contextlib import closing
from dataclasses import asdict

from kampungnet.core import clock
from kampungnet.core.commands import Add, open_database
from kampungnet.devices.places import Place, places


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    one = add("villages", _villages)
    one.add_argument("--json", action="store_true", help="as JSON, for programs: all villages of the register")
    one.add_argument("--boxes", action="store_true", help="only those that have a box, or wait for one")


def _villages(options: argparse.Namespace) -> None:
    with closing(open_database(options)) as database, database.reads() as db:
        found = [one for one in places(db, clock.now_ms()) if one.boxes or one.waits or not options.boxes]
    if options.json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    if not found:
        none, step = ("No village has a box yet", "enrol") if options.boxes else ("No villages", "import-villages")
        print(f"{none}: kampungnet {step} --help says how to begin.", file=sys.stderr)
    for one in found:
        print(f"{one.code}  {one.name} ({one.district_name}){_box(one)}")


def _box(one: Place) -> str:
    if one.boxes:
        return f": {one.boxes} box(es)"
    return ": waits for its box" if one.waits else ""
