"""The command line of the centre: ``kampungnet …``. Every command has ``--help`` and an exit code.

0 it worked · 1 it did not, and one sentence says why · 2 the command was not understood
"""

import argparse
import functools
import getpass
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from kampungnet import tables
from kampungnet.alerts import cli as alerts
from kampungnet.backup import cli as backup
from kampungnet.backup.service import Place
from kampungnet.billing import cli as billing
from kampungnet.core import clock, migrate
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Problem, Unavailable
from kampungnet.demo import run as demo
from kampungnet.devices import cli as devices_commands
from kampungnet.devices import cli_places, onus
from kampungnet.devices import service as devices
from kampungnet.measurement import holidays, topology
from kampungnet.metrics import cli as metrics_commands
from kampungnet.sealing import cli as sealing
from kampungnet.server import MOST_PROCESSES, rest_the_collector, serve
from kampungnet.staff import cli as staff_commands
from kampungnet.staff import service as staff
from kampungnet.upkeep import recompute_days
from kampungnet.villages import service as villages

DEFAULT_DATA: Final = "data"
Command = Callable[[argparse.Namespace], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("kampungnet.staff.signing_in").setLevel(logging.INFO)  # who came in, and who did not
    tables.load()
    run: Command = options.run
    try:
        run(options)
    except Problem as problem:
        print(f"kampungnet: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"kampungnet: {place}{error.strerror or error}", file=sys.stderr)
        return 1
    except SQLAlchemyError as error:
        print(f"kampungnet: the database refused: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kampungnet", description="The central server of KampungNet.")
    commands = parser.add_subparsers(metavar="command", required=True)

    one = _command(commands, "serve", _serve, "serve pages, reports and metrics")
    one.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    one.add_argument("--port", type=_port, default=8080, help="port to listen on (default: %(default)s)")
    one.add_argument(
        "--processes", type=_processes, default=min(4, os.cpu_count() or 1),
        help="how many processes share the work (default: one a core, at most 4; here %(default)s)",
    )  # fmt: skip

    one = _command(commands, "migrate", _migrate, "bring the database to the version of this program")
    one.add_argument("--to", default="head", help="another version, also an older one before an older program is "
                     "installed: it drops what that version has no place for, so make a backup first")  # fmt: skip

    one = _command(commands, "import-villages", _import_villages, "take a register of villages (CSV)")
    one.add_argument("file", help="a file with the columns " + ", ".join(villages.COLUMNS) + "; or the name of a "
                     "register that comes with KampungNet: banyuwangi, klaten, rembang, temanggung")  # fmt: skip

    one = _command(commands, "import-topology", _import_topology, "take on which cable each village hangs (CSV)")
    one.add_argument("file", help="columns: " + ", ".join(topology.COLUMNS))
    one.add_argument("--regency", required=True, help="Kemendagri code of the kabupaten, for example 35.10")

    for name, run, text in (
        ("enrol", _enrol, "print a one-time code: the box that uses it takes the place of the one before (24 hours)"),
        ("revoke", _revoke, "take the right from every box of a village, at once and for good"),
    ):
        one = _command(commands, name, run, text)
        one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")

    one = _command(commands, "onu", _onu, "say which village an ONU belongs to that only an OLT sees")
    one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")
    one.add_argument("--serial", required=True, help="as on the unit's label: ZTEGC1234567, or a MAC address (EPON)")
    one.add_argument("--remove", action="store_true", help="take it from the village; what it measured stays")

    one = _command(commands, "import-onus", _import_onus, "say it for many ONUs at once (CSV)")
    one.add_argument("file", help="a file with the columns " + ", ".join(onus.COLUMNS))

    _add_import_holidays(commands)
    _add_recompute(commands)

    _add_add_staff(commands)
    _add_demo(commands)
    _add_commands_of_slices(commands)
    return parser


def _add_commands_of_slices(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = functools.partial(_command, commands)
    for slice_ in (devices_commands, cli_places, staff_commands, alerts, billing, metrics_commands):
        slice_.add_commands(add, open_database)
    backup.add_commands(add, _place)
    sealing.add_commands(add, open_database, lambda options: _place(options).key_file)


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    one = commands.add_parser("demo", help="show everything with simulated villages on this machine")
    one.add_argument("--port", type=_port, default=8080, help="port of the pages (default: %(default)s)")
    one.add_argument("--data", default="data/demo", help="folder for everything it writes (default: %(default)s)")
    one.add_argument(
        "--villages", type=_number, default=12, help="how many villages are simulated (default: %(default)s)"
    )
    one.set_defaults(run=_demo)


def _add_add_staff(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    one = _command(commands, "add-staff", _add_staff, "let a person sign in; the password is asked for")
    one.add_argument("username", help="lower case letters, digits, dot and dash")
    one.add_argument("--name", required=True, help="the person's name as shown on pages")
    one.add_argument("--role", required=True, choices=[role.value for role in staff.Role])
    one.add_argument("--regency", required=True, help="for example 35.10")
    one.add_argument("--village", help="for an operator, or budget staff of a village: the one this person works for")
    one.add_argument("--district", help="for budget staff of a kecamatan: its code, for example 35.10.15")
    one.add_argument(
        "--duty", default="", choices=[duty.value for duty in staff.Duty],
        help="what budget staff of a village sign: secretary checks a statement, head approves it, treasurer pays it",
    )  # fmt: skip


def _add_import_holidays(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    one = _command(commands, "import-holidays", _import_holidays, "say on which days offices are closed (CSV)")
    one.add_argument("file", help="a file with the columns " + ", ".join(holidays.COLUMNS) + "; dates like 2026-08-17")
    one.add_argument("--regency", help="for example 35.10 (default: every regency of the register)")


def _add_recompute(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    one = _command(commands, "recompute", _recompute, "make days of measurement anew from the readings that are kept")
    one.add_argument("--from", dest="first", type=_day, required=True, help="first local day, for example 2026-07-01")
    one.add_argument("--to", dest="last", type=_day, required=True, help="last local day, included")
    one.add_argument("--village", help="only this one: its Kemendagri code, for example 35.10.15.2012")


def _port(text: str) -> int:
    """Return a port that exists: beyond 65535 the event loop would silently take another one."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port: write a number from 1 to 65535")
    return int(text)


def _processes(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {MOST_PROCESSES}")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day: write it like 2026-07-01") from None


def _number(text: str) -> int:
    """Return a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1")
    return int(text)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument(
        "--data",
        default=os.environ.get("KAMPUNGNET_DATA", DEFAULT_DATA),
        help="folder of the embedded database (default: $KAMPUNGNET_DATA or %(default)s)",
    )
    parser.add_argument(
        "--database-url",
        default=os.environ.get("KAMPUNGNET_DATABASE_URL"),
        help="PostgreSQL instead: postgresql+psycopg://… (better given as $KAMPUNGNET_DATABASE_URL, "
        "where other users of this machine cannot read it)",
    )
    parser.set_defaults(run=run)
    return parser


def open_database(options: argparse.Namespace) -> Database:
    """Open the database of a command. The embedded one is made or brought up to date without asking."""
    database = _unmigrated(options)
    if not options.database_url:
        migrate.migrate(database)
    elif migrate.version(database) != migrate.newest():
        raise Unavailable("The database has another version than this program: run `kampungnet migrate` first.")
    return database


def _unmigrated(options: argparse.Namespace) -> Database:
    place = _place(options)
    try:
        return Database(place.url, place.key_file)
    except ImportError as error:
        raise Unavailable("This kind of database is not known: write postgresql+psycopg://…") from error


def _place(options: argparse.Namespace) -> Place:
    """Return where the database is, and where the key lies that its tables are useless without."""
    folder = Path(options.data)
    key_file = Path(os.environ.get("KAMPUNGNET_KEY_FILE") or folder / "kampungnet.key")
    return Place(options.database_url or f"sqlite:///{folder / 'kampungnet.db'}", key_file)


def _demo(options: argparse.Namespace) -> None:
    demo.run(options.port, Path(options.data), options.villages, lambda text: print(text, flush=True))


def _serve(options: argparse.Namespace) -> None:
    serve(lambda: open_database(options), options.host, options.port, options.processes)


def _migrate(options: argparse.Namespace) -> None:
    before, after = migrate.migrate(_unmigrated(options), options.to)
    if before == after:
        print(f"Database version {after}.")
    else:
        print(f"Database migrated from {before} to {after}." if before else f"Database made, version {after}.")


def _import_villages(options: argparse.Namespace) -> None:
    path = villages.register_path(options.file)
    with path.open(encoding="utf-8-sig", newline="") as lines, open_database(options).writes() as db:
        done = villages.import_register(db, lines)
    for bad in done.bad:
        print(f"{path.name} line {bad.line} was not taken: {bad.reason}", file=sys.stderr)
    print(f"{done.villages} villages of {', '.join(done.regencies) or 'no regency'} are in the register.")
    if done.bad:
        raise Unavailable(f"{len(done.bad)} rows were not taken: mend them and import the file again.")


def _import_topology(options: argparse.Namespace) -> None:
    path = Path(options.file)
    with path.open(encoding="utf-8-sig", newline="") as lines, open_database(options).writes() as db:
        number, bad = topology.import_places(db, options.regency, lines)
    for one in bad:
        print(f"{path.name} line {one.line} was not taken: {one.reason}", file=sys.stderr)
    if bad:
        raise BadInput(f"{len(bad)} rows are wrong: nothing was taken. Mend them and import the file again.")
    print(f"{number} villages hang on their cables.")


def _enrol(options: argparse.Namespace) -> None:
    with open_database(options).writes() as db:
        village = villages.village(db, options.village)
        code = devices.issue_code(db, village, clock.now_ms())
        name = village.name
    print(code)
    print(f"For the box of {name} ({options.village}), once, within 24 hours:", file=sys.stderr)
    print(f"  kampungnet-agent enrol --server URL --code {code}", file=sys.stderr)


def _revoke(options: argparse.Namespace) -> None:
    with open_database(options).writes() as db:
        number = devices.revoke(db, villages.village(db, options.village), clock.now_ms())
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


def _import_holidays(options: argparse.Namespace) -> None:
    path = Path(options.file)
    try:
        text = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is no text in UTF-8: save it as CSV UTF-8 and import it again.") from None
    with open_database(options).writes() as db:
        regencies = [options.regency] if options.regency else [one.code for one in villages.regencies(db)]
        if not regencies:
            raise Unavailable("No regency is in the register: import its villages first.")
        done = [holidays.import_list(db, regency, text) for regency in regencies]
    for bad in done[0].bad:
        print(f"{path.name} line {bad.line}: {bad.reason}", file=sys.stderr)
    if done[0].bad:
        raise Unavailable(f"Nothing was taken, {len(done[0].bad)} lines are bad: mend them and import the file again.")
    print(f"{done[0].days} holidays are known in {', '.join(regencies)}.")


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


def _add_staff(options: argparse.Namespace) -> None:
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with open_database(options).writes() as db:
        scope = staff.Scope(options.regency, options.village, options.district)
        duty = staff.Duty(options.duty)
        person = staff.NewStaff(options.username, options.name, staff.Role(options.role), scope, duty)
        staff.add_staff(db, person, password)
    print(f"{options.username} can sign in.")


if __name__ == "__main__":
    sys.exit(main())
