"""Worked numbers of the facts on billing that are no month's money: funds, dates, amounts of papers, counter turns."""

from datetime import date
from fractions import Fraction

import pytest

from kampungnet.billing import budgets, money, sheets, words
from kampungnet.billing.intake import Register, Unit
from kampungnet.core.pages import all_languages
from kampungnet.measurement.percentile import rank
from tests.pages.sample import KAMPUNGANYAR

SAY = all_languages()["id"]


@pytest.mark.parametrize(
    ("code", "fund"),
    [("PAD", "PAD"), ("ADD", "ADD"), ("DDS", "DD"), ("PBH", "PBH"), ("PBP", "BKP"), ("PBK", "BKK"), ("DLL", "DLL")],
)
def test_siskeudes_names_of_funds_are_read(code: str, fund: str) -> None:
    """Facts 1.5."""
    line = f"kode,tahun,kegiatan,rekening,sumber_dana,pagu\n{KAMPUNGANYAR},2026,2.6.03,5.2.5.05.,{code},1740000\n"
    table = sheets.read(line.encode(), budgets.COLUMNS, budgets.REQUIRED)
    known = Register({KAMPUNGANYAR: Unit(KAMPUNGANYAR, "Kampunganyar", "desa", "Glagah")})
    (entry,), faults = budgets.understood(table, known)
    assert (entry.fund, entry.account, entry.pagu_rupiah, faults) == (fund, "5.2.5.05", 1_740_000, [])


@pytest.mark.parametrize(("samples", "dropped"), [(8_640, 432), (8_064, 403), (8_928, 446), (8_352, 417)])
def test_so_many_samples_stand_above_the_percentile(samples: int, dropped: int) -> None:
    """Facts 6."""
    assert samples - rank(samples) == dropped


@pytest.mark.parametrize(("seconds", "mbps"), [(300, "114.53"), (60, "572.66")])
def test_above_these_rates_a_counter_of_32_bits_goes_round_between_two_polls(seconds: int, mbps: str) -> None:
    """Facts 5."""
    assert round(Fraction(2**32 * 8, seconds * 10**6), 2) == Fraction(mbps)


@pytest.mark.parametrize("written", ["Rp. 181.450.000,00", "Rp181.450.000", "Rp. 181.450.000,-", "181.450.000,00"])
def test_amounts_are_read_as_office_papers_write_them(written: str) -> None:
    """Facts 9.4."""
    assert money.read(written) == 181_450_000
    assert money.read("Rp 163.475.000,-") == 163_475_000


def test_shares_and_days_are_written_as_papers_write_them() -> None:
    """Facts 8.3 (planned work as up) and 9.4."""
    assert words.percent(SAY, Fraction(42_240, 43_200)) == "97,78%"
    assert SAY.full_day(date(2026, 7, 31)) == "31 Juli 2026"
    assert sheets.day("31/07/2026") == date(2026, 7, 31)
    names = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
    assert [SAY.month(date(2026, month, 1)).split()[0] for month in range(1, 13)] == names.split()
    short = "Jan Feb Mar Apr Mei Jun Jul Agt Sep Okt Nov Des"
    assert [SAY.day(date(2026, month, 1)).split()[1] for month in range(1, 13)] == short.split()
