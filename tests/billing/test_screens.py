"""The pages of budget staff: who sees which statement, who signs it, what the invoice claims otherwise."""

import re
from collections.abc import Mapping

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select

from kampungnet.app import Server
from kampungnet.billing import invoices, making, statements
from kampungnet.billing.invoices import Claim, Entry
from kampungnet.billing.lines import LineKind
from kampungnet.billing.models import Contract
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import NotAllowed, Unprocessable
from kampungnet.staff import audit
from kampungnet.staff.service import Scope
from tests.billing.story import CONTRACT, CONTRACTS, EKO, HOUR, JULY, NOW, books, close, facts, outage
from tests.pages.cast import OWN_PAGE, browser, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY

PAGE = f"/laporan/{CONTRACT}/2026-07"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def july(database: Database) -> Database:
    """July is closed with 16 hours without service; its statement is a draft, from a provider with a hostile name."""
    books(database, CONTRACTS.replace(b"PT Serat", b"PT Serat <script>alert(1)</script>"))
    close(database, JULY, facts(JULY, (outage(JULY, (100, 116)),)))
    with database.writes() as db:
        list(making.make_all(db, REGENCY, JULY, NOW))
    return database


async def _post(visitor: AsyncClient, path: str, **fields: str) -> Response:
    return await visitor.post(path, data=fields, headers=OWN_PAGE)


async def _sign(server: Server) -> None:
    for who, step in (("eko", "periksa"), ("hana", "setujui"), ("joko", "bayar")):
        answer = await _post(await signed_in(server, who), f"{PAGE}/langkah/{step}", note="")
        assert answer.status_code == 303, answer.text


async def test_the_list_of_a_month_opens_down_to_the_outage(july: Database, server: Server) -> None:
    nur = await signed_in(server, "nur")
    page = (await nur.get("/anggaran")).text
    assert "Juli 2026" in page
    assert HOSTILE not in page
    assert "PT Serat &lt;script&gt;" in page
    assert f'href="{PAGE}"' in page
    assert re.search(r">97,85%<", page), "728 of 744 hours: 97,8495"
    assert page.count("2.743.073") == 2, "the row and its sum"
    assert "27.256.927" in page, "remaining of 30.000.000"
    one = (await nur.get(PAGE)).text
    assert HOSTILE not in one
    assert "Rp2.743.073" in one
    assert "dua juta tujuh ratus empat puluh tiga ribu tujuh puluh tiga rupiah" in one.lower()
    assert "R2: Rp2.500.000" in one
    start = facts(JULY).period.start_ms + 100 * HOUR
    assert f'href="/desa/{KAMPUNGANYAR}/sebab?mulai={start}"' in one


@pytest.mark.parametrize(
    ("choice", "is_there"),
    [
        ({"bulan": "2026-07"}, True), ({"bulan": "2026-06"}, False), ({"kecamatan": "35.10.15"}, True),
        ({"kecamatan": "35.10.01"}, False), ({"dana": "ADD"}, True), ({"dana": "DD"}, False),
        ({"keadaan": "draft"}, True), ({"keadaan": "paid"}, False), ({"bulan": "13-2026"}, True),
        ({"kecamatan": "'; --", "dana": "\x01", "keadaan": HOSTILE}, False),
    ],
)  # fmt: skip
async def test_choices_narrow_the_list(
    july: Database, server: Server, choice: Mapping[str, str], is_there: bool
) -> None:
    page = await (await signed_in(server, "dedi")).get("/anggaran", params=dict(choice))
    assert page.status_code == 200
    assert (PAGE in page.text) is is_there
    assert HOSTILE not in page.text


async def test_without_any_statement_the_list_says_what_to_do(server: Server) -> None:
    page = (await (await signed_in(server, "nur")).get("/anggaran")).text
    assert "Belum ada laporan" in page


