"""What budget staff waits for: each page of the books with 401 villages and three years of statements behind them."""

from collections.abc import Iterator
from datetime import date

import msgspec

from kampungnet.billing import budgets, contracts, glances, paying, sheets, statement, uploads
from kampungnet.billing.document import BudgetFact, canonical, content_hash
from kampungnet.billing.models import Contract, LineHours, Statement
from kampungnet.billing.terms import ServiceKind
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.rows import insert_new
from kampungnet.staff import service as staff
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.benchmarks.bench_pages import PASSWORD, ask, sign_in
from tests.benchmarks.central import prepare_sqlite, serving, sqlite_url
from tests.benchmarks.context import Context
from tests.benchmarks.rows import Row, at_most
from tests.billing import months

VILLAGES, MONTHS = 401, 36
GOAL = (200, 80)
"""Milliseconds: must and aim of issue 5."""
PRICE = 2_500_000


def billing_pages(context: Context) -> list[Row]:
    """Ask each page again and again over one connection."""
    folder = context.own_folder("billing-pages")
    codes = [one.village for one in prepare_sqlite(folder, VILLAGES)]
    database = Database(sqlite_url(folder))
    today = clock.local_day(clock.now_ms(), clock.WIB)
    _books(database, codes, today)
    database.close()
    last = _month(today, 1)
    asked = {
        f"/anggaran?bulan={last:%Y-%m}": b"books", "/kontrak": b"SPK/1", f"/pagu?tahun={last.year}": b"33.300.000",
        "/ukuran": b"/ukuran/", f"/ukuran/{codes[0]}-1": b"33.300.000", f"/rekap/{last:%Y-%m}": b"books",
    }  # fmt: skip
    rows = []
    with serving(folder) as central:
        cookie = {"Cookie": sign_in(central.address, "nur")}
        for path, must_hold in asked.items():
            took, size = ask(central.address, path, cookie, must_hold)
            context.say(f"{path}: {took:.0f} ms, {size // 1000} kB")
            name = path.partition("?")[0].replace(f"/{codes[0]}-1", "/…").replace(f"/{last:%Y-%m}", "/…")
            rows.append(at_most(f"`{name}`, {VILLAGES} villages, {MONTHS} months", took, "ms", GOAL))
    return rows


def _month(day: date, before: int) -> date:
    months_since = day.year * 12 + day.month - 1 - before
    return date(months_since // 12, months_since % 12 + 1, 1)


def _books(database: Database, codes: list[str], today: date) -> None:
    regency = codes[0][:5]
    with database.writes() as db:
        nur = SignedIn("nur", "Bu Nur", Role.BUDGET, Scope(regency))
        staff.add_staff(db, staff.NewStaff("nur", "Bu Nur", Role.BUDGET, nur.scope), PASSWORD)
        years = range(today.year - 3, today.year + 1)
        budget = [f"{code},{year},2.6.03,5.2.5.05,Internet,ADD,33300000" for code in codes for year in years]
        bought = [f"{code},PT Serat,SPK/1,1/1/{years[0]},,dedicated,{PRICE},20,{today.year},2.6.03" for code in codes]
        for what, heading, lines in (
            ("anggaran", "kode,tahun,kegiatan,rekening,uraian,sumber_dana,pagu", budget),
            (
                "kontrak",
                "kode,penyedia,nomor_kontrak,mulai,selesai,jenis,harga,unduh_mbps,tahun_anggaran,kegiatan",
                bought,
            ),
        ):
            kind = uploads.KINDS[what]
            table = sheets.read("\n".join((heading, *lines)).encode(), kind.columns, kind.required)
            entries, faults = kind.understood(table, budgets.register(db, nur.scope))
            if faults:
                raise RuntimeError(faults[0].sentence)
            kind.store(db, regency, entries, ("nur", 0))
        held = contracts.of_scope(db, nur.scope)
        for before in range(MONTHS, 0, -1):
            month = _month(today, before)
            rows = list(_statements(held, month))
            insert_new(db, Statement, rows)
            insert_new(db, LineHours, [
                {"regency": one["regency"], "contract": one["contract"], "month": month, "measured": 700,
                 "at_ceiling": 3, "peak_rx_bytes": 8 * 10**9, "peak_at_ms": 0, "contracted_kbps": 20_000,
                 "samples": 8_928, "expected": 8_928, "total_bytes": 10**12, "rupiah": one["total_rupiah"],
                 "rx_p95_bps": 18_000_000} for one in rows
            ])  # fmt: skip
            paying.follow(db, regency)


def _statements(held: list[Contract], month: date) -> Iterator[dict[str, object]]:
    terms = months.terms(kind=ServiceKind.DEDICATED, down_kbps=20_000)
    budget: BudgetFact = months.pagu(33_300_000, year=month.year)
    plain = statement.draft(months.facts(terms, months.month(contract=terms), budget))
    for one in held:
        village = msgspec.structs.replace(plain.village, code=one.unit, name=one.unit, site=one.site)
        document = msgspec.structs.replace(
            plain, village=village, contract=msgspec.structs.replace(plain.contract, id=f"{one.id} {month}")
        )
        yield {
            "regency": one.regency, "contract": one.id, "month": month, "unit": one.unit, "village": one.village,
            "state": "paid", "number_year": month.year, "number": month.month, "document": canonical(document),
            "hash": content_hash(document), "total_rupiah": document.total, "judged": True, "made_ms": 0,
            "line": None, "paid_ms": 0, "glance": glances.of(document),
        }  # fmt: skip
