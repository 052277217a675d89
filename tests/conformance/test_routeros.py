"""Recorded RouterOS answers as API sentences over a real socket, to the real driver."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import pytest

from kampungnet.shared import wire
from kampungnet_agent.driver import Polled
from kampungnet_agent.drivers.mikrotik import MikrotikDriver
from kampungnet_agent.drivers.routeros_sentences import SentenceReader
from kampungnet_sim.replay import ReplayEngine, read_file, recorded_version
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_server import RouterServer
from kampungnet_sim.village import Village, draw_profile
from tests.agent.drivers.conftest import Settings
from tests.conformance.router_rows import READERS, Told, seconds
from tests.conformance.shelf import Kind, Recording
from tests.sim.stage import Client, Clock, sentence

Rows = Mapping[str, list[dict[str, str]]]
MODERN: Final = "7.20.4 (stable)"
KEYS: Final = {
    "interfaces": "interface",
    "sensors": "name",
    "pings": "target",
    "radios": "interface",
    "hotspots": "name",
    "users": "name",
    "queues": "name",
    "netwatch": "host",
}
"""Which field of an item tells it from the others."""


@asynccontextmanager
async def replayed(
    recorded: Rows, version: str = "", account: str = "kampungnet"
) -> AsyncIterator[tuple[str, str, str]]:
    """Serve recorded rows as one router; yield its address, an account and its password (admin sees secrets, too)."""
    version = version or recorded_version(dict(recorded), "6.49.10 (long-term)")
    router = SimulatedRouter(Village(draw_profile("99.99.99.2001", "recorded", 1, version=version)), Clock())
    server = RouterServer(router, engine=ReplayEngine(router, dict(recorded)))
    try:
        user = router.users[account]
        yield f"127.0.0.1:{await server.start()}", user.name, user.password
    finally:
        await server.close()


async def polled_from(recorded: Rows) -> Polled:
    async with replayed(recorded) as (address, username, secret):
        driver = MikrotikDriver(Settings(address=address, username=username, secret=secret, wan_interface=""))
        try:
            return await driver.poll()
        finally:
            await driver.close()


@pytest.mark.of(Kind.ROUTEROS_ROWS, Kind.ROUTEROS_TERMINAL)
async def test_the_driver_reads_a_recorded_router_as_its_rows_say(recording: Recording) -> None:
    recorded = read_file(recording.path)
    polled = await polled_from(recorded)
    assert isinstance(polled.body, wire.RouterBody)
    for command, rows in recorded.items():
        reader = READERS.get(command)
        if reader is not None and rows:
            assert differences(polled.body, reader([dict(row) for row in rows])) == [], command
    resource = recorded.get("/system/resource/print")
    if resource and "uptime" in resource[0]:
        assert polled.uptime_seconds == int(seconds(resource[0]["uptime"]))


@pytest.mark.of(Kind.ROUTEROS_ROWS)
async def test_recorded_rows_arrive_as_they_were_recorded(recording: Recording) -> None:
    content = json.loads(recording.path.read_text())
    rows = content["data"] if isinstance(content, dict) else content
    expected = [{key: _on_the_wire(value) for key, value in row.items()} for row in rows]
    [(command, _)] = read_file(recording.path).items()
    async with replayed({command: expected}, MODERN, "admin") as (address, username, secret):
        host, _, port = address.rpartition(":")
        client = Client(*await asyncio.open_connection(host, int(port)))
        try:
            assert await client.ask("/login", f"=name={username}", f"=password={secret}") == [["!done"]]
            assert await client.rows(command) == expected
        finally:
            await client.close()


@pytest.mark.of(Kind.ROUTEROS_EXPORT)
def test_an_exported_configuration_is_recognised_as_one_that_no_driver_reads(recording: Recording) -> None:
    assert " by RouterOS " in recording.path.read_text(errors="replace").partition("\n")[0]


def differences(body: wire.RouterBody, told: Told) -> list[str]:
    """Return in words where the body says something else than what was told."""
    wrong: list[str] = []
    for field, expected in told.items():
        found = getattr(body, field)
        if not isinstance(expected, dict):
            wrong += [f"{field}: {found!r}, expected {expected!r}"] if found != expected else []
            continue
        named = {getattr(item, KEYS[field]): item for item in found}
        if set(expected) - named.keys():
            wrong.append(f"{field}: {sorted(named)}, expected {sorted(expected)}")
        for name in expected.keys() & named.keys():
            for part, value in expected[name].items():
                is_ = getattr(named[name], part)
                if is_ != value and not (isinstance(value, float) and is_ == pytest.approx(value)):
                    wrong.append(f"{field} {name} {part}: {is_!r}, expected {value!r}")
    return wrong


def _on_the_wire(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.of(Kind.WIRE)
def test_recorded_conversations_are_cut_into_their_sentences_however_the_network_splits_them(
    recording: Recording,
) -> None:
    content = json.loads(recording.path.read_text())
    if not recording.name.endswith("transcripts.json"):
        assert {"sentences", "index"} & content.keys(), "numbers, which the drivers' own tests compare"
        return
    told = [part for part in content.values() if isinstance(part, dict)]
    lines = [words[1:] for part in told for words in part.get("lines", []) if words[0] == "R"]
    stream = b"".join(sentence(*words) for words in lines)
    whole, bytewise = SentenceReader(), SentenceReader()
    expected = [[word.encode() for word in words] for words in lines]
    assert expected
    assert list(whole.feed(stream)) == expected
    assert [found for place in range(len(stream)) for found in bytewise.feed(stream[place : place + 1])] == expected
