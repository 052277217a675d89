"""Journey: real answers of real devices, as others recorded them, travel all the way to metrics, pages and database.

The router's answers (napalm-ros: a CCR2004 with RouterOS 7.4, the interface table of a RouterOS 6 board, its
ping) are replayed over the real RouterOS API; two SNMP walks (a Calix ONT, a MikroTik switch with an SFP) by the
real snmpsim. The agent and the centre are the programs we ship, each in a process of its own. What must come out
is written here by hand from the recordings.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from kampungnet.core import clock
from kampungnet.devices import service as devices
from kampungnet.shared import wire
from tests.journeys.centre import Centre, centre, program
from tests.support.snmpsim import snmpsim

VILLAGE: Final = "35.10.15.2012"
REPORTED_SECONDS: Final = 120
ROUTER_FILES: Final = (
    "test_get_environment/CCR2004-16G-2S+/_system_resource_print.json",
    "test_get_environment/CCR2004-16G-2S+/_system_health_print.json",
    "test_get_facts/pc/_system_identity_print.json",
    "test_get_facts/pc/_system_routerboard_print.json",
    "test_get_interfaces_counters/normal/_interface_print.json",
    "test_ping/7.x/_ping.json",
)
UPTIME_SECONDS: Final = (11 * 24 + 23) * 3600 + 26 * 60 + 9  # 1w4d23h26m9s

EXPECTED: Final = {
    'kampungnet_device_up{device="router"}': 1.0,
    'kampungnet_device_up{device="ont"}': 1.0,
    'kampungnet_device_uptime_seconds{device="router"}': float(UPTIME_SECONDS),
    'kampungnet_router_cpu_load_ratio{device="router"}': 0.0,
    'kampungnet_router_free_memory_bytes{device="router"}': 3_950_641_152.0,
    'kampungnet_interface_receive_bytes_total{device="router",interface="ether3"}': 38_784_330_741.0,
    'kampungnet_interface_transmit_bytes_total{device="router",interface="ether3"}': 70_881_296_060.0,
    'kampungnet_ont_rx_power_dbm{device="sfp"}': -5.673,
    'kampungnet_ont_tx_power_dbm{device="sfp"}': -4.879,
}


@pytest.mark.timeout(600)
def test_recorded_answers_reach_metrics_pages_and_database(database_url: str, shared: Path, tmp_path: Path) -> None:
    with _devices(shared, tmp_path) as blocks, centre(database_url, tmp_path) as one:
        settings = _settings(one, blocks, tmp_path)
        with _agent(settings, tmp_path):
            samples = _wait_for(one, VILLAGE)
        one.sign_in()
        page = one.page(f"/desa/{VILLAGE}")
        with one.database.reads() as db:
            state = devices.village_states(db, "35.10", clock.now_ms(), VILLAGE)[0]
            bodies = {device.name: devices.body_of(device) for device in state.devices}
    found = {name: samples.get(name) for name in EXPECTED}
    assert found == EXPECTED
    assert 'kampungnet_hotspot_sessions{device="router"}' not in samples, "nobody recorded a hotspot: unknown, not 0"
    assert all(words in page for words in ("Kampunganyar", "CCR2004-16G-2S+", "7.4 (stable)", "11 hari 23 jam")), page
    assert set(bodies) == {"router", "ont", "sfp"}
    router = bodies["router"]
    assert isinstance(router, wire.RouterBody)
    assert router.version == "7.4 (stable)"
    assert any("hotspot" in sentence for sentence in router.missing), "what could not be read is named"


@contextmanager
def _devices(shared: Path, folder: Path) -> Iterator[list[str]]:
    """Replay the recordings and yield the `[[devices]]` blocks that read them."""
    recorded = folder / "router"
    recorded.mkdir()
    for name in ROUTER_FILES:
        shutil.copy(shared / "recordings/routeros/napalm-ros" / name, recorded)
    walks = folder / "walks"
    walks.mkdir()
    shutil.copy(shared / "recordings/ont/librenms/snmpsim/calix_716ge.snmprec", walks / "calix.snmprec")
    shutil.copy(shared / "recordings/routeros/librenms/snmpsim/routeros.snmprec", walks / "switch.snmprec")
    with _replayed(recorded, folder) as router, snmpsim(walks, folder) as address:
        password = _secret(folder / "router.password", str(router["password"]))
        yield [
            _block("router", "mikrotik", router["address"], password, username=router["username"], wan="ether3"),
            _block("ont", "ont-snmp", address, _secret(folder / "ont.community", "calix")),
            _block("sfp", "ont-snmp", address, _secret(folder / "sfp.community", "switch")),
        ]


def _block(name: str, driver: str, address: object, secret: Path, username: object = "", wan: str = "") -> str:
    values = {"name": name, "driver": driver, "address": address, "username": username, "wan_interface": wan}
    return "".join(f'{key} = "{value}"\n' for key, value in values.items()) + f'password_file = "{secret}"\n'


@contextmanager
def _replayed(recorded: Path, folder: Path) -> Iterator[dict[str, object]]:
    inventory = folder / "inventory.json"
    command = [program("kampungnet-sim"), "replay", "--routeros", str(recorded), "--inventory", str(inventory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
            found: dict[str, object] = json.loads(inventory.read_text())[0]["router"]
            yield found
        finally:
            process.terminate()


def _settings(one: Centre, blocks: list[str], folder: Path) -> Path:
    code = one.enrolment_code(VILLAGE).splitlines()[0]
    credential = folder / "credential"
    command = ["enrol", "--server", one.url, "--code", code, "--credential", str(credential)]
    subprocess.run([program("kampungnet-agent"), *command], check=True, capture_output=True, timeout=120)
    server = f'[server]\nurl = "{one.url}"\ncredential_file = "{credential}"\nreport_interval_seconds = 2\n'
    spool = f'[spool]\npath = "{folder / "spool.db"}"\n'
    devices = "".join(f"[[devices]]\ninterval_seconds = 2\n{block}\n" for block in blocks)
    path = folder / "agent.toml"
    path.write_text(server + spool + devices)
    return path


@contextmanager
def _agent(settings: Path, folder: Path) -> Iterator[None]:
    with (folder / "agent.log").open("wb") as log:
        process = subprocess.Popen(
            [program("kampungnet-agent"), "run", "--config", str(settings)], stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(timeout=5) == 0, (folder / "agent.log").read_text()


def _wait_for(one: Centre, village: str) -> dict[str, float]:
    """Return the samples once they are as expected, or what there is when time is over: a first poll may be late."""
    until = time.monotonic() + REPORTED_SECONDS
    while True:
        samples = one.samples(village)
        if EXPECTED.items() <= samples.items() or time.monotonic() > until:
            return samples
        time.sleep(0.3)


def _secret(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path
