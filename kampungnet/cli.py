"""The command line of the centre: ``kampungnet …``. Every command has ``--help`` and an exit code.

0 it worked · 1 it did not, and one sentence says why · 2 the command was not understood
"""

import argparse
import functools
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from kampungnet import tables

DEFAULT_DATA: Final = "data"

COMMANDS: Final[Mapping[str, Mapping[str, str]]] = {
    "cli_serve": {"serve": "serve pages, reports and metrics"},
    "core.cli": {
        "migrate": "bring the database to the version of this program",
        "job": "note how a job of the clock ended; for its unit of systemd",
    },
    "cli_register": {"import-villages": "take a register of villages (CSV)"},
    "measurement.cli": {
        "import-topology": "take on which cable each village hangs (CSV)",
        "import-holidays": "say on which days offices are closed (CSV)",
    },
    "devices.cli_boxes": {
        "enrol": "print a one-time code: the box that uses it takes the place of the one before (24 hours)",
        "revoke": "take the right from every box of a village, at once and for good",
        "onu": "say which village an ONU belongs to that only an OLT sees",
        "import-onus": "say it for many ONUs at once (CSV)",
    },
    "cli_recompute": {"recompute": "make days of measurement anew from the readings that are kept"},
    "demo.cli": {"demo": "show everything with simulated villages on this machine"},
    "devices.cli": {
        "kit": "make what is taken along to a village: a paper, a file for its box and one for its router",
    },
    "devices.cli_places": {"villages": "list the villages and which of them have a box; it only reads"},
    "staff.cli": {
        "add-staff": "let a person sign in; the password is asked for",
        "audit": "walk the sealed log of what staff did and say whether it holds",
        "staff": "help somebody who lost a phone or a password, or shut them out",
    },
    "alerts.cli": {"alerts": "say who gets messages about interruptions, or let an Alertmanager hand in its own"},
    "billing.cli": {
        "import-budget": "look at a table of budget lines (CSV or XLSX), and with --confirm put it in",
        "import-contracts": "look at a table of contracts (CSV or XLSX), and with --confirm put it in",
        "import-stages": "look at a table of the stages in which funds arrive, and with --confirm put it in",
        "import-accounts": "look at a table of account codes, and with --confirm put it in",
        "export-budget": "write the budget of a year in the columns that import-budget reads",
    },
    "billing.cli_statements": {
        "close-month": "make or renew the statement of every contract of a month that is over",
        "statement": "write the statements of a village and month to a file",
        "verify": "recompute the money of statement files (JSON) from the facts inside them",
    },
    "metrics.cli": {
        "push": "push what was measured to the metrics store in $KAMPUNGNET_REMOTE_WRITE_URL, with its own time; "
        "beside `serve`",
        "resend": "send days of measurement to the metrics store in $KAMPUNGNET_REMOTE_WRITE_URL again",
    },
    "backup.cli": {
        "backup": "write a verified copy of the database into one file, while the server works",
        "restore": "bring the database of a backup back",
    },
    "sealing.cli": {"keys": "change the key of secrets"},
}
"""Each module with commands, and what each of them is for. Only the module whose command was given is imported: all of
them together take longer than most commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser(given).parse_args(given)
    commands = importlib.import_module("kampungnet.core.commands")  # SQLAlchemy, which --help need not wait for
    tables.load()
    try:
        with _logged():
            trouble = commands.carried_out(options.run, options)
    except KeyboardInterrupt:
        return 130
    if trouble:
        print(f"kampungnet: {trouble}", file=sys.stderr)
    return 1 if trouble else 0


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kampungnet", description="The central server of KampungNet.")
    commands = parser.add_subparsers(metavar="command", required=True)
    wanted = next((one for one in given if not one.startswith("-")), "")
    for module, texts in COMMANDS.items():
        parsers = {
            name: commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
            for name, text in texts.items()
        }
        if wanted in texts:
            importlib.import_module(f"kampungnet.{module}").add_commands(functools.partial(_add, parsers))
    return parser


def _add(
    parsers: Mapping[str, argparse.ArgumentParser],
    name: str, run: Callable[[argparse.Namespace], None], *, database: bool = True
) -> argparse.ArgumentParser:  # fmt: skip
    """Let a command be run; see :class:`kampungnet.core.commands.Add`."""
    parser = parsers[name]
    parser.set_defaults(run=run)
    if database:
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
    return parser


@contextmanager
def _logged() -> Iterator[None]:
    """Write the log to standard error while a command runs, and leave logging as it was."""
    root, signing_in = logging.getLogger(), logging.getLogger("kampungnet.staff.signing_in")
    before = list(root.handlers), root.level, signing_in.level
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    signing_in.setLevel(logging.INFO)  # who came in, and who did not
    try:
        yield
    finally:
        handlers, level, of_signing_in = before
        for added in [one for one in root.handlers if one not in handlers]:
            root.removeHandler(added)
            added.close()
        root.setLevel(level)
        signing_in.setLevel(of_signing_in)


if __name__ == "__main__":
    sys.exit(main())
