"""Counters to bytes: the vectors of facts/billing-add 5, the policies of its section 12, and any order of anything."""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.counters import CounterSample, in_columns
from kampungnet.measurement.ledger import Flag, Ledger, Policy, ledger, ledger_of
from kampungnet.measurement.slots import SLOT_MS

MINUTE = 60_000
T0 = 1_751_302_800_000 - 1_751_302_800_000 % SLOT_MS
LINE_20 = Policy(line_bps=20_000_000)


def _at(minute: float, rx: int, tx: int = 0, **more: Any) -> CounterSample:
    return CounterSample(T0 + round(minute * MINUTE), rx, tx, **more)


def _bytes(book: Ledger) -> list[tuple[int, int]]:
    return [((at - T0) // SLOT_MS, slot.rx_bytes) for at, slot in book.slots.items()]


def _flags(book: Ledger, place: int = 0) -> Flag:
    return book.slots[T0 + place * SLOT_MS].flags


def test_a_minute_of_readings_fills_a_slot_exactly() -> None:
    book = ledger(_at(n, 1000 + n * 77) for n in range(6))
    assert _bytes(book) == [(0, 385)]
    assert book.slots[T0].is_sample
    assert _flags(book) is Flag.WHOLE


def test_an_unchanged_counter_is_zero_and_not_a_repeat() -> None:
    book = ledger([_at(0, 5_000), _at(5, 5_000), _at(10, 5_000)])
    assert _bytes(book) == [(0, 0), (1, 0)]
    assert all(slot.is_sample for slot in book.slots.values())


def test_a_wrap_of_32_bits_within_one_life_is_exact() -> None:
    book = ledger(
        [_at(0, 4_294_000_000, bits=32, uptime_seconds=9_000), _at(5, 1_000_000, bits=32, uptime_seconds=9_300)],
        LINE_20,
    )
    assert _bytes(book) == [(0, 1_967_296)]
    assert not _flags(book) & Flag.LOWER_BOUND


def test_a_fallen_counter_of_32_bits_without_an_uptime_is_a_lower_bound() -> None:
    book = ledger([_at(0, 4_294_000_000, bits=32), _at(5, 1_000_000, bits=32)], LINE_20)
    assert _bytes(book) == [(0, 1_000_000)]
    assert _flags(book) & Flag.LOWER_BOUND


def test_a_reset_of_64_bits_is_never_a_wrap() -> None:
    book = ledger([_at(0, 9_000_000_000_000), _at(5, 5_000_000)])
    assert _bytes(book) == [(0, 5_000_000)]
    assert _flags(book) == Flag.LOWER_BOUND | Flag.NEW_LIFE


def test_a_reset_in_one_direction_is_a_reset_of_the_row() -> None:
    book = ledger([_at(0, 9_000_000, 100), _at(5, 5_000, 700)])
    slot = book.slots[T0]
    assert (slot.rx_bytes, slot.tx_bytes) == (5_000, 700)


def test_after_a_restart_the_bytes_of_the_new_life_are_exact_and_those_before_it_lost() -> None:
    book = ledger([_at(0, 50_000_000, uptime_seconds=100_000), _at(5, 700_000, uptime_seconds=120)])
    slot = book.slots[T0]
    assert (slot.rx_bytes, slot.covered_ms) == (700_000, 120_000)
    assert slot.flags == Flag.NEW_LIFE | Flag.LOWER_BOUND | Flag.GAP | Flag.PARTLY
    assert not slot.is_sample


def test_ten_seconds_of_clock_difference_are_no_restart() -> None:
    book = ledger([_at(0, 1_000, uptime_seconds=1_000), _at(5, 3_000, uptime_seconds=1_290)])
    assert _bytes(book) == [(0, 2_000)]
    assert _flags(book) is Flag.WHOLE
    book = ledger([_at(0, 1_000, uptime_seconds=1_000), _at(5, 3_000, uptime_seconds=1_289)])
    assert _flags(book) & Flag.NEW_LIFE


def test_a_redialled_line_is_a_new_interface_of_the_same_name() -> None:
    book = ledger([_at(0, 800_000, life="*F1"), _at(5, 900_000, life="*F2")])
    assert _bytes(book) == [(0, 900_000)]
    assert _flags(book) == Flag.NEW_LIFE | Flag.LOWER_BOUND


def test_an_interface_row_of_its_own_past_says_nothing_of_the_bytes() -> None:
    book = ledger([_at(0, 800_000, row="*2"), _at(5, 900_000, row="*7"), _at(10, 900_100, row="*7")])
    assert _bytes(book) == [(0, 0), (1, 100)]
    assert _flags(book) & Flag.LOWER_BOUND
    assert _bytes(ledger([_at(0, 800_000), _at(5, 900_000, row="*7")])) == [(0, 100_000)], "a driver that learned it"


def test_a_redial_told_by_the_lines_own_time_counts_the_smaller_number() -> None:
    fell = ledger([_at(0, 800_000, dial_seconds=90), _at(5, 5_000, dial_seconds=20)])
    assert (_bytes(fell), _flags(fell)) == ([(0, 5_000)], Flag.NEW_LIFE | Flag.LOWER_BOUND)
    went_on = ledger([_at(0, 800_000, dial_seconds=90), _at(5, 900_000, dial_seconds=294)])
    assert (_bytes(went_on), _flags(went_on)) == ([(0, 100_000)], Flag.NEW_LIFE | Flag.LOWER_BOUND)
    assert _flags(ledger([_at(0, 800_000, dial_seconds=90), _at(5, 900_000, dial_seconds=390)])) is Flag.WHOLE


def test_a_program_that_starts_anew_while_the_counters_go_on_invents_nothing() -> None:
    """sysUpTime is the SNMP agent's, and wraps after 497 days."""
    book = ledger(
        [
            _at(0, 10**9, uptime_seconds=42_949_672, sure_uptime=False),
            _at(5, 10**9 + 7, uptime_seconds=3, sure_uptime=False),
        ]
    )
    assert (_bytes(book), _flags(book)) == ([(0, 7)], Flag.NEW_LIFE | Flag.LOWER_BOUND)
    fell = ledger(
        [_at(0, 10**9, uptime_seconds=900, sure_uptime=False), _at(5, 700, uptime_seconds=60, sure_uptime=False)]
    )
    assert (_bytes(fell), fell.slots[T0].covered_ms) == ([(0, 700)], 60_000)


def test_an_uptime_that_lags_behind_never_counts_a_counter_twice() -> None:
    """Its life would have begun before the last reading: a clock was set, the counter went on."""
    book = ledger([_at(0, 10**9, uptime_seconds=100_000), _at(5, 10**9 + 5, uptime_seconds=100_200)])
    assert (_bytes(book), _flags(book)) == ([(0, 5)], Flag.NEW_LIFE | Flag.LOWER_BOUND)


def test_a_wrap_of_64_bits_is_one_and_a_counter_near_its_end_breaks_nothing() -> None:
    book = ledger([_at(0, 2**64 - 10, uptime_seconds=9_000), _at(5, 90, uptime_seconds=9_300)])
    assert (_bytes(book), _flags(book)) == ([(0, 100)], Flag.WHOLE)
    assert _bytes(ledger([_at(0, 2**63 - 1), _at(5, 2**63 - 1), _at(10, 7)])) == [(0, 0), (1, 7)]


def test_packets_prove_how_often_a_counter_of_32_bits_went_round() -> None:
    def two(rx: int, packets: int, before: int = 10, packets_before: int = 0) -> Flag:
        first = _at(0, before, bits=32, uptime_seconds=900, packets=(packets_before, 0))
        return _flags(ledger([first, _at(1, rx, bits=32, uptime_seconds=960, packets=(packets, 0))]))

    assert two(90, 2_000_000) == Flag.PARTLY, "they cannot have carried four GB more"
    assert two(90, 4_000_000) & Flag.LOWER_BOUND
    assert two(90, 110, before=2**32 - 10, packets_before=100) == Flag.PARTLY, "a wrap"
    assert two(90, 3, before=2**32 - 10, packets_before=100) & Flag.NEW_LIFE, "packets fell as well: a reset"


def test_after_a_gap_a_counter_of_32_bits_is_a_lower_bound_even_where_it_did_not_fall() -> None:
    # At 20 Mbit/s it goes round in 1,718 s (facts 5).
    for minutes, sure in ((27, True), (30, False)):
        (gap,) = ledger([_at(0, 5, bits=32), _at(minutes, 100, bits=32)], LINE_20).gaps
        assert bool(gap.flags & Flag.LOWER_BOUND) is not sure


def test_bytes_lost_before_a_restart_are_no_gap_whose_sum_is_known() -> None:
    book = ledger([_at(0, 9_000, uptime_seconds=90_000), _at(60, 700, uptime_seconds=120)])
    total = book.total(T0, T0 + 12 * SLOT_MS)
    assert (book.gaps, total.rx_bytes, total.covered_ms, total.lower_bound) == ((), 700, 120_000, True)


def test_falling_back_from_64_to_32_bits_says_nothing_of_the_bytes() -> None:
    book = ledger([_at(0, 9_000_000_000_000), _at(5, 1_000_000, bits=32), _at(10, 1_500_000, bits=32)], LINE_20)
    assert _bytes(book) == [(0, 0), (1, 500_000)]
    assert _flags(book) & Flag.LOWER_BOUND
    assert not book.slots[T0].is_sample


def test_where_another_turn_of_32_bits_is_possible_the_bytes_are_a_lower_bound() -> None:
    at_120_mbps = ledger([_at(0, 0, bits=32), _at(5, 10, bits=32)], Policy(line_bps=120_000_000))
    assert _flags(at_120_mbps) & Flag.LOWER_BOUND
    at_100_mbps = ledger([_at(0, 0, bits=32), _at(5, 10, bits=32)], Policy(line_bps=100_000_000))
    assert _flags(at_100_mbps) is Flag.WHOLE


def test_what_no_line_carries_is_set_aside_and_counting_starts_afresh() -> None:
    cap = LINE_20.cap_bytes(5 * MINUTE)
    assert cap == 20_000_000 // 8 * 302 * 102 // 100
    assert _bytes(ledger([_at(0, 0), _at(5, cap)], LINE_20)) == [(0, cap)]
    book = ledger([_at(0, 0), _at(5, cap + 1), _at(10, cap + 11)], LINE_20)
    assert _bytes(book) == [(0, 0), (1, 10)]
    assert _flags(book) & Flag.IMPOSSIBLE
    assert not book.slots[T0].is_sample


def test_the_bytes_of_a_gap_stand_in_no_slot_and_count_where_the_whole_gap_lies() -> None:
    book = ledger([_at(0, 0), _at(5, 100), _at(20, 9_100), _at(25, 9_200)])
    assert _bytes(book) == [(0, 100), (1, 0), (2, 0), (3, 0), (4, 100)]
    assert [_flags(book, n) & Flag.GAP for n in range(5)] == [Flag(0), Flag.GAP, Flag.GAP, Flag.GAP, Flag(0)]
    assert book.total(T0, T0 + 5 * SLOT_MS).rx_bytes == 9_200
    assert not book.total(T0, T0 + 5 * SLOT_MS).lower_bound
    early, late = book.total(T0, T0 + 2 * SLOT_MS), book.total(T0 + 2 * SLOT_MS, T0 + 5 * SLOT_MS)
    assert (early.rx_bytes, late.rx_bytes) == (100, 100)
    assert early.lower_bound
    assert late.lower_bound


def test_450_seconds_are_no_gap_and_a_millisecond_more_is_one() -> None:
    assert ledger([_at(0, 0), _at(7.5, 450)]).gaps == ()
    assert _bytes(ledger([_at(0, 0), _at(7.5, 450)])) == [(0, 300), (1, 150)]
    assert len(ledger([_at(0, 0), msgspec.structs.replace(_at(7.5, 450), at_ms=T0 + 450_001)]).gaps) == 1


def test_shares_of_an_interval_are_rounded_so_that_the_sum_stays_exact() -> None:
    book = ledger([_at(4, 0), _at(7, 100)])
    assert _bytes(book) == [(0, 33), (1, 67)]


def test_contradicting_readings_of_one_instant_are_all_set_aside() -> None:
    book = ledger([_at(0, 0), _at(2, 50), _at(2, 60), _at(5, 100)])
    assert _bytes(book) == [(0, 100)]
    assert _flags(book) & Flag.CONFLICT


def test_nothing_and_one_reading_give_no_slots() -> None:
    assert ledger([]) == Ledger()
    assert ledger([_at(0, 2**63 - 1, 2**63 - 1)]).slots == {}


SAMPLES = st.lists(
    st.builds(
        CounterSample,
        at_ms=st.integers(T0, T0 + 40 * MINUTE),
        rx_bytes=st.integers(0, 2**63 - 1) | st.integers(0, 10**9),
        tx_bytes=st.integers(0, 10**9),
        uptime_seconds=st.none() | st.integers(0, 10**6),
        life=st.sampled_from(["", "*F1"]),
        bits=st.sampled_from([32, 64]),
    ),
    max_size=12,
)


@settings(max_examples=200)
@given(samples=SAMPLES, seed=st.integers(0, 999))
def test_any_order_and_any_repeats_give_the_same_ledger(samples: Sequence[CounterSample], seed: int) -> None:
    dice = random.Random(seed)
    shuffled = [*samples, *dice.choices(samples, k=5)] if samples else []
    dice.shuffle(shuffled)
    assert ledger(shuffled) == ledger(samples)


@settings(max_examples=200)
@given(samples=SAMPLES)
def test_no_slot_is_seen_longer_than_it_is_and_no_byte_is_more_than_the_line_carries(
    samples: Sequence[CounterSample],
) -> None:
    policy = Policy(line_bps=100_000_000)
    book = ledger(samples, policy)
    for slot in book.slots.values():
        assert 0 <= slot.covered_ms <= SLOT_MS
        assert slot.is_sample is not bool(slot.flags & Flag.PARTLY)
    length = max((one.at_ms for one in samples), default=T0) - T0
    total = book.total(T0, T0 + 10 * SLOT_MS)
    assert max(total.rx_bytes, total.tx_bytes) <= policy.cap_bytes(length) + len(samples) * policy.cap_bytes(0)


@given(
    grown=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 10**6)), min_size=1, max_size=60),
    start=st.integers(0, 2**40),
)
def test_a_counter_that_only_grows_loses_and_invents_nothing(grown: list[tuple[int, int]], start: int) -> None:
    samples, at_ms, counter = [CounterSample(T0, start, 0)], T0, start
    for seconds, more in grown:
        at_ms, counter = at_ms + seconds * 1000, counter + more
        samples.append(CounterSample(at_ms, counter, 0))
    book = ledger(samples)
    assert sum(slot.rx_bytes for slot in book.slots.values()) == counter - start
    assert sum(slot.covered_ms for slot in book.slots.values()) == at_ms - T0


