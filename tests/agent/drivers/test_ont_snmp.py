"""The SNMP driver against a scripted agent, and its rules for what counts as light."""

import json
from pathlib import Path

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceUnreachable, LoginRefused
from kampungnet_agent.drivers.light_sources import SOURCES, Light, LightSource, light_of, number, oid
from kampungnet_agent.drivers.ont_interfaces import snmp_text
from kampungnet_agent.drivers.ont_snmp import OntSnmpDriver
from kampungnet_agent.drivers.snmp_system import uptime_of
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_snmp import ScriptedAgent, answering, impatience, optical_router

GOOD = (40, 3302, 7, -4879, -5673)
"""Recorded: routeros.snmprec, row 25."""
EMPTY = (0, 0, 0, 0, 0)
BY_FAMILY = {source.family: source for source in SOURCES}


async def body_of(agent: ScriptedAgent, **options: str) -> wire.OntBody:
    async with answering(agent) as address:
        driver = OntSnmpDriver(Settings(address=address, wan_interface="sfp1", options=dict(options)))
        try:
            body = (await driver.poll()).body
        finally:
            await driver.close()
    assert isinstance(body, wire.OntBody)
    assert msgspec.json.decode(msgspec.json.encode(body), type=wire.OntBody) == body
    return body


async def test_one_poll_reads_identity_counters_and_light() -> None:
    body = await body_of(ScriptedAgent(optical_router({1: EMPTY, 2: GOOD})))
    assert (body.model, body.serial, body.version) == ("RouterOS CRS317", "SERIAL1", "6.49.10")
    assert (body.rx_power_dbm, body.tx_power_dbm, body.no_light) == (-5.673, -4.879, False)
    assert (body.temperature_celsius, body.voltage_volts, body.bias_milliamperes) == (40, 3.302, 7)
    assert body.interfaces[0] == wire.CounterReading(
        interface="ether1", kind="ethernet", running=True, rx_bytes=2**40 + 1, tx_bytes=2**41, rx_packets=11,
        tx_packets=12, rx_errors=2, tx_errors=4, rx_drops=1, tx_drops=3,
    )  # fmt: skip
    assert body.link_up is False
    assert body.missing == []


async def test_darkness_is_told_apart_from_no_reading() -> None:
    dark = await body_of(ScriptedAgent(optical_router({2: (31, 3216, 0, -40000, -40000)})))
    assert (dark.no_light, dark.rx_power_dbm) == (True, None)
    nothing = await body_of(ScriptedAgent(optical_router({2: EMPTY})))
    assert (nothing.no_light, nothing.rx_power_dbm) == (False, None)
    assert nothing.missing == ["light level: no module with measurement (DDM) is plugged in"]


async def test_of_several_modules_the_chosen_port_counts() -> None:
    agent = ScriptedAgent(optical_router({1: GOOD, 2: (40, 3300, 7, 2000, -20000)}))
    first = await body_of(agent)
    assert first.rx_power_dbm == -5.673
    assert "light level: 2 ports measure, sfp1 is reported; set light_port" in first.missing
    assert (await body_of(agent, light_port="sfp2")).rx_power_dbm == -20.0


async def test_without_64_bit_counters_the_32_bit_ones_are_used_and_named() -> None:
    values = {name: value for name, value in optical_router({}).items() if ".31.1.1.1.6." not in name}
    body = await body_of(ScriptedAgent(values))
    assert (body.interfaces[0].rx_bytes, body.interfaces[0].tx_bytes) == (7, 8)
    assert any(entry.startswith("64-bit counters:") for entry in body.missing)


async def test_a_later_poll_costs_fewer_packets_than_the_first_look() -> None:
    agent = ScriptedAgent(optical_router({2: GOOD}))
    async with answering(agent) as address:
        driver = OntSnmpDriver(Settings(address=address))
        await driver.poll()
        first, agent.packets = agent.packets, 0
        polled = await driver.poll()
        await driver.close()
    assert polled.uptime_seconds == 123
    assert agent.packets == 1 < first


async def test_after_a_restart_names_are_learned_again() -> None:
    agent = ScriptedAgent(optical_router({}))
    async with answering(agent) as address:
        driver = OntSnmpDriver(Settings(address=address))
        await driver.poll()
        agent.values |= {"1.3.6.1.2.1.1.3.0": 100, "1.3.6.1.2.1.31.1.1.1.1.1": b"wan"}
        body = (await driver.poll()).body
        await driver.close()
    assert isinstance(body, wire.OntBody)
    assert body.interfaces[0].interface == "wan"


async def test_silence_names_both_a_dead_device_and_a_wrong_community() -> None:
    with impatience(), pytest.raises(DeviceUnreachable, match="device off, or the community is wrong"):
        await body_of(ScriptedAgent(optical_router({}), community=b"another"))


async def test_a_walk_that_breaks_off_is_a_failure_and_not_a_short_table() -> None:
    with impatience(), pytest.raises(DeviceUnreachable):
        await body_of(ScriptedAgent(optical_router({}), silent_after=2))


