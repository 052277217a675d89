"""Rows of a router become sessions: nothing invented, nothing twice, every byte in its half hour."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.shared.portal_body import SLOT_MS
from kampungnet_agent.drivers.portal_sessions import (
    GONE,
    IDLE,
    LIMIT,
    MOST_SLOTS,
    REBOOT,
    Look,
    Seen,
    Session,
    Totals,
    follow,
)

MIDNIGHT_MS = 1_795_219_200_000
"""A whole half hour."""
MB = 1_000_000


@pytest.fixture
def ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"s{next(numbers)}"


def _row(uptime: int, up: int = 0, down: int = 0, **more: int) -> Seen:
    return Seen("k7mp", "D6:00:00:00:00:01", "guest", uptime, more.pop("idle", 0), up, down, **more)


def _sums(session: Session) -> tuple[int, ...]:
    return tuple(sum(part) for part in zip(*session.slots.values(), strict=True))


def test_a_session_grows_from_look_to_look_and_is_told_once_for_each_change(ids: Callable[[], str]) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS + 60_000, [_row(30, 100, 1000)]), ids)
    assert (one.id, one.started_ms, one.end) == ("s1", MIDNIGHT_MS + 30_000, "")
    assert [slot.seconds for slot in one.told()] == [30]
    one.untold.clear()
    (same,) = follow([one], Look(MIDNIGHT_MS + 120_000, [_row(90, 150, 3000)], 60), ids)
    assert same is one
    assert [(s.seconds, s.up_bytes, s.down_bytes) for s in same.told()] == [(90, 150, 3000)]


def test_what_was_used_before_the_first_look_is_shared_over_its_half_hours(ids: Callable[[], str]) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS + 600_000, [_row(1200, 0, 12 * MB)]), ids)
    first = MIDNIGHT_MS // SLOT_MS - 1
    assert one.slots == {first: [600, 0, 6 * MB], first + 1: [600, 0, 6 * MB]}


def test_a_new_session_with_the_same_user_and_device_is_another_one(ids: Callable[[], str]) -> None:
    (old,) = follow([], Look(MIDNIGHT_MS, [_row(600, 10, 10)]), ids)
    found = follow([old], Look(MIDNIGHT_MS + 60_000, [_row(20, 1, 2)], 60), ids)
    assert [(one.id, one.seconds, one.end) for one in found] == [("s2", 20, ""), ("s1", 600, GONE)]


def test_a_jump_of_the_boxs_clock_ends_no_session_and_loses_no_second(ids: Callable[[], str]) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS, [_row(600)]), ids)
    for jump_ms in (86_400_000 * 365, -3_600_000):
        (one,) = follow([one], Look(MIDNIGHT_MS + jump_ms, [_row(one.seconds + 60)], 60), ids)
    assert (one.id, one.seconds, _sums(one)[0]) == ("s1", 720, 720)


def test_after_a_reboot_of_the_router_all_begins_anew_at_the_last_moment_seen(ids: Callable[[], str]) -> None:
    (old,) = follow([], Look(MIDNIGHT_MS, [_row(600, 10, 10)]), ids)
    found = follow([old], Look(MIDNIGHT_MS + 300_000, [_row(100)], 300, rebooted=True), ids)
    assert [(one.id, one.end, one.seen_ms) for one in found] == [
        ("s2", "", MIDNIGHT_MS + 300_000),
        ("s1", REBOOT, MIDNIGHT_MS),
    ]


def test_the_rest_after_the_last_look_comes_from_the_counters_added_up_at_logout(ids: Callable[[], str]) -> None:
    before = {"k7mp": Totals(1000, 5, 50)}
    (one,) = follow([], Look(MIDNIGHT_MS, [_row(60, 7, 70)], counters=before), ids)
    (one,) = follow([one], Look(MIDNIGHT_MS + 60_000, [], 60, counters={"k7mp": Totals(1085, 20, 220)}), ids)
    assert (one.seconds, one.up_bytes, one.down_bytes, one.end) == (85, 15, 170, GONE)
    assert one.seen_ms == MIDNIGHT_MS + 25_000


@pytest.mark.parametrize(
    "after", [Totals(900, 5, 50), Totals(1400, 500, 5000), Totals(1085, 6, 220), Totals(1000, 5, 50)]
)
def test_counters_that_cannot_be_this_sessions_alone_are_not_believed(ids: Callable[[], str], after: Totals) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS, [_row(60, 7, 70)], counters={"k7mp": Totals(1000, 5, 50)}), ids)
    (one,) = follow([one], Look(MIDNIGHT_MS + 60_000, [], 60, counters={"k7mp": after}), ids)
    assert (one.seconds, one.up_bytes, one.down_bytes) == (60, 7, 70)


@pytest.mark.parametrize(
    ("last", "kicked", "end"),
    [
        (_row(600, seconds_left=30), False, LIMIT),
        (_row(600, seconds_left=3000), False, GONE),
        (_row(600, idle=600), False, IDLE),
        (_row(600, seconds_left=30), True, "kicked"),
    ],
)
def test_the_end_has_the_reason_that_the_rows_tell(ids: Callable[[], str], last: Seen, kicked: bool, end: str) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS, [last]), ids)
    (one,) = follow([one], Look(MIDNIGHT_MS + 60_000, [], 60, kicked={one.id: "kicked"} if kicked else {}), ids)
    assert one.end == end


def test_bytes_that_fall_within_a_session_take_nothing_back(ids: Callable[[], str]) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS, [_row(60, 100, 1000)]), ids)
    (one,) = follow([one], Look(MIDNIGHT_MS + 60_000, [_row(120, 40, 1500)], 60), ids)
    assert (one.up_bytes, one.down_bytes) == (100, 1500)


@given(
    st.lists(
        st.tuples(st.integers(1, 4000), st.integers(0, 10**9), st.integers(0, 10**10), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_the_half_hours_of_a_session_are_exactly_what_it_used(looks: list[tuple[int, int, int, bool]]) -> None:
    numbers = itertools.count(1)
    now_ms, uptime, up, down = MIDNIGHT_MS, 0, 0, 0
    running: list[Session] = []
    for elapsed, more_up, more_down, box_restarted in looks:
        now_ms += elapsed * 1000
        uptime, up, down = uptime + elapsed, up + more_up, down + more_down
        look = Look(now_ms, [_row(uptime, up, down)], None if box_restarted else elapsed)
        running = follow(running, look, lambda: f"s{next(numbers)}")
    (one,) = running
    assert _sums(one) == (one.seconds, one.up_bytes, one.down_bytes) == (uptime, up, down)
    assert all(seconds <= 1800 for seconds, _, _ in one.slots.values())
    assert one.started_ms == now_ms - uptime * 1000


def test_a_new_pseudonym_of_the_month_begins_no_new_session(ids: Callable[[], str]) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS, [_row(600, 10, 100)]), ids)
    row = _row(660, 11, 110)._replace(guest="another")
    (same,) = follow([one], Look(MIDNIGHT_MS + 60_000, [row], 60), ids)
    assert (same.id, same.guest, same.seconds, _sums(same)) == ("s1", "guest", 660, (660, 11, 110))


@pytest.mark.parametrize("late", [0, 18, 59])
def test_an_answer_that_comes_late_counts_nothing_twice(ids: Callable[[], str], late: int) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS, [_row(3600, 10, 100)]), ids)
    (same,) = follow([one], Look(MIDNIGHT_MS + 60_000, [_row(3600 + late, 11, 110)], 60), ids)
    assert (same.id, same.seconds, same.down_bytes) == ("s1", 3600 + late, 110)


def test_who_should_have_been_seen_before_is_counted_from_the_last_look_on(ids: Callable[[], str]) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS + 60_000, [_row(7200, 500, 9000)], 60), ids)
    assert (one.seconds, one.up_bytes, one.down_bytes) == (60, 0, 0)
    (one,) = follow([one], Look(MIDNIGHT_MS + 120_000, [_row(7260, 510, 9100)], 60), ids)
    assert (one.seconds, one.up_bytes, one.down_bytes) == (120, 10, 100)


def test_after_a_reboot_what_ran_since_is_counted_whole(ids: Callable[[], str]) -> None:
    found = follow([], Look(MIDNIGHT_MS, [_row(100, 1, 2)], 60, rebooted=True), ids)
    assert [(one.seconds, one.down_bytes) for one in found] == [(100, 2)]


@given(st.integers(-10 * 48, 50 * 365 * 48), st.integers(-800_000, 800_000))
def test_a_clock_put_right_moves_half_hours_as_the_server_does(half_hours: int, more_ms: int) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS, [_row(4000, 7, 70)]), lambda: "s1")
    before, jump_ms = dict(one.slots), half_hours * SLOT_MS + more_ms
    one.move(jump_ms)
    assert sorted(one.slots) == [slot + half_hours for slot in sorted(before)]
    assert list(one.slots.values()) == list(before.values())
    assert one.untold == set(one.slots)


def test_one_reading_tells_the_oldest_half_hours_first_and_what_fits(ids: Callable[[], str]) -> None:
    (one,) = follow([], Look(MIDNIGHT_MS, [_row(200 * 1800)]), ids)
    told = one.told()
    assert (len(told), told[0].number) == (MOST_SLOTS, min(one.slots))
