"""Contracts and budget lines in words: what each unit buys, from which money, what is left of it and for how long."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from kampungnet.billing import budget, budgets, charts_of_accounts, contracts, rating, stages, statements, words
from kampungnet.billing.budget import Stage
from kampungnet.billing.document import FundShare
from kampungnet.billing.models import BudgetLine, BudgetVersion, Contract, Statement
from kampungnet.billing.tax import HOUSE_TAXES, RateUnknown
from kampungnet.core.languages import Language
from kampungnet.staff.service import Scope


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One contract as the list shows it; an empty text is not known."""

    id: str
    name: str
    unit: str
    provider: str
    number: str
    mbps: str
    price: str
    days: str
    activated: str
    line: str
    is_double: bool


@dataclass(frozen=True, slots=True)
class LineRow:
    """One budget line of a year."""

    name: str
    codes: str
    versions: list[str]
    funds: str
    pagu: str
    arrived: str
    """Of the pagu until now, by the stages of its funds; empty where no stages are known."""
    realised: str
    reserved: str
    remaining: str
    is_overdrawn: bool
    ends: str


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage in which a fund arrives."""

    year: int
    fund: str
    number: int
    share: str
    arrives: str
    source: str


def contract_rows(db: Session, scope: Scope, day: date, language: Language) -> list[ContractRow]:
    """Return the contracts that a person may see, with the terms that hold on a day (or hold first)."""
    found = contracts.of_scope(db, scope)
    doubles = {one.id for pair in contracts.overlapping(found) for one in pair}
    names, versions = statements.names(db, scope.regency), contracts.terms_by_contract(db, scope.regency)
    providers = contracts.providers(db, scope.regency)
    rows = []
    for one in found:
        terms = contracts.terms_on(versions[one.id], max(day, one.first_day), one)
        rates = (
            [words.mbps(language, rate * 1000) for rate in (terms.down_kbps, terms.up_kbps) if rate] if terms else []
        )
        last = language.full_day(one.last_day) if one.last_day else language.say("open end")
        rows.append(
            ContractRow(
                one.id, names.get(one.unit, one.unit), one.unit, providers[one.provider], one.number, " / ".join(rates),
                words.figures(language, terms.price) if terms else "",
                f"{language.full_day(one.first_day)} – {last}",
                language.full_day(one.activated) if one.activated else "", one.line or "", one.id in doubles,
            )
        )  # fmt: skip
    return rows


def without_contract(db: Session, scope: Scope, day: date) -> list[tuple[str, str]]:
    """Return code and name of the villages that no contract serves on a day."""
    served = {one.village for one in contracts.of_scope(db, scope) if one.last_day is None or one.last_day >= day}
    units = budgets.register(db, scope).units.values()
    return [(one.code, one.name) for one in units if one.kind != "kecamatan" and one.code not in served]


def stage_rows(db: Session, regency: str, language: Language) -> list[StageRow]:
    """Return in which stages funds arrive, the newest year first."""
    return [
        StageRow(one.year, one.fund, one.number, f"{words.figures(language, Fraction(one.share_percent), 2)}%",
                 language.full_day(one.arrives), one.source)
        for one in stages.listed(db, regency)
    ]  # fmt: skip


def years(db: Session, scope: Scope) -> list[int]:
    """Return the budget years in the books, the newest first."""
    asked = select(BudgetLine.year).where(BudgetLine.regency == scope.regency)
    return list(db.scalars(asked.distinct().order_by(BudgetLine.year.desc())))


def line_rows(db: Session, scope: Scope, year: int, day: date, language: Language) -> list[LineRow]:
    """Return the budget lines of a year that a person may see, as they stand on a day."""
    asked = select(BudgetLine).where(BudgetLine.regency == scope.regency, BudgetLine.year == year)
    lines = list(db.scalars(asked.where(scope.where(BudgetLine.unit)).order_by(BudgetLine.unit, BudgetLine.id)))
    names, known = statements.names(db, scope.regency), budgets.versions(db, scope.regency, [one.id for one in lines])
    accounts, known_stages = charts_of_accounts.names(db, scope.regency), stages.of_year(db, scope.regency, year)
    spent, billed, monthly = _spent(db, scope.regency, year), _billed(db, scope.regency, year), _monthly(db, scope, day)
    return [
        _line(one, (names.get(one.unit, one.unit), charts_of_accounts.account_name(accounts, one.account)),
              (known[one.id], known_stages), (spent[one.id], billed.get(one.id, 0), monthly.get(one.id, 0)),
              (day, language))
        for one in lines
    ]  # fmt: skip


def _line(
    line: BudgetLine, names: tuple[str, str], of: tuple[Sequence[BudgetVersion], Sequence[Stage]],
    use: tuple[Mapping[str, int], int, int], at: tuple[date, Language],
) -> LineRow:  # fmt: skip
    (spent, billed, monthly), (day, language), (known, known_stages) = use, at, of
    day = min(max(day, date(line.year, 1, 1)), date(line.year, 12, 31))
    version = budgets.version_on(known, day)
    realised, reserved = line.opening_rupiah + spent.get(statements.PAID, 0), spent.get(statements.APPROVED, 0)
    remaining = (version.pagu_rupiah if version else 0) - realised - reserved
    dry = budget.ends(remaining, dict.fromkeys(range(billed + 1, 13), monthly)) if monthly else None
    ends = words.month(language, date(line.year, dry, 1)) if dry else ""
    funds = budgets.funds_of(version) if version else ()
    shares = tuple(FundShare(fund=one.fund, rupiah=one.rupiah) for one in funds)
    return LineRow(
        names[0], f"{line.activity} · {line.account} {line.name or names[1]}".removeprefix(" · ").strip(),
        [f"{one.kind}, {language.full_day(one.valid_from)}: {words.figures(language, one.pagu_rupiah)}"
         + (f" ({one.document})" if one.document else "") for one in known],
        ", ".join(f"{one.fund} {words.figures(language, one.rupiah)}" for one in funds),
        words.figures(language, version.pagu_rupiah) if version else "",
        words.figures(language, budget.arrived(known_stages, shares, day)) if known_stages and shares else "",
        words.figures(language, realised),
        words.figures(language, reserved), words.figures(language, remaining), remaining < 0, ends,
    )  # fmt: skip


def _of_year(regency: str, year: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Statement.regency == regency, Statement.state.in_(statements.FROZEN),
        Statement.month >= date(year, 1, 1), Statement.month <= date(year, 12, 31), Contract.line.is_not(None),
    )  # fmt: skip


def _spent(db: Session, regency: str, year: int) -> Mapping[str, Mapping[str, int]]:
    """Return what statements took from each line, by state."""
    rows = db.execute(
        select(Contract.line, Statement.state, func.sum(Statement.total_rupiah).label("rupiah"))
        .join(Contract, (Contract.regency == Statement.regency) & (Contract.id == Statement.contract))
        .where(*_of_year(regency, year)).group_by(Contract.line, Statement.state)
    )  # fmt: skip
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for one in rows:
        found[one.line][one.state] = int(one.rupiah)
    return found


def _billed(db: Session, regency: str, year: int) -> Mapping[str, int]:
    """Return the last month, 1 to 12, that each line has an approved statement of."""
    rows = db.execute(
        select(Contract.line, func.max(Statement.month).label("month"))
        .join(Contract, (Contract.regency == Statement.regency) & (Contract.id == Statement.contract))
        .where(*_of_year(regency, year)).group_by(Contract.line)
    )  # fmt: skip
    return {one.line: one.month.month for one in rows}


def _monthly(db: Session, scope: Scope, day: date) -> Mapping[str, int]:
    """Return what the contracts of each line cost a whole month on a day, tax included."""
    found: dict[str, int] = defaultdict(int)
    versions = contracts.terms_by_contract(db, scope.regency)
    for one in contracts.of_scope(db, scope):
        terms = contracts.terms_on(versions[one.id], day, one)
        if one.line and terms and (one.last_day is None or one.last_day >= day):
            try:
                found[one.line] += rating.whole_month(terms, HOUSE_TAXES, day)
            except RateUnknown:
                continue
    return found
