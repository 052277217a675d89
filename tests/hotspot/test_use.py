"""Half hours to days: any order and repetition gives the same sums, to the byte."""

from hypothesis import given
from hypothesis import strategies as st

from kampungnet.hotspot import use
from kampungnet.hotspot.use import DayUse, Session, day_use, merged, pack, slots_of_day, totals, unpack
from kampungnet.shared.portal_body import PortalSlot, Way

DAY_START_MS = 1_785_430_800_000
"""31 July 2026, midnight WIB."""
DAY = slots_of_day(DAY_START_MS, DAY_START_MS + 86_400_000)
FIRST = DAY.start

_grown = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 10**9), st.integers(0, 10**10)), min_size=1, max_size=20)


@st.composite
def _tellings(draw: st.DrawFn) -> tuple[list[PortalSlot], list[PortalSlot]]:
    """Return what a box tells of one half hour, growing, and the same repeated and in any order."""
    seconds = up = down = 0
    told = []
    for more, more_up, more_down in draw(_grown):
        seconds, up, down = seconds + more, up + more_up, down + more_down
        told.append(PortalSlot(FIRST, seconds, up, down))
    again = told + draw(st.lists(st.sampled_from(told)))
    return told, draw(st.permutations(again))


@given(_tellings())
def test_order_and_repetition_change_nothing(tellings: tuple[list[PortalSlot], list[PortalSlot]]) -> None:
    told, shuffled = tellings
    last = told[-1]
    assert merged({}, shuffled) == {FIRST: (last.seconds, last.up_bytes, last.down_bytes)}


@given(st.dictionaries(st.integers(0, 2**40), st.tuples(*[st.integers(0, 2**62)] * 3), max_size=60))
def test_packed_half_hours_come_back_as_they_were(slots: use.Slots) -> None:
    assert unpack(pack(slots)) == slots
    assert totals(slots) == tuple(sum(one[place] for one in slots.values()) for place in range(3))


def test_a_session_over_midnight_is_shared_between_two_days_and_counted_in_both() -> None:
    late = Session("g-a", Way.CLICK, {FIRST - 1: (600, 10, 100), FIRST: (1200, 20, 200)})
    here = day_use([late], DAY, frozenset())
    before = day_use([late], slots_of_day(DAY_START_MS - 86_400_000, DAY_START_MS), frozenset())
    assert (before.seconds, before.down_bytes, here.seconds, here.down_bytes) == (600, 100, 1200, 200)
    assert (before.people, here.people) == (1, 1)


def test_one_device_with_two_sessions_is_one_of_the_people() -> None:
    sessions = [
        Session("g-a", Way.CLICK, {FIRST: (60, 1, 1)}),
        Session("g-a", Way.VOUCHER, {FIRST + 2: (60, 1, 1)}),
        Session("g-b", Way.ACCOUNT, {FIRST + 2: (60, 1, 1)}),
        Session("g-c", Way.OTHER, {FIRST - 5: (60, 1, 1)}),
    ]
    assert day_use(sessions, DAY, frozenset()) == DayUse(2, 3, 180, 0, 3, 3, 1, 1, 1)


def test_office_time_is_that_of_the_half_hours_within_office_hours() -> None:
    office = frozenset(range(FIRST + 14, FIRST + 30))  # 07.00 to 15.00
    night = Session("g-a", Way.CLICK, {FIRST + 13: (1800, 0, 0), FIRST + 14: (600, 0, 0), FIRST + 30: (600, 0, 0)})
    found = day_use([night], DAY, office)
    assert (found.seconds, found.office_seconds) == (3000, 600)
    assert found.outside_percent == 80.0
    assert day_use([], DAY, office).outside_percent is None
