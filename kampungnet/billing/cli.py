"""Commands of budget staff on the server: ``kampungnet import-budget …``."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import select

from kampungnet.billing import budgets, export, sheets, uploads
from kampungnet.billing.intake import Fault
from kampungnet.core import clock, languages
from kampungnet.core.commands import Add, with_database
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Unavailable
from kampungnet.core.languages import Language
from kampungnet.staff import audit
from kampungnet.staff.service import Scope
from kampungnet.villages.models import Regency

MOST_TOLD: Final = 50
COUNTED: Final = {"anggaran": "lines", "kontrak": "contracts", "tahap": "stages", "rekening": "codes"}


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    for name, what in (
        ("import-budget", "anggaran"), ("import-contracts", "kontrak"), ("import-stages", "tahap"),
        ("import-accounts", "rekening"),
    ):  # fmt: skip
        one = add(name, with_database(partial(_import, what)))
        one.add_argument("file", help="columns: " + ", ".join(uploads.KINDS[what].columns))
        one.add_argument("--regency", required=True, help="Kemendagri code of the kabupaten, for example 35.10")
        one.add_argument("--confirm", action="store_true", help="put it into the books; without it nothing changes")
    one = add("export-budget", with_database(_export_budget))
    one.add_argument("--regency", required=True, help="Kemendagri code of the kabupaten, for example 35.10")
    one.add_argument("--year", type=int, required=True, help="budget year, for example 2026")
    one.add_argument("--output", required=True, help="file to write; its name ends in .csv or .xlsx")


def _import(what: str, options: argparse.Namespace, database: Database) -> None:
    path, scope, kind = Path(options.file), Scope(options.regency), uploads.KINDS[what]
    language = languages.all_languages()["id"]
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
        by = audit.on_the_server(db, scope.regency)
        number = uploads.put_in(db, by, what, (path.name[: uploads.LONGEST_NAME], entries), clock.now_ms())
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
