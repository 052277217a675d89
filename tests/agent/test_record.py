"""`kampungnet-agent record`: what it writes is read again as it was, and holds no secret."""

import asyncio
from contextvars import copy_context
from pathlib import Path

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet_agent.record import Heard, RecordError, listen, record, write
from kampungnet_agent.record_tape import TAPE
from kampungnet_agent.settings import Device, Option
from kampungnet_sim.extras import ExtraWish
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.olt_service import OltWish
from tests.agent.record_circle import mask, read_again, read_expectation, same_but_names
from tests.sim.stage import SARONGAN, Stage, on_stage

ROUTERS = [("hap-lite", "6.49.10"), ("hap-ax2", "7.20.6 (stable)"), ("rb951", "6.40.5")]


def router_of(stage: Stage, folder: Path) -> Device:
    return Device(
        name="router",
        driver="mikrotik",
        address=f"127.0.0.1:{stage.port}",
        username="kampungnet",
        secret=stage.password,
        wan_interface=stage.site.village.profile.router.wan_interface,
        state_folder=str(folder),
    )


def ont_of(stage: Stage, folder: Path, version: str) -> Device:
    access = stage.site.access
    options: dict[str, Option] = {"version": "2c"}
    if version == "3":
        options = {"version": "3", "auth_protocol": "sha", "privacy_secret": access.user.priv_password}
    return Device(
        name="ont",
        driver="ont-snmp",
        address=f"127.0.0.1:{stage.site.ports['snmp']}",
        username=access.user.name if version == "3" else "",
        secret=access.user.auth_password if version == "3" else access.community,
        state_folder=str(folder),
        options=options,
    )


async def heard_from(device: Device) -> Heard:
    return await asyncio.to_thread(copy_context().run, listen, device)


async def goes_round(device: Device, folder: Path) -> wire.Body:
    """Record and replay; return the masked reading after it was proven the same."""
    heard = await heard_from(device)
    write(device, heard, folder, mask())
    expected, again = read_expectation(folder), await read_again(folder)
    assert (again.body, again.uptime_seconds) == (expected.body, expected.uptime_seconds)
    assert same_but_names(heard.polled.body, expected.body)
    return expected.body


@pytest.mark.parametrize(("model", "version"), ROUTERS)
async def test_a_recorded_router_is_read_again_as_it_was(model: str, version: str, tmp_path: Path) -> None:
    options = FleetOptions(model=model, version=version, instant_ping=True)
    async with on_stage(options) as stage:
        body = await goes_round(router_of(stage, tmp_path), tmp_path / "recording")
    assert isinstance(body, wire.RouterBody)
    assert body.interfaces
    assert body.guests
    assert body.users
    assert TAPE.get() is None, "the tape listens to one poll only"


@pytest.mark.parametrize("version", ["2c", "3"])
async def test_a_recorded_ont_is_read_again_as_it_was(version: str, tmp_path: Path) -> None:
    async with on_stage() as stage:
        body = await goes_round(ont_of(stage, tmp_path, version), tmp_path / "recording")
    assert isinstance(body, wire.OntBody)
    assert body.rx_power_dbm is not None


async def test_the_names_of_people_and_places_are_not_in_the_recording(tmp_path: Path) -> None:
    async with on_stage(FleetOptions(instant_ping=True)) as stage:
        device = router_of(stage, tmp_path)
        heard = await heard_from(device)
        write(device, heard, tmp_path / "recording", mask())
    real = heard.polled.body
    assert isinstance(real, wire.RouterBody)
    written = "\n".join(file.read_text() for file in (tmp_path / "recording").iterdir())
    names = {real.identity, real.serial, *(guest.mac for guest in real.guests), *(user.name for user in real.users)}
    assert len(names) > 10
    assert [name for name in names if len(name) > 4 and name in written] == []
    assert device.secret not in written


async def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    device = Device("router", "mikrotik", "127.0.0.1:1")
    with pytest.raises(RecordError, match="sudah ada"):
        await asyncio.to_thread(record, device, tmp_path / "there", b"k" * 32)
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.parametrize(("kind", "cli"), [("huawei", "huawei-ont"), ("stick", "gpon-stick"), ("zte", "zte-ont")])
async def test_a_recorded_command_line_is_read_again_as_it_was(kind: str, cli: str, tmp_path: Path) -> None:
    async with on_stage(FleetOptions(extras=ExtraWish(ont_ssh=kind))) as stage:
        shell = stage.fleet.extras.inventory(SARONGAN.code)["ont_ssh"]
        assert isinstance(shell, dict)
        device = Device(
            name="ont",
            driver="ont-ssh",
            address=shell["address"],
            username=shell["username"],
            secret=shell["password"],
            state_folder=str(tmp_path),
            options={"cli": cli},
        )
        body = await goes_round(device, tmp_path / "recording")
    assert isinstance(body, wire.OntBody)
    assert body.grade is not None


async def test_a_recorded_plain_device_is_read_again_as_it_was(tmp_path: Path) -> None:
    async with on_stage() as stage:
        device = msgspec.structs.replace(ont_of(stage, tmp_path, "2c"), driver="generic-snmp")
        body = await goes_round(device, tmp_path / "recording")
    assert isinstance(body, wire.HostBody)
    assert body.interfaces


@pytest.mark.parametrize("model", ["zte-c320", "zte-c600", "huawei", "ufiber"])
async def test_a_recorded_olt_is_read_again_and_names_no_customer(model: str, tmp_path: Path) -> None:
    async with on_stage(FleetOptions(extras=ExtraWish(olts=(OltWish(model),)))) as stage:
        olt = stage.fleet.extras.inventory(SARONGAN.code)["olt"]
        assert isinstance(olt, dict)
        options: dict[str, Option] = {"onus": [olt["serial"]]}
        device = Device("olt", "olt-snmp", olt["address"], secret=olt["community"], options=options)
        body = await goes_round(device, tmp_path / "recording")
    assert isinstance(body, wire.OltBody)
    [onu] = body.onus
    assert onu.rx_power_dbm is not None
    written = "\n".join(file.read_text() for file in (tmp_path / "recording").iterdir())
    raw = bytes.fromhex(olt["serial"][4:])
    shapes = (olt["serial"], olt["serial"].encode().hex(), ".".join(map(str, olt["serial"].encode())), raw.hex())
    assert [shape for shape in shapes if shape.lower() in written.lower()] == []
