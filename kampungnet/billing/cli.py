"""Commands of budget staff on the server: ``kampungnet import-budget …``."""

import argparse
import getpass
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import select

from kampungnet.billing import budgets, contracts, export, money, paper_xlsx, sheets, statements, uploads
from kampungnet.billing.document import DocumentUnreadable, StatementDocument, to_file
from kampungnet.billing.intake import Fault
from kampungnet.billing.paper_pdf import ADDRESS, Paper, pdf
from kampungnet.billing.verify import verify
from kampungnet.core import clock, pages
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Unavailable
from kampungnet.core.languages import Language
from kampungnet.staff.service import Scope
from kampungnet.villages.models import Regency

Command = Callable[[argparse.Namespace], None]
Open = Callable[[argparse.Namespace], Database]
MOST_TOLD: Final = 50
PROGRESS_EVERY: Final = 50
COUNTED: Final = {"anggaran": "lines", "kontrak": "contracts", "tahap": "stages", "rekening": "codes"}
FORMATS: Final[dict[str, Callable[[StatementDocument], bytes]]] = {
    "json": to_file,
    "pdf": lambda document: pdf(document, Paper(pages.all_languages()["id"], os.environ.get(ADDRESS, ""))),
    "xlsx": lambda document: paper_xlsx.xlsx(document, pages.all_languages()["id"]),
    "csv": lambda document: paper_xlsx.csv([document]),
}
"""How a statement is written."""


class Add(Protocol):
    """Adds a command to the command line."""

    def __call__(self, name: str, run: Command, text: str) -> argparse.ArgumentParser:
        """Return its parser, to which arguments are added."""


def add_commands(add: Add, open_database: Open) -> None:
    """Add the commands of this slice."""
    for name, what, text in (
        ("import-budget", "anggaran", "look at a table of budget lines (CSV or XLSX), and with --confirm put it in"),
        ("import-contracts", "kontrak", "look at a table of contracts (CSV or XLSX), and with --confirm put it in"),
        ("import-stages", "tahap", "look at a table of the stages in which funds arrive, and with --confirm put it in"),
        ("import-accounts", "rekening", "look at a table of account codes, and with --confirm put it in"),
    ):
        one = add(name, _with(open_database, partial(_import, what)), text)
        one.add_argument("file", help="columns: " + ", ".join(uploads.KINDS[what].columns))
        one.add_argument("--regency", required=True, help="Kemendagri code of the kabupaten, for example 35.10")
        one.add_argument("--confirm", action="store_true", help="put it into the books; without it nothing changes")
    one = add("export-budget", _with(open_database, _export_budget),
              "write the budget of a year in the columns that import-budget reads")  # fmt: skip
    one.add_argument("--regency", required=True, help="Kemendagri code of the kabupaten, for example 35.10")
    one.add_argument("--year", type=int, required=True, help="budget year, for example 2026")
    one.add_argument("--output", required=True, help="file to write; its name ends in .csv or .xlsx")

    _add_statements(add, open_database)


def _add_statements(add: Add, open_database: Open) -> None:
    one = add("close-month", _with(open_database, _close_month),
              "make or renew the statement of every contract of a month that is over")  # fmt: skip
    one.add_argument("period", type=_month, help="the month, for example 2026-07")
    one.add_argument("--regency", help="only this kabupaten, for example 35.10 (default: all)")
    one = add("statement", _with(open_database, _statement), "write the statements of a village and month to a file")
    one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")
    one.add_argument("--period", type=_month, required=True, help="the month, for example 2026-07")
    one.add_argument("--contract", help="which one, where the village has several: its number in the list of contracts")
    one.add_argument("--format", choices=sorted(FORMATS), default="json", help="default: %(default)s")
    one.add_argument("--output", required=True, help="file to write")
    one = add("verify", _verify, "recompute the money of statement files (JSON) from the facts inside them")
    one.add_argument("files", nargs="+", help="files as `statement --format json` writes them")


def _with(open_database: Open, run: Callable[[argparse.Namespace, Database], None]) -> Command:
    """Return a command that opens the database, runs and closes it."""

    def command(options: argparse.Namespace) -> None:
        with closing(open_database(options)) as database:
            run(options, database)

    return command


