"""Contracts: what a unit buys at a site, from when, on which terms, and which budget line pays."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import budgets
from kampungnet.billing.document import canonical
from kampungnet.billing.intake import Fault, Register, Typed, Unit
from kampungnet.billing.models import Contract, ContractVersion, Provider
from kampungnet.billing.sheets import Table
from kampungnet.billing.terms import (
    ContractTerms,
    CreditFormula,
    CreditTerms,
    Payer,
    Proration,
    Rhythm,
    ServiceKind,
    TaxTerms,
    TermsFault,
    Unjudged,
    faults,
)
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_
from kampungnet.staff.service import Scope

COLUMNS: Final = (
    "kode", "nama", "kecamatan", "lokasi", "penyedia", "npwp", "nomor_kontrak", "mulai", "selesai", "aktif_sejak",
    "jenis", "harga", "harga_termasuk_ppn", "ppn", "pph23", "unduh_mbps", "unggah_mbps", "komitmen_mbps",
    "lebih_per_mbps", "kuota_gb", "lebih_per_gb", "sla_persen", "restitusi", "cakupan_persen", "bila_tidak_dinilai",
    "prorata", "pembayar", "pembayaran", "tahun_anggaran", "kegiatan", "rekening",
)  # fmt: skip
REQUIRED: Final = ("penyedia", "nomor_kontrak", "mulai", "jenis", "harga")
_YES_NO: Final = {"ya": True, "tidak": False}
_KINDS: Final = {
    "tetap": ServiceKind.FIXED, "dedicated": ServiceKind.DEDICATED, "up_to": ServiceKind.UP_TO,
    "kuota": ServiceKind.QUOTA, "p95": ServiceKind.P95,
}  # fmt: skip
_FORMULAS: Final = {"tidak": CreditFormula.NONE} | {one.value: one for one in CreditFormula}
_UNJUDGED: Final = {"penuh": Unjudged.FULL, "terukur": Unjudged.AS_MEASURED, "ditahan": Unjudged.HELD}
_PRORATIONS: Final = {one.value: one for one in Proration}
_PAYERS: Final = {one.value: one for one in Payer}
_RHYTHMS: Final = {"bulan": Rhythm.MONTH, "triwulan": Rhythm.QUARTER}
FAULTS: Final = {
    TermsFault.ENDS_BEFORE_START: ("selesai", N_("The contract ends before it begins.")),
    TermsFault.NO_END: ("selesai", N_("A price for the whole contract needs its last day.")),
    TermsFault.NO_SLA: ("sla_persen", N_("This service credit needs the SLA in per cent.")),
    TermsFault.SLA_ZERO: ("sla_persen", N_("An SLA of zero promises nothing: leave the cell empty.")),
    TermsFault.NO_COMMITTED_RATE: ("komitmen_mbps", N_("A 95th percentile contract needs its committed Mbps.")),
    TermsFault.NO_QUOTA: ("kuota_gb", N_("A quota contract needs its GB a month.")),
    TermsFault.NO_RATE: ("unduh_mbps", N_("A dedicated service needs its Mbps.")),
}


class ContractEntry(msgspec.Struct, frozen=True):
    """One row of a contract file."""

    line: int
    unit: str
    village: str
    provider: str
    npwp: str
    number: str
    first_day: date
    last_day: date | None
    activated: date | None
    terms: ContractTerms
    budget: tuple[int, str, str] | None
    """Year, kegiatan and rekening of the line that pays."""


@dataclass(frozen=True, slots=True)
class Held:
    """A contract with the terms that hold on a day."""

    contract: Contract
    terms: ContractTerms


def understood(table: Table, known: Register) -> tuple[list[ContractEntry], list[Fault]]:
    """Return the rows of a contract file as entries, and whatever is wrong with it."""
    entries: list[ContractEntry] = []
    found: list[Fault] = []
    seen: dict[tuple[str, str], int] = {}
    for row in table.rows:
        typed = Typed(table, row, found)
        entry = _entry(typed, known)
        if entry is None:
            continue
        if (key := (entry.unit, entry.number)) in seen:
            typed.wrong("nomor_kontrak", N_("This contract stands in line %(line)s already."), line=str(seen[key]))
        seen.setdefault(key, typed.line)
        entries.append(entry)
    return entries, found


def _entry(typed: Typed, known: Register) -> ContractEntry | None:
    unit = typed.unit(known)
    village = _village(typed, known, unit)
    provider, npwp = typed.text("penyedia", required=True), typed.text("npwp")
    number = typed.text("nomor_kontrak", required=True)
    first, last = typed.day("mulai"), typed.day("selesai", required=False)
    activated = typed.day("aktif_sejak", required=False)
    terms = _terms(typed, bool(npwp), (first, last, activated))
    budget = _budget(typed, unit, first)
    if provider and not slug(provider):
        typed.wrong("penyedia", N_("This provider's name has no letters."))
    if not typed.is_good or unit is None or first is None or terms is None:
        return None
    return ContractEntry(
        typed.line, unit.code, village, provider, npwp, number, first, last, activated, terms, budget
    )  # fmt: skip


def _village(typed: Typed, known: Register, unit: Unit | None) -> str:
    """Return the village in which the line is: the unit itself, or for a kecamatan office what ``lokasi`` names."""
    if unit is None or unit.kind != "kecamatan":
        return unit.code if unit else ""
    place = typed.text("lokasi", required=True)
    if place and (place not in known.units or not place.startswith(f"{unit.code}.")):
        typed.wrong("lokasi", N_("Write the code of the village in which the kecamatan's office stands."))
    return place


def _budget(typed: Typed, unit: Unit | None, first: date | None) -> tuple[int, str, str] | None:
    year = typed.whole("tahun_anggaran", 2000, 2099, required=False)
    activity, account = typed.code("kegiatan", required=False), typed.code("rekening", required=False)
    if year is None or unit is None or first is None:
        return None
    return year, activity, account or (budgets.DESA_ACCOUNT if unit.kind == "desa" else budgets.APBD_ACCOUNT)


def _terms(typed: Typed, has_npwp: bool, days: tuple[date | None, date | None, date | None]) -> ContractTerms | None:
    kind = typed.choice("jenis", _KINDS)
    price = typed.amount("harga")
    first, last, activated = days
    tax = TaxTerms(
        ppn=typed.choice("ppn", _YES_NO, default=True) is not False,
        pph23=bool(typed.choice("pph23", _YES_NO, default=False)), has_npwp=has_npwp,
    )  # fmt: skip
    sla = typed.decimal("sla_persen", 0, 100, required=False)
    formula = typed.choice("restitusi", _FORMULAS, default=CreditFormula.NONE) or CreditFormula.NONE
    more = {
        "price_includes_ppn": typed.choice("harga_termasuk_ppn", _YES_NO, default=False),
        "down_kbps": _kbps(typed, "unduh_mbps"), "up_kbps": _kbps(typed, "unggah_mbps"),
        "committed_kbps": _kbps(typed, "komitmen_mbps"),
        "overuse_per_mbps": typed.amount("lebih_per_mbps", required=False) or 0,
        "quota_bytes": int((typed.decimal("kuota_gb", 0, 1_000_000, required=False) or Decimal(0)) * 10**9),
        "overuse_per_gb": typed.amount("lebih_per_gb", required=False) or 0,
        "coverage_percent": typed.decimal("cakupan_persen", 0, 100, required=False) or Decimal(90),
        "unjudged": typed.choice("bila_tidak_dinilai", _UNJUDGED, default=Unjudged.FULL),
        "proration": typed.choice("prorata", _PRORATIONS, default=Proration.ACTUAL),
        "payer": typed.choice("pembayar", _PAYERS, default=Payer.DESA),
        "rhythm": typed.choice("pembayaran", _RHYTHMS, default=Rhythm.MONTH),
    }  # fmt: skip
    if not typed.is_good or kind is None or price is None or first is None:
        return None
    try:
        credit = CreditTerms(formula=formula, sla_percent=sla)
        plain = msgspec.to_builtins({"kind": kind, "price": price, "tax": tax, "credit": credit, **more})
        terms = msgspec.convert(
            plain | {"start": str(activated or first), "end": str(last) if last else None}, ContractTerms, strict=False
        )
    except (msgspec.ValidationError, ValueError):
        typed.wrong("harga", N_("These terms contain a number that is out of bounds."))
        return None
    for fault in faults(terms):
        typed.wrong(*FAULTS[fault])
    return terms if typed.is_good else None


def _kbps(typed: Typed, column: str) -> int:
    return int((typed.decimal(column, 0, 100_000, required=False) or Decimal(0)) * 1000)


def store(db: Session, regency: str, entries: Sequence[ContractEntry], by: tuple[str, int]) -> int:
    """Put entries into the books and return how many contracts they are; the same file again changes nothing.

    ``by`` is who entered them and when. A contract that is known by unit and number gets its new terms from its
    first day on: what was approved under the old ones stays as it is.
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
        contract.provider, contract.village, contract.site = provider, entry.village, f"{entry.village}-1"
        contract.first_day, contract.last_day, contract.activated = entry.first_day, entry.last_day, entry.activated
        line = budgets.find(db, regency, entry.unit, *entry.budget) if entry.budget else None
        contract.line = line.id if line else contract.line
        db.flush()
        amend(db, contract, entry.first_day, entry.terms, "")
    return len(entries)


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


def slug(name: str) -> str:
    """Return the short code of a provider's name: PT Telkom Indonesia is ``telkom-indonesia``."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(word for word in words if word not in {"pt", "cv", "tbk"})[:60]


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
