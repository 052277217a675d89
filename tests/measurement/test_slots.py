"""Pure sums: readings to slots. Any order, any repetition, the same slots."""

import random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.counters import FASTEST_BYTES_A_SECOND, LONGEST_STEP_MS
from kampungnet.measurement.slots import (
    ABSENT,
    INTERNET_DOWN,
    MOST,
    NO_ANSWER,
    SLOT_MS,
    SLOTS_A_DAY,
    UP,
    Timed,
    fold,
    merge,
    pack,
    unpack,
)
from kampungnet.shared import wire
from tests.support.server import router_body

START: Final = 1_785_430_800_000
"""2026-07-31 00:00 WIB."""
MINUTE: Final = 60_000


def _timed(at_ms: int, rx: int | None, uptime: int | None = None, **more: Any) -> Timed:
    """One reading at ``at_ms`` after the start, by a router that has been up since a day before."""
    counters = [wire.CounterReading("ether1", rx_bytes=rx, tx_bytes=more.pop("tx", None))]
    body = more.pop("body", None) or router_body(interfaces=more.pop("interfaces", counters))
    outcome = more.pop("outcome", wire.Outcome.OK)
    up = 86_400 + at_ms // 1000 if uptime is None else uptime
    reading = wire.Reading(
        "boot", more.pop("sequence", at_ms // 1000 + 1), "router", START + at_ms, at_ms, outcome, 1,
        device_uptime_seconds=up, body=body if outcome is wire.Outcome.OK else None,
    )  # fmt: skip
    return Timed(START + at_ms, reading)


def _rx(*readings: Timed, before: Timed | None = None) -> dict[int, int]:
    """Return bytes received by slot number."""
    received = fold(readings, before).get("rx_bytes/ether1", {})
    return {(slot - START) // SLOT_MS: value for slot, value in received.items()}


def test_growth_is_the_difference_and_belongs_to_the_slot_of_the_later_reading() -> None:
    assert _rx(_timed(0, 100), _timed(MINUTE, 150), _timed(6 * MINUTE, 450)) == {0: 50, 1: 300}


def test_an_unchanged_counter_is_zero_and_not_a_gap() -> None:
    assert _rx(_timed(0, 100), _timed(MINUTE, 100)) == {0: 0}


def test_one_reading_alone_says_nothing_about_traffic() -> None:
    assert _rx(_timed(0, 100)) == {}


def test_a_counter_that_fell_gives_its_new_value() -> None:
    assert _rx(_timed(0, 1000), _timed(MINUTE, 70)) == {0: 70}


def test_a_wrap_of_32_bits_gives_the_new_value_and_never_four_gigabytes_too_many() -> None:
    assert _rx(_timed(0, 2**32 - 10), _timed(MINUTE, 90)) == {0: 90}


def test_a_reboot_between_two_readings_counts_only_what_came_after_it() -> None:
    assert _rx(_timed(0, 1000), _timed(MINUTE, 500, uptime=20)) == {0: 500}


def test_a_gap_of_more_than_ten_minutes_gives_nothing() -> None:
    assert _rx(_timed(0, 100), _timed(LONGEST_STEP_MS, 200)) == {2: 100}
    assert _rx(_timed(0, 100), _timed(LONGEST_STEP_MS + 1, 200)) == {}


def test_a_missing_counter_is_not_zero() -> None:
    assert _rx(_timed(0, 100), _timed(MINUTE, None), _timed(2 * MINUTE, 300)) == {}


def test_a_failed_poll_between_two_good_ones_loses_nothing() -> None:
    failed = _timed(MINUTE, None, outcome=wire.Outcome.UNREACHABLE)
    assert _rx(_timed(0, 100), failed, _timed(2 * MINUTE, 300)) == {0: 200}


def test_two_readings_of_one_moment_give_nothing_twice() -> None:
    assert _rx(_timed(0, 100), _timed(0, 100, sequence=2), _timed(MINUTE, 160)) == {0: 60}


def test_a_growth_no_line_can_carry_is_nothing() -> None:
    most = FASTEST_BYTES_A_SECOND * 60
    assert _rx(_timed(0, 0), _timed(MINUTE, most)) == {0: most}
    assert _rx(_timed(0, 0), _timed(MINUTE, most + 1)) == {}
    assert _rx(_timed(0, 0), _timed(MINUTE, 2**63 - 1), _timed(2 * MINUTE, 2**63 - 1)) == {0: 0}


def test_a_garbled_counter_that_falls_a_little_does_not_count_as_a_reset_with_all_its_bytes() -> None:
    assert _rx(_timed(0, 10**12), _timed(MINUTE, 10**12 - 1)) == {}


def test_an_uptime_that_falls_while_the_counter_goes_on_counts_the_difference() -> None:
    # sysUpTime is the SNMP agent's: it starts anew while the interface counts on.
    assert _rx(_timed(0, 10**9, uptime=5_000), _timed(MINUTE, 10**9 + 7, uptime=3)) == {0: 7}


def test_an_interface_that_came_later_counts_from_its_second_reading() -> None:
    new = [wire.CounterReading("bridge2", "bridge", rx_bytes=5_000_000)]
    more = [wire.CounterReading("bridge2", "bridge", rx_bytes=5_000_100)]
    series = fold([_timed(0, 1), _timed(MINUTE, 1, interfaces=new), _timed(2 * MINUTE, 1, interfaces=more)])
    assert series["rx_bytes/bridge2"] == {START: 100}


def test_a_router_whose_wan_port_is_named_has_slots_of_that_port_and_its_bridges_only() -> None:
    def ports(rx: int) -> list[wire.CounterReading]:
        kinds = {"ether1": "ether", "ether2": "ether", "bridge-hotspot": "bridge"}
        return [wire.CounterReading(name, kind, rx_bytes=rx) for name, kind in kinds.items()]

    named = fold([_timed(0, 0, interfaces=ports(5)), _timed(MINUTE, 0, interfaces=ports(8))])
    assert {name for name in named if name.startswith("rx_bytes/")} == {"rx_bytes/ether1", "rx_bytes/bridge-hotspot"}


def test_what_went_before_gives_the_first_reading_something_to_grow_from_and_adds_nothing() -> None:
    before = _timed(-MINUTE, 100)
    assert _rx(_timed(0, 130), before=before) == {0: 30}
    assert fold([], before) == {}


def test_what_went_before_is_used_in_its_place_even_when_later_ones_arrived_late() -> None:
    """The newest packed reading lies between a late young one and the live ones."""
    late, before, live = _timed(-30 * MINUTE, 20), _timed(-MINUTE, 100), _timed(0, 130)
    assert _rx(late, live, before=before) == {0: 30}
    assert _rx(_timed(-2 * MINUTE, 20), before=before) == {}


def test_gauges_are_combined_as_their_names_say() -> None:
    def body(cpu: int, sessions: int, celsius: float, rtt: float) -> wire.RouterBody:
        return router_body(
            cpu_load_percent=cpu, hotspot_sessions=sessions, sensors=[wire.Sensor("cpu", celsius, "C")],
            pings=[wire.Ping("internet", "", 3, 3, rtt)],
        )  # fmt: skip

    series = fold([_timed(0, 1, body=body(10, 5, 40.5, 20)), _timed(MINUTE, 1, body=body(31, 3, 41.25, 31))])
    expect = {"cpu_percent": 20, "hotspot_sessions": 5, "temperature_mc": 41_250, "latency_us": 25_500, "readings": 2}
    assert {name: values[START] for name, values in series.items() if name in expect} == expect


@pytest.mark.parametrize("celsius", [1e308, -1e308, 1e18, -273.15, 200.01, 5e-324])
def test_a_broken_sensor_gives_no_number_that_does_not_fit(celsius: float) -> None:
    series = fold([_timed(0, 1, body=router_body(sensors=[wire.Sensor("t", celsius, "C")]))])
    assert series.get("temperature_mc", {}) in ({}, {START: 0})
    for values in series.values():
        assert unpack(pack(values, START), START) == values


@pytest.mark.parametrize(
    ("reading", "status"),
    [
        (_timed(0, 1), UP),
        (_timed(0, 1, body=router_body(pings=[wire.Ping("internet", "", 3, 0)])), INTERNET_DOWN),
        (_timed(0, 1, body=router_body(pings=[wire.Ping("internet", "", 0, 0)])), UP),
        (_timed(0, 1, body=router_body(pings=[wire.Ping("gateway", "", 3, 0)])), UP),
        (_timed(0, 1, body=wire.OntBody(link_up=False)), INTERNET_DOWN),
        (_timed(0, 1, body=wire.OntBody(no_light=True)), INTERNET_DOWN),
        (_timed(0, 1, body=wire.OntBody()), UP),
        (_timed(0, 1, outcome=wire.Outcome.UNREACHABLE), NO_ANSWER),
        (_timed(0, 1, outcome=wire.Outcome.LOGIN_REFUSED), NO_ANSWER),
        (_timed(0, 1, outcome=wire.Outcome.UNREADABLE), NO_ANSWER),
    ],
)
def test_the_status_of_a_slot(reading: Timed, status: int) -> None:
    assert fold([reading])["status"] == {START: status}


def test_one_good_poll_in_five_minutes_is_service() -> None:
    assert fold([_timed(0, 1, outcome=wire.Outcome.UNREACHABLE), _timed(MINUTE, 1)])["status"] == {START: UP}


READINGS = st.lists(
    st.tuples(
        st.integers(0, 2000).map(lambda n: n * 7_000),
        st.one_of(st.none(), st.integers(0, 2**40)),
        st.integers(0, 100_000),
        st.sampled_from(list(wire.Outcome)),
    ),
    max_size=25,
    unique_by=lambda one: one[0],
).map(lambda rows: [_timed(at, rx, uptime, outcome=outcome, tx=uptime) for at, rx, uptime, outcome in rows])


@settings(max_examples=60, deadline=None)
@given(readings=READINGS, seed=st.integers(0, 2**32))
def test_any_order_and_any_repetition_give_the_same_slots(readings: list[Timed], seed: int) -> None:
    chance = random.Random(seed)
    shuffled = readings + chance.choices(readings, k=len(readings)) if readings else []
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(readings)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(1, 600), st.integers(0, 2**34)), min_size=1, max_size=40))
def test_a_counter_that_only_grows_is_counted_to_the_last_byte(steps: list[tuple[int, int]]) -> None:
    at = value = 0
    readings = [_timed(0, 0)]
    for seconds, grown in steps:
        at, value = at + seconds * 1000, value + min(grown, seconds * FASTEST_BYTES_A_SECOND)
        readings.append(_timed(at, value))
    assert sum(_rx(*readings).values()) == value


