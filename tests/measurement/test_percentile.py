"""The 95th percentile: vectors of facts/billing-add 6, and the rules of others beside ours."""

import math
from array import array
from fractions import Fraction
from itertools import accumulate, chain
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.percentile import GapPolicy, highest, nearest_rank, percentile, rank, together

SLOT_MS = 300_000
TOY = (18, 20, 21, 22, 24, 30, 32, 38, 42, 48, 50, 55, 62, 71, 79, 87, 94, 98, 99, 100)
DAY = 288


def _bytes_at(mbps: int) -> int:
    return mbps * 1_000_000 * 300 // 8


def _librenms_before_18481(n: int) -> int:
    return math.floor(n / 100 * 95 + 0.5)


def _librenms_after_18481(n: int) -> int:
    return _librenms_before_18481(n) - 1


def _cacti(n: int) -> int:
    return n - math.ceil(0.05 * n)


@pytest.mark.parametrize(
    ("n", "ours", "librenms", "newer_librenms", "cacti"),
    [
        (8_640, 8_208, 8_208, 8_207, 8_208),
        (8_064, 7_661, 7_661, 7_660, 7_660),
        (8_928, 8_482, 8_482, 8_481, 8_481),
        (8_352, 7_935, 7_934, 7_933, 7_934),
    ],
)
def test_ranks_of_every_month_beside_the_rules_of_others(
    n: int, ours: int, librenms: int, newer_librenms: int, cacti: int
) -> None:
    assert rank(n) == ours
    assert _librenms_before_18481(n) == librenms
    assert _librenms_after_18481(n) == newer_librenms
    assert _cacti(n) == cacti


def test_the_toy_example_gives_a_rate_that_was_measured() -> None:
    assert nearest_rank(TOY) == 99


@pytest.mark.parametrize("n", range(1, 200))
def test_at_most_five_percent_are_above_the_rank(n: int) -> None:
    assert n - rank(n) <= 0.05 * n
    assert n - (rank(n) - 1) > 0.05 * n


def _month_with_a_day_missing() -> dict[int, tuple[int, int]]:
    bursts, rest = 425, 29 * DAY - 425
    rates = [20] * bursts + [8] * rest
    return {n * SLOT_MS: (_bytes_at(rate), 0) for n, rate in enumerate(rates)}


@pytest.mark.parametrize(("policy", "mbps"), [(GapPolicy.IGNORE, 20), (GapPolicy.ZERO, 8)])
def test_the_gap_policy_alone_changes_the_bill_by_two_and_a_half(policy: GapPolicy, mbps: int) -> None:
    result = percentile(_month_with_a_day_missing(), (0, 30 * DAY * SLOT_MS), policy)
    assert result.rx_bps == mbps * 1_000_000
    assert (result.measured, result.expected) == (8_352, 8_640)
    assert round(float(result.coverage) * 100, 2) == 96.67


def test_without_a_gap_the_same_bursts_are_dropped() -> None:
    month = _month_with_a_day_missing() | {n * SLOT_MS: (_bytes_at(8), 0) for n in range(8_352, 8_640)}
    assert percentile(month, (0, 30 * DAY * SLOT_MS)).rx_bps == 8_000_000


def test_below_the_agreed_coverage_there_is_no_result() -> None:
    month, period = _month_with_a_day_missing(), (0, 30 * DAY * SLOT_MS)
    assert percentile(month, period, GapPolicy.REFUSE, Fraction(97, 100)).higher_bps is None
    assert percentile(month, period, GapPolicy.REFUSE, Fraction(96, 100)).higher_bps == 20_000_000


def test_directions_are_judged_apart_and_the_higher_counts() -> None:
    samples = {n * SLOT_MS: (_bytes_at(5), _bytes_at(n)) for n in range(20)}
    result = percentile(samples, (0, 20 * SLOT_MS))
    assert (result.rx_bps, result.tx_bps, result.higher_bps) == (5_000_000, 18_000_000, 18_000_000)


def test_interfaces_are_added_slot_by_slot_before_the_rank_and_missing_where_a_part_is() -> None:
    first = {0: (10, 1), SLOT_MS: (0, 0), 2 * SLOT_MS: (7, 7)}
    second = {0: (0, 2), SLOT_MS: (10, 0)}
    assert together([first, second]) == {0: (10, 3), SLOT_MS: (10, 0)}
    assert together([]) == {}


def test_what_lies_outside_the_period_does_not_count() -> None:
    samples = {-SLOT_MS: (10**9, 0), 0: (300, 0), SLOT_MS: (10**9, 0)}
    assert percentile(samples, (0, SLOT_MS)).rx_bps == 8
    assert percentile({}, (0, SLOT_MS)).higher_bps is None


def test_the_long_sample_of_a_stopped_librenms_and_interpolation_are_not_ours() -> None:
    """Facts 6: a stopped LibreNMS has 8,353 samples; numpy interpolates to 9,905, a rate that nobody measured."""
    bursts, rest = 425, 29 * DAY - 425 + 1
    assert bursts + rest - rank(bursts + rest) == 417
    assert nearest_rank([20] * bursts + [8] * rest) == 20
    below, above = sorted(TOY)[18:20]
    assert round(below + Fraction(5, 100) * (above - below), 3) != nearest_rank(TOY)


LENGTHS = st.integers(1, 40).flatmap(lambda n: st.lists(st.just(n), min_size=1, max_size=31)) | st.lists(
    st.integers(0, 40), min_size=1, max_size=31
)


@settings(max_examples=150, deadline=None)
@given(lengths=LENGTHS, most=st.sampled_from([3, 60, 2**50]), dice=st.randoms(use_true_random=False))
def test_a_place_among_many_runs_is_that_among_all_their_numbers(lengths: list[int], most: int, dice: Random) -> None:
    runs = [sorted(float(dice.randint(-1, most // dice.choice((1, 9)))) for _ in range(length)) for length in lengths]
    numbers = array("d", chain.from_iterable(runs))
    ordered: list[float | None] = [*sorted(numbers, reverse=True), None]
    borders = list(accumulate(lengths, initial=0))
    places = [*range(0, len(ordered), 1 + len(ordered) // 20), len(numbers)]
    assert [highest(numbers, (borders[:-1], borders[1:]), n) for n in places] == [ordered[n] for n in places]
    if set(lengths) == {step := lengths[0]} and step:
        even = range(0, len(numbers), step), range(step, len(numbers) + 1, step)
        assert [highest(numbers, even, n) for n in places] == [ordered[n] for n in places]


def test_a_place_among_runs_of_a_month_is_found_from_whichever_side_it_is_neared() -> None:
    """As long as a month: 31 days of 40 numbers each, alike, each above the last, and two above the others."""
    days = range(31)
    for above in ([0] * 31, [100 * day for day in days], [7_000 * (day > 28) for day in days]):
        numbers = array("d", [float(above[day] + n) for day in days for n in range(40)])
        ordered = sorted(numbers, reverse=True)
        even = range(0, 1_240, 40), range(40, 1_241, 40)
        assert [highest(numbers, even, place) for place in range(1_241)] == [*ordered, None]
