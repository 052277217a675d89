"""What a router has to hold, by the hour and by use: pure."""

from datetime import datetime
from typing import Any

import pytest

from kampungnet.shared.portal_body import Way
from kampungnet.shared.wanted import (
    BindingKind,
    OpenHours,
    WantedBinding,
    WantedClick,
    WantedPlan,
    WantedPortal,
    WantedUser,
)
from kampungnet_agent.drivers.portal_changes import changes
from kampungnet_agent.drivers.portal_target import (
    BINDINGS,
    PROFILES,
    QUEUES,
    USERS,
    Around,
    Online,
    Use,
    is_open,
    limit_left,
    local_time,
    next_change_ms,
    reached,
    target,
)

NOW_MS = 1_785_470_400_000
"""31 July 2026, 11:00 WIB, a Friday."""
PLAN = WantedPlan("harian", 5000, 2000, 1000, 512, day_seconds=3600, day_bytes=100, month_bytes=1000)
USER = WantedUser("V1", "k7mp3xqwf", "harian", limit_seconds=3600)


def _wanted(**more: Any) -> WantedPortal:
    usual: dict[str, Any] = {"revision": 1, "time_zone": "Asia/Jakarta", "plans": [PLAN], "users": [USER]}
    return WantedPortal(**{**usual, **more})


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-07-31T06:59", False),
        ("2026-07-31T07:00", True),
        ("2026-07-31T20:59", True),
        ("2026-07-31T21:00", False),
        ("2026-08-01T12:00", False),
    ],
)
def test_opening_hours_begin_with_their_first_minute_and_end_before_their_last(when: str, expected: bool) -> None:
    plan = WantedPlan("sekolah", hours=[OpenHours([0, 1, 2, 3, 4], 7 * 60, 21 * 60)])
    assert is_open(plan, datetime.fromisoformat(when)) is expected


def test_hours_over_midnight_are_two_and_no_hours_are_always() -> None:
    night = WantedPlan("malam", hours=[OpenHours([5], 22 * 60, 1440), OpenHours([6], 0, 5 * 60)])
    assert is_open(night, datetime.fromisoformat("2026-08-01T23:59"))
    assert is_open(night, datetime.fromisoformat("2026-08-02T04:59"))
    assert not is_open(night, datetime.fromisoformat("2026-08-02T05:00"))
    assert is_open(WantedPlan("tamu"), datetime.fromisoformat("2026-08-02T05:00"))


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (None, False),
        (Use(0, day="2026-07-31", day_seconds=3599), False),
        (Use(0, day="2026-07-31", day_seconds=3600), True),
        (Use(0, day="2026-07-30", day_seconds=9999), False),
        (Use(0, day="2026-07-31", day_bytes=100), True),
        (Use(0, day="2026-07-31", month="2026-07", month_bytes=1000), True),
        (Use(0, day="2026-07-31", month="2026-06", month_bytes=1000), False),
    ],
)
def test_a_quota_counts_on_its_own_day_and_month(use: Use | None, expected: bool) -> None:
    assert reached(PLAN, use, local_time("Asia/Jakarta", NOW_MS)) is expected


@pytest.mark.parametrize(
    ("used", "counted", "left"),
    [(0, 0, 3600), (1200, 1200, 3600), (1200, 0, 2400), (1200, 1180, 3600), (3600, 0, 0), (4000, 4000, 0)],
)
def test_the_limit_is_lowered_by_what_the_router_forgot(used: int, counted: int, left: int) -> None:
    assert limit_left(USER, Use(0, seconds=used), counted) == left


def test_a_voucher_is_off_when_it_expired_was_used_up_or_its_days_are_over() -> None:
    for user, use in (
        (WantedUser("V1", "k", "harian", expires_ms=NOW_MS), None),
        (WantedUser("V1", "k", "harian", limit_seconds=60), Use(0, seconds=60)),
        (WantedUser("V1", "k", "harian", valid_seconds=86_400), Use(NOW_MS - 86_400_000)),
    ):
        uses = {"V1": use} if use else {}
        row = target(_wanted(users=[user]), Around(NOW_MS, uses)).tables[USERS]["kampungnet:V1"]
        assert row["disabled"] == "yes"
    fresh = WantedUser("V1", "k", "harian", valid_seconds=86_400, expires_ms=NOW_MS + 1)
    row = target(_wanted(users=[fresh]), Around(NOW_MS, {"V1": Use(NOW_MS - 86_399_000)})).tables[USERS][
        "kampungnet:V1"
    ]
    assert row["disabled"] == "no"


