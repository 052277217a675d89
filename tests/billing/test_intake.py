"""Every file that a village could send: read as a whole, or refused with line, column and what to do."""

import io
import resource
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from kampungnet.billing import budgets, contract_rows, export, sheets, spreadsheet
from kampungnet.billing.budgets import BudgetEntry
from kampungnet.billing.intake import Fault, Register, Unit, short_code
from kampungnet.billing.terms import CreditFormula, ServiceKind
from kampungnet.core.errors import BadInput, Problem, TooLarge

KNOWN = Register(
    {
        code: Unit(code, name, kind, district)
        for code, name, kind, district in (
            ("35.10.15.2012", "Kampunganyar", "desa", "Glagah"),
            ("35.10.15.1001", "Bakungan", "kelurahan", "Glagah"),
            ("33.10.01.2001", "Jetis", "desa", "Selogiri"),
            ("33.10.02.2004", "Jetis", "desa", "Delanggu"),
            ("35.10.15", "Glagah", "kecamatan", "Glagah"),
        )
    }
)
HEADING = (
    "kode;nama;kecamatan;tahun;kegiatan;rekening;versi;berlaku_sejak;sumber_dana;pagu;realisasi_awal;realisasi_sampai"
)
GOOD = "35.10.15.2012;Kampunganyar;Glagah;2026;02.06.03.;5.2.5.05.;murni;;ADD;Rp. 30.000.000,-;;"


def _understood(*rows: str, heading: str = HEADING) -> tuple[list[BudgetEntry], list[Fault]]:
    data = "\r\n".join((heading, *rows)).encode()
    return budgets.understood(sheets.read(data, budgets.COLUMNS, budgets.REQUIRED), KNOWN)


def _xlsx(fill: Any) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    fill(book, book.add_worksheet())
    book.close()
    return out.getvalue()


def test_a_good_row_is_taken_with_its_codes_in_short_form() -> None:
    (entry,), faults = _understood(GOOD)
    assert not faults
    assert (entry.unit, entry.year, entry.activity, entry.account) == ("35.10.15.2012", 2026, "2.6.03", "5.2.5.05")
    assert (entry.fund, entry.pagu_rupiah, entry.valid_from) == ("ADD", 30_000_000, date(2026, 1, 1))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("mark", [";", ",", "\t"])
def test_any_office_programs_csv_is_read(encoding: str, mark: str) -> None:
    rows = [HEADING, GOOD.replace("Rp. 30.000.000,-", "30000000").replace(";murni;", ";Murni;")]
    data = "\r\n".join(["Anggaran internet – caf\xe9", *rows]).replace(";", mark).encode(encoding)
    (entry,), faults = budgets.understood(sheets.read(data, budgets.COLUMNS, budgets.REQUIRED), KNOWN)
    assert not faults
    assert entry.pagu_rupiah == 30_000_000


def test_a_spreadsheet_with_title_merged_cells_dates_and_computed_cells_is_read() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.merge_range("A1:F1", "ANGGARAN INTERNET DESA 2026", book.add_format({"bold": True}))
        for place, name in enumerate(["Kode", "Nama", "Tahun", "Kegiatan", "Rekening", "Versi", "Berlaku Sejak",
                                      "Sumber Dana", "Pagu"]):  # fmt: skip
            sheet.write(2, place, name)
        sheet.write_row(3, 0, ["35.10.15.2012", "KAMPUNG ANYAR", 2026, "2.6.03", "5.2.5.05", "perubahan"])
        sheet.write_datetime(3, 6, date(2026, 9, 1), book.add_format({"num_format": "dd/mm/yyyy"}))
        sheet.write(3, 7, "add")
        sheet.write_formula(3, 8, "=12*2775000", None, 33_300_000)

    table = sheets.read(_xlsx(fill), budgets.COLUMNS, budgets.REQUIRED)
    (entry,), faults = budgets.understood(table, KNOWN)
    assert not faults
    assert (entry.kind, entry.valid_from, entry.pagu_rupiah) == ("perubahan", date(2026, 9, 1), 33_300_000)
    assert entry.line == 4