@pytest.mark.parametrize(("mbps", "turn_ms"), [(10, 3_436_000), (50, 687_200), (100, 343_600), (1000, 34_400)])
def test_the_time_a_counter_of_32_bits_needs_for_one_turn_is_that_of_the_facts(mbps: int, turn_ms: int) -> None:
    assert round(2**32 * 8 / (mbps * 1000), -2) == turn_ms


STRETCHES = st.lists(
    st.builds(
        lambda seconds, rx, more: (seconds, rx, more),
        st.integers(1, 460) | st.just(60),
        st.integers(0, 10**8) | st.integers(0, 10**10) | st.integers(-(10**9), 0),
        st.fixed_dictionaries(
            {},
            optional={
                "uptime_seconds": st.none() | st.integers(0, 200),
                "life": st.sampled_from(["", "*F1"]),
                "row": st.sampled_from(["", "*1", "*2"]),
                "bits": st.sampled_from([32, 64]),
                "dial_seconds": st.none() | st.integers(0, 300),
                "sure_uptime": st.booleans(),
                "packets": st.none() | st.tuples(st.integers(0, 2**33), st.integers(0, 2**33)),
            },
        )
        | st.just({}),
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(stretches=STRETCHES, told=st.booleans(), cuts=st.sets(st.integers(0, 40)))
def test_a_stretch_as_a_whole_is_what_its_steps_one_by_one_are(
    stretches: Sequence[tuple[int, int, dict[str, Any]]], *, told: bool, cuts: set[int]
) -> None:
    samples, at_ms, rx = [], T0, 2**32 - 10**8
    for seconds, grown, more in stretches:
        at_ms, rx = at_ms + seconds * 1000, max(0, rx + grown)
        whole = {"uptime_seconds": (at_ms - T0) // 1000 + 500, "dial_seconds": (at_ms - T0) // 1000 + 9} if told else {}
        samples.append(CounterSample(at_ms, rx, rx // 3, **(whole | more)))
    one_by_one = ledger_of(in_columns([one]) for one in samples)
    assert ledger(samples) == one_by_one
    parts = [samples[:: len(cuts) + 1], *(samples[n :: len(cuts) + 1] for n in range(1, len(cuts) + 1))]
    assert ledger_of(map(in_columns, parts)) == one_by_one, "interleaved"
    borders = [0, *sorted(cuts), len(samples)]
    assert ledger_of(in_columns(samples[a:b]) for a, b in pairwise(borders)) == one_by_one, "one after another"
