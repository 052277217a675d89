"""Rows of a contract file, and of a form with the same fields: cells in, contracts and their terms out, and back.

A word that is left out is the house's default (facts on billing 12).
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from kampungnet.billing import budgets, export
from kampungnet.billing.intake import Fault, Register, Typed, Unit
from kampungnet.billing.sheets import Table
from kampungnet.billing.terms import (
    ContractTerms,
    CreditFormula,
    CreditOrder,
    CreditWhen,
    OveruseUnit,
    Payer,
    PriceFor,
    Proration,
    Rhythm,
    ServiceKind,
    TaxDate,
    TermsFault,
    Unjudged,
    faults,
)
from kampungnet.core.languages import N_
from kampungnet.measurement.availability import Treatment
from kampungnet.measurement.outage_words import Cause
from kampungnet.measurement.percentile import GapPolicy

COLUMNS: Final = (
    "kode", "nama", "kecamatan", "lokasi", "penyedia", "npwp", "nomor_kontrak", "mulai", "selesai", "aktif_sejak",
    "jenis", "harga", "harga_termasuk_ppn", "ppn", "pph23", "unduh_mbps", "unggah_mbps", "komitmen_mbps",
    "lebih_per_mbps", "kuota_gb", "lebih_per_gb", "sla_persen", "restitusi", "cakupan_persen", "bila_tidak_dinilai",
    "prorata", "pembayar", "pembayaran", "tahun_anggaran", "kegiatan", "rekening", "harga_untuk", "lebih_dihitung",
    "ppn_dipungut", "tanggal_pajak", "restitusi_bila", "restitusi_urutan", "terencana", "terencana_bila_mati",
    "terencana_susulan", "tidak_diketahui", "sebab_dikecualikan", "celah", "pembulatan",
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
_TREATMENTS: Final = {"dikeluarkan": Treatment.OUT, "hidup": Treatment.UP, "mati": Treatment.DOWN}
CHOICES: Final[Mapping[str, Mapping[str, Any]]] = {
    "jenis": _KINDS, "harga_termasuk_ppn": _YES_NO, "ppn": _YES_NO, "pph23": _YES_NO, "restitusi": _FORMULAS,
    "bila_tidak_dinilai": _UNJUDGED, "prorata": _PRORATIONS, "pembayar": _PAYERS, "pembayaran": _RHYTHMS,
    "harga_untuk": {"bulan": PriceFor.MONTH, "kontrak": PriceFor.CONTRACT},
    "lebih_dihitung": {"tepat": OveruseUnit.EXACT, "mulai": OveruseUnit.STARTED}, "ppn_dipungut": _YES_NO,
    "tanggal_pajak": {"hari_terakhir": TaxDate.LAST_DAY, "hari_pertama": TaxDate.FIRST_DAY},
    "restitusi_bila": {"baku": CreditWhen.HOUSE, "meleset": CreditWhen.MISSED, "selalu": CreditWhen.ALWAYS},
    "restitusi_urutan": {"sebelum_pajak": CreditOrder.BEFORE_TAX, "sesudah_pajak": CreditOrder.AFTER_TAX},
    "terencana": _TREATMENTS, "terencana_bila_mati": _YES_NO, "terencana_susulan": _YES_NO,
    "tidak_diketahui": _TREATMENTS,
    "celah": {"abaikan": GapPolicy.IGNORE, "nol": GapPolicy.ZERO, "tolak": GapPolicy.REFUSE},
}  # fmt: skip
"""The words of each column that knows only some."""
_CAUSES: Final = {one.value: one for one in Cause}
FAULTS: Final = {
    TermsFault.ENDS_BEFORE_START: ("selesai", N_("The contract ends before it begins.")),
    TermsFault.NO_END: ("selesai", N_("A price for the whole contract needs its last day.")),
    TermsFault.NO_SLA: ("sla_persen", N_("This service credit needs the SLA in per cent.")),
    TermsFault.SLA_ZERO: ("sla_persen", N_("An SLA of zero promises nothing: leave it empty.")),
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
    if npwp and npwp != (other := known.npwps.get(slug(provider), npwp)):
        told = N_("This provider has NPWP %(npwp)s: write that one, or ask the kabupaten's budget staff to correct it.")
        typed.wrong("npwp", told, npwp=other)
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
    tax = {
        "ppn": typed.choice("ppn", _YES_NO, default=True), "pph23": typed.choice("pph23", _YES_NO, default=False),
        "has_npwp": has_npwp, "office_collects_ppn": typed.choice("ppn_dipungut", _YES_NO, default=False),
        "on": _chosen(typed, "tanggal_pajak", TaxDate.LAST_DAY),
    }  # fmt: skip
    credit = _credit(typed)
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
        "price_for": _chosen(typed, "harga_untuk", PriceFor.MONTH),
        "overuse_unit": _chosen(typed, "lebih_dihitung", OveruseUnit.EXACT),
        "gap_policy": _chosen(typed, "celah", GapPolicy.IGNORE),
        "rounding_step": typed.whole("pembulatan", 1, 1_000_000, required=False) or 1,
    }  # fmt: skip
    if not typed.is_good or kind is None or price is None or first is None:
        return None
    try:
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


def _credit(typed: Typed) -> dict[str, Any]:
    causes = [word for word in re.split(r"[\s,+;]+", typed.text("sebab_dikecualikan").lower()) if word]
    if any(word not in _CAUSES for word in causes):
        typed.wrong("sebab_dikecualikan", N_("Write one of: %(words)s."), words=", ".join(_CAUSES))
    return {
        "formula": typed.choice("restitusi", _FORMULAS, default=CreditFormula.NONE),
        "sla_percent": typed.decimal("sla_persen", 0, 100, required=False),
        "when": _chosen(typed, "restitusi_bila", CreditWhen.HOUSE),
        "order": _chosen(typed, "restitusi_urutan", CreditOrder.BEFORE_TAX),
        "planned": _chosen(typed, "terencana", Treatment.OUT),
        "planned_where_down_only": typed.choice("terencana_bila_mati", _YES_NO, default=False),
        "late_windows_count": typed.choice("terencana_susulan", _YES_NO, default=False),
        "unknown": _chosen(typed, "tidak_diketahui", Treatment.OUT),
        "excused": sorted({_CAUSES[word] for word in causes if word in _CAUSES}),
    }


def _chosen(typed: Typed, column: str, default: Any) -> Any:
    return typed.choice(column, CHOICES[column], default=default)


def _kbps(typed: Typed, column: str) -> int:
    return int((typed.decimal(column, 0, 100_000, required=False) or Decimal(0)) * 1000)


def cells(terms: ContractTerms) -> dict[str, export.Value]:
    """Return the cells that say these terms: what :func:`understood` reads as the same terms."""
    tax, credit = terms.tax, terms.credit
    chosen = {
        "jenis": terms.kind, "harga_termasuk_ppn": terms.price_includes_ppn, "ppn": tax.ppn, "pph23": tax.pph23,
        "restitusi": credit.formula, "bila_tidak_dinilai": terms.unjudged, "prorata": terms.proration,
        "pembayar": terms.payer, "pembayaran": terms.rhythm, "harga_untuk": terms.price_for,
        "lebih_dihitung": terms.overuse_unit, "ppn_dipungut": tax.office_collects_ppn, "tanggal_pajak": tax.on,
        "restitusi_bila": credit.when, "restitusi_urutan": credit.order, "terencana": credit.planned,
        "terencana_bila_mati": credit.planned_where_down_only, "terencana_susulan": credit.late_windows_count,
        "tidak_diketahui": credit.unknown, "celah": terms.gap_policy,
    }  # fmt: skip
    words = {name: next(word for word, one in CHOICES[name].items() if one == value) for name, value in chosen.items()}
    return {
        **words, "harga": terms.price, "unduh_mbps": _decimal(terms.down_kbps, 1000),
        "unggah_mbps": _decimal(terms.up_kbps, 1000), "komitmen_mbps": _decimal(terms.committed_kbps, 1000),
        "lebih_per_mbps": terms.overuse_per_mbps or "", "kuota_gb": _decimal(terms.quota_bytes, 10**9),
        "lebih_per_gb": terms.overuse_per_gb or "", "cakupan_persen": _decimal(terms.coverage_percent, 1),
        "sla_persen": "" if credit.sla_percent is None else _decimal(credit.sla_percent, 1),
        "sebab_dikecualikan": " ".join(credit.excused), "pembulatan": terms.rounding_step,
    }  # fmt: skip


def _decimal(number: int | Decimal, unit: int) -> str:
    """Return a number as it is typed here: 0,512; empty for nothing."""
    return f"{(Decimal(number) / unit).normalize():f}".replace(".", ",") if number else ""


def slug(name: str) -> str:
    """Return the short code of a provider's name: PT Telkom Indonesia is ``telkom-indonesia``."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(word for word in words if word not in {"pt", "cv", "tbk"})[:60]