@pytest.mark.parametrize(
    ("change", "column", "letter"),
    [
        (("35.10.15.2012;", "35.10.15.9999;"), "kode", "A"),
        (("35.10.15.2012;Kampunganyar", ";Jetis"), "nama", "B"),
        (("Kampunganyar", "Rejosari"), "nama", "B"),
        (("2026", "26"), "tahun", "D"),
        (("02.06.03.", "wifi"), "kegiatan", "E"),
        (("5.2.5.05.", ""), "rekening", "F"),
        (("murni;", "perubahan;"), "berlaku_sejak", "H"),
        (("murni;", "murni;31/02/2026"), "berlaku_sejak", "H"),
        (("murni;", "murni;1/1/2025"), "berlaku_sejak", "H"),
        (("ADD", "dana gaib"), "sumber_dana", "I"),
        (("Rp. 30.000.000,-", "tiga puluh juta"), "pagu", "J"),
        (("Rp. 30.000.000,-", "30,000"), "pagu", "J"),
        (("Rp. 30.000.000,-", "-5"), "pagu", "J"),
        (("Rp. 30.000.000,-", ""), "pagu", "J"),
        (("Rp. 30.000.000,-;;", "30000000;5000000;"), "realisasi_sampai", "L"),
    ],
)
def test_a_bad_cell_is_named_by_line_and_column(change: tuple[str, str], column: str, letter: str) -> None:
    entries, faults = _understood(
        GOOD, GOOD.replace(*change).replace("ADD", "PAD" if column != "sumber_dana" else "ADD")
    )
    assert [(one.line, one.column, one.letter) for one in faults] == [(3, column, letter)]
    assert len(entries) == 1


def test_a_name_that_several_villages_have_needs_the_code_or_the_kecamatan() -> None:
    _, (fault,) = _understood(GOOD.replace("35.10.15.2012;Kampunganyar;Glagah", ";Jetis;"))
    assert fault.values == {"number": "2", "name": "Jetis"}
    (entry,), faults = _understood(GOOD.replace("35.10.15.2012;Kampunganyar;Glagah", ";Desa Jetis;DELANGGU"))
    assert not faults
    assert entry.unit == "33.10.02.2004"


def test_the_same_fund_twice_is_a_fault_and_two_funds_of_one_line_are_not() -> None:
    _, (fault,) = _understood(GOOD, GOOD)
    assert (fault.line, fault.values) == (3, {"line": "2"})
    entries, faults = _understood(GOOD, GOOD.replace(";ADD;", ";PAD;"))
    assert not faults
    assert [one.fund for one in entries] == ["ADD", "PAD"]


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", BadInput),
        (b"\0\1\2" * 100, BadInput),
        (b"PK\x03\x04 not a zip after all", BadInput),
        (b"nama;harga\nKampunganyar;5", BadInput),
        (b"%PDF-1.7 something else", BadInput),
        (b"x" * 10_000_001, TooLarge),
        (("\n".join([HEADING, *[GOOD] * 20_001])).encode(), TooLarge),
        (b"tahun,rekening,sumber_dana,pagu,pagu\n2026,1,2,3,4", BadInput),
    ],
    ids=["empty", "bytes", "broken", "other columns", "pdf", "large", "long", "a column twice"],
)
def test_what_is_no_table_is_refused_with_a_sentence(data: bytes, refusal: type[Problem]) -> None:
    with pytest.raises(refusal):
        sheets.read(data, budgets.COLUMNS, budgets.REQUIRED)


def _corner(_book: Any, sheet: Any) -> None:
    sheet.write(0, 0, "kode")
    sheet.write(1_048_575, 16_383, "17 billion cells before this one")


def _many(_book: Any, sheet: Any) -> None:
    sheet.write(0, 0, "kode")
    sheet.write(4_000, 16_383, "65 million cells before this one")


