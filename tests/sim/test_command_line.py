"""The command as people use it: a process of its own, its files, its control socket, its end."""

import asyncio
import json
import stat
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet_sim.register import made_up
from kampungnet_sim.village import Village, draw_profile
from kampungnet_sim.village_events import EventKind
from tests.sim.stage import Client, calm_seed, run

AGENTS = Path(__file__).parents[2] / "agents"
COMMAND = (sys.executable, "-m", "kampungnet_sim.main")
REGISTER = """kode,nama,jenis,kode_kecamatan,kecamatan,kode_kabupaten,kabupaten,lat,lon,kodepos
35.10.01.2001,Sarongan,desa,35.10.01,Pesanggaran,35.10,Kabupaten Banyuwangi,-8.49,113.90,68488
35.10.01.2002,Pesanggaran,desa,35.10.01,Pesanggaran,35.10,Kabupaten Banyuwangi,-8.58,114.09,68488
35.10.02.2001,Sukorejo,desa,35.10.02,Bangorejo,35.10,Kabupaten Banyuwangi,-8.50,114.15,68487
"""


class Line(msgspec.Struct, forbid_unknown_fields=True):
    village: str
    reading: wire.Reading


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(AGENTS))


@pytest.fixture
def register(tmp_path: Path) -> Path:
    file = tmp_path / "villages.csv"
    file.write_text(REGISTER)
    return file


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 120) == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def call(method: str, url: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def test_run_is_ready_with_an_inventory_and_ends_within_two_seconds(register: Path, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    where = ["--register", str(register), "--inventory", str(inventory), "--seed", str(calm_seed(time.time()))]
    async with running("run", *where, "--villages", "2") as sim:
        assert stat.S_IMODE(inventory.stat().st_mode) == 0o600
        villages = json.loads(inventory.read_text())
        # Two villages of three: one of each kecamatan.
        assert [one["village"] for one in villages] == ["35.10.01.2001", "35.10.02.2001"]
        assert {"address", "username", "password", "version", "model", "wan_interface"} <= set(villages[0]["router"])
        assert {"address", "community"} <= set(villages[0]["ont"])
        host, port = villages[0]["router"]["address"].split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        start = time.monotonic()
        sim.terminate()
        assert await asyncio.wait_for(sim.wait(), 2) == 0
        assert time.monotonic() - start < 2
        writer.transport.abort()


async def test_villages_have_the_size_and_the_features_that_were_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "inventory.json"
    size = ["--guests", "40", "--users", "300", "--leases", "300"]
    size += ["--seed", str(calm_seed(time.time(), *made_up(1)))]
    async with running("run", "--villages", "1", "--inventory", str(file), *size, "--with", "pppoe", "capsman"):
        [village] = json.loads(file.read_text())
        assert village["router"]["features"] == ["capsman", "pppoe"]
        client = Client(*await asyncio.open_connection(*village["router"]["address"].split(":")))
        await client.ask("/login", "=name=kampungnet", f"=password={village['router']['password']}")
        menus = ("/ip/hotspot/active", "/ip/hotspot/user", "/ip/dhcp-server/lease", "/interface/pppoe-client")
        counts = [await client.ask(f"{menu}/print", "=count-only=") for menu in menus]
        # The user list also has the row of the router itself.
        assert [answer[0][1] for answer in counts] == ["=ret=40", "=ret=301", "=ret=300", "=ret=1"]
        await client.close()


async def test_settings_for_agents_are_written_with_their_secrets_beside_them(register: Path, tmp_path: Path) -> None:
    where = ["--register", str(register), "--writes-config", str(tmp_path / "agents")]
    async with running("run", *where, "--only", "35.10.01.2002"):
        own = tmp_path / "agents" / "35.10.01.2002"
        settings = tomllib.loads((own / "agent.toml").read_text())
        assert [device["driver"] for device in settings["devices"]] == ["mikrotik", "ont-snmp"]
        for device in settings["devices"]:
            secret = Path(device["password_file"])
            assert stat.S_IMODE(secret.stat().st_mode) == 0o600
            assert len(secret.read_text().strip()) >= 14


async def test_the_control_socket_switches_faults_and_lines(register: Path, tmp_path: Path) -> None:
    file = tmp_path / "inventory.json"
    calm = ["--seed", str(calm_seed(time.time()))]  # or its fibre may be cut just now without anybody asking for it
    where = ["--register", str(register), "--inventory", str(file), *calm]
    async with running("run", *where, "--control", "0", "--line-to", "127.0.0.1:9"):
        [first, *_] = json.loads(file.read_text())
        village, url = first["village"], first["control"]
        assert first["line"].startswith("127.0.0.1:")

        def talk() -> None:
            assert call("GET", f"{url}/villages")[1][0]["faults"] == []
            status, made = call("POST", f"{url}/faults", {"village": village, "fault": "cut_fibre", "seconds": 60})
            assert (status, made["fault"], made["seconds"]) == (200, "cut_fibre", 60)
            _, truth = call("GET", f"{url}/truth?village={village}")
            assert (truth["fibre_up"], truth["rx_power_dbm"]) == (False, -40.0)
            assert call("GET", f"{url}/villages")[1][0]["faults"] == ["cut_fibre"]
            assert call("DELETE", f"{url}/faults") == (200, {"ended": 1})
            assert call("GET", f"{url}/truth?village={village}")[1]["fibre_up"] is True
            _, line = call("POST", f"{url}/lines", {"village": "*", "cut": True})
            assert line["cut"] is True
            assert call("GET", f"{url}/villages")[1][0]["line"]["cut"] is True
            assert call("POST", f"{url}/faults", {"village": "35.99", "fault": "reboot"})[0] == 404
            assert call("POST", f"{url}/faults", {"village": village, "fault": "flood"})[0] == 400
            assert call("POST", f"{url}/faults", [1])[0] == 400
            assert call("POST", f"{url}/villages", {})[0] == 405
            assert call("GET", f"{url}/nothing")[0] == 404

        await asyncio.to_thread(talk)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--help"], 0, "Exit codes"),
        (["run", "--villages", "0"], 2, "must be 1 or more"),
        (["run", "--line-to", "192.0.2.1:80"], 2, "nothing leaves loopback"),
        (["history", "--until", "2026-01-01T00:00:00"], 2, "say the zone"),
        (["history", "--days", "-1"], 2, "must be more than 0"),
        (["history", "--days", "nan"], 2, "must be more than 0"),
        (["run", "--register", "/does/not/exist.csv"], 1, "No such file"),
        (["run", "--version", "seven"], 2, "--version"),
        (["run", "--help"], 0, "endless_table"),
        (["run", "--with", "flood"], 2, "invalid choice: 'flood'"),
        (["run", "--guests", "5000"], 2, "the fault huge_tables"),
        (["replay"], 1, "nothing to replay"),
    ],
)
async def test_mistakes_get_a_sentence_and_an_exit_code(arguments: list[str], code: int, says: str) -> None:
    found, said = await run(*COMMAND, *arguments)
    assert (found, says in said) == (code, True), said


