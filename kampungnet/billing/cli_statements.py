"""Commands of statements on the server: ``kampungnet close-month``, ``statement`` and ``verify``."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select

from kampungnet.billing import contracts, late, making, money, month_folder, paper_xlsx, statements
from kampungnet.billing.document import DocumentUnreadable, StatementDocument, to_file
from kampungnet.billing.paper_pdf import Paper, pdf
from kampungnet.billing.verify import verify
from kampungnet.core import clock, languages
from kampungnet.core.address import ADDRESS
from kampungnet.core.commands import Add, with_database
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Unavailable
from kampungnet.staff.service import Scope
from kampungnet.villages.models import Regency

PROGRESS_EVERY: Final = 50


def _address() -> str:
    return os.environ.get(ADDRESS, "")


FORMATS: Final[dict[str, Callable[[StatementDocument, str], bytes]]] = {
    "json": lambda document, _: to_file(document),
    "pdf": lambda document, paid_by: pdf(document, Paper(languages.all_languages()["id"], _address(), paid_by)),
    "xlsx": lambda document, _: paper_xlsx.xlsx(document, languages.all_languages()["id"]),
    "csv": lambda document, _: paper_xlsx.csv([document]),
}
"""How a statement is written, given who paid it."""


def add_commands(add: Add) -> None:
    """Add these commands."""
    one = add("close-month", with_database(_close_month))
    one.add_argument("period", type=_month, help="the month, for example 2026-07; `last` is the one before this")
    one.add_argument("--regency", help="only this kabupaten, for example 35.10 (default: all)")
    one.add_argument(
        "--output", type=Path, help="write all papers into a folder in this one: statements (PDF, JSON), a table of "
        "all (XLSX, CSV), recaps of the kabupaten and each kecamatan (PDF, XLSX, CSV)",
    )  # fmt: skip
    one = add("statement", with_database(_statement))
    one.add_argument("--village", required=True, help="Kemendagri code, for example 35.10.15.2012")
    one.add_argument("--period", type=_month, required=True, help="the month, for example 2026-07")
    one.add_argument("--contract", help="which one, where the village has several: its number in the list of contracts")
    one.add_argument("--format", choices=sorted(FORMATS), default="json", help="default: %(default)s")
    one.add_argument("--output", required=True, help="file to write")
    one = add("verify", _verify)
    one.add_argument("files", nargs="+", help="files as `statement --format json` writes them")


def _month(text: str) -> date:
    if text == "last":  # what a timer asks for, days after the month ended in all zones
        return (clock.local_day(clock.now_ms(), clock.WIB).replace(day=1) - timedelta(days=1)).replace(day=1)
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no month: write it like 2026-07") from None


def _close_month(options: argparse.Namespace, database: Database) -> None:
    month, failed = options.period, 0
    with database.reads() as db:
        asked = select(Regency.code).order_by(Regency.code)
        codes = [code for code in db.scalars(asked) if options.regency in {None, code}]
    if not codes:
        which = f"Kabupaten {options.regency} is not" if options.regency else "No kabupaten is"
        raise BadInput(f"{which} in the register: import its villages first.")
    made: Counter[str] = Counter()
    problems: dict[str, dict[str, str]] = {code: {} for code in codes}
    for code in codes:
        for one in _made(database, code, month, problems[code]):
            made[f"{'new or renewed ' if one.changed else ''}{one.state}"] += not one.problem
    failed = sum(map(len, problems.values()))
    told = [f"{count} {state}" for state, count in sorted(made.items()) if count]
    print(f"{month:%Y-%m}: {', '.join(told) or ('' if failed else 'no contract ran in it')}"
          f"{f', {failed} problem' if failed else ''}.")  # fmt: skip
    for code in codes if options.output else ():
        failed += _write(database, code, options, problems[code])
    if failed:
        raise Unavailable(f"{failed} contracts could not be computed: correct them and close the month again.")


def _made(database: Database, regency: str, month: date, problems: dict[str, str]) -> Iterator[making.Made]:
    """Make the statements of a regency, some in each transaction, and tell of each that could not be made."""
    language, now_ms = languages.all_languages()["id"], clock.now_ms()
    making.demand_over(regency, month, now_ms)  # also where no contract runs in it
    with database.reads() as db:
        held, unreadable = contracts.readable(db, regency, month, statements.last_day(month))
    if number := _looked_back(database, regency, month, now_ms):
        print(f"{number} approved statements of earlier months have a correction now.")
    problems |= dict.fromkeys(unreadable, language.say(making.UNRATEABLE))
    for start in range(0, len(held), making.AT_ONCE):
        with database.writes() as db:
            found = making.make_some(db, regency, held[start : start + making.AT_ONCE], month, now_ms)
        problems |= {one.contract: language.say(one.problem) for one in found if one.problem}
        yield from found
        if (number := start + len(found)) % PROGRESS_EVERY == 0:
            print(f"{number} of {len(held)} contracts ...", flush=True)
    for contract, problem in problems.items():
        print(f"contract {contract}: {problem}", file=sys.stderr)


def _looked_back(database: Database, regency: str, month: date, now_ms: int) -> int:
    """Note what was found out later, of some contracts in each transaction; return how many statements it changed."""
    with database.reads() as db:
        found, number = late.concerned(db, regency, month), 0
    for start in range(0, len(found), late.AT_ONCE):
        with database.writes() as db:
            number += late.look_back(db, regency, month, now_ms, found[start : start + late.AT_ONCE])
    return number


def _write(database: Database, regency: str, options: argparse.Namespace, problems: dict[str, str]) -> int:
    """Write the papers of a regency; return how many of its statements could not be written."""
    with database.reads() as db:
        papers = month_folder.read(db, regency, options.period, problems)

    def told(number: int) -> None:
        if number % PROGRESS_EVERY == 0:
            print(f"{number} of {papers.number} files ...", flush=True)

    folder = options.output / f"{regency}-{options.period:%Y-%m}"
    files = month_folder.files(papers, languages.all_languages()["id"], _address())
    print(f"{month_folder.write(folder, files, told)} files written to {folder}.")
    new = {contract: why for contract, why in papers.failed.items() if contract not in problems}
    for contract, why in new.items():
        print(f"contract {contract}: its paper cannot be written ({why})", file=sys.stderr)
    return len(new)


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
            raise BadInput(
                f"{options.village} has several statements of this month: name one with --contract ({known})."
            )
        paid_by = statements.paid_by(db, rows[0])
    path = Path(options.output)
    path.write_bytes(FORMATS[options.format](statements.document_of(rows[0]), paid_by))
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
