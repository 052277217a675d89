"""The further devices through the command, its files and its control socket."""

import asyncio
import json
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from kampungnet_sim.extras import ExtraWish
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.olt_service import OltWish
from kampungnet_sim.village_features import Wish
from tests.sim.far_end import asked
from tests.sim.stage import SARONGAN, on_stage, run
from tests.sim.test_camera import refused
from tests.sim.test_command_line import COMMAND, running

EVERYTHING = ["--olt", "zte-c600:40", "--olt-ssh", "--ont-ssh", "stick", "--cameras", "--access-points"]


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "agents"))


def fetch(url: str, body: dict[str, object] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=60) as answer:
        return json.load(answer)


async def test_one_agent_reads_the_olt_and_every_village_its_own_devices(tmp_path: Path) -> None:
    arguments = ["run", "--villages", "3", *EVERYTHING, "--writes-config", str(tmp_path)]
    async with running(*arguments):
        settings = [tomllib.loads(path.read_text()) for path in sorted(tmp_path.glob("*/agent.toml"))]
        drivers = [[one["driver"] for one in found["devices"]] for found in settings]
        own = ["mikrotik", "ont-snmp", "ont-ssh", "camera", "generic-snmp"]
        assert drivers == [[*own, "olt-snmp"], own, own]
        olt = settings[0]["devices"][-1]
        assert len(olt["onus"]) == 3
        secrets = [
            Path(one["password_file"]) for found in settings for one in found["devices"] if "password_file" in one
        ]
        assert len(secrets) == 3 * 4 + 1
        assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}
        community = Path(olt["password_file"]).read_text().strip()
        found = await asked({"address": olt["address"], "community": community}, "snmpget", "1.3.6.1.2.1.1.5.0")
        assert found == {"1.3.6.1.2.1.1.5.0": "ZXAN"}


async def test_devices_are_counted_and_troubled_through_the_control_socket(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    async with running("run", "--villages", "2", *EVERYTHING, "--control", "0", "--inventory", str(inventory)):
        village = json.loads(inventory.read_text())[1]
        control, name = village["control"], f"{village['village']}/camera"
        seen = await asyncio.to_thread(fetch, f"{control}/devices")
        assert (seen["olt-1"]["onus"], seen["olt-1"]["counts"]["light_reads"]) == (42, 0)
        assert sum(seen["olt-1"]["phases"].values()) == 42
        await asyncio.to_thread(fetch, f"{control}/faults", {"village": name, "fault": "device_dead"})
        assert await refused(village["camera"]["address"])
        with pytest.raises(urllib.error.HTTPError, match="404"):
            await asyncio.to_thread(fetch, f"{control}/faults", {"village": "olt-9", "fault": "device_dead"})


async def test_ports_follow_those_of_the_villages_when_the_first_is_given() -> None:
    options = FleetOptions(base_port=23_170, extras=ExtraWish(cameras=True, access_points=True))
    async with on_stage(options) as stage:
        listed = stage.fleet.inventory()[0]
        camera, point = listed["camera"], listed["access_point"]
        assert isinstance(camera, dict)
        assert isinstance(point, dict)
        ports = [int(one.rsplit(":", 1)[1]) for one in (camera["address"], camera["web_address"], point["address"])]
        assert ports == [23_175, 23_176, 23_177]


async def test_cameras_and_access_points_stand_only_in_the_villages_that_were_named() -> None:
    none = frozenset({"35.10.99.2001"})
    here = FleetOptions(extras=ExtraWish(cameras=frozenset({SARONGAN.code}), access_points=none))
    async with on_stage(here) as stage:
        listed = stage.fleet.inventory()[0]
        assert ("camera" in listed, "access_point" in listed) == (True, False)


async def test_a_silent_ont_answers_nobody_while_its_router_and_the_olt_go_on() -> None:
    options = FleetOptions(
        extras=ExtraWish(olts=(OltWish("zte-c300", 5),)), wish=Wish(silent_onts=frozenset({SARONGAN.code}))
    )
    async with on_stage(options) as stage:
        listed = stage.fleet.inventory()[0]
        ont, olt = listed["ont"], listed["olt"]
        assert isinstance(ont, dict)
        assert isinstance(olt, dict)
        silence = await asked(ont, "snmpget", "1.3.6.1.2.1.1.5.0", seconds="1")
        assert "Timeout" in silence["error"]
        assert await asked(olt, "snmpget", "1.3.6.1.2.1.1.5.0") == {"1.3.6.1.2.1.1.5.0": "ZXAN"}
        await stage.client()


async def test_without_a_wish_there_is_nothing_further() -> None:
    async with on_stage() as stage:
        assert not set(stage.fleet.inventory()[0]) & {"olt", "camera", "access_point", "ont_ssh"}
        assert stage.fleet.extras.listed() == {}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--olt", "nokia"], "must be MODEL or MODEL:HOUSES"),
        (["--olt", "bdcom", "--olt-ssh"], "no command line of bdcom is known"),
        (["--olt", "zte-c320:5000"], "has room for 1433 ONUs"),
    ],
)
async def test_what_cannot_be_had_is_said_in_one_line(words: list[str], complaint: str) -> None:
    code, said = await run(*COMMAND, "run", "--villages", "1", *words)
    assert code in (1, 2)
    assert complaint in said
    assert "Traceback" not in said
