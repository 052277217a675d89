"""Days make a month: the percentile from the days' highest slots is that of all slots, always."""

from datetime import date
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.core import clock
from kampungnet.measurement import traffic
from kampungnet.measurement.closing import last_day, period_ms
from kampungnet.measurement.ledger import Flag, Slot, Step
from kampungnet.measurement.month import HOUR_MS, Day, Month, month
from kampungnet.measurement.percentile import GapPolicy, percentile
from kampungnet.measurement.slots import SLOT_MS

START: Final = clock.day_start_ms(date(2026, 7, 1), clock.WIB)
DAY_MS: Final = clock.DAY_MS
Book = dict[int, dict[int, Slot]]


def _day(start_ms: int, slots: dict[int, Slot], gaps: tuple[Step, ...] = ()) -> Day:
    one = traffic.summary(slots, start_ms)
    return Day(
        start_ms, one.rx_bytes, one.tx_bytes, one.covered_ms, one.samples, int(one.flags), one.busiest_hour,
        one.busiest_bytes, one.peaks, traffic.pack_gaps(gaps),
    )  # fmt: skip


def _month(book: Book, length: int, policy: GapPolicy = GapPolicy.IGNORE) -> tuple[Month, int]:
    opened: list[int] = []

    def open_day(start_ms: int) -> list[Slot]:
        opened.append(start_ms)
        return list(book[start_ms].values())

    days = [_day(start, slots) for start, slots in book.items()]
    return month(days, (START, START + length * DAY_MS), open_day, policy), len(opened)


def _flat(rates: list[list[int]]) -> Book:
    return {
        START + day * DAY_MS: {
            START + day * DAY_MS + n * SLOT_MS: Slot(rate, rate // 2, SLOT_MS) for n, rate in enumerate(of_day)
        }
        for day, of_day in enumerate(rates)
    }


RATES = st.lists(st.lists(st.integers(0, 50) | st.integers(0, 2**40), max_size=288), min_size=1, max_size=5)


@pytest.mark.parametrize("policy", [GapPolicy.IGNORE, GapPolicy.ZERO])
@settings(max_examples=150)
@given(rates=RATES)
def test_the_highest_slots_of_each_day_give_the_percentile_of_all(policy: GapPolicy, rates: list[list[int]]) -> None:
    book = _flat(rates)
    samples = {at: (one.rx_bytes, one.tx_bytes) for slots in book.values() for at, one in slots.items()}
    found, _ = _month(book, len(rates), policy)
    expect = percentile(samples, (START, START + len(rates) * DAY_MS), policy)
    assert (found.rx_p95_bps, found.tx_p95_bps) == (expect.rx_bps, expect.tx_bps)
    assert (found.samples, found.expected) == (expect.measured, expect.expected)


def test_a_day_is_opened_only_when_its_highest_slots_do_not_decide() -> None:
    even = [[n % 97 for n in range(288)] for _ in range(30)]
    assert _month(_flat(even), 30)[1] == 0
    one_busy_day = [[1_000 + n for n in range(288)], *even[1:]]
    assert _month(_flat(one_busy_day), 30)[1] == 2, "once for each direction"


def test_a_month_says_what_it_does_not_know() -> None:
    whole = _flat([[3] * 288] * 31)
    found, _ = _month(whole, 31)
    assert (found.rx_bytes, found.lower_bound, found.covered_ms) == (3 * 8_928, False, 31 * DAY_MS)
    assert (found.samples, found.expected) == (8_928, 8_928)
    less, _ = _month({at: slots for at, slots in whole.items() if at != START}, 31)
    assert less.lower_bound
    whole[START][START].flags |= Flag.LOWER_BOUND
    assert _month(whole, 31)[0].lower_bound
    nothing, _ = _month({}, 31)
    assert (nothing.higher_p95_bps, nothing.rx_bytes, nothing.lower_bound) == (None, 0, True)


def test_a_gap_within_the_month_counts_and_one_over_its_end_does_not() -> None:
    end = START + DAY_MS
    slots = {START + n * SLOT_MS: Slot(1, 1, SLOT_MS) for n in range(144)}
    inside, over = Step(START + DAY_MS // 2, end, 500, 5), Step(START + DAY_MS // 2, end + 1, 500, 5)
    full = month([_day(START, slots, (inside,))], (START, end), lambda _: ())
    assert (full.rx_bytes, full.covered_ms, full.lower_bound) == (644, DAY_MS, False)
    cut = month([_day(START, slots, (over,))], (START, end), lambda _: ())
    assert (cut.rx_bytes, cut.covered_ms, cut.lower_bound) == (144, DAY_MS // 2, True)


def test_the_busiest_hour_is_named_by_when_it_began() -> None:
    book = _flat([[1] * 288, [1] * 24 + [9] * 12 + [1] * 252])
    found, _ = _month(book, 2)
    assert found.busiest_hour_ms == START + DAY_MS + 2 * HOUR_MS
    assert found.busiest_bytes == 12 * 9 + 12 * 4


@pytest.mark.parametrize(
    ("zone", "hour"), [(clock.WIB, 17), (clock.WITA, 16), (clock.WIT, 15)]
)  # fmt: skip
def test_july_begins_and_ends_in_the_zone_of_the_site(zone: str, hour: int) -> None:
    first, last = period_ms(date(2026, 7, 1), zone)
    assert [clock.local(one, "UTC").isoformat()[:13] for one in (first, last)] == [
        f"2026-06-30T{hour}", f"2026-07-31T{hour}",
    ]  # fmt: skip


@pytest.mark.parametrize(("first", "last"), [((2026, 2), 28), ((2028, 2), 29), ((2026, 12), 31), ((2026, 4), 30)])
def test_months_have_their_own_length(first: tuple[int, int], last: int) -> None:
    assert last_day(date(*first, 1)).day == last