async def test_the_villages_that_were_named_come_in_the_order_of_their_names(register: Path) -> None:
    named = ["35.10.02.2001", "35.10.01.2001", "35.10.02.2001"]
    lines = await past(register, "--days", "1", "--step", "3600", "--only", *named)
    assert list(dict.fromkeys(line.village for line in lines)) == named[:2]


@pytest.mark.parametrize(
    "words",
    [
        ["--only", "35.10.09.2001"],
        ["--silent-ont", "35.10.09.2001"],
        ["--ageing", "35.10.09.2001=2026-10-21T00:00:00+07:00"],
        ["--cut", "35.10.09.2001=2026-10-21T00:00:00+07:00,2026-10-21T03:00:00+07:00"],
    ],
)
async def test_a_village_that_is_not_in_the_register_is_named(register: Path, words: list[str]) -> None:
    code, said = await run(*COMMAND, "history", "--register", str(register), *words)
    assert (code, said) == (1, "kampungnet-sim: not in the register: 35.10.09.2001\n")


async def past(register: Path, *more: str) -> list[Line]:
    until = ["--until", "2026-11-20T00:00:00+07:00", "--seed", "5"]
    code, said = await run(*COMMAND, "history", "--register", str(register), *until, *more)
    assert code == 0, said
    return [msgspec.json.decode(line, type=Line) for line in said.splitlines()]


