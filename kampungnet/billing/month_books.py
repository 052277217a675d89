"""What the statements of some contracts and one month are made of, read in a dozen queries however many they are."""

import calendar
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import bills, budgets, months, paying, rating, statement
from kampungnet.billing.contracts import Held
from kampungnet.billing.document import (
    AheadFact,
    BudgetFact,
    ContractFact,
    CorrectionFact,
    ProviderFact,
    VillageFact,
)
from kampungnet.billing.measured import Period
from kampungnet.billing.models import BudgetLine, Contract, Correction, LineHours, Provider, Statement, StatementStep
from kampungnet.billing.statements import APPROVED, FROZEN, PAID, number_text
from kampungnet.core import clock
from kampungnet.hotspot import sessions
from kampungnet.measurement import summary
from kampungnet.measurement.summary import MonthSummary
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency, Village


class MonthBooks:
    """The books of one regency and month, as far as some of its contracts need them."""

    def __init__(self, db: Session, regency: str, held: Sequence[Held], month: date, now_ms: int) -> None:
        self._db, self._regency, self._month = db, regency, month
        self._name = db.get_one(Regency, regency).name
        self._districts = villages.districts(db, regency)
        found = [one.contract for one in held]
        ids, sites, codes = ([getattr(one, name) for one in found] for name in ("id", "site", "village"))
        of_month = (Statement.regency == regency, Statement.contract.in_(ids), Statement.month == month)
        self.statements = {one.contract: one for one in db.scalars(select(Statement).where(*of_month))}
        steps = (StatementStep.regency == regency, StatementStep.contract.in_(ids), StatementStep.month == month)
        counted = select(StatementStep.contract, func.count().label("number")).where(*steps)
        rows = db.execute(counted.group_by(StatementStep.contract))
        self.steps: Mapping[str, int] = {row.contract: row.number for row in rows}
        noted = (LineHours.regency == regency, LineHours.contract.in_(ids), LineHours.month == month)
        self.hours_known = set(db.scalars(select(LineHours.contract).where(*noted)))
        self.measured: Mapping[str, MonthSummary] = {
            one.site: one for one in summary.summaries(db, regency, month, now_ms, sites)
        }
        last_day = month.replace(day=calendar.monthrange(month.year, month.month)[1])
        self._wifi = sessions.days_of_sites(db, regency, set(sites), month, last_day)
        in_regency = (Village.regency == regency, Village.code.in_(codes))
        self._villages = {one.code: one for one in db.scalars(select(Village).where(*in_regency))}
        sellers = (Provider.regency == regency, Provider.code.in_({one.provider for one in found}))
        self._providers = {one.code: one for one in db.scalars(select(Provider).where(*sellers))}
        # Where the books have lost it, the line that the statement had.
        before = {one.contract: one.line for one in self.statements.values() if one.line}
        self.line_of: Mapping[str, str] = {**before, **paying.lines_of_year(db, regency, month.year, ids)}
        of_year = (BudgetLine.regency == regency, BudgetLine.id.in_(set(self.line_of.values())))
        self._lines = {one.id: one for one in db.scalars(select(BudgetLine).where(*of_year))}
        self._bills = bills.to_come(db, regency, month.year, self._lines)
        self._versions = budgets.versions(db, regency, self._lines)
        self._spent = self._spendings()
        self._corrections = self._unposted(ids)

    def facts(self, held: Held, last_day: date) -> statement.Facts:
        """Return all that the statement of a contract is made of; ``last_day`` is the month's.

        Raises ``Unrateable`` for terms that do not fit together.
        """
        contract, terms = held.contract, held.terms
        rating.check(terms)
        period = Period.of(
            max(self._month, terms.start), min(last_day, terms.end or last_day), clock.zone_of(self._regency)
        )
        found, provider = self.measured.get(contract.site), self._providers[contract.provider]
        measured = months.measured_days(self._db, found, found.facts if found else None, period, terms)
        hotspot = months.hotspot_fact(self._wifi.get(contract.site, {}), period)
        return statement.Facts(
            village=self._village(contract), provider=ProviderFact(name=provider.name, npwp=provider.npwp),
            contract=ContractFact(id=contract.id, number=contract.number, terms=terms),
            measured=msgspec.structs.replace(measured, hotspot=hotspot),
            corrections=tuple(self._corrections[contract.id]), budget=self._budget(contract, period.last_day),
        )  # fmt: skip

    def _village(self, contract: Contract) -> VillageFact:
        """Return who was served, with the names above it."""
        village = self._villages[contract.village]
        district, is_office = self._districts[village.district], len(contract.unit) == 8
        return VillageFact(
            code=contract.unit, name=district if is_office else village.name,
            kind="kecamatan" if is_office else village.kind, district=district, regency=self._name,
            regency_code=self._regency, site=contract.site,
        )  # fmt: skip

    def _budget(self, contract: Contract, day: date) -> BudgetFact | None:
        line = self._lines.get(self.line_of.get(contract.id, ""))
        version = budgets.version_on(self._versions.get(line.id, []), day) if line else None
        if line is None or version is None:
            return None
        spent: dict[str, int] = defaultdict(int)
        for one in self._spent[line.id]:
            if (one.contract, one.month) != (contract.id, self._month):
                spent[one.state] += one.total_rupiah
        return BudgetFact(
            year=line.year, line=line.id, activity=line.activity, account=line.account, name=line.name,
            version=version.kind, version_since=version.valid_from, version_document=version.document,
            funds=budgets.shares_of(version),
            opening=line.opening_rupiah, realised=spent[PAID], reserved=spent[APPROVED], remaining=0, monthly=0,
            ends=None, ahead=self._ahead(line.id, contract.id),
        )  # fmt: skip

    def _ahead(self, line: str, contract: str) -> tuple[AheadFact, ...]:
        """Return what the line has to pay besides this month and the later ones of a contract."""
        others = [one for one in self._bills[line] if one.contract != contract or one.month < self._month.month]
        return tuple(AheadFact(month=one, rupiah=rupiah) for one, rupiah in sorted(bills.by_month(others).items()))

    def _spendings(self) -> Mapping[str, list[Any]]:
        """Return what approved and paid statements took from each line."""
        rows = self._db.execute(
            select(Statement.line, Statement.state, Statement.contract, Statement.month, Statement.total_rupiah).where(
                Statement.regency == self._regency, Statement.line.in_(list(self._lines)),
                Statement.state.in_(FROZEN), Statement.month >= self._month.replace(month=1),
                Statement.month <= self._month.replace(month=12, day=31),
            )
        )  # fmt: skip
        found: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            found[row.line].append(row)
        return found

    def _unposted(self, contracts: Sequence[str]) -> Mapping[str, list[CorrectionFact]]:
        """Return the corrections that each statement takes: of earlier months, in no other statement yet."""
        open_ones = Correction.posted_month.is_(None) | (Correction.posted_month == self._month)
        rows = self._db.execute(
            select(Correction, Statement)
            .join(Statement, (Statement.regency == Correction.regency) & (Statement.contract == Correction.contract)
                  & (Statement.month == Correction.month))
            .where(Correction.regency == self._regency, Correction.contract.in_(contracts), open_ones)
            .where(Correction.month < self._month).order_by(Correction.month, Correction.number)
        )  # fmt: skip
        found: dict[str, list[CorrectionFact]] = defaultdict(list)
        for one, posted in rows:
            found[one.contract].append(
                CorrectionFact(
                    month=f"{one.month:%Y-%m}", rupiah=one.rupiah, number=number_text(posted), content_hash=posted.hash
                )
            )
        return found
