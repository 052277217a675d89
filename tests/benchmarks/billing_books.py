"""A regency's books for the benchmarks: 401 villages with a pagu, a contract, and a closed July with its outages."""

import random
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import insert, select

from kampungnet import tables
from kampungnet.billing import uploads
from kampungnet.core import clock, migrate
from kampungnet.core.database import Database
from kampungnet.devices.models import Site
from kampungnet.measurement.month_facts import LineTraffic, MonthFacts
from kampungnet.measurement.outage_models import JudgedSite, ServiceMonth
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage
from kampungnet.measurement.workdays import month_of
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages
from kampungnet.villages.models import Village
from tests.benchmarks.central import sqlite_url

REGENCY: Final = "33.10"
"""Klaten: 401 villages in 26 kecamatan."""
MONTH: Final = date(2026, 7, 1)
NOW: Final = clock.day_start_ms(date(2026, 8, 10), clock.WIB)
STAFF: Final = SignedIn("nur", "Bu Nur", Role.BUDGET, Scope(REGENCY))
CAUSES: Final = (Cause.LISTRIK, Cause.FIBER, Cause.PENYEDIA, Cause.PERANGKAT)
MINUTE: Final = 60_000


def fill(folder: Path) -> list[str]:
    """Make the embedded database with books and a closed July; return the villages."""
    tables.load()
    database, dice = Database(sqlite_url(folder)), random.Random(26)
    migrate.migrate(database)
    with database.writes() as db, villages.register_path("klaten").open(encoding="utf-8-sig", newline="") as lines:
        villages.import_register(db, lines)
        codes = list(db.scalars(select(Village.code).order_by(Village.code)))
    with database.writes() as db:
        sites = [{"regency": REGENCY, "code": f"{one}-1", "village": one, "name": "Balai desa"} for one in codes]
        db.execute(insert(Site), sites)
        judged = {"judged_ms": NOW, "since": date(2026, 1, 1), "first_service_ms": 1_767_200_400_000}
        db.execute(insert(JudgedSite), [{"regency": REGENCY, "site": f"{one}-1", **judged} for one in codes])
        db.execute(insert(ServiceMonth), [_closed(f"{one}-1", dice) for one in codes])
    for what, table in (("anggaran", _budget(codes)), ("kontrak", _contracts(codes))):
        with database.writes() as db:
            preview = uploads.look_at(db, STAFF, what, (f"{what}.csv", table), NOW)
            if preview.faults:
                raise RuntimeError(f"{what}: {preview.faults[0]}")
            uploads.confirm(db, STAFF, preview.id, NOW)
    database.close()
    return codes


def _budget(codes: list[str]) -> bytes:
    head = "kode,tahun,kegiatan,rekening,uraian,versi,dokumen,sumber_dana,pagu"
    rows = [f"{one},2026,2.6.03,5.2.5.05,Internet,murni,Perdes 5/2025,ADD,33300000" for one in codes]
    return "\n".join([head, *rows]).encode()


def _contracts(codes: list[str]) -> bytes:
    head = (
        "kode,penyedia,npwp,nomor_kontrak,mulai,selesai,jenis,harga,unduh_mbps,sla_persen,restitusi,tahun_anggaran,"
        "kegiatan"
    )
    rows = [
        f"{one},PT Serat Nusantara,01.000,SPK/{one},1/1/2026,31/12/2026,dedicated,2500000,20,99,r2,2026,2.6.03"
        for one in codes
    ]
    return "\n".join([head, *rows]).encode()


def _closed(site: str, dice: random.Random) -> dict[str, object]:
    """A month with up to twelve outages of some minutes to a day."""
    whole = month_of(MONTH.year, MONTH.month, clock.WIB)
    slots = (whole.end_ms - whole.start_ms) // 300_000
    starts = sorted(dice.sample(range(0, 44_000, 30), dice.randrange(13)))
    outages = []
    for first, following in pairwise([*starts, 44_640]):
        start = whole.start_ms + first * MINUTE
        end = start + min(int(dice.lognormvariate(4, 1.5)) + 1, following - first) * MINUTE
        evidence = (Evidence(start, Finding.NO_LIGHT),)
        outages.append(Outage(start, end, dice.choice(CAUSES), 0.9, evidence, provisional=False))
    line = LineTraffic(
        lines=("router/ether1",), rx_bytes=dice.randrange(10**12), tx_bytes=dice.randrange(10**11), lower_bound=False,
        samples=slots - 12, expected=slots, rx_p95_bps=18_000_000, tx_p95_bps=4_000_000, rx_p95_zero_bps=18_000_000,
        tx_p95_zero_bps=4_000_000, busiest_hour_ms=whole.start_ms + 20 * 60 * MINUTE, busiest_bytes=8 * 10**9,
    )  # fmt: skip
    found = MonthFacts(whole.end_ms, whole, True, tuple(outages), (), (), line)  # noqa: FBT003 -- in its own order
    return {"regency": REGENCY, "site": site, "month": MONTH, "number": 0, "noted_ms": whole.end_ms,
            "facts": msgspec.msgpack.encode(found)}  # fmt: skip