async def test_history_is_what_the_wire_allows_village_by_village_in_order_of_time(register: Path) -> None:
    lines = await past(register, "--days", "30", "--step", "1800")
    assert list(dict.fromkeys(line.village for line in lines)) == ["35.10.01.2001", "35.10.01.2002", "35.10.02.2001"]
    readings: dict[str, list[wire.Reading]] = defaultdict(list)
    for line in lines:
        readings[line.village].append(line.reading)
    for found in readings.values():
        assert [one.sequence for one in found] == list(range(1, len(found) + 1))
        assert [one.taken_at_ms for one in found] == sorted(one.taken_at_ms for one in found)
        assert {one.device for one in found} == {"router", "ont"}
        for one in found:
            assert (one.body is not None) == (one.outcome is wire.Outcome.OK)
    bodies = [line.reading.body for line in lines if isinstance(line.reading.body, wire.RouterBody)]
    values = sum(1 for port in bodies[0].interfaces for value in msgspec.structs.astuple(port) if value is not None)
    assert values >= 60


async def test_history_tells_the_same_story_twice_and_on_one_core(register: Path) -> None:
    first = await past(register, "--days", "2")
    assert first == await past(register, "--days", "2", "--workers", "1")


async def test_history_knows_the_silent_ont_and_the_connector_that_ages(register: Path) -> None:
    span = ["--days", "30", "--step", "21600"]
    plain, other = await past(register, *span), ("35.10.01.2002", "35.10.02.2001")
    wish = ["--silent-ont", other[0], "--ageing", f"{other[1]}=2026-10-21T00:00:00+07:00"]
    told = await past(register, *span, *wish)
    assert [line for line in told if line.village not in other] == [line for line in plain if line.village not in other]
    silent = [line.reading for line in told if line.village == other[0] and line.reading.device == "ont"]
    assert {one.outcome for one in silent} == {wire.Outcome.UNREACHABLE}
    bodies = [line.reading.body for line in told if line.village == other[1]]
    light = [one.rx_power_dbm for one in bodies if isinstance(one, wire.OntBody) and one.rx_power_dbm is not None]
    assert 1 < light[0] - light[-1] < 3.5


async def test_history_knows_when_a_fibre_was_cut(register: Path) -> None:
    cut = "35.10.01.2001=2026-11-19T10:00:00+07:00,2026-11-19T12:00:00+07:00"
    span = ["--days", "1", "--step", "300"]
    plain, told = await past(register, *span), await past(register, *span, "--cut", cut)
    assert [line for line in told if line.village != cut[:13]] == [line for line in plain if line.village != cut[:13]]
    dark = [line.reading.taken_at_ms for line in told if isinstance(body := line.reading.body, wire.OntBody)
            and line.village == cut[:13] and body.no_light]  # fmt: skip
    begin, hour = 1_795_057_200_000, 3_600_000
    assert 0 <= min(dark) - begin < 300_000
    assert 0 < begin + 2 * hour - max(dark) <= 300_000


@pytest.mark.parametrize("words", ["2026-11-19T10:00:00+07:00", "2026-11-19T10:00:00+07:00,2026-11-19T09:00:00+07:00"])
async def test_a_cut_without_an_end_or_that_ends_before_it_begins_is_refused(register: Path, words: str) -> None:
    code, said = await run(*COMMAND, "history", "--register", str(register), "--cut", f"35.10.01.2001={words}")
    assert code == 2
    assert "--cut" in said


async def test_history_shows_what_went_wrong(register: Path) -> None:
    lines = await past(register, "--days", "60", "--step", "300", "--only", "35.10.01.2001")
    village = Village(draw_profile("35.10.01.2001", "Sarongan", 5))
    end = lines[-1].reading.taken_at_ms / 1000
    events = village.events_between(end - 59 * 86_400, end)
    assert {EventKind.POWER_CUT, EventKind.REBOOT} <= {event.kind for event in events}
    boots = {line.reading.boot_id for line in lines}
    assert len(boots) > 1
    for event in events:
        during = [one.reading for one in lines if event.holds_at(one.reading.taken_at_ms / 1000)]
        router = [one for one in during if one.device == "router"]
        if event.kind is EventKind.POWER_CUT:
            assert during == []
        if event.kind is EventKind.HANG:
            assert {one.outcome for one in router} <= {wire.Outcome.UNREACHABLE}
        if event.kind is EventKind.FIBRE_CUT:
            onts = [one.body for one in during if isinstance(one.body, wire.OntBody)]
            assert all(body.rx_power_dbm is None for body in onts)
            assert all(not body.link_up for body in onts)
            pings = [p for one in router if isinstance(one.body, wire.RouterBody) for p in one.body.pings]
            assert all(ping.received == 0 for ping in pings)
