"""Pages of the books: contracts and budget lines, and the files they come in: looked at first, then confirmed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.billing import books_page, budgets, charts_of_accounts, contracts, export, uploads, words
from kampungnet.billing.budgets import BudgetEntry
from kampungnet.billing.charts_of_accounts import AccountEntry
from kampungnet.billing.contract_rows import ContractEntry
from kampungnet.billing.paged import paged
from kampungnet.billing.stages import StageEntry
from kampungnet.core import clock, pages
from kampungnet.core.errors import BadInput, NotFound, Problem
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads, database_of
from kampungnet.staff.access import CurrentStaff, signed_in
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

MOST_SHOWN: Final = 100
"""Rows and faults of a file on one page."""
PLACES: Final = {
    "kontrak": "/kontrak", "anggaran": "/pagu", "tahap": "/pagu/tahap", "rekening": "/pagu/rekening",
}  # fmt: skip
"""Where the pages of a kind of file are."""
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

router = APIRouter(include_in_schema=False)


async def _file(request: Request, staff: CurrentStaff) -> tuple[str, bytes]:
    """Read the file of a form. It is read after we know who sends it: nobody else may send 10 MB."""
    staff.check_keeps_books()
    async with request.form(max_files=1, max_fields=5) as form:
        file = form.get("file")
        if file is None or isinstance(file, str) or not file.filename:
            raise BadInput(N_("Please choose a file first."))
        return file.filename, await file.read()


Sent = Annotated[tuple[str, bytes], Depends(_file)]


@router.get("/kontrak")
def listed_contracts(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show the contracts, or those of a kecamatan."""
    return _contracts_page(request, db, staff)


@router.get("/pagu")
def listed_lines(request: Request, db: Reads, staff: CurrentStaff, tahun: int = 0) -> Response:
    """Show the budget lines of a year, or those of a kecamatan or a fund."""
    return _lines_page(request, db, staff, tahun)


