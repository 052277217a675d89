"""When the money of each village ends: the first month of this year that one of its budget lines cannot pay in full."""

import time
from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import bills, budget, budgets, statements
from kampungnet.billing.models import BudgetLine, Statement
from kampungnet.core import clock

FRESH_SECONDS: Final = 900
"""A budget changes by what people do in a day; a scrape comes twice a minute."""


class Ends:
    """Remembers for a quarter of an hour what it found of each regency."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Mapping[str, int]]] = {}

    def __call__(self, db: Session, regency: str) -> Mapping[str, int]:
        """Return the instants in milliseconds, by village; of a village whose money lasts there is none."""
        until, found = self._known.get(regency, (0.0, {}))
        if time.monotonic() >= until:
            zone = clock.zone_of(regency)
            days = first_unpaid(db, regency, clock.local_day(clock.now_ms(), zone))
            found = {village: clock.day_start_ms(day, zone) for village, day in days.items()}
            self._known[regency] = time.monotonic() + FRESH_SECONDS, found
        return found


def first_unpaid(db: Session, regency: str, day: date) -> Mapping[str, date]:
    """Return the first month that a line of a village cannot pay in full, in the budget year of a day."""
    asked = select(BudgetLine).where(BudgetLine.regency == regency, BudgetLine.year == day.year)
    lines = list(db.scalars(asked.where(BudgetLine.village.is_not(None))))
    if not lines:
        return {}
    versions = budgets.versions_of_year(db, regency, day.year)
    to_come, spent = bills.to_come(db, regency, day.year), _spent(db, regency)
    found: dict[str, date] = {}
    for line in lines:
        version = budgets.version_on(versions[line.id], day)
        if version is None or line.village is None:
            continue
        left = version.pagu_rupiah - line.opening_rupiah - spent.get(line.id, 0)
        if (month := budget.ends(left, bills.by_month(to_come.get(line.id, ())))) is not None:
            unpaid = date(day.year, month, 1)
            found[line.village] = min(unpaid, found.get(line.village, unpaid))
    return found


def _spent(db: Session, regency: str) -> Mapping[str, int]:
    """Return what approved and paid statements took from each line."""
    rows = db.execute(
        select(Statement.line, func.sum(Statement.total_rupiah).label("rupiah"))
        .where(Statement.regency == regency, Statement.state.in_(statements.FROZEN))
        .group_by(Statement.line)
    )
    return {one.line: int(one.rupiah) for one in rows if one.line is not None}
