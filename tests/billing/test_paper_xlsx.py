"""A statement as spreadsheet and CSV: its formulas come to its total, and nothing a person wrote becomes a formula."""

import csv
import io
import time
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from kampungnet.billing import paper_xlsx
from kampungnet.billing.cell_sums import formulas
from kampungnet.billing.document import CorrectionFact, StatementDocument
from kampungnet.billing.lines import LineKind
from kampungnet.billing.statement import draft
from kampungnet.billing.terms import CreditFormula, PriceFor, ServiceKind, TaxTerms, Unjudged
from kampungnet.core.languages import Language
from kampungnet.core.pages import all_languages
from kampungnet.measurement.outage_words import Cause
from tests.billing.months import JULY, LATE_JULY, SIX_AND_TEN, credit, facts, month, pagu, terms
from tests.support.spreadsheet import Sheets, cells, recomputed

CORRECTION = CorrectionFact(month="2026-06", rupiah=-30_555, number="1/BAP/2026", content_hash="0" * 64)
HOSTILE = "=1+1 \"'#$[]\\<b> \N{GRINNING FACE} " + "x" * 300


@pytest.fixture(scope="module")
def indonesian() -> Language:
    return all_languages()["id"]


def _statements() -> dict[str, StatementDocument]:
    """One of each way that money is summed up."""
    restitusi = terms(credit=credit(CreditFormula.R2), rounding_step=1000, tax=TaxTerms(pph23=True))
    inside = terms(price=3_000_000, price_includes_ppn=True, tax=TaxTerms(office_collects_ppn=True))
    split = terms(
        price=163_475_000, price_for=PriceFor.CONTRACT, start=date(2026, 1, 1), end=date(2026, 7, 31), rounding_step=50
    )
    p95 = terms(kind=ServiceKind.P95, committed_kbps=10_000, overuse_per_mbps=75_001)
    quota = terms(kind=ServiceKind.QUOTA, quota_bytes=10**11, overuse_per_gb=3_333)
    return {
        "credit, step, withheld": draft(
            facts(restitusi, month(JULY, SIX_AND_TEN, contract=restitusi), pagu(30_000_000), corrections=(CORRECTION,))
        ),
        "price with PPN": draft(facts(inside, month(JULY))),
        "prorated": draft(facts(terms(price=1_500_037), month(LATE_JULY))),
        "contract split": draft(facts(split, month(JULY))),
        "95th percentile": draft(facts(p95, month(JULY))),
        "quota": draft(facts(quota, month(JULY))),
        "no tax": draft(facts(terms(tax=TaxTerms(ppn=False)), month(JULY))),
        "held": draft(facts(terms(unjudged=Unjudged.HELD), month(JULY, unseen=((0, 40_000),)))),
        "beyond 15 digits": draft(facts(terms(price=10**14 + 37), month(JULY))),
    }


@pytest.fixture(scope="module")
def opened(indonesian: Language, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheets]:
    """All statements as LibreOffice computes them, in one go: it takes seconds to start."""
    files = {name: paper_xlsx.xlsx(one, indonesian) for name, one in (_statements() | {"hostile": _hostile()}).items()}
    return recomputed(files, tmp_path_factory.mktemp("office"))


def _hostile() -> StatementDocument:
    plain = _statements()["prorated"]
    return msgspec.structs.replace(
        plain, number=HOSTILE, village=msgspec.structs.replace(plain.village, name=HOSTILE, district="@SUM(A1)"),
        provider=msgspec.structs.replace(plain.provider, name=HOSTILE),
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(_statements()))
def test_a_spreadsheet_program_comes_to_every_line_of_the_statement(name: str, opened: dict[str, Sheets]) -> None:
    lines = _statements()[name].lines
    assert [row[1] for row in opened[name]["Bukti"][8 : 8 + len(lines)]] == [line.rupiah for line in lines]


def test_base_tax_and_total_are_formulas_and_no_numbers() -> None:
    lines = _statements()["credit, step, withheld"].lines
    written = dict(zip((line.kind for line in lines), formulas(lines, "B", 9), strict=True))
    assert written[LineKind.BASE] == "=SUM(B9:B10)"
    assert written[LineKind.PPN] == "=ROUND(B11*11*12/(12*100),0)"
    assert written[LineKind.TOTAL] == "=SUM(B11:B14)"


def test_the_outages_stand_with_start_end_and_cause(indonesian: Language) -> None:
    lost = tuple((n * 300, n * 300 + 7, Cause.LISTRIK) for n in range(120))
    document = draft(facts(terms(), month(JULY, lost, planned=((40_000, 40_060),))))
    rows = cells(paper_xlsx.xlsx(document, indonesian))["Gangguan"]
    assert len(rows) == 1 + 120 + 1
    assert rows[0][:2] == ["Mulai (WIB)", "Selesai (WIB)"]
    assert [str(one) for one in rows[2][:2]] == ["2026-07-01 05:00:00", "2026-07-01 05:07:00"]
    assert rows[2][2:] == [7, "Listrik padam", 90]


def test_the_same_statement_gives_the_same_bytes_at_another_time(indonesian: Language) -> None:
    one = _statements()["credit, step, withheld"]
    made = paper_xlsx.xlsx(one, indonesian), paper_xlsx.many([one])
    time.sleep(1.1)  # files of this kind say when they were made, to the second
    assert (paper_xlsx.xlsx(one, indonesian), paper_xlsx.many([one])) == made


def test_what_a_person_wrote_never_becomes_a_formula(opened: dict[str, Sheets]) -> None:
    document, sheet = _hostile(), opened["hostile"]["Bukti"]
    assert sheet[0][1] == HOSTILE
    assert cells(paper_xlsx.many([document]))["Bukti Penerimaan"][1][1] == HOSTILE
    row = next(csv.DictReader(io.StringIO(paper_xlsx.csv([document]).decode("utf-8-sig"))))
    assert row["nama"] == f"'{HOSTILE}"
    assert row["kecamatan"] == "'@SUM(A1)"


def test_csv_of_many_has_one_row_each_with_total_and_hash() -> None:
    documents = list(_statements().values())
    rows = list(csv.DictReader(io.StringIO(paper_xlsx.csv(documents).decode("utf-8-sig"))))
    assert [int(row["total"]) for row in rows] == [one.total for one in documents]
    assert [row["penilaian"] for row in rows].count("Tidak dapat dinilai") == 1
    assert len({row["sha256"] for row in rows}) == len(documents)


def test_percentages_and_rates_are_written_as_here() -> None:
    assert paper_xlsx.percentage("989999/1000000", Decimal(99)) == "98,99%"
    assert paper_xlsx.percentage(None) == "–"
    assert [paper_xlsx.mbps(one) for one in (18_000_000, 18_520_999, 0, None)] == ["18", "18,52", "0", ""]
