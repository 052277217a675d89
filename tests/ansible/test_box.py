"""The role of the box on a booted Debian: real systemd, real sshd, a real centre beside it. Run twice."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.villages import service as villages
from tests.ansible import machines
from tests.ansible.machines import BOX_PACKAGES, Machine, Network, Played, changed
from tests.support.server import VILLAGE, prepared_database, where

pytestmark = pytest.mark.timeout(900)
SECRET = "rahasia-router-desa-ini"
REPORT_SECONDS = 120


@dataclass
class Stage:
    """A box, and the centre it reports to."""

    network: Network
    box: Machine
    database: Database
    inventory: Path

    def play(self, *arguments: str) -> Played:
        return self.network.play(self.inventory, *arguments).went_well()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    machines.ansible("ansible-playbook")
    base, folder = machines.base(*BOX_PACKAGES), tmp_path_factory.mktemp("box")
    wheel = machines.wheel(folder)
    database = prepared_database(f"sqlite:///{folder / 'kampungnet.db'}")
    with database.writes() as db:
        code = devices.issue_code(db, villages.village(db, VILLAGE), clock.now_ms())
    with (
        machines.network(folder) as network,
        network.runs(sys.executable, "-m", "kampungnet.cli", "serve", "--processes", "1", *where(database)),
        machines.machine(network, "desa", base) as box,
    ):
        host = {
            **box.inventory(), "program_wheel": str(wheel), "program_wheels": str(machines.wheels(wheel, "agent")),
            "agent_server_url": "http://127.0.0.1:8080", "agent_enrolment_code": code, "agent_read_mostly": True,
            "agent_ntp_servers": ["192.168.88.1"], "agent_secrets": {"router.password": SECRET},
            "agent_settings": {"server": {"report_interval_seconds": 5}},
            "agent_devices": [{"name": "penunjuk", "driver": "ping", "address": "127.0.0.1", "purpose": "other",
                               "port": 22, "interval_seconds": 5}],
        }  # fmt: skip
        inventory = folder / "hosts.json"
        hosts = {"boxes": {"hosts": {"desa": host}}, "servers": {}, "monitoring": {}}
        inventory.write_text(json.dumps({"all": {"children": hosts}}))
        yield Stage(network, box, database, inventory)
    database.close()


def test_a_box_is_set_up_reports_under_systemd_and_the_second_run_changes_nothing(stage: Stage) -> None:
    first = stage.play()
    assert stage.box.say("systemctl is-active kampungnet-agent") == "active"
    _await_report(stage.database)
    second, dry = stage.play(), stage.play("--check")
    assert changed([second, dry]) == [{"desa": 0}, {"desa": 0}], second.said + dry.said
    assert first.counts("changed")["desa"] > 10
    assert SECRET not in first.said
    _is_as_promised(stage.box)


def _await_report(database: Database) -> None:
    until = time.monotonic() + REPORT_SECONDS
    while time.monotonic() < until:
        with database.reads() as db:
            if db.scalar(select(Agent.last_report_ms)) is not None:
                return
        time.sleep(0.5)
    raise AssertionError("the box did not report")


def _is_as_promised(box: Machine) -> None:
    assert (
        box.say("systemctl is-enabled kampungnet-agent chrony tmp.mount unattended-upgrades").split() == ["enabled"] * 4
    )
    assert box.say("systemctl show kampungnet-agent -p NRestarts -p Type --value").split() == ["notify", "0"]
    assert box.say("stat -c '%a %U %G' /etc/kampungnet/router.password") == "640 root kampungnet"
    assert box.say("stat -c '%a %U' /var/lib/kampungnet /var/lib/kampungnet/credential").split("\n") == [
        "700 kampungnet", "600 kampungnet",
    ]  # fmt: skip
    assert "server 192.168.88.1 iburst prefer" in box.say("cat /etc/chrony/conf.d/kampungnet.conf")
    assert 'Unattended-Upgrade::Automatic-Reboot "true"' in box.say("apt-config dump")
    assert "RuntimeWatchdogUSec=30s" in box.say("systemctl show -p RuntimeWatchdogUSec")
    assert (
        box.say("ls /opt/kampungnet/lib/python3.11/site-packages | grep -ciE '^(fastapi|sqlalchemy)$' || true") == "0"
    )
