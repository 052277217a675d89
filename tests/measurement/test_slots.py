"""Pure sums: readings to slots. Any order, any repetition, the same slots."""

import random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=60)
@given(readings=READINGS, seed=st.integers(0, 2**32))
def test_any_order_and_any_repetition_give_the_same_slots(readings: list[Timed], seed: int) -> None:
    chance = random.Random(seed)
    shuffled = readings + chance.choices(readings, k=len(readings)) if readings else []
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(readings)


@settings(max_examples=60)
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
