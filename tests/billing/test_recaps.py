"""Recaps out of the books: what villages have, spent and owe; on pages, and as files that say the same."""

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from kampungnet.app import Server
from kampungnet.billing import making, recap_pdf, recaps, rollup, signing, statements, uploads
from kampungnet.billing.rollup import FundPart, Paper, Recap
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.pages import all_languages
from kampungnet.staff.service import Scope
from tests.billing.story import AUGUST, CONTRACT, EKO, HANA, JOKO, JULY, NOW, NUR, books, close, facts, outage
from tests.pages.cast import browser, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI
from tests.support.poppler import said
from tests.support.spreadsheet import recomputed

GLAGAH, KELURAHAN = "35.10.15", "35.10.16.1002"
JULY_DUE, AUGUST_DUE = 2_743_073, 2_775_000
MORE_BUDGET = (
    "kode,tahun,kegiatan,rekening,uraian,versi,berlaku_sejak,dokumen,sumber_dana,pagu,realisasi_awal,realisasi_sampai\n"
    f"{KAMPUNGANYAR},2026,2.6.03,5.2.5.05,Internet,perubahan,1/8/2026,Perdes 3/2026,PBH,1000000,,\n"
    f"{KAMPUNGANYAR},2026,2.6.03,5.2.5.05,Internet,perubahan,1/8/2026,Perdes 3/2026,ADD,31000000,,\n"
    f"{REJOSARI},2026,2.6.03,5.2.5.05,Internet,murni,,,DD,6000000,4000000,30/06/2026\n"
).encode()
MORE_CONTRACTS = (
    f"kode,penyedia,nomor_kontrak,mulai,jenis,harga,unduh_mbps\n{KELURAHAN},PT Serat,SPK/2,1/1/2026,tetap,1000000,20\n"
).encode()


@pytest.fixture
def filled(database: Database) -> Database:
    """July of Kampunganyar was paid in August, which is approved; a desa has a budget only, a kelurahan a contract."""
    books(database)
    with database.writes() as db:
        for what, data in (("anggaran", MORE_BUDGET), ("kontrak", MORE_CONTRACTS)):
            preview = uploads.look_at(db, NUR, what, (f"{what}.csv", data), NOW)
            assert not preview.faults, preview.faults
            uploads.confirm(db, NUR, preview.id, NOW)
    close(database, JULY, facts(JULY, (outage(JULY, (100, 116)),)))
    close(database, AUGUST, facts(AUGUST))
    for month, steps in ((JULY, ((EKO, "periksa"), (HANA, "setujui"), (JOKO, "bayar"))),
                         (AUGUST, ((EKO, "periksa"), (HANA, "setujui")))):  # fmt: skip
        signed_ms = clock.day_start_ms(date(2026, month.month + 1, 20), clock.WIB)
        with database.writes() as db:
            list(making.make_all(db, REGENCY, month, NOW))
            for who, step in steps:
                signing.take(db, who, statements.find(db, NUR.scope, CONTRACT, month), step, "", signed_ms)
    return database


def _recap(database: Database, code: str = "", scope: Scope = NUR.scope) -> Recap:
    with database.reads() as db:
        return recaps.of_month(db, scope, AUGUST)[code]


def test_a_recap_counts_what_was_paid_approved_and_is_due(filled: Database) -> None:
    recap = _recap(filled, GLAGAH)
    rows = {row.code: row for row in recap.groups[0].rows}
    own, other = rows[KAMPUNGANYAR], rows[REJOSARI]
    assert (own.budget, own.realised, own.reserved, own.due) == (32_000_000, JULY_DUE, AUGUST_DUE, AUGUST_DUE)
    assert own.papers == (Paper(CONTRACT, "approved"),)
    assert (own.left, own.percent) == (29_256_927, "8,57")
    assert (other.budget, other.realised, other.left, other.due) == (6_000_000, 4_000_000, 2_000_000, 0)
    assert recap.title == "Kecamatan Glagah, Kabupaten Banyuwangi"
    assert recap.states == {"approved": 1}


