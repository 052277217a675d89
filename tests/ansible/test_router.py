"""The role of the router against the simulator's API: run twice, and when it would shut everybody out."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kampungnet_sim.fleet import FleetOptions
from tests.ansible.machines import PLAYBOOKS, ansible
from tests.sim.stage import Stage, on_stage, run

pytestmark = pytest.mark.timeout(600)
POLLER, PORTAL = "sandi-baru-kotak-desa", "sandi-lain-halaman-masuk"
HOME = ["127.0.0.0/8"]


@dataclass
class Yard:
    """A simulated router, and how Ansible reaches it."""

    stage: Stage
    folder: Path

    async def play(self, *arguments: str, **settings: Any) -> tuple[int, str, int]:
        """Run the play of routers; its exit code, what it said, and how much it changed."""
        host = {
            "ansible_connection": "local", "router_manage": True, "router_api_host": "127.0.0.1",
            "router_api_port": self.stage.port, "router_setup_username": "admin",
            "router_setup_password": self.stage.site.router.users["admin"].password,
            "router_agent_address": "127.0.0.1", "router_technician_networks": HOME,
            "router_ntp_servers": ["id.pool.ntp.org"], "router_guest_interface": "bridge-hotspot",
            "router_wan_interface": "ether1", "router_certificate_address": "192.168.88.1",
            "router_users": [{"name": "kampungnet-desa", "group": "kampungnet", "password": POLLER},
                             {"name": "kampungnet-portal", "password": PORTAL}],
            "router_hotspot": {"name": "hotspot1", "interface": "bridge-hotspot", "pool": "hs-pool",
                               "ranges": "10.5.50.10-10.5.53.254", "profile": "hsprof1", "address": "10.5.50.1",
                               "dns_name": "wifi.desa"},
            **settings,
        }  # fmt: skip
        inventory = self.folder / "hosts.json"
        inventory.write_text(json.dumps({"all": {"children": {"boxes": {"hosts": {"desa": host}}, "servers": {},
                                                              "monitoring": {}}}}))  # fmt: skip
        environment = {"ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"), "ANSIBLE_HOME": str(self.folder / "home")}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**environment, "LC_ALL": "C.UTF-8"}.items():
                patch.setenv(name, value)
            code, said = await run(
                ansible("ansible-playbook"), "-i", str(inventory), str(PLAYBOOKS / "site.yml"), "--tags", "router",
                "-e", f"ansible_python_interpreter={sys.executable}", *arguments, seconds=300,
            )  # fmt: skip
        found = re.search(r"^desa +:.*\bchanged=(\d+)", said, re.MULTILINE)
        return code, said, int(found[1]) if found else -1

    def rows(self, menu: str) -> list[dict[str, str]]:
        """Rows of a list, as the router keeps them."""
        router = self.stage.site.router
        return router.own.rows(menu) if router.own.handles(menu) else router.tables[menu].rows()


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    ansible("ansible-playbook")
    async with on_stage(FleetOptions(model="hap-ax2")) as stage:
        yield Yard(stage, tmp_path)


async def test_a_router_gets_least_rights_and_the_second_run_changes_nothing(yard: Yard) -> None:
    others = [row["comment"] for row in yard.rows("/ip/firewall/filter")]
    code, said, changed = await yard.play()
    assert code == 0, said[-5000:]
    assert changed > 0
    assert POLLER not in said
    again, dry = await yard.play(), await yard.play("--check")
    assert (again[0], again[2], dry[0], dry[2]) == (0, 0, 0, 0), again[1][-5000:] + dry[1][-3000:]

    rights = {
        row["name"]: {one for one in row["policy"].split(",") if one[0] != "!"} for row in yard.rows("/user/group")
    }
    assert rights["kampungnet"] == {"api", "read", "test"}
    assert rights["kampungnet-cadangan"] == {"ftp", "read", "ssh", "write"}
    users = {row["name"]: row for row in yard.rows("/user")}
    assert (users["kampungnet-desa"]["group"], users["kampungnet-desa"]["address"]) == ("kampungnet", "127.0.0.1/32")
    services = {row["name"]: row for row in yard.rows("/ip/service")}
    assert {name for name, row in services.items() if row["disabled"] == "true"} == {"telnet", "ftp", "www"}
    assert {services[name]["address"] for name in ("ssh", "winbox", "api", "api-ssl")} == {"127.0.0.1/32,127.0.0.0/8"}
    assert services["api-ssl"]["certificate"] == "kampungnet-api"
    rules = [row["comment"] for row in yard.rows("/ip/firewall/filter")]
    ours = [one for one in rules if one.startswith("kampungnet: ")]
    assert (rules[: len(ours)], rules[len(ours) :]) == (ours, others)
    assert len(ours) == 5
    assert yard.rows("/system/ntp/server")[0]["enabled"] == "true"
    assert yard.rows("/system/scheduler") == []
    assert not [name for name in yard.stage.site.router.flash.files if name.endswith(".backup")]


async def test_a_change_that_shuts_everybody_out_is_taken_back_by_the_router_itself(yard: Yard) -> None:
    before = {menu: yard.rows(menu) for menu in ("/user", "/user/group", "/ip/service", "/ip/firewall/filter")}
    code, said, _ = await yard.play(router_agent_address="10.9.9.9", router_technician_networks=["10.9.9.0/24"])
    assert code != 0
    assert "The router goes back to how it was by itself within" in said
    client = await yard.stage.connect()
    assert await client.ended()
    assert yard.rows("/ip/service") != before["/ip/service"]

    yard.stage.clock.forward(601)
    for _ in range(300):
        if yard.rows("/ip/service") == before["/ip/service"]:
            break
        await asyncio.sleep(0.1)
    assert {menu: yard.rows(menu) for menu in before} == before
    assert yard.rows("/system/scheduler") == []


async def test_a_router_of_version_6_asks_the_time_in_its_own_way(tmp_path: Path) -> None:
    ansible("ansible-playbook")
    async with on_stage(FleetOptions(model="rb951")) as stage:
        old = Yard(stage, tmp_path)
        first, again = await old.play(), await old.play()
        assert (first[0], again[0], again[2]) == (0, 0, 0), first[1][-3000:] + again[1][-3000:]
        (row,) = old.rows("/system/ntp/client")
        assert (row["enabled"], row["server-dns-names"]) == ("true", "id.pool.ntp.org")


async def test_a_change_is_not_built_on_one_that_was_not_confirmed(yard: Yard) -> None:
    yard.stage.site.router.tables["/system/scheduler"].add({"name": "kampungnet-kembali", "interval": "10m"})
    code, said, changed = await yard.play()
    assert (code != 0, changed) == (True, 0)
    assert "an earlier change was not confirmed" in " ".join(said.split())


@pytest.mark.parametrize(
    "wrong",
    [
        {"router_technician_networks": []},
        {"router_users": [{"name": "kampungnet-desa", "group": "full", "password": POLLER}]},
    ],
)
async def test_settings_that_leave_a_door_open_or_none_are_refused(yard: Yard, wrong: dict[str, Any]) -> None:
    code, said, changed = await yard.play(**wrong)
    assert (code != 0, changed) == (True, 0), said
