"""The command ``kampungnet import-villages``."""

import argparse
import sys
from contextlib import closing

from kampungnet.core import clock
from kampungnet.core.commands import Add, open_database
from kampungnet.core.errors import Unavailable
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.villages import service as villages


def add_commands(add: Add) -> None:
    """Add the command."""
    one = add("import-villages", _import_villages)
    one.add_argument("file", help="a file with the columns " + ", ".join(villages.COLUMNS) + "; or the name of a "
                     "register that comes with KampungNet: banyuwangi, klaten, rembang, temanggung")  # fmt: skip


def _import_villages(options: argparse.Namespace) -> None:
    path = villages.register_path(options.file)
    with (
        path.open(encoding="utf-8-sig", newline="") as lines,
        closing(open_database(options)) as database,
        database.writes() as db,
    ):
        done = villages.import_register(db, lines)
        for regency, count in done.regencies.items():
            act = Act("register.import", path.name, "", None, {"villages": count})
            audit.record(db, audit.on_the_server(db, regency), act, clock.now_ms())
    for bad in done.bad:
        print(f"{path.name} line {bad.line} was not taken: {bad.reason}", file=sys.stderr)
    number = sum(done.regencies.values())
    print(f"{number} villages of {', '.join(done.regencies) or 'no regency'} are in the register.")
    if done.bad:
        raise Unavailable(f"{len(done.bad)} rows were not taken: mend them and import the file again.")
