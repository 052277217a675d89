"""Slots of every kind of device, and counters that are not what they seem."""

from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.counters import LARGEST_FRAME_BYTES, LONGEST_STEP_MS, WRAP_32, growth_of_32_bits
from kampungnet.measurement.slots import INTERNET_DOWN, MOST, SLOT_MS, UP, Timed, fold, fold_onus
from kampungnet.shared import wire
from tests.support.server import router_body

START: Final = 1_785_430_800_000
MINUTE: Final = 60_000
SERIAL: Final = "ZTEGC1234567"


def _timed(at_ms: int, body: wire.Body | None) -> Timed:
    outcome = wire.Outcome.OK if body else wire.Outcome.UNREACHABLE
    reading = wire.Reading("boot", at_ms // 1000 + 1, "device", START + at_ms, at_ms, outcome, 1, body=body)
    return Timed(START + at_ms, reading)


def _first(body: wire.Body) -> dict[str, int]:
    return {name: slots[START] for name, slots in fold([_timed(0, body)]).items()}


def _dialled(rx: int, seconds: int | None, instance: str = "") -> wire.RouterBody:
    line = wire.CounterReading("pppoe-out1", "pppoe-out", rx_bytes=rx, instance=instance)
    return router_body(
        wan_interface="pppoe-out1", interfaces=[line], pppoe=[wire.PppoeLine("pppoe-out1", uptime_seconds=seconds)]
    )


def _received(*bodies: wire.RouterBody | wire.OntBody, name: str = "pppoe-out1") -> dict[int, int]:
    return fold([_timed(n * MINUTE, body) for n, body in enumerate(bodies)]).get(f"rx_bytes/{name}", {})


def test_a_camera_has_its_latency_and_its_traffic() -> None:
    def camera(rx: int) -> wire.HostBody:
        pings = [wire.Ping("device", "192.168.88.20", 3, 3, rtt_ms=4.25)]
        port = wire.CounterReading("eth0", rx_bytes=rx)
        return wire.HostBody(wire.Purpose.CAMERA, pings=pings, interfaces=[port])

    series = fold([_timed(0, camera(100)), _timed(MINUTE, camera(450))])
    assert {name: slots[START] for name, slots in series.items()} == {
        "readings": 2, "status": UP, "latency_us": 4_250, "rx_bytes/eth0": 350,
    }  # fmt: skip


def test_the_light_of_an_ont_goes_both_ways() -> None:
    found = _first(wire.OntBody(rx_power_dbm=-21.55, tx_power_dbm=2.104))
    assert (found["rx_power_mdbm"], found["tx_power_mdbm"]) == (-21_550, 2_104)


LIGHTS = [wire.Light("sfp1", rx_power_dbm=-18.7, tx_power_dbm=-5.2), wire.Light("sfp2", rx_power_dbm=-3.0)]
DARK = wire.Light("sfp1", no_light=True)
SILENT = wire.Light("sfp1")


@pytest.mark.parametrize(
    ("lights", "wan", "kind", "rx"),
    [
        (LIGHTS, "sfp1", "ether", -18_700), (LIGHTS, "sfp2", "ether", -3_000), (LIGHTS, "ether1", "ether", None),
        (LIGHTS[:1], "pppoe-out1", "pppoe-out", -18_700), (LIGHTS, "pppoe-out1", "pppoe-out", None),
        (LIGHTS[:1], "ether1", "ether", None), ([DARK], "sfp1", "ether", None), ([SILENT], "sfp1", "ether", None),
        ([SILENT, LIGHTS[1]], "vlan100", "vlan", -3_000), ([], "sfp1", "ether", None),
    ],
)  # fmt: skip
def test_the_light_of_a_router_is_that_of_the_module_its_line_comes_in_by(
    lights: list[wire.Light], wan: str, kind: str, rx: int | None
) -> None:
    body = router_body(lights=lights, wan_interface=wan, interfaces=[wire.CounterReading(wan, kind)])
    assert _first(body).get("rx_power_mdbm") == rx


def test_a_redialled_line_gives_no_traffic_whether_its_counter_fell_or_not() -> None:
    assert _received(_dialled(1000, 500), _dialled(1600, 560)) == {START: 600}
    assert _received(_dialled(1000, 500), _dialled(900, 20)) == {}
    assert _received(_dialled(1000, 500), _dialled(90_000_000, 20)) == {}


def test_a_line_that_redialled_soon_after_the_last_poll_and_is_older_now_is_known_by_the_time_between() -> None:
    assert _received(_dialled(1000, 10), _dialled(1600, 40)) == {}
    assert _received(_dialled(1000, 10), _dialled(1600, 69)) == {START: 600}


def test_another_interface_of_the_same_name_gives_no_traffic() -> None:
    assert _received(_dialled(1000, None, "*F01"), _dialled(5000, None, "*F02")) == {}
    assert _received(_dialled(1000, None, "*F01"), _dialled(5000, None, "*F01")) == {START: 4000}
    assert _received(_dialled(1000, None), _dialled(5000, None, "*F02")) == {START: 4000}, "a driver that learned it"


def _narrow(rx: int, packets: int | None = None, bits: int = 32) -> wire.OntBody:
    port = wire.CounterReading("eth0", rx_bytes=rx, rx_packets=packets, counter_bits=bits)
    return wire.OntBody(interfaces=[port])


def test_a_counter_of_32_bits_counts_over_its_wrap_when_the_packets_prove_it() -> None:
    assert _received(_narrow(WRAP_32 - 10, 100), _narrow(90, 110), name="eth0") == {START: 100}


def test_a_counter_of_32_bits_that_may_have_wrapped_unseen_says_nothing() -> None:
    assert _received(_narrow(10), _narrow(90), name="eth0") == {}
    assert _received(_narrow(10, 0), _narrow(90, 4_000_000), name="eth0") == {}, "six GB of packets"
    assert _received(_narrow(10, 0), _narrow(90, 2_000_000), name="eth0") == {START: 80}


def test_a_device_that_changes_from_32_to_64_bits_starts_anew() -> None:
    assert _received(_narrow(10, 0), _narrow(5_000_000_000, 90, bits=64), name="eth0") == {}


def test_counters_of_32_bits_that_were_reset_count_from_zero() -> None:
    assert growth_of_32_bits(4_000_000_000, 700, MINUTE, (5_000, 3)) == 700
    assert growth_of_32_bits(4_000_000_000, 700, 30_000, (None, None)) is None, "a wrap or a reset: nobody knows"
    assert growth_of_32_bits(1_000, 1_700, 30_000, (None, None)) == 700, "too short for 4 GB at 1 Gbit/s"
    assert growth_of_32_bits(1_000, 1_700, LONGEST_STEP_MS + 1, (1, 2)) is None


@settings(max_examples=200)
@given(start=st.integers(0, WRAP_32 - 1), grown=st.integers(0, 40 * 10**9), frame=st.integers(60, LARGEST_FRAME_BYTES))
def test_what_a_counter_of_32_bits_is_said_to_grow_by_is_what_it_grew_by(start: int, grown: int, frame: int) -> None:
    packets = -(-grown // frame)
    said = growth_of_32_bits(start, (start + grown) % WRAP_32, MINUTE, (7, 7 + packets))
    assert said in (None, grown)
    if packets * LARGEST_FRAME_BYTES < WRAP_32:
        assert said == grown


def _onu(**more: Any) -> wire.Onu:
    return wire.Onu(**({"serial": SERIAL, "state": wire.OnuState.ONLINE} | more))


def _of_onu(*onus: wire.Onu, since_ms: int = 0) -> dict[str, dict[int, int]]:
    readings = [_timed(n * MINUTE, wire.OltBody(onus=[onu, wire.Onu("HWTC00000001")])) for n, onu in enumerate(onus)]
    found = fold_onus([*readings, _timed(5 * SLOT_MS, None)], {SERIAL: since_ms})
    assert set(found) <= {SERIAL}
    return found.get(SERIAL, {})


def test_an_olt_tells_the_series_of_the_onus_that_are_asked_for_and_of_no_other() -> None:
    found = _of_onu(_onu(rx_power_dbm=-20.5, tx_power_dbm=2.0, olt_rx_power_dbm=-23.25), _onu(rx_power_dbm=-20.6))
    assert found == {
        "readings": {START: 2}, "status": {START: UP}, "rx_power_mdbm": {START: -20_600},
        "tx_power_mdbm": {START: 2_000}, "olt_rx_power_mdbm": {START: -23_250},
    }  # fmt: skip


@pytest.mark.parametrize("state", list(wire.OnuState))
def test_the_status_of_an_onu(state: wire.OnuState) -> None:
    expect = {wire.OnuState.ONLINE: {START: UP}, wire.OnuState.UNKNOWN: None}.get(state, {START: INTERNET_DOWN})
    assert _of_onu(_onu(state=state)).get("status") == expect


def test_light_that_was_measured_hours_ago_is_not_of_this_slot() -> None:
    assert "rx_power_mdbm" in _of_onu(_onu(rx_power_dbm=-20.0, light_age_seconds=3_600))
    assert "rx_power_mdbm" not in _of_onu(_onu(rx_power_dbm=-20.0, light_age_seconds=90_000))


def test_readings_from_before_an_onu_was_the_villages_are_not_its() -> None:
    assert _of_onu(_onu(), _onu(), _onu(), since_ms=START + MINUTE)["readings"] == {START: 2}
    assert _of_onu(_onu(), since_ms=MOST) == {}


def test_a_serial_number_is_known_in_whatever_way_the_olt_writes_it() -> None:
    for written in ("ZTEGC1234567", "ztegc1234567", "5A544547C1234567", "ZTEG-C123-4567"):
        assert _of_onu(_onu(serial=written)) != {}, written


def test_the_ports_of_an_olt_are_the_providers_and_have_no_slots() -> None:
    port = wire.CounterReading("gpon_1/2/1", rx_bytes=5)
    body = wire.OltBody(interfaces=[port])
    assert fold([_timed(0, body), _timed(MINUTE, body)]) == {"readings": {START: 2}, "status": {START: UP}}
