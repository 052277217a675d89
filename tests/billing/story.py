"""July and August 2026 of Kampunganyar as they were closed, and the books they are billed by."""

from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import select

from kampungnet.billing import uploads
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.rows import insert_new
from kampungnet.devices.models import Site
from kampungnet.measurement.availability import Window
from kampungnet.measurement.month_facts import LineTraffic, MonthFacts
from kampungnet.measurement.outage_models import ServiceMonth
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage, Span
from kampungnet.measurement.workdays import month_of
from kampungnet.staff.service import Duty, Role, Scope, SignedIn
from tests.pages.sample import KAMPUNGANYAR, REGENCY

JULY: Final = date(2026, 7, 1)
AUGUST: Final = date(2026, 8, 1)
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
NOW: Final = clock.day_start_ms(date(2026, 9, 10), clock.WIB)
SITE: Final = f"{KAMPUNGANYAR}-1"
CONTRACT: Final = f"{KAMPUNGANYAR}-1"
NUR: Final = SignedIn("nur", "Bu Nur", Role.BUDGET, Scope(REGENCY))
EKO, HANA, JOKO = (
    SignedIn(username, name, Role.BUDGET, Scope(REGENCY, KAMPUNGANYAR), duty)
    for username, name, duty in (
        ("eko", "Pak Eko", Duty.SECRETARY), ("hana", "Bu Hana", Duty.HEAD), ("joko", "Pak Joko", Duty.TREASURER),
    )
)  # fmt: skip
BUDGET: Final = (
    "kode,tahun,kegiatan,rekening,uraian,versi,dokumen,sumber_dana,pagu\n"
    f"{KAMPUNGANYAR},2026,2.6.03,5.2.5.05,Internet,murni,Perdes 5/2025,ADD,30000000\n"
).encode()
CONTRACTS: Final = (
    "kode,penyedia,npwp,nomor_kontrak,mulai,selesai,jenis,harga,unduh_mbps,sla_persen,restitusi,tahun_anggaran,kegiatan\n"
    f"{KAMPUNGANYAR},PT Serat,01.000,SPK/1,1/1/2026,31/12/2026,dedicated,2500000,20,99,r2,2026,2.6.03\n"
).encode()


def books(database: Database, contracts: bytes = CONTRACTS) -> None:
    """Put the budget and the contracts into the books."""
    with database.writes() as db:
        for what, data in (("anggaran", BUDGET), ("kontrak", contracts)):
            preview = uploads.look_at(db, NUR, what, (f"{what}.csv", data), NOW)
            assert not preview.faults, preview.faults
            uploads.confirm(db, NUR, preview.id, NOW)


def outage(month: date, hours: tuple[float, float], cause: Cause = Cause.FIBER) -> Outage:
    """An outage between two hours counted from the month's beginning."""
    start = clock.day_start_ms(month, clock.WIB)
    first, last = (start + int(hour * HOUR) for hour in hours)
    return Outage(first, last, cause, 0.9, (Evidence(first, Finding.NO_LIGHT),), provisional=False)


def facts(month: date, outages: tuple[Outage, ...] = (), windows: tuple[Window, ...] = (), **given: Any) -> MonthFacts:
    """A whole month that was fully measured."""
    whole = month_of(month.year, month.month, clock.WIB)
    slots = (whole.end_ms - whole.start_ms) // 300_000
    line: dict[str, Any] = {
        "lines": ("router/ether1",), "rx_bytes": 900 * 10**9, "tx_bytes": 100 * 10**9, "lower_bound": False,
        "samples": slots, "expected": slots, "rx_p95_bps": 18_000_000, "tx_p95_bps": 4_000_000,
        "rx_p95_zero_bps": 18_000_000, "tx_p95_zero_bps": 4_000_000, "busiest_hour_ms": whole.start_ms + 20 * HOUR,
        "busiest_bytes": 8 * 10**9,
    }  # fmt: skip
    unseen: tuple[Span, ...] = given.pop("unseen", ())
    return MonthFacts(
        noted_ms=whole.end_ms, period=whole, judged=True, outages=outages, unseen=unseen, windows=windows,
        traffic=LineTraffic(**(line | given)),
    )  # fmt: skip


def close(database: Database, month: date, found: MonthFacts, number: int = 0, site: str = SITE) -> None:
    """Freeze a month as the background does, or note a correction of it."""
    with database.writes() as db:
        if db.scalar(select(Site.code).where(Site.code == site)) is None:
            db.add(Site(regency=REGENCY, code=site, village=site[:13], name="Balai desa"))
            db.flush()
        row = {"regency": REGENCY, "site": site, "month": month, "number": number, "noted_ms": found.noted_ms,
               "facts": msgspec.msgpack.encode(found)}  # fmt: skip
        insert_new(db, ServiceMonth, [row])
