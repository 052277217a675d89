"""Bad input: whatever a router says, a poll ends in time, as a reading or a named failure, on one connection."""

import asyncio
import contextlib
import gc
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from kampungnet.shared import wire
from kampungnet_agent.box import Box
from kampungnet_agent.drivers.mikrotik import MikrotikDriver
from kampungnet_agent.poller import Poller
from kampungnet_agent.settings import Device
from kampungnet_agent.tally import Tally
from tests.agent.drivers.scripted_router import (
    ScriptedRouter,
    Sentence,
    number,
    read_sentence,
    row,
    rows,
    sentence,
    serving,
    trap,
    word,
)

DEADLINE_SECONDS = 1.0
"""Only where it is what ends a poll: tracing memory makes Python several times slower."""
MOST_GROWTH_BYTES = 10_000_000
HOSTS = b"/ip/hotspot/host/print"

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Door:
    """Counts who is connected at the same time."""

    speak: Speak
    inside: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    most: int = 0
    total: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.inside = [one for one in self.inside if not (one[0].at_eof() or one[1].is_closing())]
        self.inside.append((reader, writer))
        self.total += 1
        self.most = max(self.most, len(self.inside))
        await self.speak(reader, writer)


@dataclass
class Outcome:
    readings: list[wire.Reading] = field(default_factory=list)
    seconds: float = 0.0
    grown_bytes: int = 0


@contextlib.asynccontextmanager
async def poller_at(door: Door, **changes: object) -> AsyncIterator[Poller]:
    async with serving(door.answer) as port:
        settings: dict[str, object] = {
            "name": "router",
            "driver": "mikrotik",
            "address": f"127.0.0.1:{port}",
            "username": "kampungnet",
        }
        settings |= {"secret": "rahasia", "wan_interface": "ether1", "timeout_seconds": 60.0, **changes}
        device = Device(**settings)  # type: ignore[arg-type]  # values of several types in one dict
        driver = MikrotikDriver(device)
        try:
            yield Poller(device, driver, Box(), Tally())
        finally:
            await driver.close()


async def visited(door: Door, polls: int = 1, **changes: object) -> Outcome:
    """Poll through the real poller, and see what time and memory it took."""
    outcome = Outcome()
    async with poller_at(door, **changes) as poller:
        tracemalloc.start()
        began = time.monotonic()
        try:
            for _ in range(polls):
                outcome.readings.append(await poller.poll_once())
            outcome.seconds = time.monotonic() - began
            outcome.grown_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    return outcome


