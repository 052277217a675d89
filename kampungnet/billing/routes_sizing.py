"""Pages of right-sizing: all contracts against what was used of them, and one with its months and other packages."""

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from kampungnet.billing import contracts, money, outlook, paying, sheets, sizing_page, sizings, words
from kampungnet.billing.paged import paged
from kampungnet.billing.routes_books import table_file
from kampungnet.billing.sizing import Fit
from kampungnet.billing.sizings import Sized
from kampungnet.core import clock, pages
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

router = APIRouter(include_in_schema=False)
MOST_MBPS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Another package, as it was typed."""

    mbps: str = ""
    price: str = ""
    includes_ppn: bool = False


def _asked(mbps: str = "", harga: str = "", ppn: str = "") -> Asked:
    return Asked(mbps[:40], harga[:40], ppn == "termasuk")


@router.get("/ukuran")
def listed(request: Request, db: Reads, staff: CurrentStaff, kecamatan: str = "", hasil: str = "") -> Response:
    """Show what was bought against what was used."""
    language, regency = pages.language_of(request), db.get_one(Regency, staff.scope.regency)
    found = _of_district(db, staff.scope, _today(regency), kecamatan)
    only = Fit(hasil) if hasil in set(Fit) else None
    shown = [one for one in found if only in {None, one.sizing.fit}]
    page = paged(shown, request.url.query)
    return pages.render(
        request, "billing/sizing.html", regency=regency, rows=sizing_page.rows(page.rows, language), paged=page,
        all=len(found),
        counts={fit: sum(one.sizing.fit is fit for one in found) for fit in sizing_page.FITS}, fits=sizing_page.FITS,
        only=only, district=kecamatan, districts=villages.districts(db, regency.code),
        next_year=_today(regency).year + 1,
        rules=sizing_page.house_rules(language), waiting=sum(one.waiting for one in found),
        amount=words.figures(language, sum(one.rab.amount for one in shown if one.rab)),
    )  # fmt: skip


@router.get("/ukuran/{contract}")
def one(
    request: Request, db: Reads, staff: CurrentStaff, contract: str, asked: Annotated[Asked, Depends(_asked)]
) -> Response:
    """Show one contract: its months, next year's line, another package, and how long the budget lasts."""
    language, regency = pages.language_of(request), db.get_one(Regency, staff.scope.regency)
    held, today = contracts.contract(db, staff.scope, contract), _today(regency)
    found, months = sizings.sized_one(db, staff.scope, held, today)
    paid_from = paying.line_on(db, held, today)
    line = outlook.outlook(db, regency.code, paid_from, today) if paid_from else None
    other, problems = _other(found, asked, language)
    return pages.render(
        request, "billing/sizing_one.html", 422 if problems else 200, regency=regency, contract=held, asked=asked,
        row=sizing_page.row(found, language),
        months=sizing_page.month_rows(months, held.id, language, regency.time_zone),
        waiting=found.waiting, rules=sizing_page.house_rules(language), next_year=found.next_year,
        rab=_rab(found, language), other=other, problems={"mbps": "", "harga": ""} | problems, line=line,
        budget=_budget(line, language) if line else [], ahead=sizing_page.ahead(line, language) if line else [],
    )  # fmt: skip


@router.get("/berkas/ukuran.{ending}")
def exported(db: Reads, staff: CurrentStaff, ending: str, kecamatan: str = "") -> Response:
    """Give the same as a table."""
    regency = db.get_one(Regency, staff.scope.regency)
    found = _of_district(db, staff.scope, _today(regency), kecamatan)
    return table_file(sizing_page.COLUMNS, sizing_page.table(found), "ukuran", ending)


def _of_district(db: Session, scope: Scope, day: date, district: str) -> list[Sized]:
    """Return the contracts of a kecamatan, or of all that a person may see."""
    inside = replace(scope, district=district) if district in villages.districts(db, scope.regency) else scope
    return [one for one in sizings.sized(db, scope, day) if inside.covers(one.contract.unit)]


def _today(regency: Regency) -> date:
    return clock.local_day(clock.now_ms(), regency.time_zone)


def _other(found: Sized, asked: Asked, language: Language) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what another package comes to, and what is wrong with what was typed, by field."""
    if not asked.mbps and not asked.price:
        return {}, {}
    problems, price, mbps = {}, 0, sheets.decimal(asked.mbps)
    if mbps is None or not 0 < mbps <= MOST_MBPS:
        problems["mbps"] = N_("Write how many Mbps, like 50.")
    try:
        price = money.read(asked.price)
    except money.AmountUnreadable as problem:
        problems["harga"] = problem.sentence
    else:
        if price < 0:
            problems["harga"] = N_("This amount is below zero.")
    if problems or mbps is None:
        return {}, problems
    compared = sizings.compared(found, int(mbps * 1000), price, includes_ppn=asked.includes_ppn)
    if compared is None:
        return {}, {}
    monthly, what = compared
    difference = what.yearly_difference
    return {
        "monthly": words.rupiah(language, monthly), "yearly": words.rupiah(language, 12 * monthly),
        "difference": ("+" if difference > 0 else "") + words.rupiah(language, difference), "enough": what.enough,
    }, {}  # fmt: skip


def _rab(found: Sized, language: Language) -> dict[str, str]:
    if found.rab is None:
        return {}
    return {
        "volume": str(found.rab.volume),
        "unit_price": words.figures(language, found.rab.unit_price),
        "amount": words.figures(language, found.rab.amount),
    }


def _budget(line: outlook.Outlook, language: Language) -> list[tuple[str, str]]:
    spent, share = line.spent, Fraction(line.arrived, line.pagu) if line.pagu else Fraction(0)
    facts = [
        (language.say("Budget (pagu)"), line.pagu), (language.say("Before KampungNet kept the books"), spent.opening),
        (language.say("Paid"), spent.realised), (language.say("Approved, not paid yet"), spent.reserved),
        (language.say("Remaining"), line.remaining),
    ]  # fmt: skip
    told = [(name, words.rupiah(language, amount)) for name, amount in facts]
    told.append((language.say("Arrived by the stages until today"),
                 f"{words.rupiah(language, line.arrived)} ({words.percent(language, share)})"))  # fmt: skip
    dry = words.month(language, line.dry) if line.dry else language.say("lasts the year")
    return [*told, (language.say("Runs dry in"), dry)]
