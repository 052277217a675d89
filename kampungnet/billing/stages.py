"""Disbursement stages: when which share of a fund arrives. Each bupati sets them, so they are data (facts 3.4)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kampungnet.billing import budget, budgets
from kampungnet.billing.budget import Spent, Stage
from kampungnet.billing.document import BudgetFact
from kampungnet.billing.intake import Fault, Register, Typed
from kampungnet.billing.models import FundStage
from kampungnet.billing.sheets import Table
from kampungnet.core.languages import N_
from kampungnet.core.rows import insert_new

COLUMNS: Final = ("tahun", "sumber_dana", "tahap", "persen", "mulai", "dasar")
REQUIRED: Final = ("tahun", "sumber_dana", "tahap", "persen", "mulai")
MOST_STAGES: Final = 12


class StageEntry(msgspec.Struct, frozen=True):
    """One row of a file of stages."""

    line: int
    year: int
    fund: str
    number: int
    share_percent: Decimal
    arrives: date
    source: str


def understood(table: Table, _known: Register) -> tuple[list[StageEntry], list[Fault]]:
    """Return the rows of a file of stages as entries, and whatever is wrong with it."""
    faults: list[Fault] = []
    of_fund: dict[tuple[int, str], list[tuple[Typed, StageEntry]]] = defaultdict(list)
    for row in table.rows:
        typed = Typed(table, row, faults)
        entry = _entry(typed)
        if entry is None:
            continue
        same = of_fund[entry.year, entry.fund]
        double = next((one for _, one in same if one.number == entry.number), None)
        if double:
            typed.wrong("tahap", N_("This stage stands in line %(line)s already."), line=str(double.line))
        same.append((typed, entry))
    for (year, fund), found in of_fund.items():
        whole = sum((one.share_percent for _, one in found), Decimal(0))
        if whole != 100:
            told = N_("The stages of %(fund)s in %(year)s come to %(whole)s per cent, not to 100.")
            found[-1][0].wrong("persen", told, fund=fund, year=str(year),
                               whole=f"{whole.normalize():f}".replace(".", ","))  # fmt: skip
    return [one for found in of_fund.values() for _, one in found], faults


def _entry(typed: Typed) -> StageEntry | None:
    year = typed.whole("tahun", 2000, 2099)
    fund = typed.choice("sumber_dana", budgets.FUND_WORDS)
    number, share = typed.whole("tahap", 1, MOST_STAGES), typed.decimal("persen", 0, 100)
    arrives, source = typed.day("mulai"), typed.text("dasar")
    if year and arrives and arrives.year != year:
        typed.wrong("mulai", N_("This day does not lie in the budget year."))
    if not typed.is_good or year is None or fund is None or number is None or share is None or arrives is None:
        return None
    return StageEntry(typed.line, year, fund, number, share, arrives, source)


def store(db: Session, regency: str, entries: Sequence[StageEntry], _by: tuple[str, int]) -> int:
    """Put entries into the books, in the place of all stages of their funds and years; return how many they are."""
    for year, fund in {(one.year, one.fund) for one in entries}:
        of_fund = (FundStage.regency == regency, FundStage.year == year, FundStage.fund == fund)
        db.execute(delete(FundStage).where(*of_fund))
    insert_new(db, FundStage, [
        {"regency": regency, "year": one.year, "fund": one.fund, "number": one.number,
         "share_percent": str(one.share_percent), "arrives": one.arrives, "source": one.source} for one in entries
    ])  # fmt: skip
    return len(entries)


def listed(db: Session, regency: str) -> list[FundStage]:
    """Return all stages, those of the newest year first."""
    asked = select(FundStage).where(FundStage.regency == regency)
    return list(db.scalars(asked.order_by(FundStage.year.desc(), FundStage.fund, FundStage.number)))


def of_year(db: Session, regency: str, year: int) -> Sequence[Stage]:
    """Return in which stages the funds of a year arrive."""
    asked = select(FundStage).where(FundStage.regency == regency, FundStage.year == year)
    return [
        Stage(one.fund, Fraction(Decimal(one.share_percent)) / 100, one.arrives)
        for one in db.scalars(asked.order_by(FundStage.fund, FundStage.number))
    ]  # fmt: skip


def waiting(db: Session, regency: str, fact: BudgetFact, total: int, day: date) -> int:
    """Return how much of a statement's total, after what went before, the money has not arrived for by a day."""
    spent = Spent(fact.opening, fact.realised, fact.reserved)
    known = of_year(db, regency, fact.year)
    return min(total, budget.owed_before_arrival(known, fact.funds, spent, total, day)) if known else 0
