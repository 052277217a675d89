"""Slots of every kind of device, and counters that are not what they seem."""

from typing import Any, Final

import pytest

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


def test_a_camera_has_its_latency() -> None:
    camera = wire.HostBody(wire.Purpose.CAMERA, pings=[wire.Ping("device", "192.168.88.20", 3, 3, rtt_ms=4.25)])
    assert _first(camera) == {"readings": 1, "status": UP, "latency_us": 4_250}


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