async def test_an_oid_that_does_not_grow_ends_its_column() -> None:
    agent = ScriptedAgent(optical_router({}), stuck_at=oid("1.3.6.1.2.1.2.2.1.3.1"))
    assert len((await body_of(agent)).interfaces) == 2


@pytest.mark.parametrize(("status", "kind"), [(16, LoginRefused), (6, LoginRefused), (5, AnswerUnreadable)])
async def test_an_error_status_is_told_by_name(status: int, kind: type[DeviceError]) -> None:
    with pytest.raises(kind):
        await body_of(ScriptedAgent(optical_router({}), status=status))


async def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    driver = OntSnmpDriver(Settings(address="ont.invalid:161"))
    with pytest.raises(DeviceUnreachable):
        await driver.poll()
    await driver.close()


async def test_check_speaks_of_light_interfaces_and_the_community() -> None:
    async with answering(ScriptedAgent(optical_router({2: GOOD}))) as address:
        driver = OntSnmpDriver(Settings(address=address, wan_interface="sfp9"))
        findings = list(await driver.check())
        await driver.close()
        wrong = OntSnmpDriver(Settings(address=address, secret="salah"))
        with impatience():
            (silent,) = await wrong.check()
        await wrong.close()
    assert [finding.good for finding in findings] == [True, True, True, False]
    assert "-5,673 dBm" in findings[1].sentence
    assert "Pilih salah satu: ether1, sfp1" in findings[3].sentence
    assert "community salah" in silent.sentence


def test_the_number_beside_dbm_counts_and_never_the_milliwatts() -> None:
    assert number(b"0.03 mW (-14.61 dBm)") == -14.61
    assert number(b"0.00 mW (-23.77 dBm)") == -23.77
    assert number(b"27.84 .C") == 27.84
    assert number(b"6.56 dbm") == 6.56
    for nothing in (b"na", b"--", b"-/-", b"N/A", b"", None):
        assert number(nothing) is None


@pytest.mark.parametrize("marker", [2147483647, -2147483648, 65535, -65535, 65535000])
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.family)
def test_markers_of_no_value_are_missing_in_every_family(source: LightSource, marker: int) -> None:
    row = {quantity.key: marker for quantity in source.quantities.values()}
    assert light_of(source, row) == Light()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.family)
def test_all_zeros_are_missing_and_zero_beside_a_living_module_is_zero_dbm(source: LightSource) -> None:
    zeros: dict[tuple[int, ...], int | bytes | str] = {one.key: 0 for one in source.quantities.values()}
    assert light_of(source, zeros) == Light()
    if "temperature" in source.quantities:
        zeros[source.quantities["temperature"].key] = 40
        assert light_of(source, zeros).rx == 0


def test_a_cage_that_says_it_is_empty_is_not_believed_further() -> None:
    parks = BY_FAMILY["HSGQ, Parks (50224)"]
    junk: dict[tuple[int, ...], int | bytes | str] = {one.column: 816 for one in parks.quantities.values()}
    (state,) = parks.no_module
    assert light_of(parks, junk | {state: 1}) == Light()
    assert light_of(parks, junk | {state: 2}).rx == 8.16


def test_a_level_no_detector_can_measure_is_no_reading() -> None:
    mikrotik = BY_FAMILY["MikroTik"]
    row: dict[tuple[int, ...], int | bytes | str] = {
        mikrotik.quantities["voltage"].column: 3300,
        mikrotik.quantities["rx"].column: -99999999,
        mikrotik.quantities["tx"].column: 101070,
    }
    assert light_of(mikrotik, row) == Light(voltage=3.3)


def test_vectors_of_the_50224_tree_are_scaled_as_recorded(shared: Path) -> None:
    vectors = json.loads((shared / "recordings/ont/vectors.json").read_text())["power_dbm"]
    mine = [one for one in vectors if one["vendor"] == "hsgq-50224" and isinstance(one["raw"], int)]
    parks = BY_FAMILY["HSGQ, Parks (50224)"]
    assert mine
    for vector in mine:
        state = 1 if "state 1" in vector["what"] else 2
        cells = (vector["raw"], 1877, state)
        row = dict(
            zip(
                (parks.quantities["rx"].column, parks.quantities["temperature"].column, *parks.no_module),
                cells,
                strict=True,
            )
        )
        assert light_of(parks, row).rx == vector["dbm"]


def test_strings_padded_with_nul_or_drawn_with_dots_are_cut() -> None:
    assert snmp_text(b"10.7.110.17\0\0\0\0\n0000") == "10.7.110.17"
    assert snmp_text(b"eth-0" + b"." * 250) == "eth-0"


def test_uptime_sees_through_the_wrap_after_497_days_but_not_through_nonsense() -> None:
    sys_uptime, engine = oid("1.3.6.1.2.1.1.3.0"), oid("1.3.6.1.6.3.10.2.1.3.0")
    assert uptime_of({sys_uptime: 100_000, engine: 42_950_672}) == 42_950_672
    assert uptime_of({sys_uptime: 100_000, engine: 999_999}) == 1000
    assert uptime_of({sys_uptime: 100_000, oid("1.3.6.1.2.1.25.1.1.0"): 900_000}) == 9000
    assert uptime_of({}) is None
