"""What real devices answered, replayed over real sockets. The recordings stay where they are."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kampungnet.shared import wire
from kampungnet_agent.driver import DeviceUnreachable
from kampungnet_agent.drivers.mikrotik import MikrotikDriver
from kampungnet_agent.drivers.ont_snmp import OntSnmpDriver
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_router import Answer, ScriptedRouter, serving
from tests.support.snmpsim import snmpsim

NAPALM = "recordings/routeros/napalm-ros"
CALIX = "ont/librenms/snmpsim/calix_716ge"
WITH_MODULE = "routeros/librenms/snmpsim/routeros"
WITHOUT_MODULE = "routeros/librenms/snmpsim/routeros_crs317"
PARKS = "ont/librenms/snmpsim/parks-switch"
VSOL = "ont/librenms/snmpsim/vsolution_v1600d"


def rows_in(file: Path) -> tuple[list[dict[str, Any]], Answer]:
    """Recorded rows were cast by librouteros; on the wire they are text."""
    recorded: list[dict[str, Any]] = json.loads(file.read_text())["data"]
    answer: Answer = []
    for row in recorded:
        texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in row.items()}
        answer.append([b"!re", *(f"={key}={value}".encode() for key, value in texts.items())])
    return recorded, [*answer, [b"!done"]]


async def poll_with(answers: dict[bytes, Answer]) -> tuple[wire.RouterBody, int | None]:
    router = ScriptedRouter()
    router.answers |= answers
    async with serving(router.speak) as port:
        driver = MikrotikDriver(Settings(address=f"127.0.0.1:{port}", wan_interface=""))
        polled = await driver.poll()
        await driver.close()
    assert isinstance(polled.body, wire.RouterBody)
    return polled.body, polled.uptime_seconds


@pytest.mark.parametrize("case", ["normal", "running_false"])
async def test_recorded_counters_arrive_exactly(shared: Path, case: str) -> None:
    recorded, answer = rows_in(shared / NAPALM / "test_get_interfaces_counters" / case / "_interface_print.json")
    body, _ = await poll_with({b"/interface/print": answer})
    assert [reading.interface for reading in body.interfaces] == [str(row["name"]) for row in recorded]
    for reading, row in zip(body.interfaces, recorded, strict=True):
        assert reading.running == row.get("running")
        assert reading.disabled == row.get("disabled", False)
        for field, name in (("rx_bytes", "rx-byte"), ("tx_bytes", "tx-byte"), ("rx_drops", "rx-drop")):
            assert getattr(reading, field) == row.get(name)
        assert (reading.tx_packets, reading.link_downs) == (row.get("tx-packet"), row.get("link-downs"))


async def test_a_recorded_ccr2004_on_version_7_gives_its_sensors_and_uptime(shared: Path) -> None:
    folder = shared / NAPALM / "test_get_environment/CCR2004-16G-2S+"
    resource, resource_answer = rows_in(folder / "_system_resource_print.json")
    health, health_answer = rows_in(folder / "_system_health_print.json")
    body, uptime = await poll_with({b"/system/resource/print": resource_answer, b"/system/health/print": health_answer})
    assert (body.version, body.board, uptime) == ("7.4 (stable)", "CCR2004-16G-2S+", 1034769)
    assert body.total_memory_bytes == resource[0]["total-memory"]
    numbers = {row["name"]: row["value"] for row in health if isinstance(row["value"], int)}
    assert {one.name: one.value for one in body.sensors if not one.name.endswith("-state")} == numbers
    assert {one.name: one.value for one in body.sensors if one.name.endswith("-state")} == {
        "psu1-state": 0,
        "psu2-state": 1,
    }


async def test_a_recorded_pc_of_version_6_gives_what_little_it_has(shared: Path) -> None:
    folder = shared / NAPALM / "test_get_facts/pc"
    names = ("system/resource", "system/routerboard", "system/identity", "interface")
    files = {name: folder / f"_{name.replace('/', '_')}_print.json" for name in names}
    body, uptime = await poll_with({f"/{name}/print".encode(): rows_in(file)[1] for name, file in files.items()})
    assert (body.identity, body.version, body.board, uptime) == ("MikroTik", "6.33.3 (stable)", "x86", 90)
    assert (body.model, body.serial, body.cpu_load_percent) == ("", "", None)
    assert body.interfaces == [wire.CounterReading(interface="ether1")]


@pytest.mark.parametrize(("case", "least"), [("7.x", 9.0), ("localhost", 0.0)])
async def test_recorded_pings_are_read_from_their_last_row(shared: Path, case: str, least: float) -> None:
    recorded, answer = rows_in(shared / NAPALM / "test_ping" / case / "_ping.json")
    body, _ = await poll_with({b"/ping": answer})
    internet = body.pings[-1]
    assert (internet.sent, internet.received) == (recorded[-1]["sent"], recorded[-1]["received"])
    assert internet.rtt_ms is not None
    assert least <= internet.rtt_ms < 10


@pytest.fixture(scope="module")
def recorded_units(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """snmpsim serving all recorded walks; the community is the file's path."""
    with snmpsim(shared / "recordings", tmp_path_factory.mktemp("snmpsim")) as address:
        yield address


