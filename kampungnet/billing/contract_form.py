"""One contract typed into a form: the columns of a contract file as fields, and the same rules over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.billing import budgets, contract_rows, contracts, export, paying, statements
from kampungnet.billing.contract_rows import COLUMNS, ContractEntry
from kampungnet.billing.intake import Fault, Register, Typed
from kampungnet.billing.models import BudgetLine, Contract, Provider
from kampungnet.billing.sheets import Row, Table
from kampungnet.core.errors import Conflict
from kampungnet.core.languages import N_
from kampungnet.measurement import judged
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Scope, SignedIn

ADDENDUM: Final = ("berlaku_sejak", "dokumen")
"""Fields that only an addendum has."""
FIXED: Final = ("kode", "lokasi", "penyedia", "npwp", "nomor_kontrak", "mulai")
"""What an addendum does not change: another of these is another contract."""
DEFAULTS: Final[Mapping[str, str]] = {
    "jenis": "up_to", "harga_termasuk_ppn": "tidak", "ppn": "ya", "pph23": "tidak", "restitusi": "tidak",
    "cakupan_persen": "90", "bila_tidak_dinilai": "penuh", "prorata": "actual", "pembayar": "desa",
    "pembayaran": "bulan", "harga_untuk": "bulan", "lebih_dihitung": "tepat", "ppn_dipungut": "tidak",
    "tanggal_pajak": "hari_terakhir", "restitusi_bila": "baku", "restitusi_urutan": "sebelum_pajak",
    "terencana": "dikeluarkan", "terencana_bila_mati": "tidak", "terencana_susulan": "tidak",
    "tidak_diketahui": "dikeluarkan", "celah": "abaikan", "pembulatan": "1",
}  # fmt: skip
_TABLE: Final = {name: place for place, name in enumerate((*COLUMNS, *ADDENDUM))}


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was typed, and what is wrong with it: the first fault of each field."""

    cells: Mapping[str, str]
    faults: Mapping[str, Fault] = field(default_factory=dict)


def blank(scope: Scope, code: str, day: date) -> Filled:
    """Return a new form: for the village of who asks, or the one named."""
    return Filled({**DEFAULTS, "kode": scope.village or code, "tahun_anggaran": str(day.year)})


def of_contract(db: Session, held: Contract, day: date) -> Filled:
    """Return the form of an addendum: what holds now, to be changed from a day on."""
    (row,) = rows(db, [held], day)
    typed = {name: f"{one:%d/%m/%Y}" if isinstance(one, date) else str(one) for name, one in row.items()}
    return Filled({**DEFAULTS, **typed, "berlaku_sejak": f"{max(day, held.first_day):%d/%m/%Y}"})


def enter(db: Session, by: SignedIn, cells: Mapping[str, str], now_ms: int) -> Filled | None:
    """Put a new contract into the books, or return the form with what is wrong."""
    by.check_keeps_books()
    entry, faults, typed = _read(cells, budgets.register(db, by.scope))
    if entry is not None and _known(db, by.scope.regency, entry) is not None:
        typed.wrong("nomor_kontrak", N_("This contract is in the books already: open it from the list."))
    if entry is None or faults:
        return Filled(cells, _by_field(faults))
    contracts.store(db, by.scope.regency, [entry], (by.name, now_ms))
    told = {"number": entry.number, "price": entry.terms.price}
    audit.record(db, by, Act("contract.enter", entry.unit, "", None, told), now_ms)
    return None


