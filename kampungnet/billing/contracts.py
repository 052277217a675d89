"""Contracts: what a unit buys at a site, from when, on which terms, and which budget line pays."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import budgets, paying, statements
from kampungnet.billing.contract_rows import ContractEntry, slug
from kampungnet.billing.document import canonical
from kampungnet.billing.models import Contract, ContractVersion, Provider
from kampungnet.billing.terms import ContractTerms
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_
from kampungnet.staff.service import Scope


@dataclass(frozen=True, slots=True)
class Held:
    """A contract with the terms that hold on a day."""

    contract: Contract
    terms: ContractTerms


def store(db: Session, regency: str, entries: Sequence[ContractEntry], by: tuple[str, int]) -> int:
    """Put entries into the books and return how many contracts they are; the same file again changes nothing.

    ``by`` is who entered them and when. A contract that is known by unit and number gets its new terms from its
    first day on: what was approved under the old ones stays as it is. Terms that it has already, from its start or by
    an addendum, change nothing: the table that we write names those that hold on its day.
    """
    for entry in entries:
        provider = _provider(db, regency, entry)
        contract = db.scalar(
            select(Contract).where(
                Contract.regency == regency, Contract.unit == entry.unit, Contract.number == entry.number
            )
        )
        if contract is None:
            contract = _new(db, regency, entry, by)
        elif contract.first_day != entry.first_day:
            _move_start(db, contract, entry.first_day)
        contract.provider, contract.village, contract.site = provider, entry.village, f"{entry.village}-1"
        contract.first_day, contract.last_day, contract.activated = entry.first_day, entry.last_day, entry.activated
        line = budgets.find(db, regency, entry.unit, *entry.budget) if entry.budget else None
        contract.line = line.id if line else contract.line
        db.flush()
        if not _has_terms(terms_by_contract(db, regency, [contract.id])[contract.id], entry.terms):
            amend(db, contract, entry.first_day, entry.terms, "")
        statements.drop_outside(db, contract)
    paying.follow(db, regency)
    return len(entries)


def _move_start(db: Session, contract: Contract, first_day: date) -> None:
    """Let the first terms begin on a corrected first day; left where they were, they would hold beside the new ones."""
    first, there = (db.get(ContractVersion, (contract.regency, contract.id, day))
                    for day in (contract.first_day, first_day))  # fmt: skip
    if first is not None and there is None:
        first.valid_from = first_day
    elif first is not None:  # an addendum of that day is what it begins with
        db.delete(first)
    db.flush()


def _has_terms(versions: Sequence[ContractVersion], terms: ContractTerms) -> bool:
    for one in versions:
        try:
            if _with_days(one.terms, terms.start, terms.end) == terms:
                return True
        except msgspec.DecodeError:  # what cannot be read is what this file puts right
            continue
    return False


def amend(db: Session, contract: Contract, since: date, terms: ContractTerms, document: str) -> None:
    """Give a contract new terms from a day on: those of its start, or of an addendum."""
    text = canonical(terms).decode()
    version = db.get(ContractVersion, (contract.regency, contract.id, since))
    if version is None:
        version = ContractVersion(regency=contract.regency, contract=contract.id, valid_from=since, terms="")
        db.add(version)
    version.terms, version.document = text, document
    db.flush()


def _new(db: Session, regency: str, entry: ContractEntry, by: tuple[str, int]) -> Contract:
    known = select(func.count()).where(Contract.regency == regency, Contract.unit == entry.unit)
    number = 1 + db.execute(known).scalar_one()
    contract = Contract(
        regency=regency, id=f"{entry.unit}-{number}", unit=entry.unit, number=entry.number, line=None,
        entered_by=by[0], entered_ms=by[1],
    )  # fmt: skip
    db.add(contract)
    return contract


def _provider(db: Session, regency: str, entry: ContractEntry) -> str:
    code = slug(entry.provider)
    provider = db.get(Provider, (regency, code))
    if provider is None:
        db.add(Provider(regency=regency, code=code, name=entry.provider, npwp=entry.npwp))
        db.flush()
    elif entry.npwp:
        provider.npwp = entry.npwp
    return code


def providers(db: Session, regency: str) -> dict[str, str]:
    """Return the names of providers by their codes."""
    asked = select(Provider.code, Provider.name).where(Provider.regency == regency)
    return {one.code: one.name for one in db.execute(asked)}


def of_scope(db: Session, scope: Scope) -> list[Contract]:
    """Return the contracts that a person may see."""
    asked = select(Contract).where(Contract.regency == scope.regency, scope.where(Contract.unit))
    return list(db.scalars(asked.order_by(Contract.village, Contract.id)))


def contract(db: Session, scope: Scope, contract_id: str) -> Contract:
    """Return one contract. Raises ``NotFound`` for one that is not there, or not this person's to know about."""
    found = db.get(Contract, (scope.regency, contract_id))
    if found is None or not scope.covers(found.unit):
        raise NotFound(N_("There is no such contract here. Go back to the list."))
    return found