async def test_each_sees_the_button_of_the_own_step_only(july: Database, server: Server) -> None:
    for who, step in (("eko", "periksa"), ("hana", ""), ("joko", ""), ("nur", ""), ("sari", ""), ("dedi", "")):
        page = (await (await signed_in(server, who)).get(PAGE)).text
        assert re.findall(r"/langkah/(\w+)", page) == ([step] if step else []), who
    refused = await _post(await signed_in(server, "joko"), f"{PAGE}/langkah/bayar", note="")
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert (await _post(await signed_in(server, "eko"), f"{PAGE}/langkah/hapus")).status_code == 404


@pytest.mark.parametrize("letters", [501, 4001])
async def test_what_is_too_long_comes_back_with_its_own_sentence(july: Database, server: Server, letters: int) -> None:
    typed = "x" * letters
    refused = await _post(await signed_in(server, "eko"), f"{PAGE}/langkah/periksa", note=typed)
    assert refused.status_code == 422
    assert "paling banyak 500 huruf" in refused.text
    assert f'name="note" value="{typed}"' in refused.text
    refused = await _post(await signed_in(server, "nur"), f"{PAGE}/tagihan", number=typed, dated="1/8/2026", total="1")
    assert refused.status_code == 422
    assert "nomor tagihan" in refused.text
    assert f'name="number" value="{typed}"' in refused.text


async def test_three_sign_and_the_paper_can_be_checked_by_a_stranger(july: Database, server: Server) -> None:
    await _sign(server)
    page = (await (await signed_in(server, "nur")).get(PAGE)).text
    assert "0001/BPLI/15.2012/2026" in page
    assert [name in page for name in ("Pak Eko", "Bu Hana", "Pak Joko")] == [True] * 3
    found = re.search(r'href="(/periksa/[0-9a-f]{64})"', page)
    assert found
    stranger = browser(server)
    seen = (await stranger.get(found[1])).text
    for told in ("0001/BPLI/15.2012/2026", "Kampunganyar", "Juli 2026", "Rp2.743.073", found[1][-64:]):
        assert told in seen
    assert "Serat" not in seen
    assert "97,85" not in seen
    typed = found[1][-64:].upper()
    assert "Rp2.743.073" in (await stranger.get("/periksa", params={"sidik": f" {typed[:32]} {typed[32:]}"})).text


