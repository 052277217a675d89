"""Contracts and budget lines on pages, and files that are looked at before they count."""

from datetime import date

import pytest

from kampungnet.app import Server
from kampungnet.billing import contracts
from kampungnet.billing.models import ContractVersion
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.rows import insert_new
from kampungnet.measurement.outage_models import JudgedSite
from kampungnet.staff import service as staff
from kampungnet.staff.service import NewStaff, Role, Scope
from tests.billing.story import BUDGET, CONTRACTS, NOW, SITE, books
from tests.pages.cast import OWN_PAGE, browser, signed_in
from tests.pages.sample import KAMPUNGANYAR, PASSWORD, REGENCY


async def test_a_file_is_looked_at_confirmed_and_then_stands_in_the_books(database: Database, server: Server) -> None:
    nur = await signed_in(server, "nur")
    for place, data, told in (("/pagu", BUDGET, "30.000.000"), ("/kontrak", CONTRACTS, "2.500.000")):
        assert told not in (await nur.get(place)).text
        seen = await nur.post(f"{place}/unggah", files={"file": ("<b>.csv", data)}, headers=OWN_PAGE)
        assert seen.status_code == 200, seen.text
        assert "<b>" not in seen.text.split("<h1>")[1].split("</h1>")[0]
        assert told not in (await nur.get(place)).text, "nothing is in the books yet"
        action = seen.text.split('action="/berkas/')[1].split('"')[0]
        assert (await nur.post(f"/berkas/{action}", headers=OWN_PAGE)).headers["location"] == place
        assert told in (await nur.get(place)).text
    table = await nur.get("/berkas/pagu-2026.csv")
    assert "30000000" in table.text


async def test_every_bad_row_is_named_by_line_and_column(server: Server) -> None:
    nur = await signed_in(server, "nur")
    wrong = BUDGET.replace(b"30000000", b"banyak")
    seen = await nur.post("/pagu/unggah", files={"file": ("pagu.csv", wrong)}, headers=OWN_PAGE)
    assert seen.status_code == 422
    assert ">2</td>" in seen.text
    assert "I <small>pagu</small>" in seen.text
    assert "/berkas/" not in seen.text
    nothing = await nur.post("/pagu/unggah", files={"file": ("x.png", b"\x89PNG\r\n")}, headers=OWN_PAGE)
    assert nothing.status_code == 400
    assert 'role="alert"' in nothing.text


async def test_only_who_keeps_books_may_send_a_file_and_a_stranger_is_not_read(server: Server) -> None:
    big = {"file": ("x.csv", b"x" * 200_000)}
    assert (await browser(server).post("/kontrak/unggah", files=big, headers=OWN_PAGE)).status_code == 401
    for who in ("sari", "dedi", "budi"):
        visitor = await signed_in(server, who)
        assert (await visitor.post("/kontrak/unggah", files=big, headers=OWN_PAGE)).status_code == 403
        assert "/unggah" not in (await visitor.get("/kontrak")).text
    nur = await signed_in(server, "nur")
    assert (await nur.post("/anggaran", files=big, headers=OWN_PAGE)).status_code == 413, "other forms stay small"
    huge = {"file": ("x.csv", b"x" * 10_600_000)}
    assert (await nur.post("/kontrak/unggah", files=huge, headers=OWN_PAGE)).status_code == 413


async def test_another_village_sees_none_of_it(database: Database, server: Server) -> None:
    books(database)
    citra = await signed_in(server, "citra")
    for path in ("/kontrak", "/pagu", "/berkas/pagu-2026.csv"):
        answer = await citra.get(path)
        assert answer.status_code == 200
        assert KAMPUNGANYAR not in answer.text
        assert "2.500.000" not in answer.text


async def test_contracts_and_lines_can_be_narrowed_to_a_kecamatan_and_a_fund(
    database: Database, server: Server
) -> None:
    books(database)
    nur, budi = await signed_in(server, "nur"), await signed_in(server, "budi")
    for address, is_there in (
        ("/kontrak?kecamatan=35.10.15", True), ("/kontrak?kecamatan=35.10.01", False),
        ("/kontrak?kecamatan=%01", True), ("/pagu?kecamatan=35.10.15&dana=ADD", True), ("/pagu?dana=DD", False),
        ("/pagu?kecamatan=35.10.01", False), ("/pagu?dana=%01", True),
    ):  # fmt: skip
        answer = await nur.get(address)
        assert answer.status_code == 200
        assert ("2.500.000" in answer.text or "30.000.000" in answer.text) is is_there, address
    assert "2.500.000" in (await budi.get("/kontrak?kecamatan=35.10.01")).text, "a village has no kecamatan to choose"


