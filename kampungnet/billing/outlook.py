"""What a budget line can still pay, month by month: bills to come with tax, and money that has not arrived yet."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import bills, budget, budgets, statements
from kampungnet.billing.budget import Spent
from kampungnet.billing.document import FundShare
from kampungnet.billing.models import BudgetLine, Statement
from kampungnet.billing.stages import of_year


@dataclass(frozen=True, slots=True)
class MonthAhead:
    """One month that is not approved yet."""

    month: date
    bill: int
    """Of all contracts that the line pays, tax included."""
    left: int
    """After paying it; negative where the line does not hold it."""
    waiting: int
    """How much of all that is due until its end the money has not arrived for."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A line as it stands on a day, and the rest of its year."""

    line: BudgetLine
    pagu: int
    funds: tuple[FundShare, ...]
    spent: Spent
    arrived: int
    """Of the pagu, by the stages of its funds."""
    ahead: tuple[MonthAhead, ...]

    @property
    def remaining(self) -> int:
        """What is neither gone nor promised."""
        return self.pagu - self.spent.total

    @property
    def dry(self) -> date | None:
        """The first month that cannot be paid in full."""
        return next((one.month for one in self.ahead if one.left < 0), None)


def outlook(db: Session, regency: str, line_id: str, day: date) -> Outlook | None:
    """Return how a line stands on a day of its year; ``None`` where it has no version then."""
    line = db.get_one(BudgetLine, (regency, line_id))
    day = min(max(day, date(line.year, 1, 1)), date(line.year, 12, 31))
    version = budgets.version_on(budgets.versions(db, regency, [line_id])[line_id], day)
    if version is None:
        return None
    funds = budgets.shares_of(version)
    spent, stages = _spent(db, line), of_year(db, regency, line.year)
    ahead, due = [], 0
    to_come = bills.by_month(bills.to_come(db, regency, line.year, [line_id])[line_id])
    for one in budget.forecast(version.pagu_rupiah - spent.total, to_come):
        month = date(line.year, one.month, 1)
        due += one.bill
        waiting = budget.owed_before_arrival(stages, funds, spent, due, statements.last_day(month))
        ahead.append(MonthAhead(month, one.bill, one.left, waiting))
    return Outlook(line, version.pagu_rupiah, funds, spent, budget.arrived(stages, funds, day), tuple(ahead))


def _spent(db: Session, line: BudgetLine) -> Spent:
    """Return what has gone from a line."""
    rows = db.execute(
        select(Statement.state, func.sum(Statement.total_rupiah).label("rupiah"))
        .where(
            Statement.regency == line.regency, Statement.line == line.id, Statement.state.in_(statements.FROZEN),
            Statement.month >= date(line.year, 1, 1), Statement.month <= date(line.year, 12, 31),
        ).group_by(Statement.state)
    )  # fmt: skip
    by_state = {one.state: int(one.rupiah) for one in rows}
    return Spent(line.opening_rupiah, by_state.get(statements.PAID, 0), by_state.get(statements.APPROVED, 0))
