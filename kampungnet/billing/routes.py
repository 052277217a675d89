"""Pages of the statements: the list of a month, one statement with its steps, and the provider's invoice beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.billing import (
    glances,
    invoices,
    late,
    signing,
    stages,
    statement_list,
    statement_page,
    statements,
    words,
)
from kampungnet.billing.document import StatementDocument
from kampungnet.billing.formula_words import line_name
from kampungnet.billing.invoices import TAKEN_OFF, Entry
from kampungnet.billing.models import Contract, Statement
from kampungnet.billing.paged import paged
from kampungnet.billing.statement_list import Chosen
from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound, Problem
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads, database_of
from kampungnet.measurement import month_strip
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

BUTTONS: Final[Mapping[str, str]] = {
    "periksa": N_("Mark as checked"),
    "setujui": N_("Approve"),
    "bayar": N_("Mark as paid"),
    "kembalikan": N_("Send back"),
}
NEXT: Final[Mapping[str, tuple[str, str]]] = {
    "draft": (N_("Next: the sekretaris desa checks it."), N_("Next: the kabupaten's budget staff checks it.")),
    "checked": (
        N_("Next: the kepala desa approves it. From then on nothing in it changes."),
        N_("Next: somebody else of the kabupaten's budget staff approves it. From then on nothing in it changes."),
    ),
    "approved": (N_("Next: the kaur keuangan pays it."), N_("Next: the kabupaten's budget staff pays it.")),
    "paid": (N_("It is paid. What is found out later stands as a correction in a later statement."),) * 2,
}
"""Who is next, in a desa and elsewhere."""

router = APIRouter(include_in_schema=False)
Written = Annotated[str, Form()]
"""However long: the guard reads no form over 100 kB, and what is too long comes back with a sentence of its own."""

_NOTHING: Final = Entry()


@dataclass(frozen=True, slots=True)
class _Typed:
    """What somebody typed that could not be taken, and why."""

    problem: Problem
    entry: Entry = _NOTHING
    note: str = ""


async def _entry(request: Request, number: Written = "", dated: Written = "", total: Written = "") -> Entry:
    form = await request.form()
    amounts = {kind.value: str(form.get(f"line_{kind.value}", ""))[:100] for kind in invoices.CLAIMED}
    return Entry(number, dated, total[:100], amounts)


def _chosen(kecamatan: str = "", dana: str = "", keadaan: str = "") -> Chosen:
    return Chosen(kecamatan, dana, keadaan)


@router.get("/anggaran")
def listed(
    request: Request, db: Reads, staff: CurrentStaff, chosen: Annotated[Chosen, Depends(_chosen)], bulan: str = ""
) -> Response:
    """Show the statements of a month."""
    language, regency = pages.language_of(request), db.get_one(Regency, staff.scope.regency)
    months = statements.months(db, staff.scope)
    month = clock.month_of(bulan) or (months[0] if months else None)
    found = glances.seen(db, staff.scope, month, month) if month else []
    shown = [one for one in found if chosen.has(one)]
    page = paged(shown, request.url.query)
    return pages.render(
        request, "billing/statements.html", regency=regency, rows=statement_list.rows(page.rows, language), paged=page,
        totals=statement_list.totals(shown, language), all=len(found), chosen=chosen, month=month,
        months=[(f"{one:%Y-%m}", words.month(language, one)) for one in months],
        month_words=words.month(language, month) if month else "", funds=statement_list.funds_of(found),
        districts=villages.districts(db, regency.code), states=words.STATES,
    )  # fmt: skip


@router.get("/laporan/{contract}/{month}")
def one(request: Request, db: Reads, staff: CurrentStaff, contract: str, month: str) -> Response:
    """Show one statement."""
    return _page(request, db, staff, (contract, month))


@router.post("/laporan/{contract}/{month}/langkah/{step}")
def take(
    request: Request, staff: CurrentStaff, contract: str, month: str, step: str, note: Written = ""
) -> Response:  # fmt: skip
    """Check, approve, pay or send back."""
    if step not in signing.MOVES:
        raise NotFound(N_("There is no such page here. Go back to the first page."))
    database = database_of(request)
    try:
        with database.writes() as db:
            signing.take(db, staff, _row(db, staff, contract, month), step, note, clock.now_ms())
    except Problem as problem:
        with database.reads() as db:
            return _page(request, db, staff, (contract, month), _Typed(problem, note=note))
    return RedirectResponse(f"/laporan/{contract}/{month}", 303)


@router.post("/laporan/{contract}/{month}/tagihan")
def enter_invoice(
    request: Request, staff: CurrentStaff, contract: str, month: str, entry: Annotated[Entry, Depends(_entry)]
) -> Response:
    """Take the provider's invoice in, or show the form again with what is wrong with it."""
    database = database_of(request)
    try:
        with database.writes() as db:
            invoices.enter(db, staff, _row(db, staff, contract, month), entry, clock.now_ms())
    except Problem as problem:
        with database.reads() as db:
            return _page(request, db, staff, (contract, month), _Typed(problem, entry))
    return RedirectResponse(f"/laporan/{contract}/{month}#tagihan", 303)