@settings(max_examples=60, deadline=None)
@given(readings=READINGS)
def test_traffic_is_never_negative_and_every_slot_is_a_slot(readings: list[Timed]) -> None:
    for name, values in fold(readings).items():
        assert all(slot % SLOT_MS == 0 for slot in values), name
        assert all(value >= 0 for value in values.values()), name


@settings(max_examples=60, deadline=None)
@given(readings=READINGS, cut=st.integers(0, 24))
def test_folding_in_two_parts_counts_as_much_as_at_once(readings: list[Timed], cut: int) -> None:
    """Packed hours and the young hour on top: nothing is lost where they meet."""
    ordered = sorted(readings, key=lambda one: one.taken_ms)
    early, late = ordered[:cut], ordered[cut:]
    good = [one for one in early if one.reading.body is not None]
    parts, whole = (fold(early), fold(late, good[-1] if good else None)), fold(ordered)
    for name in whole:
        if name.startswith("rx_bytes/") or name == "readings":
            assert sum(sum(part.get(name, {}).values()) for part in parts) == sum(whole[name].values())


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(0, SLOTS_A_DAY - 1), st.integers(ABSENT + 1, MOST)))
def test_a_packed_day_comes_back_as_it_was(places: dict[int, int]) -> None:
    slots = {START + place * SLOT_MS: value for place, value in places.items()}
    assert unpack(pack(slots, START), START) == slots


def test_a_packed_day_keeps_its_own_slots_only_and_never_breaks_on_a_huge_one() -> None:
    day = SLOTS_A_DAY * SLOT_MS
    slots = {START - SLOT_MS: 1, START: 2, START + day - SLOT_MS: 2**70, START + day: 4}
    assert unpack(pack(slots, START), START) == {START: 2, START + day - SLOT_MS: MOST}


def test_of_two_layers_the_new_one_wins() -> None:
    assert merge({"a": {1: 1, 2: 2}, "b": {1: 1}}, {"a": {2: 20, 3: 30}, "c": {}}) == {
        "a": {1: 1, 2: 20, 3: 30},
        "b": {1: 1},
        "c": {},
    }
