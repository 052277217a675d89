"""The paper of a statement: what it says, that it can be read aloud, and that nothing in a name can change it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kampungnet.app import Server
from kampungnet.billing import making, statement
from kampungnet.billing.document import StatementDocument, Step, StepKind, content_hash
from kampungnet.billing.paper_pdf import Paper, pdf
from kampungnet.billing.terms import CreditFormula
from kampungnet.core import pages
from kampungnet.core.database import Database
from kampungnet.measurement.outage_words import Cause
from tests.billing import months
from tests.billing.story import CONTRACT, JULY, books, close, facts
from tests.pages.cast import browser, signed_in
from tests.support.poppler import said

PAPER = Paper(pages.all_languages()["id"], "https://kampungnet.example.go.id")
HOSTILE = 'Bu "Hana" #let x = 1 $y$ \\ [<b>] @ref `code` *bold* \N{GRINNING FACE}'


def _draft(*lost: tuple[int, int, Cause], **given: Any) -> StatementDocument:
    terms = months.terms(credit=months.credit(CreditFormula.R2), down_kbps=20_000)
    month = months.month(months.JULY, lost, contract=terms, **given)
    return statement.draft(months.facts(terms, month, months.pagu(30_000_000)))


def _approved(document: StatementDocument, name: str = "Bu Hana") -> StatementDocument:
    steps = (
        Step(kind=StepKind.CHECKED, name="Pak Eko", role="Sekretaris Desa", at_ms=1_785_500_000_000),
        Step(kind=StepKind.APPROVED, name=name, role="Kepala Desa", at_ms=1_785_600_000_000),
    )
    return statement.approved(document, "0001/BPLI/15.2012/2026", steps)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., str]:
    """Return what a program of poppler-utils says of a paper."""
    return lambda body, program="pdftotext", *options: said(body, tmp_path, program, *options)


def test_the_paper_says_what_was_promised_received_and_is_due(read: Callable[..., str]) -> None:
    document = _approved(_draft((0, 960, Cause.FIBER)))
    text = read(pdf(document, PAPER), "pdftotext", "-layout")
    for words in (
        "PEMERINTAH DESA KAMPUNGANYAR", "Kecamatan Glagah, Kabupaten Banyuwangi", "Nomor: 0001/BPLI/15.2012/2026",
        "Masa layanan: Juli 2026", "01/07/2026 00.00", "01/07/2026 16.00", "16 jam", "Serat optik putus",
        "99,00%", "97,85%", "18,0 Mbps", "8.928 dari 8.928 sampel", "2.471.237", "271.836", "2.743.073",
        "dua juta tujuh ratus empat puluh tiga ribu tujuh puluh tiga rupiah", "5.2.5.05", "Rp27.256.927",
        "Pak Eko", "Bu Hana", "Kaur Keuangan", "Halaman 1 dari 1", content_hash(document),
    ):  # fmt: skip
        assert words in text, words
    assert "Draf" not in text


def test_a_draft_says_so_and_has_no_hash_to_check(read: Callable[..., str]) -> None:
    text = read(pdf(_draft(), PAPER))
    assert "Nomor: (draf)" in text
    assert "Draf: angka masih dapat berubah" in text
    assert "/periksa/" not in text


def test_a_month_that_was_hardly_measured_is_not_judged(read: Callable[..., str]) -> None:
    text = read(pdf(_draft(unseen=((0, 20_000),)), PAPER))
    assert "Tidak dapat dinilai." in text


def test_the_same_statement_gives_the_same_bytes_tagged_and_with_its_fonts(read: Callable[..., str]) -> None:
    document = _approved(_draft((0, 960, Cause.FIBER)))
    body = pdf(document, PAPER)
    assert body == pdf(document, PAPER)
    told = read(body, "pdfinfo")
    assert "Tagged:          yes" in told
    assert "Bukti Penerimaan Layanan Internet Kampunganyar 2026-07" in told
    fonts = read(body, "pdffonts").splitlines()[2:]
    assert fonts
    assert all(" yes yes yes " in line for line in fonts), "embedded, a subset, with its letters named"


def test_whatever_stands_in_a_name_stays_a_name(read: Callable[..., str]) -> None:
    document = _approved(_draft(), HOSTILE)
    village = msgspec.structs.replace(document.village, name="#panic() " + "x" * 300)
    text = read(pdf(msgspec.structs.replace(document, village=village), PAPER))
    assert "#let x = 1 $y$ \\ [<b>] @ref `code` *bold*" in " ".join(text.split())
    assert "#panic()" in text


def test_a_bad_month_breaks_over_pages_and_repeats_its_heading(read: Callable[..., str]) -> None:
    lost = tuple((n * 300, n * 300 + 20, Cause.LISTRIK) for n in range(120))
    body = pdf(_approved(_draft(*lost)), PAPER)
    text = read(body)
    assert text.count("Listrik padam") == 120
    assert text.count("Selesai") >= 3
    number = int(next(line for line in read(body, "pdfinfo").splitlines() if line.startswith("Pages")).split()[1])
    assert 3 <= number <= 5


@pytest.mark.parametrize("outages", range(0, 40, 4))
def test_who_signs_sees_on_the_same_sheet_what_the_budget_still_holds(read: Callable[..., str], outages: int) -> None:
    lost = tuple((n * 300, n * 300 + 20, Cause.LISTRIK) for n in range(outages))
    sheets = read(pdf(_approved(_draft(*lost)), PAPER)).split("\f")
    (signed,) = (sheet for sheet in sheets if "Kaur Keuangan" in sheet)
    assert "Rp27." in signed


async def test_staff_get_the_paper_in_the_browser_and_strangers_do_not(database: Database, server: Server) -> None:
    books(database)
    close(database, JULY, facts(JULY))
    with database.writes() as db:
        list(making.make_all(db, "35.10", JULY, 1_790_000_000_000))
    nur = await signed_in(server, "nur")
    answer = await nur.get(f"/laporan/{CONTRACT}/2026-07.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    assert (await nur.get(f"/laporan/{CONTRACT}/2026-07.json")).status_code == 200
    assert (await nur.get(f"/laporan/{CONTRACT}/2026-07.xlsx")).content.startswith(b"PK")
    citra = await signed_in(server, "citra")
    assert (await citra.get(f"/laporan/{CONTRACT}/2026-07.pdf")).status_code == 404
    assert (await browser(server).get(f"/laporan/{CONTRACT}/2026-07.pdf")).status_code in {303, 401}
