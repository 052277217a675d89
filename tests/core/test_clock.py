"""Local days."""

from hypothesis import given
from hypothesis import strategies as st

from kampungnet.core import clock

MARCH = 1_772_300_000_000
ZONES = st.sampled_from((clock.WIB, clock.WITA, clock.WIT))


@given(ZONES, st.lists(st.integers(MARCH, MARCH + 3 * clock.DAY_MS), max_size=20))
def test_a_day_that_is_remembered_is_the_instants_own(zone: str, instants: list[int]) -> None:
    days = clock.LocalDays(zone)
    midnight = clock.day_start_ms(clock.local_day(MARCH, zone), zone) + clock.DAY_MS
    for instant in (*instants, midnight - 1, midnight, midnight - 1):
        assert days.of(instant) == clock.local_day(instant, zone)
