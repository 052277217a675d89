"""ONTs, OLTs, cameras and access points of the project's simulator, healthy and under every fault it has for them."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kampungnet.shared import wire
from kampungnet.shared.wire import DownCause, OnuState
from kampungnet_agent.driver import DeviceError, Driver, LoginRefused
from kampungnet_agent.drivers import snmp_session
from kampungnet_agent.drivers.camera import CameraDriver
from kampungnet_agent.drivers.generic_snmp import GenericSnmpDriver
from kampungnet_agent.drivers.olt_snmp import OltSnmpDriver
from kampungnet_agent.drivers.ont_snmp import OntSnmpDriver
from kampungnet_agent.drivers.ont_ssh import OntSshDriver
from kampungnet_sim.register import made_up
from tests.agent.drivers.conftest import Settings
from tests.sim.stage import calm_seed

OLTS = ("zte-c320", "huawei", "zte-c600")
POSITIONS = {"zte-c320": "gpon-onu_1/{}/{}:{}", "huawei": "0/{}/{}:{}", "zte-c600": "gpon_onu-1/{}/{}:{}"}
DEADLINE_SECONDS = 8.0
FAULTS = (
    "wrong_request_id wrong_type walk_breaks_off stuck_oid late_answers garbage_bytes trickle hang_after_login "
    "noisy_terminal new_host_key wrong_password accept_never_answer stalled_session device_dead rtsp_hangs "
    "close_without_notice fragile_line_card"
).split()


@pytest.fixture(scope="module")
def villages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """Three simulated villages, each with an ONT, a camera and an access point, behind three OLTs."""
    inventory = tmp_path_factory.mktemp("simulator") / "inventory.json"
    command = [sys.executable, "-m", "kampungnet_sim.main", "run", "--villages", "3", "--base-port", "0"]
    command += ["--seed", str(calm_seed(time.time(), *made_up(3)))]
    command += ["--instant-ping", "--control", "0", "--inventory", str(inventory), "--cameras", "--access-points"]
    command += ["--olt-ssh", "--ont-ssh", "huawei", *(word for olt in OLTS for word in ("--olt", f"{olt}:20"))]
    agents = str(Path(__file__).parents[3] / "agents")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([agents, os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield json.loads(inventory.read_text())
        process.terminate()


def trouble(village: dict[str, Any], fault: str) -> None:
    """Let a fault befall every device."""
    body = json.dumps({"village": "*", "fault": fault, "seconds": 60}).encode()
    _control(urllib.request.Request(village["control"] + "/faults", body, {"Content-Type": "application/json"}))


def relief(village: dict[str, Any]) -> None:
    """End all faults."""
    _control(urllib.request.Request(village["control"] + "/faults", method="DELETE"))


def _control(question: urllib.request.Request) -> None:
    with urllib.request.urlopen(question, timeout=60) as answer:
        assert answer.status < 300


def olt_by_snmp(village: dict[str, Any]) -> OltSnmpDriver:
    olt = village["olt"]
    return OltSnmpDriver(Settings(address=olt["address"], secret=olt["community"], options={"onus": [olt["serial"]]}))


def by_ssh(shell: dict[str, Any], seconds: float = DEADLINE_SECONDS, **options: list[str]) -> OntSshDriver:
    return OntSshDriver(
        Settings(
            address=shell["address"],
            username=shell["username"],
            secret=shell["password"],
            options=options,
            timeout_seconds=seconds,
        )
    )


def olt_by_ssh(village: dict[str, Any], seconds: float = DEADLINE_SECONDS) -> OntSshDriver:
    olt = village["olt"]
    position = POSITIONS[olt["model"]].format(olt["slot"], olt["port"], olt["onu"])
    return by_ssh(olt["ssh"], seconds, onus=[f"{olt['serial']}={position}"])


def others(village: dict[str, Any]) -> list[Driver]:
    ont, camera, access_point = village["ont"], village["camera"], village["access_point"]
    web = int(camera["web_address"].rpartition(":")[2])
    return [
        OntSnmpDriver(Settings(address=ont["address"], secret=ont["community"], wan_interface=ont["wan_interface"])),
        by_ssh(village["ont_ssh"], 3.0),
        CameraDriver(Settings(address=camera["address"], options={"http_port": web})),
        GenericSnmpDriver(Settings(address=access_point["address"], secret=access_point["community"])),
    ]


@pytest.mark.parametrize("place", [0, 1, 2], ids=OLTS)
async def test_snmp_and_the_command_line_of_one_olt_say_the_same(villages: list[dict[str, Any]], place: int) -> None:
    village = villages[place]
    by_line = (await olt_by_ssh(village).poll()).body
    driver = olt_by_snmp(village)
    by_number = (await driver.poll()).body
    await driver.close()
    assert isinstance(by_line, wire.OltBody)
    assert isinstance(by_number, wire.OltBody)
    (typed,), (asked,) = by_line.onus, by_number.onus
    for name in ("serial", "state", "distance_metres", "last_up", "last_down"):
        assert getattr(typed, name) == getattr(asked, name), name
    assert typed.rx_power_dbm == pytest.approx(asked.rx_power_dbm, abs=0.05)
    assert typed.olt_rx_power_dbm == pytest.approx(asked.olt_rx_power_dbm, abs=0.05)
    assert (asked.state, typed.no_light) == (OnuState.ONLINE, False)
    assert by_number.interfaces[0].running


async def test_the_ont_says_from_inside_what_the_olt_says_from_outside(villages: list[dict[str, Any]]) -> None:
    inside = (await by_ssh(villages[0]["ont_ssh"]).poll()).body
    assert isinstance(inside, wire.OntBody)
    outside = (await olt_by_snmp(villages[0]).poll()).body
    assert isinstance(outside, wire.OltBody)
    assert inside.serial == outside.onus[0].serial
    assert inside.rx_power_dbm == pytest.approx(outside.onus[0].rx_power_dbm, abs=0.1)


async def test_a_power_cut_is_told_by_those_onts_that_still_can(villages: list[dict[str, Any]]) -> None:
    drivers = [olt_by_snmp(village) for village in villages]
    for driver in drivers:
        await driver.poll()
    trouble(villages[0], "power_cut")
    try:
        bodies = [(await driver.poll()).body for driver in drivers]
    finally:
        relief(villages[0])
    onus = [onu for body in bodies if isinstance(body, wire.OltBody) for onu in body.onus]
    assert len(onus) == 3
    assert {onu.state for onu in onus} <= {OnuState.DYING_GASP, OnuState.LOS, OnuState.OFFLINE}
    gasped = [one for one in onus if one.state is OnuState.DYING_GASP or one.last_down_cause is DownCause.DYING_GASP]
    assert gasped


async def test_a_cut_fibre_is_los_at_the_olt_and_darkness_at_the_ont(villages: list[dict[str, Any]]) -> None:
    driver = olt_by_snmp(villages[0])
    await driver.poll()
    trouble(villages[0], "cut_fibre")
    try:
        body = (await driver.poll()).body
        inside = (await by_ssh(villages[0]["ont_ssh"]).poll()).body
    finally:
        relief(villages[0])
    assert isinstance(body, wire.OltBody)
    assert isinstance(inside, wire.OntBody)
    assert (body.onus[0].state, body.onus[0].no_light, body.onus[0].rx_power_dbm) == (OnuState.LOS, True, None)
    assert (inside.link_up, inside.no_light, inside.rx_power_dbm) == (False, True, None)


async def test_a_camera_and_an_access_point_are_read(villages: list[dict[str, Any]]) -> None:
    _, _, camera, access_point = others(villages[1])
    seen, radio = (await camera.poll()).body, (await access_point.poll()).body
    assert isinstance(seen, wire.HostBody)
    assert isinstance(radio, wire.HostBody)
    assert [(one.name, one.answers) for one in seen.services] == [("rtsp", True), ("http", True)]
    assert radio.interfaces
    assert radio.pings[0].received
    await access_point.close()


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_ends_as_a_reading_or_a_named_failure_in_time(
    villages: list[dict[str, Any]], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snmp_session, "TIMEOUT_SECONDS", 0.5)
    drivers: list[Driver] = [olt_by_snmp(villages[0]), olt_by_ssh(villages[1], 3.0), *others(villages[2])]
    trouble(villages[0], fault)
    begun = time.monotonic()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS + 4):
            endings = await asyncio.gather(*(driver.poll() for driver in drivers), return_exceptions=True)
    finally:
        relief(villages[0])
        for driver in drivers:
            await driver.close()
    assert time.monotonic() - begun < DEADLINE_SECONDS + 2
    for driver, ending in zip(drivers, endings, strict=True):
        if isinstance(ending, BaseException):
            assert isinstance(ending, DeviceError), (fault, type(driver), ending)
            assert str(ending)


async def test_a_swapped_device_is_refused_by_its_key(villages: list[dict[str, Any]], tmp_path: Path) -> None:
    shell = villages[0]["ont_ssh"]
    settings = Settings(
        address=shell["address"], username=shell["username"], secret=shell["password"], state_folder=str(tmp_path)
    )
    driver = OntSshDriver(settings)
    await driver.poll()
    trouble(villages[0], "new_host_key")
    try:
        with pytest.raises(LoginRefused, match="host key"):
            await driver.poll()
    finally:
        relief(villages[0])
    assert await driver.poll()