def _row(db: Session, staff: SignedIn, contract: str, month: str) -> Statement:
    first = clock.month_of(month)
    if first is None or not contract.isprintable():
        raise NotFound(N_("There is no such statement here. Go back to the list."))
    return statements.find(db, staff.scope, contract, first)


def _page(
    request: Request, db: Session, staff: SignedIn, place: tuple[str, str], typed: _Typed | None = None
) -> Response:
    problem, entry, note = (typed.problem, typed.entry, typed.note) if typed else (None, _NOTHING, "")
    row, language = _row(db, staff, *place), pages.language_of(request)
    document, regency = statements.document_of(row), db.get_one(Regency, staff.scope.regency)
    steps = [(one.state, one.name, one.at_ms, one.note) for one in statements.steps_of(db, row)]
    kind = document.village.kind
    return pages.render(
        request, "billing/statement.html", problem.status if problem else 200, regency=regency, row=row,
        document=document, told=statement_page.told(document, language), number=statements.number_text(row),
        address=f"/laporan/{row.contract}/{row.month:%Y-%m}", state=language.say(words.STATES[row.state]),
        steps=statement_page.steps(steps, language, regency.time_zone), is_final=row.state in statements.FROZEN,
        next=NEXT[row.state][0 if kind == "desa" else 1], marks=month_strip.MARKS,
        styles=sorted({one.cause.value for one in document.measured.outages}),
        buttons=[(name, BUTTONS[name]) for name, move in signing.MOVES.items() if signing.may(staff, row, kind, move)],
        waiting=_waiting(db, row, document, language),
        problem=problem.sentence if problem else None, note=note, may_rule=staff.role is Role.ENGINEER,
        later=_later(db, row, language, regency.time_zone),
        **_invoice(db, (row, document), staff, language, entry),
    )  # fmt: skip


def _later(db: Session, row: Statement, language: Language, zone: str) -> statement_page.Facts:
    """Return what was found out after the approval; a contract that ended before this month has no next statement."""
    last_day = db.get_one(Contract, (row.regency, row.contract)).last_day
    this_month = clock.local_day(clock.now_ms(), zone).replace(day=1)
    has_ended = last_day is not None and last_day < this_month
    rows = [(one.noted_ms, one.rupiah, one.posted_month) for one in late.of(db, row)]
    return statement_page.later(rows, language, zone, has_ended=has_ended)


def _waiting(db: Session, row: Statement, document: StatementDocument, language: Language) -> str:
    """Return how much of what is due has not arrived by the stages of its funds; empty when all of it has."""
    if document.budget is None or row.state == statements.PAID:
        return ""
    today = clock.local_day(clock.now_ms(), clock.zone_of(row.regency))
    found = stages.waiting(db, row.regency, document.budget, document.total, today)
    return words.rupiah(language, found) if found else ""


def _invoice(
    db: Session, of: tuple[Statement, StatementDocument], staff: SignedIn, language: Language, entry: Entry
) -> dict[str, Any]:
    """Return what the page says of the provider's invoice."""
    row, document = of
    invoice = invoices.newest(db, row)
    compared = invoices.compare(document, invoices.claims_of(invoice), invoice.total_rupiah) if invoice else None
    fields = [(kind.value, line_name(language, kind), kind in TAKEN_OFF) for kind in invoices.asked_for(document)]
    return {
        "invoice": invoice, "compared": compared, "entry": entry, "fields": fields,
        "claimed": statement_page.claimed(compared, language) if compared else [],
        "more": words.rupiah(language, abs(compared.rupiah)) if compared else "",
        "may_enter": invoices.may_enter(staff, row),
        "dated": language.full_day(invoice.dated) if invoice else "",
    }  # fmt: skip