def test_the_changed_pagu_holds_from_its_month_on_and_pays_in_its_own_order(filled: Database) -> None:
    with filled.reads() as db:
        july = {one.code: one.parts for one in recaps.units(db, NUR.scope, JULY)}
        august = {one.code: one.parts for one in recaps.units(db, NUR.scope, AUGUST)}
    assert july[KAMPUNGANYAR] == (FundPart("ADD", 30_000_000, 0, JULY_DUE, JULY_DUE),), "it was paid in August"
    assert august[KAMPUNGANYAR] == (
        FundPart("ADD", 31_000_000, JULY_DUE - 1_000_000, AUGUST_DUE, AUGUST_DUE), FundPart("PBH", 1_000_000, 1_000_000)
    )  # fmt: skip
    (spent,) = august[KELURAHAN]
    assert (spent.fund, spent.pagu, spent.due) == ("", 0, 1_110_000)


def test_an_opening_balance_counts_from_its_day_on(filled: Database) -> None:
    with filled.reads() as db:
        found = [
            {one.code: one.parts for one in recaps.units(db, NUR.scope, month)}[REJOSARI]
            for month in (date(2026, 5, 1), date(2026, 6, 1))
        ]
    assert found == [(FundPart("DD", 6_000_000),), (FundPart("DD", 6_000_000, 4_000_000),)]


def test_what_is_missing_is_said_of_every_village(filled: Database) -> None:
    missing = _recap(filled).missing
    without = {what: [name[:13] for name in getattr(missing, what)] for what in ("contract", "pagu", "data")}
    assert KAMPUNGANYAR not in [*without["contract"], *without["pagu"], *without["data"]]
    assert REJOSARI in without["contract"]
    assert KELURAHAN in without["pagu"]
    assert KELURAHAN in without["data"], "its line was never measured"
    with filled.reads() as db:
        assert len(without["data"]) == len(recaps.units(db, NUR.scope, AUGUST)) - 1


def test_the_kabupaten_is_the_sum_of_its_kecamatan_and_its_funds(filled: Database) -> None:
    with filled.reads() as db:
        whole, *parts = recaps.of_month(db, NUR.scope, AUGUST).values()
    for pick in ("budget", "realised", "left", "reserved", "due"):
        assert getattr(whole.total, pick) == sum(getattr(one.total, pick) for one in parts)
        assert getattr(whole.total, pick) == sum(getattr(row, pick) for row in whole.funds)
    assert whole.total.due == AUGUST_DUE + 1_110_000


async def test_the_page_leads_from_the_kabupaten_down_to_the_statement(filled: Database, server: Server) -> None:
    nur = await signed_in(server, "nur")
    assert (await nur.get("/rekap")).headers["location"] == "/rekap/2026-08"
    whole = (await nur.get("/rekap/2026-08")).text
    assert 'href="/rekap/2026-08/35.10.15"' in whole
    assert ">38.000.000<" in whole, "pagu of both, and of the kabupaten"
    assert "Belum ada kontrak" in whole
    page = (await nur.get("/rekap/2026-08/35.10.15")).text
    for words in (f'href="/laporan/{CONTRACT}/2026-08"', "29.256.927", "8,57%", "2.775.000", "Tanpa pagu"):
        assert (words in page) is (words != "Tanpa pagu"), words
    for path in ("/rekap/2026-13", "/rekap/x", "/rekap/2026-08/35.10.99", "/berkas/rekap-2026-08.exe",
                 "/berkas/rekap-2026-08-35.10.99.pdf", "/berkas/rekap-x.pdf", "/berkas/rekap-2026-08→.csv",
                 "/berkas/rekap-2026-08%0A.csv", "/berkas/rekap-2026-08-.csv"):  # fmt: skip
        assert (await nur.get(path)).status_code == 404, path


