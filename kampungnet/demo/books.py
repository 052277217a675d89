"""The books of the demo: what its villages buy, from which pagu, and three months of statements on their way.

Files go through the same preview as on the page, statements are made and signed by the same functions; only the
months behind them are made up (:mod:`kampungnet.demo.months`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kampungnet.billing import budgets, export, invoices, making, signing, statements, uploads
from kampungnet.billing.invoices import Entry
from kampungnet.billing.models import Contract, LineHours, Statement
from kampungnet.billing.statements import APPROVED, CHECKED, DRAFT, PAID
from kampungnet.core import clock
from kampungnet.core.rows import insert_new
from kampungnet.demo import history, months, wifi
from kampungnet.demo.months import Use
from kampungnet.devices import service as devices
from kampungnet.devices.models import Site
from kampungnet.measurement import outage_log
from kampungnet.measurement.outage_models import LoggedOutage, ServiceMonth
from kampungnet.staff.service import Duty, Role, Scope, SignedIn
from kampungnet.villages import service as villages

MOST: Final = 24
"""Villages with a contract; of more the demo would not be ready in time."""
SLOTS_AN_HOUR: Final = 12
_GB: Final = 10**9
_STEPS: Final = ("periksa", "setujui", "bayar")
_AFTER: Final = {DRAFT: 0, CHECKED: 1, APPROVED: 2, PAID: 3}
_STATES: Final = (
    (PAID,),
    (APPROVED, PAID, PAID),
    (DRAFT, CHECKED, APPROVED, PAID),
)
"""Of the statements of each month, the oldest first, one village after the other."""
_BAD_EVERY: Final = 3
"""In the newest month the fibre of every third village was cut."""
_DUTIES: Final = (Duty.SECRETARY, Duty.HEAD, Duty.TREASURER)
_NAMES: Final = ("Pak Slamet", "Bu Wati", "Pak Heri", "Bu Endang", "Pak Yusuf", "Bu Ningsih", "Pak Agus", "Bu Lestari")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a village buys, in the words of the contract file, and how it uses it."""

    provider: str
    terms: Mapping[str, str]
    fund: str
    pagu: int
    use: Use


_PLANS: Final = (
    # As in Banyuwangi: a pagu that was set without tax, and runs dry after October.
    Plan("PT Serat Ijen", {"jenis": "dedicated", "harga": "2500000", "unduh_mbps": "20", "sla_persen": "99",
                           "restitusi": "r2"}, "ADD", 30_000_000, Use(18_000_000, 1_900 * _GB)),
    Plan("PT Jaringan Blambangan", {"jenis": "tetap", "harga": "1110000", "harga_termasuk_ppn": "ya"},
         "DD", 13_320_000, Use(9_000_000, 800 * _GB)),
    Plan("PT Serat Ijen", {"jenis": "dedicated", "harga": "4000000", "unduh_mbps": "50", "sla_persen": "99,5",
                           "restitusi": "r1"}, "ADD", 54_000_000, Use(14_000_000, 1_300 * _GB)),
    Plan("PT Jaringan Blambangan", {"jenis": "up_to", "harga": "660000", "unduh_mbps": "50"},
         "PBH", 8_800_000, Use(21_000_000, 2_000 * _GB)),
    Plan("PT Serat Ijen", {"jenis": "dedicated", "harga": "3000000", "unduh_mbps": "30", "sla_persen": "99",
                           "restitusi": "r3b", "pph23": "ya"}, "ADD", 40_000_000, Use(29_000_000, 3_100 * _GB)),
)  # fmt: skip
_SATELLITE: Final = Plan(
    "PT Langit Satelit", {"jenis": "kuota", "harga": "2200000", "kuota_gb": "100", "lebih_per_gb": "25000"},
    "DD", 32_000_000, Use(3_000_000, 105 * _GB),
)  # fmt: skip
_UNMEASURED: Final = Plan("PT Serat Ijen", {"jenis": "tetap", "harga": "3000000"}, "APBD", 40_000_000, Use(0, 0))
"""Nobody measures there: its months cannot be judged."""


def keep(db: Session, by: Sequence[SignedIn], codes: Sequence[str], since_ms: int) -> None:
    """Fill the books of villages once, with the months that were over at an instant.

    ``by``: two of the kabupaten's budget staff, of whom the first enters and checks; then the three of the first
    village who sign there.
    """
    if db.scalar(select(Contract.id).limit(1)) is not None:
        return
    regency = by[0].scope.regency
    plans = _plans(db, regency, codes[:MOST])
    zone = clock.zone_of(regency)
    past = months.months_before(since_ms, zone)
    for what, data in (("anggaran", _pagu(plans, past)), ("kontrak", _contracts(plans, past))):
        preview = uploads.look_at(db, by[0], what, (f"{what}.csv", data), since_ms)
        uploads.confirm(db, by[0], preview.id, since_ms)
    sites = [devices.ensure_site(db, villages.village(db, code)).code for code in _measured(plans)]
    yesterday = clock.local_day(since_ms + (history.DAYS - 1) * clock.DAY_MS, zone)
    wifi.keep_days(db, regency, sites, past[0], yesterday)
    for number, month in enumerate(past):
        _close(db, regency, plans, month, is_newest=number == len(past) - 1)
        made = [one.contract for one in making.make_all(db, regency, month, months.closed_ms(month, zone))]
        _count_hours(db, regency, month, made)
        for place, contract in enumerate(made):
            row = statements.find(db, Scope(regency), contract, month)
            state = _STATES[number][place % len(_STATES[number])]
            _sign(db, row, _signers(by, row, place), _AFTER[state])
    _invoice(db, by[0], statements.find(db, Scope(regency), f"{codes[0]}-1", past[-1]))


