"""Commands about boxes and what hangs on them: ``kampungnet enrol``, ``revoke``, ``onu`` and ``import-onus``."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from kampungnet.core import clock
from kampungnet.core.commands import Add, open_database
from kampungnet.core.errors import Unavailable
from kampungnet.devices import onus, service
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.villages import service as villages


def add_commands(add: Add) -> None:
    """Add these commands."""
    for name, run in (("enrol", _enrol), ("revoke", _revoke)):
        one = add(name, run)
        one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")
        one.add_argument("--reason", default=audit.WHY, help="why, for the log")

    one = add("onu", _onu)
    one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")
    one.add_argument("--serial", required=True, help="as on the unit's label: ZTEGC1234567, or a MAC address (EPON)")
    one.add_argument("--remove", action="store_true", help="take it from the village; what it measured stays")

    one = add("import-onus", _import_onus)
    one.add_argument("file", help="a file with the columns " + ", ".join(onus.COLUMNS))


def _enrol(options: argparse.Namespace) -> None:
    with closing(open_database(options)) as database, database.writes() as db:
        village = villages.village(db, options.village)
        by, now_ms = audit.on_the_server(db, village.regency), clock.now_ms()
        code = service.issue_code(db, village, now_ms)
        audit.record(db, by, Act("box.code", village.code, options.reason, None, {}), now_ms)
        name = village.name
    print(code)
    print(f"For the box of {name} ({options.village}), once, within 24 hours:", file=sys.stderr)
    print(f"  kampungnet-agent enrol --server URL --code {code}", file=sys.stderr)


def _revoke(options: argparse.Namespace) -> None:
    with closing(open_database(options)) as database, database.writes() as db:
        village, now_ms = villages.village(db, options.village), clock.now_ms()
        by = audit.on_the_server(db, village.regency)
        number = service.revoke(db, village, now_ms)
        audit.record(db, by, Act("box.revoke", village.code, options.reason, None, {"boxes": number}), now_ms)
    print(f"{number} box(es) of {options.village} can no longer report, nor be enrolled again with any key they had.")


def _onu(options: argparse.Namespace) -> None:
    with closing(open_database(options)) as database, database.writes() as db:
        village, now_ms = villages.village(db, options.village), clock.now_ms()
        by = audit.on_the_server(db, village.regency)
        if options.remove:
            what, serial = "onu.remove", onus.remove_from(db, village, options.serial)
            said = f"ONU {options.serial} is no village's any more."
        else:
            what, serial = "onu.assign", onus.assign(db, village, options.serial, by.name, now_ms).serial
            said = f"ONU {serial} belongs to {village.name} ({village.code})."
        audit.record(db, by, Act(what, village.code, "", None, {"serial": serial}), now_ms)
    print(said)


def _import_onus(options: argparse.Namespace) -> None:
    path = Path(options.file)
    now_ms = clock.now_ms()
    with (
        path.open(encoding="utf-8-sig", newline="") as lines,
        closing(open_database(options)) as database,
        database.writes() as db,
    ):
        done = onus.import_list(db, lines, audit.system_user(), now_ms)
        for regency, number in sorted(done.taken_in.items()):
            by = audit.on_the_server(db, regency)
            audit.record(db, by, Act("onu.import", path.name, "", None, {"onus": number}), now_ms)
    for bad in done.bad:
        print(f"{path.name} line {bad.line} was not taken: {bad.reason}", file=sys.stderr)
    print(f"{sum(done.taken_in.values())} ONUs belong to their villages.")
    if done.bad:
        raise Unavailable(f"{len(done.bad)} rows were not taken: mend them and import the file again.")
