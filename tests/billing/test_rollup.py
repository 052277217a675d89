"""Recaps: every total is the sum of its rows, on paper and as a spreadsheet program sums them."""

import csv
import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kampungnet.billing import recap_xlsx, rollup
from kampungnet.billing.document import FundShare
from kampungnet.billing.rollup import FundPart, Paper, Purse, Unit
from tests.support.spreadsheet import recomputed

AMOUNTS = st.integers(0, 10**12)
FUNDS = st.sampled_from(["ADD", "DD", "PBH"])
PURSES = st.builds(
    Purse, st.lists(st.builds(lambda fund, rupiah: FundShare(fund=fund, rupiah=rupiah), FUNDS, AMOUNTS), max_size=3,
                    unique_by=lambda one: one.fund).map(tuple),
    AMOUNTS, AMOUNTS, AMOUNTS, st.integers(-(10**9), 10**9),
)  # fmt: skip
PARTS = st.builds(
    FundPart, st.sampled_from(["", "ADD", "DD", "PBH"]), AMOUNTS, AMOUNTS, AMOUNTS, st.integers(-(10**9), 10**9)
)
UNITS = st.lists(
    st.builds(
        Unit, st.from_regex(r"\A35\.10\.\d\d\.2\d{3}\Z"), st.sampled_from(["Jetis", "Glagah"]),
        st.sampled_from(["Glagah", "Giri", "Licin"]), st.lists(PARTS, max_size=3).map(tuple),
        st.just((Paper("1", "paid"),)), st.booleans(), st.booleans(),
    ),
    max_size=12,
)  # fmt: skip

JULY_UNITS = (
    Unit("35.10.15.2012", "Kampunganyar", "Glagah", (FundPart("ADD", 30_000_000, 19_391_084, 0, 2_741_084),)),
    Unit("35.10.15.2003", "=Olehsari", "Glagah", (FundPart("ADD", 1_000, 2_000), FundPart("DD", 3_000_000, 500, 700))),
    Unit("35.10.16.1001", "Penataban", "Giri", (FundPart("", 0, 2_775_000),), has_data=False),
    Unit("35.10.16.2002", "Jambesari", "Giri", has_contract=False),
)


@given(UNITS)
def test_every_total_is_the_sum_of_the_rows_and_of_the_funds(units: list[Unit]) -> None:
    whole, *parts = rollup.recaps("Kabupaten Banyuwangi", "2026-07", units).values()
    rows = [row for group in whole.groups for row in group.rows]
    assert len(rows) == len(units)
    for pick in ("budget", "realised", "left", "reserved", "due"):
        total = getattr(whole.total, pick)
        assert total == sum(getattr(row, pick) for row in rows)
        assert total == sum(getattr(row, pick) for row in whole.funds)
        assert total == sum(getattr(part.total, pick) for part in parts)
    assert whole.total.budget == sum(part.pagu for unit in units for part in unit.parts)
    assert whole.total.realised == sum(part.realised for unit in units for part in unit.parts)


@given(st.lists(PURSES, max_size=4))
def test_sharing_out_to_funds_loses_no_rupiah_and_overdraws_no_fund(purses: list[Purse]) -> None:
    parts = rollup.fund_parts(purses)
    for pick in ("realised", "reserved", "due"):
        assert sum(getattr(part, pick) for part in parts) == sum(getattr(purse, pick) for purse in purses)
    assert all(part.realised + part.reserved <= part.pagu for part in parts if part.fund)


def test_the_fund_named_first_is_emptied_first() -> None:
    funds = (FundShare(fund="PBH", rupiah=4_000_000), FundShare(fund="ADD", rupiah=6_000_000))
    parts = rollup.fund_parts([Purse(funds, 3_000_000, 2_775_000, 5_775_000, 5_000_000)])
    assert parts == (
        FundPart("", 0, 0, 0, 775_000), FundPart("ADD", 6_000_000, 0, 1_775_000, 4_225_000),
        FundPart("PBH", 4_000_000, 3_000_000, 1_000_000, 0),
    )  # fmt: skip


def test_the_columns_are_those_of_the_laporan_realisasi() -> None:
    whole, giri, glagah = rollup.recaps("Kabupaten Banyuwangi", "2026-07", JULY_UNITS).values()
    assert giri.title == "Kecamatan Giri, Kabupaten Banyuwangi"
    last = glagah.groups[0].rows[1]
    assert (last.name, last.budget, last.realised, last.left, last.percent) == (
        "Kampunganyar", 30_000_000, 19_391_084, 10_608_916, "64,64",
    )  # fmt: skip
    assert [row.percent for row in giri.groups[0].rows] == ["–", "–"]
    assert giri.total.left == -2_775_000
    assert [row.name for row in whole.funds] == ["Tanpa pagu", "ADD", "DD"]


def test_what_is_missing_is_listed_by_name() -> None:
    missing = rollup.recap("Kabupaten Banyuwangi", "2026-07", JULY_UNITS).missing
    assert missing.contract == ("35.10.16.2002 Jambesari",)
    assert missing.pagu == ("35.10.16.1001 Penataban", "35.10.16.2002 Jambesari")
    assert missing.data == ("35.10.16.1001 Penataban",)


def test_a_spreadsheet_program_sums_the_recap_to_the_same_totals(tmp_path: Path) -> None:
    whole = rollup.recap("Kabupaten Banyuwangi", "2026-07", JULY_UNITS)
    sheets = recomputed({"": recap_xlsx.xlsx(whole)}, tmp_path)[""]
    rows = {str(row[0]): row[1:] for row in sheets["Realisasi"]}
    assert sheets["Realisasi"][2] == list(rollup.COLUMNS)
    assert rows["JUMLAH"] == [whole.total.budget, whole.total.realised, whole.total.left, 67.18, 700, 2_741_084]
    assert rows["Jumlah Kecamatan Giri"] == [0, 2_775_000, -2_775_000, "–", 0, 0]
    assert "35.10.15.2003 =Olehsari" in rows
    assert {str(row[0]): row[2] for row in sheets["Per sumber dana"]}["JUMLAH"] == whole.total.realised
    assert sheets["Belum ada"][1] == ["35.10.16.2002 Jambesari", "35.10.16.1001 Penataban", "35.10.16.1001 Penataban"]


def test_an_empty_recap_is_a_paper_too_and_bytes_are_the_same_again() -> None:
    empty = rollup.recap("Kabupaten Banyuwangi", "2026-07", ())
    assert recap_xlsx.xlsx(empty) == recap_xlsx.xlsx(empty)
    assert empty.total.percent == "–"


def test_csv_has_a_row_for_each_unit_and_no_sums() -> None:
    text = rollup.csv(rollup.recap("Kabupaten Banyuwangi", "2026-07", JULY_UNITS)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["uraian"] for row in rows] == ["Penataban", "Jambesari", "'=Olehsari", "Kampunganyar"]
    assert rows[0]["lebih_kurang"] == "-2775000"