def _plans(db: Session, regency: str, codes: Sequence[str]) -> dict[str, Plan]:
    """Return what each buys: the last one over a satellite; and a kelurahan without a box, where there is one, too."""
    found = {code: _PLANS[place % len(_PLANS)] for place, code in enumerate(codes)}
    if len(codes) > 1:
        found[codes[-1]] = _SATELLITE
    taken = {*found, *db.scalars(select(Site.village).where(Site.regency == regency))}
    others = (code for code in sorted(villages.names(db, regency)) if _is_kelurahan(code) and code not in taken)
    return found | {code: _UNMEASURED for code in (next(others, None),) if code}


def _measured(plans: Mapping[str, Plan]) -> list[str]:
    return [code for code, plan in plans.items() if plan is not _UNMEASURED]


def _is_kelurahan(code: str) -> bool:
    return code[9] == "1"


def _paid_by(code: str) -> tuple[str, str]:
    """Return kegiatan and rekening: a kelurahan's spending sits in the kabupaten's APBD (facts on billing 1.8)."""
    return ("", budgets.APBD_ACCOUNT) if _is_kelurahan(code) else ("2.6.03", budgets.DESA_ACCOUNT)


def _pagu(plans: Mapping[str, Plan], past: Sequence[date]) -> bytes:
    columns = ("kode", "tahun", "kegiatan", "rekening", "uraian", "versi", "dokumen", "sumber_dana", "pagu")
    rows = [
        (code, year, *_paid_by(code), "Belanja Jasa Langganan Internet", "murni", f"Nomor 5/{year - 1}",
         "APBD" if _is_kelurahan(code) else plan.fund, plan.pagu)
        for code, plan in plans.items() for year in sorted({month.year for month in past})
    ]  # fmt: skip
    return export.to_csv(columns, rows)


def _contracts(plans: Mapping[str, Plan], past: Sequence[date]) -> bytes:
    terms = sorted({name for plan in plans.values() for name in plan.terms})
    columns = ("kode", "penyedia", "npwp", "nomor_kontrak", "mulai", "aktif_sejak", "tahun_anggaran", "kegiatan",
               "rekening", *terms)  # fmt: skip
    year = past[-1].year
    rows: list[tuple[export.Value, ...]] = [
        (code, plan.provider, "01.234.567.8-901.000", f"{place:03}/SPK/{year}", past[0], past[0], year,
         *_paid_by(code), *(plan.terms.get(name, "") for name in terms))
        for place, (code, plan) in enumerate(plans.items(), start=1)
    ]  # fmt: skip
    return export.to_csv(columns, rows)


def _close(db: Session, regency: str, plans: Mapping[str, Plan], month: date, *, is_newest: bool) -> None:
    rows, outages = [], []
    for place, (code, plan) in enumerate(plans.items()):
        if plan is not _UNMEASURED:
            site = devices.ensure_site(db, villages.village(db, code)).code
            is_bad = is_newest and place % _BAD_EVERY == 0
            found = months.facts(site, month, plan.use, clock.zone_of(regency), is_bad=is_bad)
            rows.append(
                {"regency": regency, "site": site, "month": month, "number": 0, "noted_ms": found.noted_ms,
                 "facts": msgspec.msgpack.encode(found)}
            )  # fmt: skip
            # A statement's outages lead to the page of their cause.
            outages += [outage_log.row_of((regency, site), one) for one in found.outages]
    insert_new(db, ServiceMonth, rows)
    insert_new(db, LoggedOutage, outages)


def _count_hours(db: Session, regency: str, month: date, made: Sequence[str]) -> None:
    """Say how full each line was, which is counted from hours otherwise: these months have none."""
    for contract in made:
        traffic = statements.document_of(statements.find(db, Scope(regency), contract, month)).measured.traffic
        hours = (LineHours.regency == regency, LineHours.contract == contract, LineHours.month == month)
        db.execute(
            update(LineHours)
            .where(*hours)
            .values(
                measured=traffic.samples // SLOTS_AN_HOUR, at_ceiling=0, peak_rx_bytes=traffic.busiest_bytes,
                peak_at_ms=traffic.busiest_hour_ms,
            )
        )  # fmt: skip


def _signers(by: Sequence[SignedIn], row: Statement, place: int) -> Sequence[SignedIn]:
    """Return who checks, approves and pays: a desa's own three, elsewhere the kabupaten's budget staff."""
    entering, other, *first = by
    if _is_kelurahan(row.unit):
        return entering, other, entering
    if row.unit == first[0].scope.village:
        return first
    scope = Scope(row.regency, row.unit)
    return [
        SignedIn(f"{duty.value}.{row.unit}", _NAMES[(3 * place + number) % len(_NAMES)], Role.BUDGET, scope, duty)
        for number, duty in enumerate(_DUTIES)
    ]


def _sign(db: Session, row: Statement, signers: Sequence[SignedIn], steps: int) -> None:
    """Take the first steps of a statement, two days after another from the closing on."""
    at_ms = months.closed_ms(row.month, clock.zone_of(row.regency))
    for person, step in list(zip(signers, _STEPS, strict=True))[:steps]:
        at_ms += 2 * clock.DAY_MS + 9 * 3_600_000
        signing.take(db, person, row, step, "", at_ms)


def _invoice(db: Session, by: SignedIn, row: Statement) -> None:
    """The provider of the first village claims a whole month, as if there had been no outage."""
    at_ms = months.closed_ms(row.month, clock.zone_of(row.regency)) + clock.DAY_MS
    dated = clock.local_day(at_ms, clock.zone_of(row.regency))
    whole = {"price": "2.500.000", "ppn": "275.000"}
    invoices.enter(db, by, row, Entry("INV/0917", f"{dated:%d/%m/%Y}", "2.775.000", whole), at_ms)
