"""Pages of one contract: a new one, and an addendum; the present contracts as a table."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.billing import contract_fields, contract_form, contract_rows, contracts
from kampungnet.billing.contract_form import Filled
from kampungnet.billing.models import Contract
from kampungnet.billing.routes_books import table_file
from kampungnet.core import clock, pages
from kampungnet.core.web import Reads, database_of
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import SignedIn
from kampungnet.villages.models import Regency

MOST_LETTERS = 500
router = APIRouter(include_in_schema=False)


async def _cells(request: Request, _staff: CurrentStaff) -> dict[str, str]:
    form, known = await request.form(max_files=0, max_fields=100), (*contract_rows.COLUMNS, *contract_form.ADDENDUM)
    return {name: str(form.get(name, ""))[:MOST_LETTERS] for name in known}


Cells = Annotated[dict[str, str], Depends(_cells)]


@router.get("/kontrak/baru")
def new(request: Request, db: Reads, staff: CurrentStaff, kode: str = "") -> Response:
    """Show an empty form."""
    staff.check_keeps_books()
    today = clock.local_day(clock.now_ms(), clock.zone_of(staff.scope.regency))
    return _page(request, db, staff, contract_form.blank(staff.scope, kode[:20], today), None)


@router.post("/kontrak/baru")
def enter(request: Request, staff: CurrentStaff, cells: Cells) -> Response:
    """Take a contract in, or show the form again with what is wrong at each field."""
    with database_of(request).writes() as db:
        found = contract_form.enter(db, staff, cells, clock.now_ms())
        if found is not None:
            return _page(request, db, staff, found, None)
    return RedirectResponse("/kontrak", 303)


@router.get("/kontrak/{contract}/ubah")
def addendum(request: Request, db: Reads, staff: CurrentStaff, contract: str) -> Response:
    """Show the terms that hold now, to be changed from a day on."""
    held = contracts.contract(db, staff.scope, contract)
    staff.check_keeps_books()
    today = clock.local_day(clock.now_ms(), clock.zone_of(staff.scope.regency))
    return _page(request, db, staff, contract_form.of_contract(db, held, today), held)


@router.post("/kontrak/{contract}/ubah")
def amend(request: Request, staff: CurrentStaff, contract: str, cells: Cells) -> Response:
    """Take an addendum in, or show the form again with what is wrong at each field."""
    with database_of(request).writes() as db:
        held = contracts.contract(db, staff.scope, contract)
        found = contract_form.amend(db, staff, held, cells, clock.now_ms())
        if found is not None:
            return _page(request, db, staff, found, held)
    return RedirectResponse("/kontrak", 303)


@router.post("/kontrak/{contract}/layanan")
def confirm(request: Request, staff: CurrentStaff, contract: str) -> Response:
    """Let a contract be due from the day on which the box saw service first."""
    with database_of(request).writes() as db:
        contract_form.confirm(db, staff, contracts.contract(db, staff.scope, contract), clock.now_ms())
    return RedirectResponse("/kontrak", 303)


@router.get("/berkas/kontrak-semua.{ending}")
def exported(db: Reads, staff: CurrentStaff, ending: str) -> Response:
    """Give the present contracts in the columns that the import reads."""
    today = clock.local_day(clock.now_ms(), clock.zone_of(staff.scope.regency))
    return table_file(contract_rows.COLUMNS, contract_form.exported(db, staff.scope, today), "kontrak", ending)


def _page(request: Request, db: Session, staff: SignedIn, filled: Filled, held: Contract | None) -> Response:
    language = pages.language_of(request)
    groups = (contract_fields.ADDENDUM if held else ()) + contract_fields.GROUPS
    fixed = contract_form.FIXED if held else ()
    return pages.render(
        request, "billing/contract_form.html", 422 if filled.faults else 200,
        regency=db.get_one(Regency, staff.scope.regency), cells=filled.cells, held=held,
        groups=[(title, [name for name in names if name not in fixed]) for title, names in groups],
        labels=contract_fields.LABELS, options=contract_fields.OPTIONS, required=contract_rows.REQUIRED,
        problems={name: language.say(one.sentence, **one.values) for name, one in filled.faults.items()},
    )  # fmt: skip
