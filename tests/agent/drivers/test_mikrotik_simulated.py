"""The whole reading of a simulated router with everything a village may have, and every fault it can be given."""

import json
import os
import subprocess
import sys
import time
import tracemalloc
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kampungnet.shared import wire
from kampungnet_agent.box import Box
from kampungnet_agent.drivers.mikrotik import MikrotikDriver
from kampungnet_agent.poller import Poller
from kampungnet_agent.settings import Device
from kampungnet_agent.tally import Tally
from kampungnet_sim.register import made_up
from tests.sim.stage import calm_seed
from tests.support.ports import free_port

FEATURES = "pppoe radius capsman fasttrack second-hotspot hotspot-log latin-names update-known old-firmware".split()
DEADLINE_SECONDS = 3.0
SERVER = "kampungnet.example.go.id"

OK, UNREADABLE, UNREACHABLE = wire.Outcome.OK, wire.Outcome.UNREADABLE, wire.Outcome.UNREACHABLE


class Office:
    """One simulated village office and the socket that gives it faults."""

    def __init__(self, village: dict[str, Any], control: int) -> None:
        self.router: dict[str, Any] = village["router"]
        self._code: str = village["village"]
        self._control = f"http://127.0.0.1:{control}/faults"

    def begin(self, fault: str) -> None:
        wish = json.dumps({"village": self._code, "fault": fault}).encode()
        urllib.request.urlopen(urllib.request.Request(self._control, wish, method="POST"), timeout=60).close()

    def end_all(self) -> None:
        urllib.request.urlopen(urllib.request.Request(self._control, method="DELETE"), timeout=60).close()

    def device(self, **changes: Any) -> Device:
        router = self.router
        known = {"name": "router", "driver": "mikrotik", "address": router["address"], "username": "kampungnet"}
        known |= {"secret": router["password"], "wan_interface": router["wan_interface"], "server_host": SERVER}
        return Device(**{**known, "options": {"full": True}, **changes})


@pytest.fixture(scope="module", params=["6.49.10 (long-term)", "7.20.6 (stable)"], ids=["RouterOS 6", "RouterOS 7"])
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    inventory, control = tmp_path_factory.mktemp("simulator") / "inventory.json", free_port()
    command = [sys.executable, "-m", "kampungnet_sim.main", "run", "--villages", "1", "--base-port", "0"]
    command += ["--seed", str(calm_seed(time.time(), *made_up(1)))]
    command += ["--instant-ping", "--inventory", str(inventory), "--control", str(control), "--model", "hex-s"]
    command += ["--version", request.param, "--guests", "6", "--users", "20", "--leases", "30", "--with", *FEATURES]
    agents = str(Path(__file__).parents[3] / "agents")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([agents, os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield Office(json.loads(inventory.read_text())[0], control)
        process.terminate()


@pytest.fixture(autouse=True)
def _sound(office: Office) -> Iterator[None]:
    yield
    office.end_all()


async def test_a_simulated_router_with_everything_fills_every_part_of_a_reading(office: Office) -> None:
    driver = MikrotikDriver(office.device())
    await driver.poll()
    body = (await driver.poll()).body
    await driver.close()
    assert isinstance(body, wire.RouterBody)
    assert (len(body.guests), len(body.users), body.dhcp_leases_known) == (6, 20, 30)
    assert (body.fasttrack, body.access_points, body.latest_version != "") == (True, 2, True)
    assert [ping.target for ping in body.pings][-3:] == ["server", "internet", "internet2"]
    assert [(one.name, one.resolved) for one in body.lookups] == [(SERVER, True)]
    (line,) = body.pppoe
    assert (line.name, line.status, body.default_interface) == ("pppoe-out1", "connected", "pppoe-out1")
    (light,) = body.lights
    assert light.rx_power_dbm is not None
    assert light.module
    assert sum(radio.clients for radio in body.radios) == body.wireless_clients
    assert all(one.requests is not None for one in body.radius)
    assert [one.disabled for one in body.hotspots] == [False, True]
    assert body.radius
    assert body.queues
    assert body.netwatch
    assert body.firmware != body.firmware_available


async def test_check_warns_of_fasttrack_and_of_nothing_else(office: Office) -> None:
    findings = list(await MikrotikDriver(office.device()).check())
    (bad,) = [finding.sentence for finding in findings if not finding.good]
    assert bad.startswith("FastTrack aktif")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("garbage_bytes", {UNREADABLE}),
        ("stalled_session", {UNREACHABLE}),
        ("close_without_notice", {UNREACHABLE}),
        ("accept_never_answer", {UNREACHABLE}),
        ("trickle", {UNREACHABLE}),
        ("slow_answers", {UNREACHABLE}),
        ("endless_table", {UNREADABLE, UNREACHABLE}),
        ("huge_word", {UNREADABLE}),
        ("huge_tables", {OK}),
        ("trap_in_table", {OK}),
        ("slow_menus", {OK}),
        ("read_revoked", {OK}),
        ("test_revoked", {OK}),
        ("odd_names", {OK}),
        ("skewed_clock", {OK}),
        ("lossy_line", {OK}),
        ("dns_outage", {OK}),
        ("counters_fall", {OK}),
        ("counters_32_bit", {OK}),
        ("wrong_password", {wire.Outcome.LOGIN_REFUSED}),
    ],
)
async def test_every_fault_ends_in_time_as_a_reading_or_with_its_name(
    office: Office, fault: str, expected: set[wire.Outcome]
) -> None:
    driver = MikrotikDriver(office.device(timeout_seconds=DEADLINE_SECONDS))
    poller = Poller(office.device(timeout_seconds=DEADLINE_SECONDS), driver, Box(), Tally())
    assert (await poller.poll_once()).outcome is OK
    office.begin(fault)
    tracemalloc.start()
    began = time.monotonic()
    reading = await poller.poll_once()
    if reading.outcome is not OK and fault == "wrong_password":
        reading = await poller.poll_once()
    seconds, grown = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    await driver.close()
    assert reading.outcome in expected, reading.detail
    assert (reading.body is not None) == (reading.outcome is OK)
    assert seconds < 2 * DEADLINE_SECONDS
    assert grown < 10_000_000


async def test_what_faults_took_from_a_reading_is_named(office: Office) -> None:
    missing: dict[str, str] = {}
    for fault in ("huge_tables", "trap_in_table", "slow_menus", "read_revoked", "test_revoked"):
        office.begin(fault)
        driver = MikrotikDriver(office.device(timeout_seconds=5.0))
        body = (await driver.poll()).body
        await driver.close()
        office.end_all()
        assert isinstance(body, wire.RouterBody)
        missing[fault] = "\n".join(body.missing)
    assert "users: 100000 rows on the router, more than 400 are not read" in missing["huge_tables"]
    assert "interfaces: " in missing["trap_in_table"]
    assert "hotspot users: no answer in time" in missing["slow_menus"]
    assert "interfaces: not enough permissions (right: read)" in missing["read_revoked"]
    assert "ping internet: not enough permissions (right: test)" in missing["test_revoked"]
    assert "interfaces" not in missing["test_revoked"]
