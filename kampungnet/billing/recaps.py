"""Recaps filled from the books: budget lines, statements of the year so far, contracts, and months with data."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kampungnet.billing import budgets, rollup, statements
from kampungnet.billing.document import FundShare
from kampungnet.billing.models import BudgetLine, Contract, Statement
from kampungnet.billing.rollup import Paper, Purse, Recap, Unit
from kampungnet.measurement import summary
from kampungnet.staff.service import Scope
from kampungnet.villages.models import Regency

OFFICE = "Kantor Kecamatan"


def of_month(db: Session, scope: Scope, month: date) -> Mapping[str, Recap]:
    """Return by code the recap of the kabupaten (under the empty code) and of each kecamatan that a person may see."""
    name, found = db.get_one(Regency, scope.regency).name, units(db, scope, month)
    if scope.is_whole or not found:
        return rollup.recaps(name, f"{month:%Y-%m}", found)
    title = f"{f'{found[0].name}, ' if scope.village else ''}Kecamatan {found[0].district}, {name}"
    own = rollup.recap(title, f"{month:%Y-%m}", found)
    return {"": own} if scope.village else {"": own, scope.place: own}


def units(db: Session, scope: Scope, month: date) -> list[Unit]:
    """Return every unit and its money of the year up to a month; of the offices of kecamatan, those in the books."""
    known = {code: one for code, one in budgets.register(db, scope).units.items() if scope.covers(code)}
    rows = _statements(db, scope, month)
    papers: dict[str, list[Paper]] = defaultdict(list)
    for row in rows:
        if row.month == month:
            papers[row.unit].append(Paper(row.contract, row.state))
    purses, bought = _purses(db, scope, month, rows), _units_with_contract(db, scope, month)
    seen = summary.villages_seen(db, scope.regency, month, statements.last_day(month))
    seen |= {row.unit for row in rows if row.month == month and row.judged}
    return [
        Unit(
            one.code, f"{OFFICE} {one.name}" if one.kind == "kecamatan" else one.name, one.district,
            rollup.fund_parts(purses.get(one.code, ())), tuple(papers.get(one.code, ())),
            has_contract=one.code in bought, has_data=one.code in seen,
        )
        for one in known.values()
        if one.kind != "kecamatan" or one.code in purses or one.code in bought
    ]  # fmt: skip


def _statements(db: Session, scope: Scope, month: date) -> list[Any]:
    """Return what the statements from January to a month say, without their documents."""
    asked = (
        select(
            Statement.unit, Statement.contract, Statement.month, Statement.state, Statement.total_rupiah,
            Statement.judged, Contract.line,
        )
        .join(Contract, (Contract.regency == Statement.regency) & (Contract.id == Statement.contract))
        .where(Statement.regency == scope.regency, scope.where(Statement.unit))
        .where(Statement.month >= month.replace(month=1), Statement.month <= month)
    )  # fmt: skip
    return list(db.execute(asked.order_by(Statement.contract, Statement.month)))


def _purses(db: Session, scope: Scope, month: date, rows: Iterable[Any]) -> Mapping[str, list[Purse]]:
    """Return the budget lines of each unit and what went out of them; one without funds for what no line pays."""
    of_line: dict[tuple[str, str | None], list[Any]] = defaultdict(list)
    for row in rows:
        of_line[row.unit, row.line].append(row)
    asked = select(BudgetLine).where(
        BudgetLine.regency == scope.regency, BudgetLine.year == month.year, scope.where(BudgetLine.unit)
    )
    lines, versions = list(db.scalars(asked.order_by(BudgetLine.id))), budgets.versions(db, scope.regency)
    found: dict[str, list[Purse]] = defaultdict(list)
    for line in lines:
        last_day = statements.last_day(month)
        version = budgets.version_on(versions.get(line.id, []), last_day)
        funds = (
            tuple(FundShare(fund=one.fund, rupiah=one.rupiah) for one in budgets.funds_of(version)) if version else ()
        )
        # What an opening balance says of the months before its day nobody knows.
        opening = line.opening_rupiah if (line.opening_through or last_day) <= last_day else 0
        found[line.unit].append(_purse(funds, opening, of_line.pop((line.unit, line.id), []), month))
    for (unit, _), rest in of_line.items():
        found[unit].append(_purse((), 0, rest, month))
    return found


def _purse(funds: tuple[FundShare, ...], opening: int, rows: Iterable[Any], month: date) -> Purse:
    paid, approved, before, due = opening, 0, opening, 0
    for row in rows:
        paid += row.total_rupiah * (row.state == statements.PAID)
        approved += row.total_rupiah * (row.state == statements.APPROVED)
        before += row.total_rupiah * (row.state in statements.FROZEN and row.month < month)
        due += row.total_rupiah * (row.month == month)
    return Purse(funds, paid, approved, before, due)


def _units_with_contract(db: Session, scope: Scope, month: date) -> set[str]:
    """Return the units that buy in a month, and the villages that are served, whoever buys."""
    rows = db.execute(
        select(Contract.unit, Contract.village).where(
            Contract.regency == scope.regency, Contract.first_day <= statements.last_day(month),
            or_(Contract.last_day.is_(None), Contract.last_day >= month),
        )
    )  # fmt: skip
    return {code for row in rows for code in row}
