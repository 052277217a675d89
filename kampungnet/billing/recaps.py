"""Recaps filled from the books: budget lines, statements of the year so far, contracts, and months with data."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, or_, select
from sqlalchemy.orm import Session

from kampungnet.billing import budgets, rollup, statements
from kampungnet.billing.document import FundShare
from kampungnet.billing.models import BudgetLine, Contract, Statement
from kampungnet.billing.rollup import Paper, Purse, Recap, Unit
from kampungnet.core import clock
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


def of_place(db: Session, scope: Scope, month: date, district: str) -> Recap | None:
    """Return one of them: of all that a person may see, or of a kecamatan; ``None`` where there is no such."""
    if not scope.is_whole:
        return of_month(db, scope, month).get(district)
    found = units(db, scope.within(district), month)
    name = db.get_one(Regency, scope.regency).name
    if not district:
        return rollup.recap(name, f"{month:%Y-%m}", found)
    return rollup.recaps(name, f"{month:%Y-%m}", found).get(district)


def units(db: Session, scope: Scope, month: date) -> list[Unit]:
    """Return every unit and its money of the year up to a month; of the offices of kecamatan, those in the books."""
    known = {code: one for code, one in budgets.register(db, scope).units.items() if scope.covers(code)}
    papers, judged = _papers(db, scope, month)
    purses, bought = _purses(db, scope, month), _units_with_contract(db, scope, month)
    seen = judged | summary.villages_seen(db, scope.regency, month, statements.last_day(month))
    return [
        Unit(
            one.code, f"{OFFICE} {one.name}" if one.kind == "kecamatan" else one.name, one.district,
            rollup.fund_parts(purses.get(one.code, ())), tuple(papers.get(one.code, ())),
            has_contract=one.code in bought, has_data=one.code in seen,
        )
        for one in known.values()
        if one.kind != "kecamatan" or one.code in purses or one.code in bought
    ]  # fmt: skip


def _papers(db: Session, scope: Scope, month: date) -> tuple[Mapping[str, list[Paper]], set[str]]:
    """Return the statements of a month by unit, and the units of which any could be judged."""
    asked = select(Statement.unit, Statement.contract, Statement.state, Statement.judged).where(
        Statement.regency == scope.regency, Statement.month == month, scope.where(Statement.unit)
    )
    papers: dict[str, list[Paper]] = defaultdict(list)
    judged = set()
    for row in db.execute(asked.order_by(Statement.contract)):
        papers[row.unit].append(Paper(row.contract, row.state))
        if row.judged:
            judged.add(row.unit)
    return papers, judged


def _purses(db: Session, scope: Scope, month: date) -> Mapping[str, list[Purse]]:
    """Return the budget lines of each unit and what went out of them; one without funds for what no line pays."""
    last_day = statements.last_day(month)
    gone = {(row.unit, row.line): row for row in _gone(db, scope, month)}
    asked = select(BudgetLine.id, BudgetLine.unit, BudgetLine.opening_rupiah, BudgetLine.opening_through).where(
        BudgetLine.regency == scope.regency, BudgetLine.year == month.year, scope.where(BudgetLine.unit)
    )
    versions = budgets.versions_of_year(db, scope.regency, month.year)
    found: dict[str, list[Purse]] = defaultdict(list)
    for line in db.execute(asked.order_by(BudgetLine.id)):
        version = budgets.version_on(versions.get(line.id, []), last_day)
        # What an opening balance says of the months before its day nobody knows.
        opening = line.opening_rupiah if (line.opening_through or last_day) <= last_day else 0
        funds = budgets.shares_of(version) if version else ()
        found[line.unit].append(_purse(funds, opening, gone.pop((line.unit, line.id), None)))
    for (unit, _), rest in gone.items():
        found[unit].append(_purse((), 0, rest))
    return found


def _gone(db: Session, scope: Scope, month: date) -> Sequence[Any]:
    """Return what statements from January to a month took from each line, as it stood at the month's end.

    What was paid later is reserved until then.
    """
    end_ms = clock.day_start_ms(statements.last_day(month) + timedelta(days=1), clock.zone_of(scope.regency))
    frozen = Statement.state.in_(statements.FROZEN)
    paid = (Statement.state == statements.PAID) & (func.coalesce(Statement.paid_ms, 0) < end_ms)

    def total(of: ColumnElement[bool], name: str) -> ColumnElement[int]:
        return cast(func.sum(case((of, Statement.total_rupiah), else_=0)), BigInteger).label(name)

    asked = select(
        Statement.unit, Statement.line, total(paid, "realised"), total(frozen & ~paid, "reserved"),
        total(frozen & (Statement.month < month), "before"), total(Statement.month == month, "due"),
    ).where(
        Statement.regency == scope.regency, scope.where(Statement.unit),
        Statement.month >= month.replace(month=1), Statement.month <= month,
    )  # fmt: skip
    return db.execute(asked.group_by(Statement.unit, Statement.line)).all()


def _purse(funds: tuple[FundShare, ...], opening: int, gone: Any) -> Purse:
    if gone is None:
        return Purse(funds, opening, 0, opening, 0)
    return Purse(funds, opening + gone.realised, gone.reserved, opening + gone.before, gone.due)


def _units_with_contract(db: Session, scope: Scope, month: date) -> set[str]:
    """Return the units that buy in a month, and the villages that are served, whoever buys."""
    rows = db.execute(
        select(Contract.unit, Contract.village).where(
            Contract.regency == scope.regency, Contract.first_day <= statements.last_day(month),
            or_(Contract.last_day.is_(None), Contract.last_day >= month),
        )
    )  # fmt: skip
    return {code for row in rows for code in row}