@pytest.fixture
async def walked(recorded_units: str) -> AsyncIterator[Any]:
    """A function that polls one recording, waiting for snmpsim to have read it."""
    drivers: list[OntSnmpDriver] = []

    async def poll(recording: str, **changes: Any) -> tuple[wire.OntBody, int | None]:
        driver = OntSnmpDriver(Settings(address=recorded_units, secret=recording, **changes))
        drivers.append(driver)
        for attempt in range(10):
            try:
                polled = await driver.poll()
            except DeviceUnreachable:
                if attempt == 9:
                    raise
                await asyncio.sleep(0.2)
                continue
            assert isinstance(polled.body, wire.OntBody)
            return polled.body, polled.uptime_seconds
        raise AssertionError

    yield poll
    for driver in drivers:
        await driver.close()


async def test_a_recorded_calix_ont_gives_counters_and_admits_to_have_no_light(walked: Any) -> None:
    body, uptime = await walked(CALIX, wan_interface="wan-0")
    assert (body.model, body.serial, body.version) == ("716GE", "CXNK0006E6A1", "10.7.110.17")
    assert uptime == 4716736
    assert len(body.interfaces) == 12
    wan = body.interfaces[-1]
    assert (wan.interface, wan.rx_bytes, wan.tx_bytes) == ("wan-0", 898907228817, 71866595702)
    assert (body.link_up, body.rx_power_dbm, body.no_light) == (True, None, False)
    assert body.missing == ["light level: this device gives none over SNMP"]


async def test_a_recorded_mikrotik_gives_the_light_of_its_module(walked: Any) -> None:
    body, _ = await walked(WITH_MODULE, wan_interface="")
    assert (body.rx_power_dbm, body.tx_power_dbm, body.temperature_celsius) == (-5.673, -4.879, 40)


async def test_a_recorded_switch_without_modules_reads_as_missing_and_not_as_0_dbm(walked: Any) -> None:
    body, _ = await walked(WITHOUT_MODULE, wan_interface="ether1")
    assert (body.rx_power_dbm, body.no_light, len(body.interfaces)) == (None, False, 20)
    assert "light level: no module with measurement (DDM) is plugged in" in body.missing


async def test_of_a_recorded_pk_700_only_the_port_with_a_module_counts(walked: Any) -> None:
    body, _ = await walked(PARKS, wan_interface="")
    assert (body.rx_power_dbm, body.tx_power_dbm, body.temperature_celsius) == (-4.87, -6.0, 18.77)


async def test_one_unit_behind_a_recorded_v_sol_olt_is_read_by_its_index(walked: Any) -> None:
    body, _ = await walked(VSOL, wan_interface="", options={"light_port": "1.1"})
    assert body.rx_power_dbm == -14.61