def _bomb(*, lying: bool) -> bytes:
    """Return a spreadsheet whose one sheet unpacks to 700 MB, and may say of itself that it has a thousand bytes."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_xlsx(lambda _book, sheet: sheet.write(0, 0, "kode")))) as good,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb,
    ):
        for part in good.namelist():
            start, end, rest = good.read(part).partition(b"</sheetData>")
            with bomb.open(part, "w") as written:
                written.write(start)
                for _ in range(700 if end else 0):
                    written.write(b"<row><c t='str'><v>x" + b" " * 1_000_000 + b"x</v></c></row>")
                written.write(end + rest)
        length = bomb.getinfo("xl/worksheets/sheet1.xml").file_size
    said = (1_000 if lying else length).to_bytes(4, "little")
    return out.getvalue().replace(length.to_bytes(4, "little"), said)


@pytest.mark.parametrize(
    "make",
    [
        lambda: _xlsx(_corner),
        lambda: _xlsx(_many),
        lambda: _bomb(lying=False),
        lambda: _bomb(lying=True),
    ],
    ids=["the furthest corner", "a far column", "a zip bomb", "a zip bomb that lies about its size"],
)
def test_a_spreadsheet_made_to_take_all_memory_is_refused_and_takes_none_of_ours(make: Callable[[], bytes]) -> None:
    bomb = make()
    assert len(bomb) < sheets.MOST_BYTES
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((TooLarge, BadInput)):
        sheets.read(bomb, budgets.COLUMNS, budgets.REQUIRED)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kB"


@pytest.mark.parametrize("number", [b"NaN", b"-inf", b"1e999"])
def test_a_cell_that_claims_to_be_no_number_is_a_word(number: bytes) -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_xlsx(lambda _book, sheet: sheet.write(0, 0, 5)))) as good,
        zipfile.ZipFile(out, "w") as strange,
    ):
        for part in good.namelist():
            strange.writestr(part, good.read(part).replace(b"<v>5</v>", b"<v>%s</v>" % number))
    (((word,)),) = spreadsheet.rows(out.getvalue(), 10)
    assert isinstance(word, str)


def test_codes_of_both_charts_come_into_one_form() -> None:
    assert [short_code(code) for code in ("01.01.04.", "1.1.4", "5.2.5.5", "5.1.02.02.01.0063")] == [
        "1.1.04", "1.1.04", "5.2.5.05", "5.1.02.02.01.0063",
    ]  # fmt: skip


CONTRACT = {
    "kode": "35.10.15.2012", "penyedia": "PT Telkom Indonesia", "nomor_kontrak": "SPK/7/2026", "mulai": "01/01/2026",
    "selesai": "31/12/2026", "jenis": "dedicated", "harga": "2.500.000", "unduh_mbps": "20", "unggah_mbps": "2,5",
    "sla_persen": "99", "restitusi": "r2", "tahun_anggaran": "2026", "kegiatan": "2.6.03",
}  # fmt: skip


def _contracts(**changes: str) -> tuple[list[contract_rows.ContractEntry], list[Fault]]:
    row = CONTRACT | changes
    data = export.to_csv(list(row), [list(row.values())])
    return contract_rows.understood(sheets.read(data, contract_rows.COLUMNS, contract_rows.REQUIRED), KNOWN)


def test_a_contract_row_becomes_terms() -> None:
    (entry,), faults = _contracts()
    assert not faults
    terms = entry.terms
    assert (terms.kind, terms.price, terms.down_kbps, terms.up_kbps) == (
        ServiceKind.DEDICATED,
        2_500_000,
        20_000,
        2_500,
    )
    assert (str(terms.credit.sla_percent), terms.credit.formula) == ("99", CreditFormula.R2)
    assert (terms.start, terms.end) == (date(2026, 1, 1), date(2026, 12, 31))
    assert entry.budget == (2026, "2.6.03", "5.2.5.05")


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"jenis": "cepat"}, "jenis"),
        ({"selesai": "31/12/2025"}, "selesai"),
        ({"sla_persen": ""}, "sla_persen"),
        ({"sla_persen": "101"}, "sla_persen"),
        ({"jenis": "kuota"}, "kuota_gb"),
        ({"jenis": "p95"}, "komitmen_mbps"),
        ({"unduh_mbps": ""}, "unduh_mbps"),
        ({"harga": "dua juta"}, "harga"),
        ({"penyedia": "..."}, "penyedia"),
        ({"nomor_kontrak": ""}, "nomor_kontrak"),
        ({"kode": "35.10.15"}, "lokasi"),
    ],
)
def test_terms_that_do_not_fit_together_are_named(changes: dict[str, str], column: str) -> None:
    entries, faults = _contracts(**changes)
    assert not entries
    assert column in {one.column for one in faults}


def test_a_providers_name_becomes_a_short_code() -> None:
    assert contract_rows.slug("PT. Telkom Indonesia, Tbk") == "telkom-indonesia"
    assert contract_rows.slug("ICON+") == "icon"


@pytest.mark.parametrize("start", ["=1+1", "+62811", "-5", "@cmd", "\tx"])
def test_a_text_never_becomes_a_formula_in_what_we_give_out(start: str) -> None:
    written = export.to_csv(["uraian"], [[start]]).decode("utf-8-sig").splitlines()[1]
    assert written.strip('"').startswith("'")
    book = export.to_xlsx(["uraian", "pagu"], [[start, 5]], "Anggaran")
    table = sheets.read(book, ["uraian", "pagu"], ["uraian"])
    assert table.rows[0].get("uraian") == start.strip()
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_the_same_rows_give_the_same_bytes() -> None:
    rows: list[list[export.Value]] = [["35.10.15.2012", 33_300_000, date(2026, 1, 1)]]
    assert export.to_xlsx(["a", "b", "c"], rows, "T") == export.to_xlsx(["a", "b", "c"], rows, "T")
