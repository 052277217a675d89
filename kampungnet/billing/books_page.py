"""Contracts and budget lines in words: what each unit buys, from which money, what is left of it and for how long."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import (
    bills,
    budget,
    budgets,
    charts_of_accounts,
    contracts,
    paying,
    stages,
    statements,
    words,
)
from kampungnet.billing.budget import Stage
from kampungnet.billing.budgets import Version
from kampungnet.billing.models import BudgetLine, Contract, Statement
from kampungnet.core.languages import Language
from kampungnet.measurement import judged
from kampungnet.staff.service import Scope


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One contract as the list shows it. The line is the one that pays this year."""

    id: str
    name: str
    unit: str
    provider: str
    number: str
    mbps: str
    price: str
    days: str
    activated: str
    can_confirm: bool
    """The box saw service, and nobody said from which day it is due."""
    line: str
    is_double: bool
    is_readable: bool
    """False where this version cannot read the terms: they have to be entered again."""


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


def contract_rows(
    db: Session, scope: Scope, held: Sequence[Contract], day: date, language: Language
) -> list[ContractRow]:  # fmt: skip
    """Return some contracts that a person may see, with the terms that hold on a day (or hold first)."""
    ids = [one.id for one in held]
    doubles = {one.id for pair in contracts.overlapping(contracts.of_scope(db, scope)) for one in pair}
    names, versions = statements.names(db, scope.regency), contracts.terms_by_contract(db, scope.regency, ids)
    seen = judged.first_service_days(db, scope.regency)
    providers, lines = contracts.providers(db, scope.regency), paying.lines_of_year(db, scope.regency, day.year, ids)
    rows = []
    for one in held:
        terms, is_readable = contracts.known_terms(versions[one.id], max(day, one.first_day), one)
        rates = (
            [words.mbps(language, rate * 1000) for rate in (terms.down_kbps, terms.up_kbps) if rate] if terms else []
        )
        last = language.full_day(one.last_day) if one.last_day else language.say("open end")
        rows.append(
            ContractRow(
                one.id, names.get(one.unit, one.unit), one.unit, providers[one.provider], one.number, " / ".join(rates),
                words.figures(language, terms.price) if terms else "",
                f"{language.full_day(one.first_day)} – {last}",
                _activation(one, seen.get(one.site), language), one.activated is None and one.site in seen,
                (lines.get(one.id) if one.runs_on(day) else one.line) or "", one.id in doubles, is_readable,
            )
        )  # fmt: skip
    return rows


def _activation(one: Contract, seen: date | None, language: Language) -> str:
    """Say since when there is service: as it was agreed, or as the box saw it, so that somebody confirms it.

    It is not taken over by itself: a box may come to a line that was paid for long before.
    """
    if one.activated:
        return language.full_day(one.activated)
    if seen is None:
        return language.say("not confirmed yet")
    return language.say("not confirmed yet; the box saw service first on %(day)s", day=language.full_day(seen))


def without_contract(db: Session, scope: Scope, held: Sequence[Contract], day: date) -> list[tuple[str, str]]:
    """Return code and name of the villages that none of the contracts of a scope serves on a day."""
    served = {one.village for one in held if one.runs_on(day)}
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


def lines(db: Session, scope: Scope, year: int, fund: str = "") -> list[BudgetLine]:
    """Return the budget lines of a year that a person may see, or those that a fund pays into."""
    asked = select(BudgetLine).where(BudgetLine.regency == scope.regency, BudgetLine.year == year)
    found = list(db.scalars(asked.where(scope.where(BudgetLine.unit)).order_by(BudgetLine.unit, BudgetLine.id)))
    if not fund:
        return found
    versions = budgets.versions_of_year(db, scope.regency, year)
    return [
        one for one in found
        if any(share.fund == fund for version in versions[one.id] for share in budgets.funds_of(version))
    ]  # fmt: skip


def line_rows(db: Session, scope: Scope, of: Sequence[BudgetLine], day: date, language: Language) -> list[LineRow]:
    """Return some budget lines of one year as they stand on a day."""
    if not of:
        return []
    year, ids = of[0].year, [one.id for one in of]
    names, known = statements.names(db, scope.regency), budgets.versions_of_year(db, scope.regency, year, ids)
    accounts, known_stages = charts_of_accounts.names(db, scope.regency), stages.of_year(db, scope.regency, year)
    spent, to_come = _spent(db, scope.regency, year, ids), bills.to_come(db, scope.regency, year, ids)
    return [
        _line(one, (names.get(one.unit, one.unit), charts_of_accounts.account_name(accounts, one.account)),
              (known[one.id], known_stages), (spent[one.id], bills.by_month(to_come[one.id])), (day, language))
        for one in of
    ]  # fmt: skip


def _line(
    line: BudgetLine, names: tuple[str, str], of: tuple[Sequence[Version], Sequence[Stage]],
    use: tuple[Mapping[str, int], Mapping[int, int]], at: tuple[date, Language],
) -> LineRow:  # fmt: skip
    (spent, to_come), (day, language), (known, known_stages) = use, at, of
    day = min(max(day, date(line.year, 1, 1)), date(line.year, 12, 31))
    version = budgets.version_on(known, day)
    realised, reserved = line.opening_rupiah + spent.get(statements.PAID, 0), spent.get(statements.APPROVED, 0)
    remaining = (version.pagu_rupiah if version else 0) - realised - reserved
    dry = budget.ends(remaining, to_come)
    ends = words.month(language, date(line.year, dry, 1)) if dry else ""
    shares = budgets.shares_of(version) if version else ()
    return LineRow(
        names[0], f"{line.activity} · {line.account} {line.name or names[1]}".removeprefix(" · ").strip(),
        [f"{one.kind}, {language.full_day(one.valid_from)}: {words.figures(language, one.pagu_rupiah)}"
         + (f" ({one.document})" if one.document else "") for one in known],
        ", ".join(f"{one.fund} {words.figures(language, one.rupiah)}" for one in shares),
        words.figures(language, version.pagu_rupiah) if version else "",
        words.figures(language, budget.arrived(known_stages, shares, day)) if known_stages and shares else "",
        words.figures(language, realised),
        words.figures(language, reserved), words.figures(language, remaining), remaining < 0, ends,
    )  # fmt: skip


def _spent(db: Session, regency: str, year: int, lines: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """Return what statements took from each line, by state."""
    rows = db.execute(
        select(Statement.line, Statement.state, func.sum(Statement.total_rupiah).label("rupiah")).where(
            Statement.regency == regency, Statement.state.in_(statements.FROZEN), Statement.line.in_(lines),
            Statement.month >= date(year, 1, 1), Statement.month <= date(year, 12, 31),
        ).group_by(Statement.line, Statement.state)
    )  # fmt: skip
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for one in rows:
        found[one.line][one.state] = int(one.rupiah)
    return found
