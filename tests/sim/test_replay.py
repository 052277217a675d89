import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path

import pytest

from kampungnet_sim import snmp_ber as ber
from kampungnet_sim.fleet import FleetOptions, draw_ont_access
from kampungnet_sim.replay import (
    RecordingError,
    ReplayEngine,
    command_of,
    read_folder,
    read_rows,
    read_snmprec,
    recorded_version,
)
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_server import RouterServer
from kampungnet_sim.snmp_server import AgentOptions, serve_snmp
from kampungnet_sim.village import Village, draw_profile
from tests.sim.stage import Client, Clock, needed, on_stage, row_of, run

OWN = Path(__file__).parents[2] / "agents/kampungnet_sim/recordings"


@asynccontextmanager
async def replayed(folder: Path) -> AsyncIterator[Client]:
    recorded = read_folder(folder)
    profile = draw_profile("1", "x", 1, version=recorded_version(recorded, "6.49.10"))
    router = SimulatedRouter(Village(profile), Clock())
    server = RouterServer(router, engine=ReplayEngine(router, recorded))
    client = Client(*await asyncio.open_connection("127.0.0.1", await server.start()))
    try:
        if profile.ros.plain_login:
            await client.ask("/login", "=name=admin", f"=password={router.users['admin'].password}")
        yield client
    finally:
        await server.close()
        await client.close()


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("_system_resource_print.json", "/system/resource/print"),
        ("_ping.json", "/ping"),
        ("ip_hotspot_walled-garden_ip.json", "/ip/hotspot/walled-garden/ip/print"),
        ("_interface_ethernet_monitor.json", "/interface/ethernet/monitor"),
    ],
)
def test_file_names_are_commands(file: str, command: str) -> None:
    assert command_of(file) == command


async def test_guessed_types_are_turned_back_into_what_was_on_the_wire(shared: Path) -> None:
    folder = shared / "recordings/routeros/napalm-ros/test_get_environment/CCR2004-16G-2S+"
    recorded = json.loads((folder / "_system_health_print.json").read_text())["data"]
    async with replayed(folder) as client:
        rows = await client.rows("/system/health/print")
        assert [row["name"] for row in rows] == [row["name"] for row in recorded]
        assert [row["value"] for row in rows] == [str(row["value"]) for row in recorded]
        [fan] = await client.rows("/system/health/print", "?name=fan1-speed", "=.proplist=value")
        assert fan == {"value": "6090"}


async def test_what_was_not_recorded_is_no_such_command(shared: Path) -> None:
    async with replayed(shared / "recordings/routeros/home-assistant-core") as client:
        for command in ("/system/resource/print", "/ping", "/ip/hotspot/user/add"):
            trap, done = await client.ask(command, "=address=1", "=name=x")
            assert (row_of(trap)["message"], done) == ("no such command", ["!done"])
        [row] = await client.rows("/interface/wireless/registration-table/print")
        assert (row["bytes"], row["ap"], row["signal-to-noise"]) == ("17536671,2966351", "false", "52")


async def test_a_recorded_ping_is_answered_row_by_row(shared: Path) -> None:
    async with replayed(shared / "recordings/routeros/napalm-ros/test_ping/7.x") as client:
        rows = await client.rows("/ping", "=address=127.0.0.1", "=count=5")
        assert rows[0]["time"] == "9ms445us"


def test_every_recorded_folder_can_be_read(shared: Path) -> None:
    recordings = shared / "recordings/routeros"
    folders = {file.parent for name in ("napalm-ros", "terraform-provider-routeros", "home-assistant-core")
               for file in (recordings / name).rglob("*.json")}  # fmt: skip
    assert len(folders) > 20
    assert all(read_folder(folder) for folder in folders)


def test_the_replay_names_the_version_of_its_recording(shared: Path) -> None:
    folder = shared / "recordings/routeros/napalm-ros/test_get_facts/pc"
    assert recorded_version(read_folder(folder), "?") == "6.33.3 (stable)"


def walked_values(path: Path) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for line in path.read_text(errors="surrogateescape").splitlines():
        if line.strip():
            name, tag, value = line.split("|", 2)
            found.setdefault(name, (tag, value))
    return found