def amend(db: Session, by: SignedIn, held: Contract, cells: Mapping[str, str], now_ms: int) -> Filled | None:
    """Give a contract new terms from a day on, or return the form with what is wrong. What was approved stays."""
    by.check_keeps_books()
    (row,) = rows(db, [held], held.first_day)
    fixed = {name: f"{row[name]:%d/%m/%Y}" if name == "mulai" else str(row[name]) for name in FIXED}
    cells = {**cells, **fixed}
    entry, faults, typed = _read(cells, budgets.register(db, by.scope))
    since, document = typed.day("berlaku_sejak"), typed.text("dokumen")
    if since is not None and since < held.first_day:
        typed.wrong("berlaku_sejak", N_("This day lies before the contract begins."))
    if entry is None or since is None or faults:
        return Filled(cells, _by_field(faults))
    before = {"price": row["harga"], "last_day": str(held.last_day or "")}
    held.last_day, held.activated = entry.last_day, entry.activated
    line = budgets.find(db, held.regency, held.unit, *entry.budget) if entry.budget else None
    held.line = line.id if line else held.line
    contracts.amend(db, held, since, entry.terms, document)
    dropped = statements.drop_outside(db, held)
    paying.follow(db, held.regency)
    told = {"price": entry.terms.price, "last_day": str(held.last_day or ""), "since": str(since), "document": document}
    told |= {"dropped_drafts": dropped} if dropped else {}
    audit.record(db, by, Act("contract.amend", held.id, document, before, told), now_ms)
    return None


def confirm(db: Session, by: SignedIn, held: Contract, now_ms: int) -> None:
    """Let a contract be due from the day on which the box saw service first. What was approved stays.

    Raises ``Conflict`` when no box saw any, or a day stands already.
    """
    by.check_keeps_books()
    seen = judged.first_service_days(db, held.regency).get(held.site)
    if held.activated is not None:
        raise Conflict(N_("The first day of service stands already: an addendum changes it."))
    if seen is None or (held.last_day is not None and seen > held.last_day):
        raise Conflict(N_("The box saw no service while this contract ran: type the day in an addendum."))
    held.activated = seen
    dropped = statements.drop_outside(db, held)
    told = {"day": str(seen)} | ({"dropped_drafts": dropped} if dropped else {})
    audit.record(db, by, Act("contract.activate", held.id, "", None, told), now_ms)


def rows(db: Session, held: list[Contract], day: date) -> list[dict[str, export.Value]]:
    """Return contracts with the terms that hold on a day (or hold first), by column of the file that is read."""
    if not held:
        return []
    regency = held[0].regency
    known, versions = budgets.register(db, Scope(regency)).units, contracts.terms_by_contract(db, regency)
    providers = {one.code: one for one in db.scalars(select(Provider).where(Provider.regency == regency))}
    lines = {one.id: one for one in db.scalars(select(BudgetLine).where(BudgetLine.regency == regency))}
    found = []
    for one in held:
        terms, _ = contracts.known_terms(versions[one.id], max(day, one.first_day), one)
        unit, provider, line = known[one.unit], providers[one.provider], lines.get(one.line or "")
        found.append({
            "kode": one.unit, "nama": unit.name, "kecamatan": unit.district,
            "lokasi": one.village if unit.kind == "kecamatan" else "", "penyedia": provider.name,
            "npwp": provider.npwp, "nomor_kontrak": one.number, "mulai": one.first_day, "selesai": one.last_day or "",
            "aktif_sejak": one.activated or "", **(contract_rows.cells(terms) if terms else {}),
            "tahun_anggaran": line.year if line else "", "kegiatan": line.activity if line else "",
            "rekening": line.account if line else "",
        })  # fmt: skip
    return found


def exported(db: Session, scope: Scope, day: date) -> list[list[export.Value]]:
    """Return the contracts that a person may see in the columns that the import reads."""
    return [[row.get(name, "") for name in COLUMNS] for row in rows(db, contracts.of_scope(db, scope), day)]


def _read(cells: Mapping[str, str], known: Register) -> tuple[ContractEntry | None, list[Fault], Typed]:
    table = Table(_TABLE, (Row(1, dict(cells)),))
    entries, faults = contract_rows.understood(table, known)
    return next(iter(entries), None), faults, Typed(table, table.rows[0], faults)


def _known(db: Session, regency: str, entry: ContractEntry) -> Contract | None:
    asked = select(Contract).where(Contract.regency == regency, Contract.unit == entry.unit)
    return db.scalar(asked.where(Contract.number == entry.number))


def _by_field(faults: list[Fault]) -> Mapping[str, Fault]:
    return {one.column: one for one in reversed(faults)}
