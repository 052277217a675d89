"""The drivers against the project's simulator, which shares no code with them."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet_agent.driver import LoginRefused, Polled
from kampungnet_agent.drivers.mikrotik import MikrotikDriver
from kampungnet_agent.drivers.ont_snmp import OntSnmpDriver
from kampungnet_sim.register import made_up
from tests.agent.drivers.conftest import Settings
from tests.sim.stage import calm_seed

OLD = ["--model", "hap-lite", "--version", "6.49.10"]
NEW = ["--model", "hap-ax2", "--version", "7.20.6 (stable)"]


@pytest.fixture(scope="module", params=[OLD, NEW], ids=["RouterOS 6", "RouterOS 7"])
def village(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One simulated village office: its entry in the inventory."""
    inventory = tmp_path_factory.mktemp("simulator") / "inventory.json"
    command = [sys.executable, "-m", "kampungnet_sim.main", "run", "--villages", "1", "--base-port", "0"]
    command += ["--seed", str(calm_seed(time.time(), *made_up(1)))]
    command += ["--instant-ping", "--inventory", str(inventory), *request.param]
    agents = str(Path(__file__).parents[3] / "agents")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([agents, os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield json.loads(inventory.read_text())[0]
        process.terminate()


def router_settings(village: dict[str, Any], **changes: Any) -> Settings:
    router = village["router"]
    return Settings(address=router["address"], username="kampungnet", secret=router["password"], **changes)


async def test_a_simulated_router_fills_the_whole_reading(village: dict[str, Any]) -> None:
    driver = MikrotikDriver(router_settings(village, wan_interface=village["router"]["wan_interface"]))
    first = await driver.poll()
    second = await driver.poll()
    await driver.close()
    body = second.body
    assert isinstance(body, wire.RouterBody)
    assert msgspec.json.decode(msgspec.json.encode(body), type=wire.RouterBody) == body
    assert body.version == village["router"]["version"]
    assert body.board == village["router"]["model"]
    assert None not in {body.cpu_load_percent, body.hotspot_sessions, body.hotspot_hosts, body.dhcp_leases}
    assert body.wireless_clients is not None
    assert {ping.target for ping in body.pings} == {"gateway", "internet", "internet2"}
    wan = next(one for one in body.interfaces if one.interface == body.wan_interface)
    assert wan.rx_bytes
    assert second.uptime_seconds is not None
    assert first.uptime_seconds is not None
    assert second.uptime_seconds >= first.uptime_seconds


async def test_a_simulated_router_refuses_a_wrong_password(village: dict[str, Any]) -> None:
    settings = router_settings(village)
    settings.secret = "salah"
    driver = MikrotikDriver(settings)
    with pytest.raises(LoginRefused):
        await driver.poll()
    await driver.close()


async def test_check_finds_nothing_wrong_with_a_simulated_router(village: dict[str, Any]) -> None:
    settings = router_settings(village, wan_interface=village["router"]["wan_interface"])
    findings = list(await MikrotikDriver(settings).check())
    assert [finding.sentence for finding in findings if not finding.good] == []


@pytest.mark.parametrize("version", ["2c", "3"])
async def test_a_simulated_ont_answers_both_versions_of_snmp(village: dict[str, Any], version: str) -> None:
    ont = village["ont"]
    secret = ont["community"] if version == "2c" else ont["v3_auth_password"]
    options: dict[str, str | int | bool] = {"version": version, "privacy_secret": ont["v3_priv_password"]}
    settings = Settings(address=ont["address"], username=ont["v3_username"], secret=secret, options=options)
    driver = OntSnmpDriver(settings)
    polled = await driver.poll()
    await driver.close()
    assert isinstance(polled.body, wire.OntBody)
    assert msgspec.json.decode(msgspec.json.encode(polled.body), type=wire.OntBody) == polled.body
    assert polled.body.interfaces
    assert polled.uptime_seconds


async def test_a_wrong_version_3_password_is_refused_and_not_silence(village: dict[str, Any]) -> None:
    ont = village["ont"]
    options: dict[str, str | int | bool] = {"version": "3", "privacy_secret": ont["v3_priv_password"]}
    settings = Settings(address=ont["address"], username=ont["v3_username"], secret="salah-salah", options=options)
    driver = OntSnmpDriver(settings)
    with pytest.raises(LoginRefused):
        await driver.poll()
    await driver.close()


async def test_two_devices_with_one_user_name_and_different_passwords_do_not_mix(village: dict[str, Any]) -> None:
    ont = village["ont"]
    options: dict[str, str | int | bool] = {"version": "3", "privacy_secret": ont["v3_priv_password"]}
    right, wrong = (
        OntSnmpDriver(Settings(address=ont["address"], username=ont["v3_username"], secret=secret, options=options))
        for secret in (ont["v3_auth_password"], "salah-salah")
    )
    for _ in range(2):
        polled, refused = await asyncio.gather(right.poll(), wrong.poll(), return_exceptions=True)
        assert isinstance(refused, LoginRefused)
        assert isinstance(polled, Polled)
    await right.close()
    await wrong.close()
