"""Any box with IF-MIB, against the scripted agent."""

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet_agent.driver import DeviceUnreachable
from kampungnet_agent.drivers.generic_snmp import GenericSnmpDriver
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_snmp import ScriptedAgent, answering, impatience, optical_router


async def test_an_access_point_gives_traffic_latency_and_who_is_on_it() -> None:
    values = optical_router({}) | {"1.3.6.1.4.1.14988.1.1.1.4.0": 17, "1.3.6.1.2.1.1.5.0": b"AP Balai"}
    async with answering(ScriptedAgent(values)) as address:
        driver = GenericSnmpDriver(Settings(address=address, options={"purpose": "access_point"}))
        await driver.poll()
        polled = await driver.poll()
        findings = list(await driver.check())
        await driver.close()
    body = polled.body
    assert isinstance(body, wire.HostBody)
    assert msgspec.json.decode(msgspec.json.encode(body), type=wire.HostBody) == body
    assert (body.purpose, body.name, body.model) == (wire.Purpose.ACCESS_POINT, "AP Balai", "RouterOS CRS317")
    assert (body.wireless_clients, polled.uptime_seconds) == (17, 123)
    assert [(one.interface, one.rx_bytes) for one in body.interfaces] == [("ether1", 2**40 + 1), ("sfp1", 2**40 + 2)]
    assert body.pings[0].received
    assert body.pings[0].rtt_ms is not None
    assert all(finding.good for finding in findings)


async def test_more_interfaces_than_travel_are_cut_and_named() -> None:
    values = optical_router({})
    for index in range(3, 150):
        values |= {f"1.3.6.1.2.1.31.1.1.1.1.{index}": f"port{index}".encode()}
    async with answering(ScriptedAgent(values)) as address:
        driver = GenericSnmpDriver(Settings(address=address, wan_interface="port149"))
        body = (await driver.poll()).body
        await driver.close()
    assert isinstance(body, wire.HostBody)
    assert len(body.interfaces) == 100
    assert body.interfaces[0].interface == "port149"
    assert "interfaces: 149 on the device, 100 reported" in body.missing


async def test_a_silent_box_is_unreachable_and_told_in_indonesian() -> None:
    async with answering(ScriptedAgent({}, community=b"lain")) as address:
        driver = GenericSnmpDriver(Settings(address=address))
        with impatience():
            with pytest.raises(DeviceUnreachable):
                await driver.poll()
            (finding,) = await driver.check()
    assert "community salah" in finding.sentence