def test_a_block_ends_by_itself_and_a_device_nobody_can_name_any_more_has_no_row() -> None:
    bindings = [
        WantedBinding("B1", BindingKind.BLOCKED, guest="g-a", until_ms=NOW_MS + 1),
        WantedBinding("B2", BindingKind.BLOCKED, guest="g-b"),
        WantedBinding("B3", BindingKind.BYPASSED, "00:11:22:33:44:55", until_ms=NOW_MS),
    ]
    found = target(_wanted(bindings=bindings), Around(NOW_MS, macs={"g-a": "D6:00:00:00:00:01"}))
    assert found.tables[BINDINGS] == {
        "kampungnet:B1": {"mac-address": "D6:00:00:00:00:01", "type": "blocked", "disabled": "no"}
    }
    assert next_change_ms(_wanted(bindings=bindings), {}, NOW_MS) == NOW_MS + 1


def test_who_must_not_go_on_is_named_with_the_reason() -> None:
    def online(session: str, way: Way, reference: str = "", guest: str = "g-x") -> Online:
        return Online(session, guest, "user", "10.5.0.2", way, reference, "harian")

    closed = [WantedPlan("harian", hours=[OpenHours([0], 0, 1)])]
    logged_in = [
        online("a", Way.VOUCHER, "V9"),
        online("b", Way.CLICK),
        online("c", Way.VOUCHER, "V1", "g-bad"),
        online("d", Way.OTHER),
    ]
    blocked = [WantedBinding("B", BindingKind.BLOCKED, guest="g-bad")]
    found = target(_wanted(bindings=blocked), Around(NOW_MS, online=logged_in)).ended
    assert found == {"a": "revoked", "b": "closed", "c": "blocked"}
    found = target(_wanted(plans=closed, click=WantedClick("harian")), Around(NOW_MS, online=logged_in)).ended
    assert found == {"a": "revoked", "b": "closed", "c": "closed"}


def test_a_reached_quota_is_a_queue_of_that_device_alone() -> None:
    one = Online("s", "g-a", "k7mp3xqwf", "10.5.0.9", Way.VOUCHER, "V1", "harian")
    around = Around(NOW_MS, {"V1": Use(0, day="2026-07-31", day_bytes=100)}, online=[one])
    assert target(_wanted(), around).tables[QUEUES] == {
        "kampungnet:g-a": {
            "name": "kampungnet-g-a",
            "target": "10.5.0.9/32",
            "max-limit": "512k/1000k",
            "disabled": "no",
        }
    }


def test_nothing_is_to_be_done_when_the_router_prints_the_same_in_its_own_words() -> None:
    wants = {
        PROFILES: {"kampungnet-harian": {"rate-limit": "2000k/5000k", "idle-timeout": "900s", "session-timeout": "0s"}},
        USERS: {"kampungnet:V1": {"name": "k", "password": "x", "limit-uptime": "5400s", "disabled": "no"}},
    }
    rows = {
        PROFILES: [{b".id": b"*1", b"name": b"kampungnet-harian", b"rate-limit": b"2M/5M", b"idle-timeout": b"15m"}],
        USERS: [
            {
                b".id": b"*2",
                b"name": b"k",
                b"limit-uptime": b"1h30m",
                b"disabled": b"false",
                b"comment": b"kampungnet:V1",
            }
        ],
    }
    assert changes(wants, rows) == []


def test_only_our_own_rows_are_changed_or_removed_and_a_second_copy_of_one_goes() -> None:
    rows = {
        USERS: [
            {b".id": b"*1", b"name": b"k", b"comment": b"kampungnet:V1", b"disabled": b"true"},
            {b".id": b"*2", b"name": b"k2", b"comment": b"kampungnet:V1"},
            {b".id": b"*3", b"name": b"old", b"comment": b"kampungnet:V0"},
            {b".id": b"*4", b"name": b"vc", b"comment": b"vc-123"},
            {b".id": b"*5", b"name": b"no comment"},
            {b".id": b"*6", b"name": b"almost", b"comment": b"kampungnetwork"},
        ],
        PROFILES: [{b".id": b"*7", b"name": b"default"}, {b".id": b"*8", b"name": b"kampungnet-gone"}],
    }
    wants = {USERS: {"kampungnet:V1": {"name": "k", "disabled": "no"}}}
    assert [(one.menu, one.verb, one.id, one.properties) for one in changes(wants, rows)] == [
        (USERS, "set", "*1", {"disabled": "no"}),
        (USERS, "remove", "*2", {}),
        (USERS, "remove", "*3", {}),
        (PROFILES, "remove", "*8", {}),
    ]


def test_the_end_of_a_vouchers_days_is_an_instant_at_which_the_router_changes() -> None:
    user = WantedUser("V1", "k", "harian", valid_seconds=3600)
    uses = {"V1": Use(NOW_MS - 3_000_000)}
    assert next_change_ms(_wanted(users=[user]), uses, NOW_MS) == NOW_MS + 600_000
    assert next_change_ms(_wanted(users=[user]), {}, NOW_MS) > NOW_MS + 600_000
