"""Recorded SNMP walks through a real snmpsim to the real drivers, compared with the walk itself and with LibreNMS."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from kampungnet.shared import wire
from kampungnet_agent.driver import DeviceUnreachable, Driver, Polled
from kampungnet_agent.driver_loading import load_driver
from tests.agent.drivers.conftest import Settings
from tests.conformance.disagreements import DOCUMENTED, NOT_READ, undocumented
from tests.conformance.librenms import (
    Contradiction,
    Found,
    identity_contradictions,
    light_contradictions,
    port_contradictions,
)
from tests.conformance.onu_tables import TABLES, onus_of, serial
from tests.conformance.shelf import Kind, Recording, recordings
from tests.conformance.walk import Walk, read_walk
from tests.support.snmpsim import snmpsim

MOST_ONUS: Final = 256
LEVELS: Final = (
    "rx_power_dbm",
    "tx_power_dbm",
    "temperature_celsius",
    "voltage_volts",
    "bias_milliamperes",
    "no_light",
)


@pytest.fixture(scope="session")
def walks(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a snmpsim that serves every walk; the community is its path on the shelf."""
    with snmpsim(shelf, tmp_path_factory.mktemp("snmpsim")) as address:
        yield address


async def read(address: str, recording: Recording, driver: str = "ont-snmp", **options: Any) -> Polled:
    """Poll a walk once, waiting for snmpsim to have indexed it."""
    settings = Settings(address=address, secret=recording.name.removesuffix(".snmprec"), wan_interface="")
    settings.options = {**settings.options, **options}
    unit: Driver = load_driver(driver)(settings)
    try:
        for _ in range(10):
            try:
                return await unit.poll()
            except DeviceUnreachable as error:
                last = error
                await asyncio.sleep(0.2)
        raise last
    finally:
        await unit.close()


def expected_file(recording: Recording) -> Path | None:
    """Return LibreNMS' file of a walk, where there is one."""
    folders = (recording.path.parents[1] / name for name in ("data", "expected"))
    files = (folder / f"{recording.path.stem}.json" for folder in folders)
    return next((file for file in files if file.exists()), None)


async def contradictions(address: str, recording: Recording) -> list[Contradiction]:
    """Return every field in which we and LibreNMS differ."""
    file = expected_file(recording)
    if file is None:
        return []
    found, walk = Found(file), read_walk(recording.path)
    body = (await read(address, recording)).body
    assert isinstance(body, wire.OntBody)
    readings = {one.interface: one for one in body.interfaces}
    said = {"model": body.model, "version": body.version, "serial": body.serial}
    different = [*identity_contradictions(found, walk, said), *port_contradictions(found, walk, readings)]
    onus = await onus_by_row(address, recording, walk)
    for module in found.modules():
        if all(module.table != one.table for one in NOT_READ):
            ours = onus.get((module.table, module.row)) or (await read(address, recording, light_port=module.row)).body
            different += light_contradictions(module, {level: getattr(ours, level) for level in LEVELS})
    return different


async def onus_by_row(address: str, recording: Recording, walk: Walk) -> dict[tuple[str, str], wire.Onu]:
    """Return our reading of the ONUs behind an OLT, by their table and row."""
    found: dict[tuple[str, str], wire.Onu] = {}
    for table in TABLES:
        told = onus_of(walk, table)
        if told:
            body = (await read(address, recording, "olt-snmp", onus=list(told)[:MOST_ONUS])).body
            assert isinstance(body, wire.OltBody)
            ours = {serial(onu.serial): onu for onu in body.onus}
            place = table.light.rpartition(".")[0]
            found |= {(place, one["row"]): ours[name] for name, one in told.items() if name in ours}
    return found


@pytest.mark.of(Kind.WALK)
async def test_a_recorded_device_has_the_ports_that_its_walk_says(recording: Recording, walks: str) -> None:
    body = (await read(walks, recording)).body
    assert isinstance(body, wire.OntBody)
    told = [one for _, one in read_walk(recording.path).interfaces()]
    assert len(body.interfaces) == min(len(told), 200)
    for ours, expected in zip(body.interfaces, told, strict=False):
        name = expected.pop("interface")
        assert ours.interface in {name, *([ours.interface] if ours.interface.startswith(f"{name[:60]}#") else [])}
        assert {field: getattr(ours, field) for field in expected} == expected, name


@pytest.mark.of(Kind.WALK)
async def test_the_driver_for_any_device_reads_the_same_ports_and_the_name(recording: Recording, walks: str) -> None:
    ont = (await read(walks, recording)).body
    host = (await read(walks, recording, "generic-snmp")).body
    assert isinstance(ont, wire.OntBody)
    assert isinstance(host, wire.HostBody)
    assert host.interfaces == ont.interfaces[:100]
    file = expected_file(recording)
    known = Found(file).identity if file else {}
    assert host.name == known.get("name", host.name)


@pytest.mark.of(Kind.WALK)
async def test_every_onu_of_a_recorded_olt_is_told_as_its_walk_says(recording: Recording, walks: str) -> None:
    walk = read_walk(recording.path)
    ours = {serial(onu.serial): onu for onu in (await onus_by_row(walks, recording, walk)).values()}
    for table in TABLES:
        for name, told in list(onus_of(walk, table).items())[:MOST_ONUS]:
            onu = ours[name]
            assert (onu.state, onu.rx_power_dbm) == (told["state"] or onu.state, told["rx_power_dbm"]), name


@pytest.mark.of(Kind.WALK)
async def test_we_and_librenms_agree_or_it_is_written_down_who_is_wrong(recording: Recording, walks: str) -> None:
    assert undocumented(recording.name, await contradictions(walks, recording)) == []


async def test_every_documented_disagreement_still_exists(shelf: Path, walks: str) -> None:
    on_the_shelf = list(recordings(shelf, Kind.WALK))
    needed = set()
    for recording in on_the_shelf:
        for one in await contradictions(walks, recording):
            needed |= {line for line in DOCUMENTED if line.covers(recording.name, one)}
    assert [line for line in DOCUMENTED if line not in needed] == []