async def test_a_village_sees_its_own_row_and_a_stranger_none(filled: Database, server: Server) -> None:
    citra, budi = await signed_in(server, "citra"), await signed_in(server, "budi")
    for path in ("/rekap/2026-08", "/berkas/rekap-2026-08.csv"):
        assert "Kampunganyar" in (await budi.get(path)).text
        answer = await citra.get(path)
        assert answer.status_code == 200
        assert "Kampunganyar" not in answer.text
        assert "Rejosari" in answer.text
        assert (await browser(server).get(path)).status_code in {303, 401}
    assert (await citra.get("/rekap/2026-08/35.10.15")).status_code == 404


async def test_files_say_what_the_page_says(filled: Database, server: Server, tmp_path: Path) -> None:
    nur = await signed_in(server, "nur")
    files = {}
    for ending, kind in (("pdf", "application/pdf"), ("csv", "text/csv; charset=utf-8"), ("xlsx", None)):
        answer = await nur.get(f"/berkas/rekap-2026-08-35.10.15.{ending}")
        assert answer.status_code == 200
        assert kind in {None, answer.headers["content-type"]}
        assert answer.content == (await nur.get(f"/berkas/rekap-2026-08-35.10.15.{ending}")).content
        files[ending] = answer.content
    rows = {row["kode"]: row for row in csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig")))}
    assert (rows[KAMPUNGANYAR]["realisasi"], rows[KAMPUNGANYAR]["bulan_ini"]) == (str(JULY_DUE), str(AUGUST_DUE))
    text = said(files["pdf"], tmp_path)
    for words in (
        "Kecamatan Glagah, Kabupaten Banyuwangi",
        "Sampai dengan Agustus 2026",
        "29.256.927",
        "Halaman 1 dari",
    ):
        assert words in text, words
    total = recomputed({"": files["xlsx"]}, tmp_path)[""]["Realisasi"][-1]
    assert total[:4] == ["JUMLAH", 38_000_000, JULY_DUE + 4_000_000, 38_000_000 - JULY_DUE - 4_000_000]
    assert total[5:] == [AUGUST_DUE, AUGUST_DUE]


def _large() -> Recap:
    units = [
        rollup.Unit(f"35.10.{n // 16:02}.2{n % 16:03}", "#panic() $x$" if n == 3 else f"Desa {n}", f"Kec {n // 16:02}",
                    (FundPart("ADD", 30_000_000, n, 0, 2_775_000),), has_contract=n % 2 == 0)
        for n in range(401)
    ]  # fmt: skip
    return rollup.recap("Kabupaten Banyuwangi", "2026-07", units)


def test_a_long_recap_repeats_its_heading_and_is_tagged_with_its_fonts(tmp_path: Path) -> None:
    body = recap_pdf.pdf(_large(), all_languages()["id"])
    text = said(body, tmp_path, "pdftotext", "-layout")
    number = int(re.findall(r"Halaman 1 dari (\d+)", text)[0])
    assert 10 <= number <= 16
    assert text.count("Realisasi (Rp)") >= number - 1
    assert "#panic() $x$" in text
    assert text.split("JUMLAH")[1].split()[0] == "12.030.000.000"
    assert "Tagged:          yes" in said(body, tmp_path, "pdfinfo")
    fonts = said(body, tmp_path, "pdffonts").splitlines()[2:]
    assert all(" yes yes yes " in line for line in fonts)


def test_many_readers_at_once_get_the_same_bytes() -> None:
    language, recap = all_languages()["id"], rollup.recap("Kabupaten Banyuwangi", "2026-07", ())
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(lambda _: recap_pdf.pdf(recap, language), range(12)))) == 1


async def test_a_month_at_the_end_of_the_calendar_is_none(filled: Database, server: Server) -> None:
    nur = await signed_in(server, "nur")
    for month in ("9999-12", "0001-01", "2100-01", "1999-12"):
        for address in (f"/rekap/{month}", f"/rekap/{month}/35.10.15", f"/laporan/{CONTRACT}/{month}"):
            assert (await nur.get(address)).status_code == 404, address
        assert (await nur.get(f"/pemakaian?bulan={month}")).status_code == 404, month
