"""Whole rupiah: rounding, splitting, reading what people write, writing it (facts on billing 9.3, 9.4)."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.billing import money
from kampungnet.billing.money import AmountUnreadable, Rounding
from kampungnet.billing.terbilang import terbilang


@pytest.mark.parametrize(
    ("exact", "down", "nearest"),
    [("0.49", 0, 0), ("0.5", 0, 1), ("2.5", 2, 3), ("379879.94", 379_879, 379_880), ("-0.5", 0, -1), ("-2.4", -2, -2)],
)
def test_half_a_rupiah_goes_up_or_everything_goes_down(exact: str, down: int, nearest: int) -> None:
    assert money.rounded(Fraction(exact), Rounding.DOWN) == down
    assert money.rounded(Fraction(exact), Rounding.NEAREST) == nearest


def test_what_should_be_whole_already_is_refused_when_it_is_not() -> None:
    with pytest.raises(ValueError, match="1/2"):
        money.rounded(Fraction(1, 2), Rounding.NONE)


def test_a_year_is_split_so_that_the_first_months_take_the_remainder() -> None:
    parts = money.split(163_475_000, 12)
    assert parts == (13_622_917,) * 8 + (13_622_916,) * 4


@given(st.integers(0, money.MOST), st.integers(1, 60))
def test_parts_add_up_and_differ_by_a_rupiah_at_most(amount: int, number: int) -> None:
    parts = money.split(amount, number)
    assert sum(parts) == amount
    assert max(parts) - min(parts) <= 1


@given(st.integers(0, money.MOST), st.lists(st.integers(0, 10_000), min_size=1).filter(any))
def test_shares_add_up_and_stay_within_a_rupiah_of_what_is_exact(amount: int, weights: list[int]) -> None:
    parts = money.shared_out(amount, tuple(weights))
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1


@pytest.mark.parametrize(
    "written",
    [
        "Rp. 2.500.000,-", "2.500.000,00", "2500000", "Rp2.500.000", "Rp 2.500.000,--", "rp.2.500.000.-", "IDR 2500000",
        " 2.500.000 ", "2,500,000", "2,500,000.00", "2500000.00", "2500000,0", "Rp\N{NO-BREAK SPACE}2.500.000",
        2_500_000, 2_500_000.0, Decimal("2500000.00"),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_and_spreadsheets_write_them(written: str | float | Decimal) -> None:
    assert money.read(written) == 2_500_000


@pytest.mark.parametrize("written", ["-2.500", "(2.500)", "-Rp2.500", "Rp -2.500", "Rp-2.500,00"])
def test_less_than_nothing_is_read_too(written: str) -> None:
    assert money.read(written) == -2_500


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("2,500", "two ways"), ("0.500", "two ways"), ("", "missing"), ("  ", "missing"), ("dua juta", "not a number"),
        ("2.500.00", "not a number"), ("25.00.000", "not a number"), ("=A1*2", "not a number"), ("1e6", "not a number"),
        ("٢٥٠٠", "not a number"), ("2 500 000", "not a number"), ("Rp", "not a number"), ("--5", "not a number"),
        ("2.500.000,50", "cents"), ("2500000.75", "cents"), (2500.5, "cents"), (Decimal("0.1"), "cents"),
        (float("nan"), "not a number"), (float("inf"), "not a number"), (True, "not a number"),
        ("9" * 40, "too large"), ("9" * 9_000, "too large"), (1e30, "too large"),
        ("1.000.000.000.000.001", "too large"),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_refused_with_what_to_do(written: str | float | Decimal, why: str) -> None:
    with pytest.raises(AmountUnreadable, match=why):
        money.read(written)


@given(st.integers(-money.MOST, money.MOST))
def test_what_we_write_we_read(amount: int) -> None:
    for written in (money.rupiah(amount), money.figures(amount), money.in_brackets(amount), money.rupiah(amount, 2)):
        assert money.read(written) == amount


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(AmountUnreadable):
        assert abs(money.read(text)) <= money.MOST


def test_amounts_are_written_the_indonesian_way() -> None:
    assert money.rupiah(1_500_000) == "Rp1.500.000"
    assert money.rupiah(-5) == "-Rp5"
    assert money.in_brackets(-1_500) == "(1.500)"
    assert money.figures(1_132_276_879, 2) == "1.132.276.879,00"
    assert money.figures(Fraction(47_500_000, 31), 2) == "1.532.258,06"
    assert money.figures(Fraction(-1, 1000), 2) == "0,00"
    assert money.rupiah(1_500_000, marks=",.") == "Rp1,500,000"


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "nol"), (11, "sebelas"), (15, "lima belas"), (100, "seratus"), (101, "seratus satu"), (1_000, "seribu"),
        (1_100, "seribu seratus"), (11_000, "sebelas ribu"), (1_000_000, "satu juta"), (1_001_000, "satu juta seribu"),
        (2_775_000, "dua juta tujuh ratus tujuh puluh lima ribu"),
        (181_450_000, "seratus delapan puluh satu juta empat ratus lima puluh ribu"),
        (1_631_520_000, "satu miliar enam ratus tiga puluh satu juta lima ratus dua puluh ribu"),
        (10, "sepuluh"), (20, "dua puluh"), (2_000, "dua ribu"), (100_000, "seratus ribu"), (10**12, "satu triliun"),
        (10**15, "seribu triliun"), (-5, "minus lima"),
    ],
)  # fmt: skip
def test_amounts_in_words(amount: int, words: str) -> None:
    assert terbilang(amount) == f"{words} rupiah"


@given(st.sets(st.integers(0, 10**13), min_size=2, max_size=2))
def test_two_amounts_never_read_the_same(both: set[int]) -> None:
    assert len({terbilang(one) for one in both}) == 2