@router.get("/pagu/tahap")
def listed_stages(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show in which stages funds arrive."""
    return _stages_page(request, db, staff)


@router.get("/pagu/rekening")
def listed_accounts(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show the account codes that are known by name."""
    return _accounts_page(request, db, staff)


@router.post("/kontrak/unggah")
def look_at_contracts(request: Request, staff: CurrentStaff, file: Sent) -> Response:
    """Show what a file of contracts says."""
    return _look(request, staff, "kontrak", file)


@router.post("/pagu/unggah")
def look_at_lines(request: Request, staff: CurrentStaff, file: Sent) -> Response:
    """Show what a file of budget lines says."""
    return _look(request, staff, "anggaran", file)


@router.post("/pagu/tahap/unggah")
def look_at_stages(request: Request, staff: CurrentStaff, file: Sent) -> Response:
    """Show what a file of stages says."""
    return _look(request, staff, "tahap", file)


@router.post("/pagu/rekening/unggah")
def look_at_accounts(request: Request, staff: CurrentStaff, file: Sent) -> Response:
    """Show what a file of account codes says."""
    return _look(request, staff, "rekening", file)


@router.post("/berkas/{pending}")
def confirm(request: Request, staff: CurrentStaff, pending: str) -> Response:
    """Put a file that was looked at into the books."""
    with database_of(request).writes() as db:
        what, _ = uploads.confirm(db, staff, pending, clock.now_ms())
    return RedirectResponse(PLACES[what], 303)


@router.get("/berkas/{what}/kosong.{ending}", dependencies=[Depends(signed_in)])
def empty(what: str, ending: str) -> Response:
    """Give our own table with nothing in it but its heading."""
    return table_file(uploads.kind_of(what).columns, [], f"{what}-kosong", ending)


@router.get("/berkas/pagu-{year}.{ending}")
def exported(db: Reads, staff: CurrentStaff, year: str, ending: str) -> Response:
    """Give the budget of a year in the columns that the import reads."""
    number = int(year) if year.isascii() and year.isdecimal() and len(year) == 4 else 0
    return table_file(budgets.COLUMNS, budgets.exported(db, staff.scope, number), f"pagu-{number}", ending)


def table_file(columns: Sequence[str], rows: Sequence[Sequence[export.Value]], name: str, ending: str) -> Response:
    """Return a table as a file to keep. Raises ``NotFound`` for an ending that we do not write."""
    makers: dict[str, tuple[Callable[[], bytes], str]] = {
        "csv": (lambda: export.to_csv(columns, rows), "text/csv; charset=utf-8"),
        "xlsx": (lambda: export.to_xlsx(columns, rows, name), XLSX),
    }
    if ending not in makers:
        raise NotFound(N_("There is no such page here. Go back to the first page."))
    make, kind = makers[ending]
    return Response(make(), media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'})


def _contracts_page(request: Request, db: Session, staff: SignedIn, problem: Problem | None = None) -> Response:
    language, regency = pages.language_of(request), db.get_one(Regency, staff.scope.regency)
    today, (district, scope, districts) = clock.local_day(clock.now_ms(), regency.time_zone), _place(request, db, staff)
    held = contracts.of_scope(db, scope)
    page = paged(held, request.url.query)
    return pages.render(
        request, "billing/contracts.html", problem.status if problem else 200, regency=regency, what="kontrak",
        rows=books_page.contract_rows(db, scope, page.rows, today, language), may_write=staff.keeps_books,
        missing=books_page.without_contract(db, scope, held, today), problem=problem.sentence if problem else None,
        paged=page, district=district, districts=districts,
    )  # fmt: skip


def _lines_page(
    request: Request, db: Session, staff: SignedIn, year: int = 0, problem: Problem | None = None
) -> Response:
    language, regency = pages.language_of(request), db.get_one(Regency, staff.scope.regency)
    today, known = clock.local_day(clock.now_ms(), regency.time_zone), books_page.years(db, staff.scope)
    chosen = year if year in known else next((one for one in known if one <= today.year), today.year)
    district, scope, districts = _place(request, db, staff)
    fund = request.query_params.get("dana", "")
    fund = fund if fund in budgets.FUNDS else ""
    page = paged(books_page.lines(db, scope, chosen, fund), request.url.query)
    return pages.render(
        request, "billing/lines.html", problem.status if problem else 200, regency=regency, what="anggaran",
        rows=books_page.line_rows(db, scope, page.rows, today, language), years=known, year=chosen,
        may_write=staff.keeps_books, problem=problem.sentence if problem else None,
        paged=page, district=district, districts=districts, fund=fund, funds=budgets.FUNDS,
    )  # fmt: skip


def _place(request: Request, db: Session, staff: SignedIn) -> tuple[str, Scope, Mapping[str, str]]:
    """Return the kecamatan that was chosen, what of it may be seen, and which there are to choose from."""
    districts = villages.districts(db, staff.scope.regency) if staff.scope.is_whole else {}
    asked = request.query_params.get("kecamatan", "")
    district = asked if asked in districts else ""
    return district, staff.scope.within(district), districts


def _stages_page(request: Request, db: Session, staff: SignedIn, problem: Problem | None = None) -> Response:
    language, regency = pages.language_of(request), db.get_one(Regency, staff.scope.regency)
    return pages.render(
        request, "billing/stages.html", problem.status if problem else 200, regency=regency, what="tahap",
        rows=books_page.stage_rows(db, regency.code, language), may_write=_may_for_all(staff),
        problem=problem.sentence if problem else None,
    )  # fmt: skip


def _accounts_page(request: Request, db: Session, staff: SignedIn, problem: Problem | None = None) -> Response:
    regency = db.get_one(Regency, staff.scope.regency)
    known = charts_of_accounts.names(db, regency.code)
    return pages.render(
        request, "billing/accounts.html", problem.status if problem else 200, regency=regency, what="rekening",
        rows=[(chart, code, name, name == charts_of_accounts.SHIPPED.get((chart, code)))
              for (chart, code), name in known.items()],
        may_write=_may_for_all(staff), problem=problem.sentence if problem else None,
    )  # fmt: skip


def _may_for_all(staff: SignedIn) -> bool:
    return staff.role is Role.BUDGET and staff.scope.is_whole


_PAGES: Final[Mapping[str, Callable[..., Response]]] = {
    "kontrak": _contracts_page, "anggaran": _lines_page, "tahap": _stages_page, "rekening": _accounts_page,
}  # fmt: skip
"""Where a file that is no table is told of."""


def _look(request: Request, staff: SignedIn, what: str, file: tuple[str, bytes]) -> Response:
    database, language = database_of(request), pages.language_of(request)
    try:
        with database.writes() as db:
            preview = uploads.look_at(db, staff, what, file, clock.now_ms())
            place = db.get_one(Regency, staff.scope.regency).name
    except Problem as problem:
        with database.reads() as db:
            return _PAGES[what](request, db, staff, problem=problem)
    rows = [_ENTRIES[what](one, language) for one in preview.entries[:MOST_SHOWN]]
    faults = [
        (one.line, one.letter, one.column, language.say(one.sentence, **one.values))
        for one in preview.faults[:MOST_SHOWN]
    ]  # fmt: skip
    return pages.render(
        request, "billing/preview.html", 200 if preview.id else 422, place=place, preview=preview, rows=rows,
        faults=faults, back=PLACES[what], headings=_HEADINGS[what],
    )  # fmt: skip


def _contract_entry(one: ContractEntry, language: Language) -> list[str]:
    return [
        one.unit, one.provider, one.number, language.full_day(one.first_day),
        language.full_day(one.last_day) if one.last_day else "", words.figures(language, one.terms.price),
        words.mbps(language, one.terms.down_kbps * 1000 or None),
    ]  # fmt: skip


def _budget_entry(one: BudgetEntry, language: Language) -> list[str]:
    since: date = one.valid_from
    return [
        one.unit, str(one.year), f"{one.activity} · {one.account}".removeprefix(" · "), one.name,
        f"{one.kind}, {language.full_day(since)}", one.fund, words.figures(language, one.pagu_rupiah),
    ]  # fmt: skip


def _stage_entry(one: StageEntry, language: Language) -> list[str]:
    share = f"{words.figures(language, Fraction(one.share_percent), 2)}%"
    return [str(one.year), one.fund, str(one.number), share, language.full_day(one.arrives), one.source]


def _account_entry(one: AccountEntry, _language: Language) -> list[str]:
    return [one.chart, one.code, one.name]


_ENTRIES: Final[Mapping[str, Callable[[Any, Language], list[str]]]] = {
    "kontrak": _contract_entry, "anggaran": _budget_entry, "tahap": _stage_entry, "rekening": _account_entry,
}  # fmt: skip
_HEADINGS: Final[Mapping[str, Sequence[str]]] = {
    "kontrak": (N_("Village"), N_("Provider"), N_("Number"), N_("Begins"), N_("Ends"), N_("Price"), N_("Contracted")),
    "anggaran": (N_("Village"), N_("Year"), N_("Line"), N_("Name"), N_("Version"), N_("Fund"), N_("Budget (pagu)")),
    "tahap": (N_("Year"), N_("Fund"), N_("Stage"), N_("Share"), N_("Arrives from"), N_("By which rule")),
    "rekening": (N_("Chart"), N_("Code"), N_("Name")),
}
