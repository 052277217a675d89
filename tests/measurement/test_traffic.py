"""Readings to the ledger's samples, and a day of it packed: any order, any repeats, the same bytes."""

import zlib
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement import traffic
from kampungnet.measurement.ledger import Flag, Ledger, Slot, Step, ledger
from kampungnet.measurement.slots import MOST, SLOT_MS, SLOTS_A_DAY, Timed
from kampungnet.shared import wire
from tests.support.server import router_body

START: Final = 1_785_430_800_000
"""2026-07-31 00:00 WIB."""
MINUTE: Final = 60_000


def _timed(minute: int, body: wire.Body | None, uptime: int | None = None) -> Timed:
    outcome = wire.Outcome.OK if body else wire.Outcome.UNREACHABLE
    at_ms = START + minute * MINUTE
    up = 86_400 + minute * 60 if uptime is None else uptime
    reading = wire.Reading(
        "boot", minute + 1, "router", at_ms, at_ms, outcome, 1, body=body, device_uptime_seconds=up
    )  # fmt: skip
    return Timed(at_ms, reading)


def _port(rx: int | None, name: str = "ether1", kind: str = "ether", **more: Any) -> wire.CounterReading:
    return wire.CounterReading(name, kind, rx_bytes=rx, tx_bytes=more.pop("tx", 0), **more)


def _router(*ports: wire.CounterReading, **more: Any) -> wire.RouterBody:
    return router_body(interfaces=list(ports), **more)


def _book(*bodies: wire.Body | None, name: str = "ether1") -> Ledger:
    return ledger(traffic.samples(_timed(minute, body) for minute, body in enumerate(bodies))[name])


def _rx(*bodies: wire.Body | None, name: str = "ether1") -> list[int]:
    return [slot.rx_bytes for slot in _book(*bodies, name=name).slots.values()]


def test_a_failed_poll_and_an_untold_counter_between_two_good_ones_lose_nothing() -> None:
    assert _rx(_router(_port(100)), None, _router(_port(300))) == [200]
    assert _rx(_router(_port(100)), _router(_port(None)), _router(_port(300))) == [200]


def test_a_device_that_tells_one_direction_only_has_no_samples() -> None:
    assert traffic.samples([_timed(0, _router(_port(100, tx=None)))]) == {}


def test_a_router_whose_wan_port_is_named_has_samples_of_that_port_and_its_bridges_only() -> None:
    ports = [_port(1), _port(2, "ether2"), _port(3, "bridge-hotspot", "bridge")]
    assert set(traffic.samples([_timed(0, _router(*ports))])) == {"ether1", "bridge-hotspot"}
    assert set(traffic.samples([_timed(0, _router(*ports, wan_interface=""))])) == {
        "ether1",
        "ether2",
        "bridge-hotspot",
    }
    assert traffic.lines([_timed(0, _router(*ports)), _timed(1, wire.OntBody())]) == {"ether1"}


def test_the_ports_of_an_olt_are_the_providers_and_those_of_a_camera_are_the_villages() -> None:
    assert traffic.samples([_timed(0, wire.OltBody(interfaces=[_port(5)]))]) == {}
    camera = wire.HostBody(wire.Purpose.CAMERA, interfaces=[_port(5, "eth0")])
    assert set(traffic.samples([_timed(0, camera)])) == {"eth0"}


def _dialled(rx: int, seconds: int | None, instance: str = "") -> wire.RouterBody:
    line = _port(rx, "pppoe-out1", "pppoe-out", instance=instance)
    lines = [wire.PppoeLine("pppoe-out1", uptime_seconds=seconds)]
    return _router(line, wan_interface="pppoe-out1", pppoe=lines)