async def test_what_was_found_out_later_stands_beside_the_statement(
    july: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now_ms", lambda: NOW)  # the contract runs until December
    await _sign(server)
    close(july, JULY, facts(JULY, (outage(JULY, (100, 120)),)), number=1)
    with july.writes() as db:
        list(making.make_all(db, REGENCY, JULY, NOW))
    nur = await signed_in(server, "nur")
    assert "-Rp14.919: akan masuk dalam laporan berikutnya" in (await nur.get(PAGE)).text
    with july.writes() as db:
        for contract in db.scalars(select(Contract)):
            contract.last_day = JULY.replace(day=31)
    assert "-Rp14.919: Tidak ada laporan berikutnya" in (await nur.get(PAGE)).text


async def test_a_draft_and_an_unknown_hash_say_the_same_to_a_stranger(july: Database, server: Server) -> None:
    with july.reads() as db:
        draft = statements.find(db, Scope(REGENCY), CONTRACT, JULY).hash
    stranger = browser(server)
    for content in (draft, "0" * 64, "x", HOSTILE, "\x01"):
        answer = await stranger.get("/periksa", params={"sidik": content})
        assert answer.status_code == 404
        assert "Kampunganyar" not in answer.text
        assert HOSTILE not in answer.text
    assert (await stranger.get("/periksa")).status_code == 200


async def test_another_village_finds_nothing(july: Database, server: Server) -> None:
    citra = await signed_in(server, "citra")
    assert "Kampunganyar" not in (await citra.get("/anggaran")).text
    for method, path in (("GET", PAGE), ("POST", f"{PAGE}/tagihan"), ("POST", f"{PAGE}/langkah/periksa")):
        answer = await citra.request(method, path, data={"note": "x"} if method == "POST" else None, headers=OWN_PAGE)
        assert answer.status_code == 404, path
        assert "Kampunganyar" not in answer.text
    budi = (await (await signed_in(server, "budi")).get(PAGE)).text
    assert "Rp2.743.073" in budi
    assert '<form method="post" action="/laporan' not in budi
    for path in (f"/laporan/{CONTRACT}/2026-13", f"/laporan/{CONTRACT}/x", "/laporan/x/2026-07"):
        assert (await citra.get(path)).status_code == 404


async def test_an_invoice_is_compared_line_by_line(july: Database, server: Server) -> None:
    nur = await signed_in(server, "nur")
    # Without the service credit: price 2.500.000, PPN 275.000.
    sent = {"number": "INV/7", "dated": "05/08/2026", "line_price": "Rp2.500.000,-", "line_ppn": "275.000"}
    answer = await _post(nur, f"{PAGE}/tagihan", **sent, total="2.775.000")
    assert answer.status_code == 303, answer.text
    page = (await nur.get(PAGE)).text
    assert "Rp31.927 lebih" in page
    assert "+28.763" in page
    assert "+3.164" in page, "PPN of the credit that was left out"
    wrong = await _post(nur, f"{PAGE}/tagihan", **(sent | {"number": HOSTILE, "line_ppn": "2,750"}), total="1")
    assert wrong.status_code == 422
    assert HOSTILE not in wrong.text
    assert "&lt;script&gt;" in wrong.text, "what was typed stands in the form still"
    right = sent | {"number": "INV/7a", "line_credit": "28.763", "line_ppn": "271.836"}
    assert (await _post(nur, f"{PAGE}/tagihan", **right, total="2743073")).status_code == 303
    page = (await nur.get(PAGE)).text
    assert "INV/7a" in page
    assert "Revisi 2" in page or "revisi 2" in page
    assert (await _post(await signed_in(server, "dedi"), f"{PAGE}/tagihan", **right, total="1")).status_code == 403


def test_the_differences_of_the_lines_add_up_to_that_of_the_totals(july: Database) -> None:
    with july.reads() as db:
        document = statements.document_of(statements.find(db, Scope(REGENCY), CONTRACT, JULY))
    claims = (Claim(LineKind.PRICE, 2_600_000), Claim(LineKind.ROUNDING, -7), Claim(LineKind.PPN, 286_000))
    found = invoices.compare(document, claims, 2_900_000)
    assert found.gap == 2_900_000 - 2_885_993
    assert sum(one.rupiah for one in found.lines) + found.gap == found.rupiah == 2_900_000 - 2_743_073
    assert {one.kind: one.rupiah for one in found.lines}[LineKind.CREDIT] == 28_763


def test_an_invoice_is_written_down_for_ever_and_refused_when_it_is_none(july: Database) -> None:
    entry = Entry("INV/1", "2026-08-05", "2.775.000", {"price": "2.500.000", "ppn": "275.000"})
    with july.writes() as db:
        row = statements.find(db, Scope(REGENCY), CONTRACT, JULY)
        assert [invoices.enter(db, EKO, row, entry, NOW).revision for _ in range(2)] == [1, 2]
        assert [one.what for one in audit.entries(db, REGENCY)][:2] == ["invoice.enter"] * 2
        for wrong in (
            Entry("", "2026-08-05", "1", {"price": "1"}), Entry("1", "yesterday", "1", {"price": "1"}),
            Entry("1", "2026-08-05", "1", {}), Entry("1\x00", "2026-08-05", "1", {"price": "1"}),
            Entry("1", "2026-08-05", "1", {"price": "1,000"}),
        ):  # fmt: skip
            with pytest.raises(Unprocessable):
                invoices.enter(db, EKO, row, wrong, NOW)
        other = type(EKO)("x", "X", EKO.role, Scope(REGENCY, "35.10.15.2001"), EKO.duty)
        with pytest.raises(NotAllowed):
            invoices.enter(db, other, row, entry, NOW)