def _import(what: str, options: argparse.Namespace, database: Database) -> None:
    path, scope, kind = Path(options.file), Scope(options.regency), uploads.KINDS[what]
    language = pages.all_languages()["id"]
    with database.reads() as db:
        known = budgets.register(db, scope)
        if not known.units:
            raise BadInput(f"Kabupaten {options.regency} is not in the register: import its villages first.")
    try:
        entries, faults = kind.understood(sheets.read(path.read_bytes(), kind.columns, kind.required), known)
    except sheets.MissingColumns as missing:
        raise BadInput(f"{language.say(missing.sentence)} ({missing.columns})") from missing
    for fault in faults[:MOST_TOLD]:
        print(f"{path.name} {sentence(fault, language)}", file=sys.stderr)
    if faults:
        raise BadInput(f"{len(faults)} cells are wrong: nothing was taken. Mend them and import the file again.")
    if not options.confirm:
        print(f"{len(entries)} rows are good. Nothing was changed: add --confirm to put them into the books.")
        return
    with database.writes() as db:
        number = kind.store(db, scope.regency, entries, (getpass.getuser(), clock.now_ms()))
    print(f"{len(entries)} rows are in the books: {number} {COUNTED[what]}.")


def sentence(fault: Fault, language: Language) -> str:
    """Return a fault as people read it: where, what and what to do."""
    where = language.say("line %(line)s, column %(letter)s (%(column)s):", line=fault.line, letter=fault.letter or "–",
                         column=fault.column)  # fmt: skip
    return f"{where} {language.say(fault.sentence, **fault.values)}"


def _export_budget(options: argparse.Namespace, database: Database) -> None:
    path = Path(options.output)
    if path.suffix not in {".csv", ".xlsx"}:
        raise BadInput("Give --output a name that ends in .csv or .xlsx.")
    with database.reads() as db:
        if db.scalar(select(Regency.code).where(Regency.code == options.regency)) is None:
            raise Unavailable(f"Kabupaten {options.regency} is not in the register.")
        rows = budgets.exported(db, Scope(options.regency), options.year)
    written = (
        export.to_csv(budgets.COLUMNS, rows)
        if path.suffix == ".csv"
        else export.to_xlsx(budgets.COLUMNS, rows, "Anggaran")
    )
    path.write_bytes(written)
    print(f"{len(rows)} rows written to {path}.")


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no month: write it like 2026-07") from None


def _close_month(options: argparse.Namespace, database: Database) -> None:
    month, now_ms, language = options.period, clock.now_ms(), pages.all_languages()["id"]
    with database.reads() as db:
        asked = select(Regency.code).order_by(Regency.code)
        codes = [code for code in db.scalars(asked) if options.regency in {None, code}]
        held = [one for code in codes for one in contracts.running(db, code, month, statements.last_day(month))]
    if not codes:
        raise BadInput(f"Kabupaten {options.regency} is not in the register.")
    made: Counter[str] = Counter()
    for number, one in enumerate(held, start=1):
        with database.writes() as db:
            found = statements.make(db, one, month, now_ms)
        if found.problem:
            print(f"contract {found.contract}: {language.say(found.problem)}", file=sys.stderr)
        made["problem" if found.problem else f"{'new or renewed ' if found.changed else ''}{found.state}"] += 1
        if number % PROGRESS_EVERY == 0:
            print(f"{number} of {len(held)} contracts ...", flush=True)
    told = ", ".join(f"{count} {state}" for state, count in sorted(made.items())) or "no contract ran in it"
    print(f"{month:%Y-%m}: {told}.")
    if made["problem"]:
        raise Unavailable(f"{made['problem']} contracts could not be computed: correct them and close the month again.")


def _statement(options: argparse.Namespace, database: Database) -> None:
    scope = Scope(options.village[:5], options.village)
    with database.reads() as db:
        rows = [
            one for one in statements.of_month(db, scope, options.period)
            if options.contract in {None, one.contract, one.contract.removeprefix(f"{options.village}-")}
        ]  # fmt: skip
    if not rows:
        raise BadInput(f"{options.village} has no statement of {options.period:%Y-%m}: run close-month first.")
    if len(rows) > 1:
        known = ", ".join(one.contract for one in rows)
        raise BadInput(f"{options.village} has several statements of this month: name one with --contract ({known}).")
    path = Path(options.output)
    path.write_bytes(FORMATS[options.format](statements.document_of(rows[0])))
    print(f"{rows[0].contract} {options.period:%Y-%m} ({rows[0].state}) written to {path}.")


def _verify(options: argparse.Namespace) -> None:
    wrong = 0
    for name in options.files:
        try:
            verdict = verify(Path(name).read_bytes())
        except DocumentUnreadable as error:
            print(f"{name}: is no statement that this program can read ({error})", file=sys.stderr)
            wrong += 1
            continue
        wrong += not verdict.is_right
        if verdict.is_right:
            print(f"{name}: yes, {money.rupiah(verdict.document.total)} comes out of its own facts")
        if not verdict.hash_is_right:
            print(f"{name}: was changed after it was written: its hash is another", file=sys.stderr)
        for one in verdict.differences:
            print(f"{name}: {one.where}: written {one.written}, computed {one.computed}", file=sys.stderr)
    if wrong:
        raise BadInput(f"{wrong} of {len(options.files)} files are not right.")
