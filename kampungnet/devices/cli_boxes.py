"""Commands about boxes and what hangs on them: ``kampungnet enrol``, ``revoke``, ``onu`` and ``import-onus``."""

import argparse
import getpass
import sys
from pathlib import Path

from kampungnet.core import clock
from kampungnet.core.commands import Add, open_database
from kampungnet.core.errors import Unavailable
from kampungnet.devices import onus, service
from kampungnet.villages import service as villages


def add_commands(add: Add) -> None:
    """Add these commands."""
    for name, run in (("enrol", _enrol), ("revoke", _revoke)):
        one = add(name, run)
        one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")

    one = add("onu", _onu)
    one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")
    one.add_argument("--serial", required=True, help="as on the unit's label: ZTEGC1234567, or a MAC address (EPON)")
    one.add_argument("--remove", action="store_true", help="take it from the village; what it measured stays")

    one = add("import-onus", _import_onus)
    one.add_argument("file", help="a file with the columns " + ", ".join(onus.COLUMNS))


def _enrol(options: argparse.Namespace) -> None:
    with open_database(options).writes() as db:
        village = villages.village(db, options.village)
        code = service.issue_code(db, village, clock.now_ms())
        name = village.name
    print(code)
    print(f"For the box of {name} ({options.village}), once, within 24 hours:", file=sys.stderr)
    print(f"  kampungnet-agent enrol --server URL --code {code}", file=sys.stderr)


def _revoke(options: argparse.Namespace) -> None:
    with open_database(options).writes() as db:
        number = service.revoke(db, villages.village(db, options.village), clock.now_ms())
    print(f"{number} box(es) of {options.village} can no longer report, nor be enrolled again with any key they had.")


def _onu(options: argparse.Namespace) -> None:
    with open_database(options).writes() as db:
        village = villages.village(db, options.village)
        if options.remove:
            onus.remove_from(db, village, options.serial)
            print(f"ONU {options.serial} is no village's any more.")
        else:
            onu = onus.assign(db, village, options.serial, getpass.getuser(), clock.now_ms())
            print(f"ONU {onu.serial} belongs to {village.name} ({village.code}).")


def _import_onus(options: argparse.Namespace) -> None:
    path = Path(options.file)
    with path.open(encoding="utf-8-sig", newline="") as lines, open_database(options).writes() as db:
        done = onus.import_list(db, lines, getpass.getuser(), clock.now_ms())
    for bad in done.bad:
        print(f"{path.name} line {bad.line} was not taken: {bad.reason}", file=sys.stderr)
    print(f"{done.taken} ONUs belong to their villages.")
    if done.bad:
        raise Unavailable(f"{len(done.bad)} rows were not taken: mend them and import the file again.")
