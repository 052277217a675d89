"""Commands about what measurement stands on: ``kampungnet import-topology`` and ``import-holidays``."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from kampungnet.core import clock
from kampungnet.core.commands import Add, open_database
from kampungnet.core.errors import BadInput, Unavailable
from kampungnet.measurement import holidays, topology
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.villages import service as villages


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    one = add("import-topology", _import_topology)
    one.add_argument("file", help="columns: " + ", ".join(topology.COLUMNS))
    one.add_argument("--regency", required=True, help="Kemendagri code of the kabupaten, for example 35.10")

    one = add("import-holidays", _import_holidays)
    one.add_argument("file", help="a file with the columns " + ", ".join(holidays.COLUMNS) + "; dates like 2026-08-17")
    one.add_argument("--regency", help="for example 35.10 (default: every regency of the register)")


def _import_topology(options: argparse.Namespace) -> None:
    path = Path(options.file)
    with (
        path.open(encoding="utf-8-sig", newline="") as lines,
        closing(open_database(options)) as database,
        database.writes() as db,
    ):
        number, bad = topology.import_places(db, options.regency, lines)
        if number:
            act = Act("topology.import", path.name, "", None, {"villages": number})
            audit.record(db, audit.on_the_server(db, options.regency), act, clock.now_ms())
    for one in bad:
        print(f"{path.name} line {one.line} was not taken: {one.reason}", file=sys.stderr)
    if bad:
        raise BadInput(f"{len(bad)} rows are wrong: nothing was taken. Mend them and import the file again.")
    print(f"{number} villages hang on their cables.")


def _import_holidays(options: argparse.Namespace) -> None:
    path = Path(options.file)
    try:
        text = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is no text in UTF-8: save it as CSV UTF-8 and import it again.") from None
    with closing(open_database(options)) as database, database.writes() as db:
        regencies = [options.regency] if options.regency else [one.code for one in villages.regencies(db)]
        if not regencies:
            raise Unavailable("No regency is in the register: import its villages first.")
        done = [holidays.import_list(db, regency, text) for regency in regencies]
        for regency, one in zip(regencies, done, strict=True):
            if one.days:
                act = Act("holidays.import", path.name, "", None, {"days": one.days})
                audit.record(db, audit.on_the_server(db, regency), act, clock.now_ms())
    for bad in done[0].bad:
        print(f"{path.name} line {bad.line}: {bad.reason}", file=sys.stderr)
    if done[0].bad:
        raise Unavailable(f"Nothing was taken, {len(done[0].bad)} lines are bad: mend them and import the file again.")
    print(f"{done[0].days} holidays are known in {', '.join(regencies)}.")