@pytest.mark.parametrize(
    ("bodies", "rx", "flags"),
    [
        ((_dialled(1000, 500), _dialled(1600, 560)), 600, Flag.PARTLY),
        ((_dialled(1000, 500), _dialled(900, 20)), 900, Flag.PARTLY | Flag.NEW_LIFE | Flag.LOWER_BOUND),
        ((_dialled(1000, 500), _dialled(1700, 20)), 700, Flag.PARTLY | Flag.NEW_LIFE | Flag.LOWER_BOUND),
        ((_dialled(1000, 10), _dialled(1600, 40)), 600, Flag.PARTLY | Flag.NEW_LIFE | Flag.LOWER_BOUND),
        ((_dialled(1000, None, "*F1"), _dialled(5000, None, "*F2")), 5000,
         Flag.PARTLY | Flag.NEW_LIFE | Flag.LOWER_BOUND),
        ((_dialled(1000, None, "*F1"), _dialled(5000, None, "*F1")), 4000, Flag.PARTLY),
        ((_dialled(1000, None), _dialled(5000, None, "*F2")), 4000, Flag.PARTLY),
    ],
)  # fmt: skip
def test_a_dialled_line_is_known_by_its_own_time_and_number(
    bodies: tuple[wire.RouterBody, wire.RouterBody], rx: int, flags: Flag
) -> None:
    (slot,) = _book(*bodies, name="pppoe-out1").slots.values()
    assert (slot.rx_bytes, slot.flags) == (rx, flags)


def test_another_port_that_took_over_a_name_brings_none_of_its_past() -> None:
    assert _rx(_router(_port(1000, instance="*2")), _router(_port(9_000_000, instance="*7"))) == [0]


def test_the_uptime_of_a_router_proves_a_restart_and_that_of_an_snmp_agent_does_not() -> None:
    router = [_timed(0, _router(_port(1000))), _timed(1, _router(_port(5000)), uptime=20)]
    ont = [_timed(0, wire.OntBody(interfaces=[_port(1000)])),
           _timed(1, wire.OntBody(interfaces=[_port(5000)]), uptime=20)]  # fmt: skip
    counted = [sum(slot.rx_bytes for slot in ledger(traffic.samples(one)["ether1"]).slots.values())
               for one in (router, ont)]  # fmt: skip
    assert counted == [5000, 4000]


SLOTS = st.dictionaries(
    st.integers(0, SLOTS_A_DAY - 1).map(lambda place: START + place * SLOT_MS),
    st.builds(
        Slot, st.integers(0, MOST), st.integers(0, MOST), st.integers(1, SLOT_MS), st.integers(0, 63).map(Flag)
    ),
)  # fmt: skip


@settings(max_examples=60)
@given(SLOTS)
def test_a_packed_day_comes_back_as_it_was(slots: dict[int, Slot]) -> None:
    assert traffic.unpack(traffic.pack(slots, START), START) == slots
    total = traffic.summary(slots, START)
    assert total.samples == sum(slot.is_sample for slot in slots.values())
    assert len(total.peaks) == 16 * traffic.PEAKS


def test_foreign_bytes_are_no_day() -> None:
    with pytest.raises(ValueError, match="288"):
        traffic.unpack(zlib.compress(bytes(80)), START)


def test_gaps_come_back_as_they_were() -> None:
    gaps = (Step(START, START + 7_000_000, 5, 2**50, Flag.GAP), Step(1, 2, 3, 4, Flag.LOWER_BOUND))
    assert traffic.unpack_gaps(traffic.pack_gaps(gaps)) == list(gaps)
    assert traffic.pack_gaps(()) == b""
    assert traffic.unpack_gaps(b"") == []


def test_a_day_keeps_its_own_slots_and_the_gaps_that_begin_in_it() -> None:
    gaps = (Step(START - 1, START + 900_000, 1, 1), Step(START + 1, START + 10**9, 2, 2))
    book = Ledger({START - SLOT_MS: Slot(1), START: Slot(2), START + 86_400_000: Slot(3)}, gaps)
    assert traffic.cut(book, START, START + 86_400_000) == Ledger({START: Slot(2)}, gaps[1:])


def test_the_busiest_hour_is_the_first_of_the_highest_and_nothing_is_busy_on_an_empty_day() -> None:
    slots = {START + n * SLOT_MS: Slot(10, 5, SLOT_MS) for n in (1, 13, 14, 30, 31)}
    total = traffic.summary(slots, START)
    assert (total.busiest_hour, total.busiest_bytes, total.rx_bytes) == (1, 30, 50)
    assert traffic.summary({}, START).busiest_bytes == 0


def test_packed_and_young_hours_meet_within_a_slot_and_share_none_of_its_time() -> None:
    packed = {START: Slot(100, 1, 270_000, Flag.PARTLY)}
    young = {START: Slot(10, 2, 30_000, Flag.PARTLY), START + SLOT_MS: Slot(5, 5, 60_000, Flag.PARTLY)}
    assert traffic.merged(packed, young) == {START: Slot(110, 3, SLOT_MS), START + SLOT_MS: young[START + SLOT_MS]}