async def logged_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Let anyone in and return the tag of the first question."""
    await read_sentence(reader)
    writer.write(sentence(b"!done"))
    asked = await read_sentence(reader)
    return next(one for one in asked if one.startswith(b".tag="))


async def flood(writer: asyncio.StreamWriter, block: bytes) -> None:
    while True:
        writer.write(block)
        await writer.drain()


async def endless_rows(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tag = await logged_in(reader, writer)
    await flood(writer, sentence(b"!re", tag, b"=mac-address=AA:BB:CC:DD:EE:FF", b"=server=hotspot1") * 500)


async def endless_small_rows(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Rows of many tiny properties take the most memory for each byte of the line."""
    tag = await logged_in(reader, writer)
    properties = [b"=%c%c=" % (65 + one % 26, 65 + one // 26) for one in range(90)]
    await flood(writer, sentence(b"!re", tag, *properties) * 50)


async def endless_sentence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tag = await logged_in(reader, writer)
    writer.write(word(b"!re") + word(tag))
    await flood(writer, word(b"=a=b") * 10_000)


async def endless_traps(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tag = await logged_in(reader, writer)
    await flood(writer, sentence(b"!trap", tag, b"=message=x") * 1_000)


async def endless_empty_sentences(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await logged_in(reader, writer)
    await flood(writer, b"\0" * 60_000)


async def a_word_of_64_megabytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tag = await logged_in(reader, writer)
    writer.write(word(b"!re") + word(tag) + (0xE0000000 | 64_000_000).to_bytes(4))
    await flood(writer, b"x" * 60_000)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await logged_in(reader, writer)
    writer.write(bytes(range(255, 0, -1)))
    await reader.read()


async def half_a_sentence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tag = await logged_in(reader, writer)
    writer.write(sentence(b"!re", tag, b"=name=Balai Desa")[:-4])
    await writer.drain()
    writer.write_eof()
    await reader.read()


async def one_byte_now_and_then(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tag = await logged_in(reader, writer)
    hung_up = asyncio.ensure_future(reader.read())
    for byte in sentence(b"!re", tag, b"=name=Balai Desa") * 100:
        if hung_up.done():
            return
        writer.write(bytes([byte]))
        await asyncio.wait([hung_up], timeout=0.1)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def reboot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tag = await logged_in(reader, writer)
    writer.write(sentence(b"!re", tag, b"=name=Balai Desa"))
    await writer.drain()
    writer.transport.abort()


UNREADABLE, UNREACHABLE = wire.Outcome.UNREADABLE, wire.Outcome.UNREACHABLE


@pytest.mark.parametrize(
    "speak",
    [
        endless_rows,
        endless_small_rows,
        endless_sentence,
        endless_traps,
        endless_empty_sentences,
        a_word_of_64_megabytes,
    ],
)
async def test_an_endless_answer_is_cut_off_before_it_fills_the_memory(speak: Speak) -> None:
    outcome = await visited(Door(speak))
    (reading,) = outcome.readings
    assert (reading.outcome, reading.body) == (UNREADABLE, None)
    assert outcome.grown_bytes < MOST_GROWTH_BYTES
    assert len(reading.detail) < 400


@pytest.mark.parametrize(
    ("speak", "expected"),
    [
        (garbage, UNREADABLE),
        (half_a_sentence, UNREADABLE),
        (one_byte_now_and_then, UNREACHABLE),
        (silence, UNREACHABLE),
        (reboot, UNREACHABLE),
    ],
)
async def test_each_failure_ends_in_time_and_takes_its_connection_along(speak: Speak, expected: wire.Outcome) -> None:
    door = Door(speak)
    outcome = await visited(door, polls=2, timeout_seconds=DEADLINE_SECONDS)
    assert [reading.outcome for reading in outcome.readings] == [expected] * 2
    assert all(reading.detail and reading.body is None for reading in outcome.readings)
    assert outcome.seconds < 2 * DEADLINE_SECONDS + 4
    assert (door.most, door.total) == (1, 2)


async def test_a_hundred_thousand_hosts_are_counted_by_the_router_and_never_read() -> None:
    router = ScriptedRouter()
    router.answers[HOSTS] = number(100_000)
    outcome = await visited(Door(router.speak))
    (reading,) = outcome.readings
    assert isinstance(reading.body, wire.RouterBody)
    assert reading.body.hotspot_hosts == 100_000
    assert all(b"=count-only=" in words for words in router.asked if words[0] == HOSTS)
    assert outcome.grown_bytes < MOST_GROWTH_BYTES


async def test_a_router_that_sends_more_rows_than_it_counted_is_read_in_part_and_named() -> None:
    router = ScriptedRouter()
    path = b"/ip/hotspot/active/print"
    router.tables[path] = rows(*(row(user=f"v{one}") for one in range(20_000)))
    (reading,) = (await visited(Door(router.speak))).readings
    assert isinstance(reading.body, wire.RouterBody)
    assert len(reading.body.guests) == 300
    assert "guests: 20000 on the router, 300 reported" in reading.body.missing


async def test_a_wrong_password_is_refused_and_stays_out_of_the_reading() -> None:
    router = ScriptedRouter()
    router.answers[b"/login"] = trap("invalid user name or password (6)")
    door = Door(router.speak)
    outcome = await visited(door, polls=3)
    assert {reading.outcome for reading in outcome.readings} == {wire.Outcome.LOGIN_REFUSED}
    assert not any("rahasia" in reading.detail for reading in outcome.readings)
    assert door.most == 1


async def test_a_right_revoked_between_two_polls_is_named_and_back_again_once_it_is_given() -> None:
    router = ScriptedRouter()
    given = dict(router.answers)
    door = Door(router.speak)
    async with poller_at(door) as poller:
        first = await poller.poll_once()
        for path in given.keys() - {b"/login", b"/system/resource/print"}:
            router.answers[path] = trap("not enough permissions (9)")
        second = await poller.poll_once()
        router.answers |= given
        third = await poller.poll_once()
    bodies = [reading.body for reading in (first, second, third)]
    assert all(isinstance(body, wire.RouterBody) for body in bodies)
    counted = [getattr(body, "hotspot_sessions", None) for body in bodies]
    assert counted == [12, None, 12]
    missing = getattr(bodies[1], "missing", [])
    assert "interfaces: not enough permissions (right: read)" in missing
    assert "ping internet: not enough permissions (right: test)" in missing
    assert door.total == 1


async def test_a_reboot_in_the_middle_is_one_lost_reading_and_the_next_is_whole() -> None:
    router = ScriptedRouter()
    door = Door(router.speak)
    ordinary = router.send
    cut = [False, True, False]

    async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
        if router.asked[-1][0] == b"/interface/print" and cut.pop(0):
            writer.transport.abort()
            raise ConnectionResetError
        await ordinary(writer, data)

    router.send = send  # type: ignore[method-assign]  # the test pulls the plug
    outcome = await visited(door, polls=3)
    assert [reading.outcome for reading in outcome.readings] == [wire.Outcome.OK, UNREACHABLE, wire.Outcome.OK]
    assert (door.most, door.total) == (1, 2)


async def test_a_hostile_router_takes_no_more_memory_with_each_poll_even_before_garbage_is_collected() -> None:
    gc.disable()
    try:
        outcome = await visited(Door(endless_small_rows), polls=4)
    finally:
        gc.enable()
    assert {reading.outcome for reading in outcome.readings} == {wire.Outcome.UNREADABLE}
    assert outcome.grown_bytes < MOST_GROWTH_BYTES


async def test_names_in_any_coding_arrive_or_are_replaced_but_never_break_a_reading() -> None:
    router = ScriptedRouter()
    odd: list[bytes] = ["Café".encode("latin-1"), "📶 Gratis".encode(), b"=a=b", b"\xff\xfe\0", b"yes", b"007"]
    router.answers[b"/interface/print"] = rows(*(_named(name) for name in odd))
    (reading,) = (await visited(Door(router.speak))).readings
    assert isinstance(reading.body, wire.RouterBody)
    assert [one.interface for one in reading.body.interfaces] == ["Café", "📶 Gratis", "=a=b", "ÿþ", "yes", "007"]


def _named(name: bytes) -> Sentence:
    return [b"!re", b"=name=" + name]