async def bulkwalk(path: Path) -> list[str]:
    access = draw_ont_access(1, path.name)
    options = AgentOptions[None](access.community, lambda: None, lambda _: (1, 1))
    transport, port = await serve_snmp(read_snmprec(path), options)
    try:
        _, said = await run(
            needed("snmpbulkwalk", "snmp"), "-v2c", "-c", access.community, "-t", "5", "-One", "-Oxt",
            f"127.0.0.1:{port}", "1",
        )  # fmt: skip
    finally:
        transport.close()
    return [line for line in said.splitlines() if line.startswith(".1") and "past the end" not in line]


async def test_recorded_walks_are_walked_whole_and_in_order(shared: Path) -> None:
    recordings = shared / "recordings"
    for name in ("ont/librenms/snmpsim/calix_716ge", "ont/librenms/snmpsim/parks-switch"):
        path = recordings / f"{name}.snmprec"
        lines = await bulkwalk(path)
        names = [line[1:].split(" = ")[0] for line in lines]
        recorded = walked_values(path)
        assert names == sorted(recorded, key=ber.parse_oid)
        counted = {line[1:].split(" = ")[0]: line.rsplit(" ", 1)[1] for line in lines if "Counter" in line}
        assert counted
        assert all(recorded[one][1] == value for one, value in counted.items())


def test_every_recorded_walk_can_be_read(shared: Path) -> None:
    files = sorted((shared / "recordings").rglob("*.snmprec"))
    assert len(files) > 20
    for file in files:
        names = {line.partition("|")[0] for line in file.read_text(errors="replace").splitlines() if line.strip()}
        assert len(read_snmprec(file)) == len(names)


@pytest.mark.parametrize("line", ["1.3.6|2", "1.3.6|99|5", "1.3.6|2|five", "one|2|5", "1.3.6|4x|zz"])
def test_a_broken_walk_is_refused_with_its_place(line: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.snmprec"
    file.write_text(f"1.3.6.1|2|1\n{line}\n")
    with pytest.raises(RecordingError, match=r"broken\.snmprec:2"):
        read_snmprec(file)


def test_a_broken_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"data": 5}')
    with pytest.raises(RecordingError):
        read_rows(tmp_path / "a.json")
    with pytest.raises(RecordingError):
        read_folder(tmp_path / "empty")


async def test_our_own_recordings_say_that_they_are_synthetic_and_can_be_replayed() -> None:
    assert "synthetic" in (OWN / "README.md").read_text().lower()
    async with replayed(OWN / "synthetic-hotspot") as client:
        rows = await client.rows("/ip/hotspot/active/print")
        assert {"true", "00712"} <= {row["user"] for row in rows}
        monitored = await client.rows("/interface/ethernet/monitor", "=numbers=sfp1", "=once=")
        assert monitored[0]["sfp-rx-power"] == "-21.48"


@pytest.mark.parametrize("name", ["listen_then_cancel", "proplist_property_absent_in_all_rows", "quit"])
async def test_recorded_conversations_have_the_shape_of_ours(shared: Path, name: str) -> None:
    lines = json.loads((shared / "recordings/routeros/wire/transcripts.json").read_text())[name]["lines"]
    async with on_stage(FleetOptions(model="hex")) as stage:
        client = await stage.client()
        if name == "listen_then_cancel":
            # What is listened to differs; who is answered in which order must not.
            client.send("/ip/hotspot/ip-binding/listen", ".tag=10")
            client.send("/cancel", "=tag=10", ".tag=20")
            heard = [await client.read() for _ in range(3)]
            assert heard == [words[1:] for words in lines if words[1] in ("!trap", "!done")]
            return
        for words in (line for line in lines if line[0] == "C"):
            client.send(*words[1:])
        answer = await client.answer()
        expected = [words[1:] for words in lines if words[0] == "R"]
        # How many services a version has differs; that each is a sentence without words must not.
        assert [one for one, _ in groupby(answer)] == [one for one, _ in groupby(expected)]


async def test_a_refused_old_login_sounds_as_recorded(shared: Path) -> None:
    recorded = json.loads((shared / "recordings/routeros/wire/transcripts.json").read_text())
    expected = [words[1:] for words in recorded["login_pre_6_43_failed"]["lines"] if words[0] == "R"]
    async with on_stage(FleetOptions(model="rb951", version="6.40.5")) as stage:
        client = await stage.connect()
        [[done, ret]] = await client.ask("/login")
        assert ([done], len(ret)) == (expected[0][:1], 37)
        answer = await client.ask("/login", "=name=admin", "=response=00" + "0" * 32)
        assert answer == expected[1:]