def running(db: Session, regency: str, month: date, last_day: date) -> list[Held]:
    """Return the contracts that ran in a month, with the terms of its last day of service."""
    return readable(db, regency, month, last_day)[0]


def readable(db: Session, regency: str, month: date, last_day: date) -> tuple[list[Held], list[str]]:
    """Return the same, and which contracts have terms that this version cannot read."""
    rows = db.scalars(
        select(Contract)
        .where(Contract.regency == regency, Contract.first_day <= last_day)
        .where(func.coalesce(Contract.last_day, last_day) >= month)
        .order_by(Contract.village, Contract.id)
    ).all()
    terms = terms_by_contract(db, regency)
    held, unreadable = [], []
    for one in rows:
        try:
            found = terms_on(terms[one.id], last_day, one)
        except msgspec.DecodeError:
            unreadable.append(one.id)
            continue
        if found is not None and found.start <= last_day:
            held.append(Held(one, found))
    return held, unreadable


def terms_by_contract(
    db: Session, regency: str, ids: Iterable[str] | None = None
) -> Mapping[str, Sequence[ContractVersion]]:
    """Return all versions of terms (or those of some contracts) by contract, the oldest first."""
    found: dict[str, list[ContractVersion]] = defaultdict(list)
    asked = select(ContractVersion).where(ContractVersion.regency == regency).order_by(ContractVersion.valid_from)
    if ids is not None:
        asked = asked.where(ContractVersion.contract.in_(list(ids)))
    for one in db.scalars(asked):
        found[one.contract].append(one)
    return found


def terms_on(versions: Sequence[ContractVersion], day: date, contract: Contract) -> ContractTerms | None:
    """Return the terms that hold on a day, with the days of service as the contract knows them now."""
    newest = next((one for one in reversed(versions) if one.valid_from <= day), None)
    if newest is None:
        return None
    start = max(contract.first_day, contract.activated) if contract.activated else contract.first_day
    return _with_days(newest.terms, start, contract.last_day)


def known_terms(
    versions: Sequence[ContractVersion], day: date, contract: Contract
) -> tuple[ContractTerms | None, bool]:
    """Return the same, and whether they could be read: a page tells of the one contract whose terms cannot."""
    try:
        return terms_on(versions, day, contract), True
    except msgspec.DecodeError:
        return None, False


@lru_cache(maxsize=4096)
def _with_days(text: str, start: date, end: date | None) -> ContractTerms:
    """Return terms from their JSON: values that never change, asked for again by every page."""
    return msgspec.structs.replace(msgspec.json.decode(text, type=ContractTerms), start=start, end=end)


def overlapping(held: Iterable[Contract]) -> list[tuple[Contract, Contract]]:
    """Return contracts that run at one site at the same time: two services in one place (facts 4)."""
    of_site: dict[str, list[Contract]] = defaultdict(list)
    for one in held:
        of_site[one.site].append(one)
    return [
        (first, second)
        for found in of_site.values()
        for number, first in enumerate(found)
        for second in found[number + 1 :]
        if first.first_day <= (second.last_day or date.max) and second.first_day <= (first.last_day or date.max)
    ]