async def test_one_contract_that_cannot_be_read_is_named_and_the_others_stand(
    database: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now_ms", lambda: NOW)  # both contracts run until December
    books(database, CONTRACTS + CONTRACTS.splitlines()[1].replace(b"SPK/1", b"SPK/2"))
    with database.writes() as db:
        db.get_one(ContractVersion, (REGENCY, f"{KAMPUNGANYAR}-1", date(2026, 1, 1))).terms = '{"kind":"of later"}'
    nur = await signed_in(server, "nur")
    page = (await nur.get("/kontrak")).text
    assert page.count("syaratnya tidak terbaca") == 1
    assert "2.500.000" in page, "the other one"
    for path in ("/pagu", "/ukuran", f"/ukuran/{KAMPUNGANYAR}-1", f"/kontrak/{KAMPUNGANYAR}-1/ubah",
                 "/berkas/kontrak-semua.csv", "/berkas/ukuran.csv"):  # fmt: skip
        answer = await nur.get(path)
        assert answer.status_code == 200, path
        assert KAMPUNGANYAR in answer.text or "Kampunganyar" in answer.text, path


async def test_a_kecamatan_reads_the_books_of_its_villages_and_writes_none(database: Database, server: Server) -> None:
    books(database)
    with database.writes() as db:
        wati = NewStaff("wati", "Bu Wati", Role.BUDGET, Scope(REGENCY, district="35.10.15"))
        staff.add_staff(db, wati, PASSWORD)
    visitor = await signed_in(server, "wati")
    for path, told in (("/kontrak", "2.500.000"), ("/pagu", "30.000.000")):
        page = (await visitor.get(path)).text
        assert told in page
        assert "/unggah" not in page
        assert "/ubah" not in page
    for path, data in (("/kontrak", CONTRACTS), ("/pagu", BUDGET)):
        answer = await visitor.post(f"{path}/unggah", files={"file": ("x.csv", data)}, headers=OWN_PAGE)
        assert answer.status_code == 403
        assert "kabupaten" in answer.text
    for path in ("/kontrak/baru", f"/kontrak/{KAMPUNGANYAR}-1/ubah"):
        assert (await visitor.get(path)).status_code == 403
        assert (await visitor.post(path, data={"kode": KAMPUNGANYAR}, headers=OWN_PAGE)).status_code == 403


async def test_a_service_nobody_confirmed_tells_when_the_box_saw_it_first(database: Database, server: Server) -> None:
    books(database)
    nur = await signed_in(server, "nur")
    assert "belum dipastikan<" in (await nur.get("/kontrak")).text
    first_ms = clock.day_start_ms(date(2026, 7, 14), clock.WIB) + 1
    row = {"regency": REGENCY, "site": SITE, "judged_ms": first_ms, "since": date(2026, 7, 1)}
    with database.writes() as db:
        insert_new(db, JudgedSite, [row | {"first_service_ms": first_ms}])
    assert "belum dipastikan; kotak pertama kali melihat layanan pada 14 Juli 2026" in (await nur.get("/kontrak")).text
    where = f"/kontrak/{KAMPUNGANYAR}-1/layanan"
    for who, status in (("budi", 403), ("citra", 404), ("dedi", 403)):
        assert (await (await signed_in(server, who)).post(where, headers=OWN_PAGE)).status_code == status
    assert (await nur.post(where, headers=OWN_PAGE)).headers["location"] == "/kontrak"
    page = (await nur.get("/kontrak")).text
    assert "14 Juli 2026" in page
    assert "belum dipastikan" not in page
    with database.reads() as db:
        (held,) = contracts.running(db, REGENCY, date(2026, 7, 1), date(2026, 7, 31))
    assert held.terms.start == date(2026, 7, 14), "July is paid from that day on"
    assert (await nur.post(where, headers=OWN_PAGE)).status_code == 409


async def test_service_that_no_box_saw_cannot_be_confirmed(database: Database, server: Server) -> None:
    books(database)
    nur = await signed_in(server, "nur")
    assert "Berlaku sejak hari itu" not in (await nur.get("/kontrak")).text
    assert (await nur.post(f"/kontrak/{KAMPUNGANYAR}-1/layanan", headers=OWN_PAGE)).status_code == 409
