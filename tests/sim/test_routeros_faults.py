"""Faults of a router's answers: bad bytes, far too many rows, rights that vanish, counters that fall."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.routeros_hostile import HUGE_ROWS, HUGE_WORD_BYTES
from kampungnet_sim.village_features import Wish
from tests.sim.stage import Client, Stage, on_stage, row_of
from tests.sim.test_faults import just_started

DIALLED = Wish(frozenset({"pppoe"}))
HOTSPOT_HOSTS = ("/ip/hotspot/host/print", "=.proplist=.id,mac-address")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hap-ax2", instant_ping=True, wish=Wish(frozenset({"fasttrack"})))) as one:
        yield one


def memory_bytes() -> int:
    """What this process holds now, the simulator in it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def counters(client: Client, port: str) -> dict[str, str]:
    [row] = await client.rows("/interface/print", f"?name={port}")
    return row


async def test_trickle_sends_one_byte_a_second_and_the_rest_when_it_ends(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("trickle", "*")
    client.send("/system/identity/print")
    assert len(await asyncio.wait_for(client.reader.read(100), 60)) == 1
    began = asyncio.get_running_loop().time()
    assert len(await asyncio.wait_for(client.reader.read(100), 60)) == 1
    assert 0.5 < asyncio.get_running_loop().time() - began < 30
    stage.fleet.faults.clear()
    assert await asyncio.wait_for(client.reader.readuntil(b"!done\0"), 60)


async def test_reboot_mid_answer_sends_half_and_the_router_starts_anew(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("reboot_mid_answer", "*")
    client.send("/ip/hotspot/user/print")
    received = bytearray()
    with suppress(ConnectionError):
        while data := await asyncio.wait_for(client.reader.read(65_536), 60):
            received += data
    assert received.startswith(b"\x03!re")
    assert b"!done" not in received
    stage.clock.forward(41)
    assert just_started(await (await stage.client()).rows("/system/resource/print"))


async def test_huge_tables_have_a_hundred_thousand_different_rows_made_as_they_are_sent(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("huge_tables", "*")
    assert await client.ask("/ip/hotspot/host/print", "=count-only=") == [["!done", f"=ret={HUGE_ROWS}"]]
    before = memory_bytes()
    client.send(*HOTSPOT_HOSTS)
    seen = set()
    while (words := await client.read())[0] == "!re":
        seen.add(words[2])
    assert len(seen) == HUGE_ROWS
    assert memory_bytes() - before < 60_000_000
    assert len(await client.rows("/interface/print")) == 11


async def test_endless_table_never_ends_though_its_count_is_modest(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("endless_table", "*")
    [[_, counted]] = await client.ask("/ip/hotspot/host/print", "=count-only=")
    assert int(counted.removeprefix("=ret=")) < 1_000
    before = memory_bytes()
    client.send(*HOTSPOT_HOSTS)
    received = 0
    while received < 8_000_000:
        received += len(await asyncio.wait_for(client.reader.read(262_144), 3))
    # A client that stops reading stops the table: nothing piles up.
    await asyncio.sleep(0.3)
    assert memory_bytes() - before < 20_000_000
    other = await stage.client()
    assert (await other.rows("/system/identity/print"))[0]["name"]


async def test_endless_table_leaves_menus_of_one_row_and_menus_that_are_not_there(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("endless_table", "*")
    assert len(await client.rows("/system/resource/print")) == 1
    assert (await client.ask("/nowhere/print"))[0][0] == "!trap"


async def test_huge_word_is_one_word_of_64_megabytes(stage: Stage) -> None:
    client = await stage.client()
    before = memory_bytes()
    stage.fleet.faults.add("huge_word", "*")
    client.send("/system/identity/print")
    head = await client.reader.readexactly(8)
    # Four bytes "!re" and the prefix of a word from 2 MB to 256 MB: its first half byte is E.
    assert head[:4] == b"\x03!re"
    assert int.from_bytes(head[4:8], "big") & 0x0FFFFFFF == HUGE_WORD_BYTES
    await asyncio.sleep(0.3)
    assert memory_bytes() - before < HUGE_WORD_BYTES / 2
    left = HUGE_WORD_BYTES
    while left:
        left -= len(await client.reader.read(min(left, 1 << 20)))
    assert await client.reader.readexactly(8) == b"\0\x05!done\0"


async def test_trap_in_table_gives_half_of_the_rows_and_two_traps(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("trap_in_table", "*")
    found = await client.ask("/interface/print")
    kinds = [words[0] for words in found]
    assert kinds == ["!re"] * 5 + ["!trap", "!trap", "!done"]
    assert row_of(found[5])["message"] == "std failure: timeout (13)"


async def test_slow_menus_are_overtaken_by_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kampungnet_sim.routeros_hostile.SLOW_MENU_SECONDS", 0.3)
    client = await stage.client()
    stage.fleet.faults.add("slow_menus", "*")
    client.send("/ip/firewall/filter/print", "=count-only=", ".tag=slow")
    client.send("/system/identity/print", ".tag=quick")
    assert (await client.answer())[-1] == ["!done", ".tag=quick"]
    assert (await client.answer())[-1][:2] == ["!done", ".tag=slow"]


async def revoked(stage: Stage, fault: str, refused: list[str], goes_on: list[str]) -> None:
    client = await stage.client("pemantau")
    assert (await client.ask(*refused))[0][0] == "!re"
    stage.fleet.faults.add(fault, "*", 60)
    trap, done = await client.ask(*refused)
    assert (row_of(trap), done) == ({"message": "not enough permissions (9)"}, ["!done"])
    assert (await client.ask(*goes_on))[0][0] == "!re"
    stage.clock.forward(61)
    assert (await client.ask(*refused))[0][0] == "!re"


async def test_read_revoked_shows_in_a_session_that_goes_on(stage: Stage) -> None:
    await revoked(stage, "read_revoked", ["/interface/print"], ["/ping", "=address=8.8.8.8", "=count=1"])


async def test_test_revoked_refuses_pings_and_name_look_ups_alone(stage: Stage) -> None:
    await revoked(stage, "test_revoked", ["/ping", "=address=8.8.8.8", "=count=1"], ["/interface/print"])
    client = await stage.client()
    stage.fleet.faults.add("test_revoked", "*", 60)
    assert row_of((await client.ask("/resolve", "=domain-name=example.com"))[0])["message"].startswith("not enough")


async def test_odd_names_stand_where_people_write_and_wires_keep_theirs(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("odd_names", "*")
    users = {row["name"] for row in await client.rows("/ip/hotspot/user/print")}
    assert {"007", "628123", "yes", "Caf\xe9 Bl\xe9", "!done", "=a=b", ""} <= users
    assert {row["name"] for row in await client.rows("/interface/print")} >= {"ether1", "wifi1"}
    assert (await client.rows("/system/identity/print"))[0]["name"] == "007"


async def test_lossy_line_loses_some_of_many_probes_and_none_to_the_gateway(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("lossy_line", "*")
    last = (await client.rows("/ping", "=address=8.8.8.8", "=count=200"))[-1]
    assert 15 <= int(last["packet-loss"]) <= 45
    single = [await client.rows("/ping", "=address=8.8.8.8", "=count=1") for _ in range(60)]
    assert {row[0]["received"] for row in single} == {"0", "1"}
    assert (await client.rows("/ping", "=address=100.64.10.1", "=count=20"))[-1]["packet-loss"] == "0"


async def test_dns_outage_leaves_the_internet(stage: Stage) -> None:
    client = await stage.client()
    [[done, found]] = await client.ask("/resolve", "=domain-name=example.com")
    assert (done, found[:13]) == ("!done", "=ret=198.51.1")
    stage.fleet.faults.add("dns_outage", "*")
    trap, _ = await client.ask("/resolve", "=domain-name=example.com")
    assert row_of(trap)["message"] == "failure: dns server failure"
    assert (await client.rows("/ping", "=address=8.8.8.8", "=count=1"))[0]["received"] == "1"


async def test_counters_fall_to_nothing_and_grow_again_while_the_uptime_goes_on(stage: Stage) -> None:
    client = await stage.client()
    before, [resource] = await counters(client, "ether1"), await client.rows("/system/resource/print")
    stage.fleet.faults.add("counters_fall", "*")
    after = await counters(client, "ether1")
    assert int(after["rx-byte"]) < 20_000_000 < int(before["rx-byte"])
    assert int(after["rx-packet"]) < int(before["rx-packet"])
    stage.clock.forward(600)
    assert int((await counters(client, "ether1"))["rx-byte"]) > int(after["rx-byte"])
    assert "s" in resource["uptime"]
    assert stage.truth().uptime_seconds > 600


async def test_counters_32_bit_keep_the_low_half(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("counters_32_bit", "*")
    before, row, after = stage.truth(), await counters(client, "ether1"), stage.truth()
    low, high = (state.interface("ether1").rx_bytes for state in (before, after))
    assert high > 1 << 32
    assert (int(row["rx-byte"]) - low) % (1 << 32) <= high - low
    assert int(row["fp-rx-byte"]) <= int(row["rx-byte"])


async def test_pppoe_redial_keeps_the_name_and_starts_the_counters_anew() -> None:
    async with on_stage(FleetOptions(model="hex", instant_ping=True, wish=DIALLED)) as stage:
        client = await stage.client()
        before, port = await counters(client, "pppoe-out1"), await counters(client, "ether1")
        stage.clock.stand_still()
        stage.fleet.faults.add("pppoe_redial", "*", 5)
        assert (await counters(client, "pppoe-out1"))["running"] == "false"
        monitor = ("/interface/pppoe-client/monitor", "=numbers=pppoe-out1", "=once=")
        assert (await client.rows(*monitor))[0]["status"] == "dialing..."
        assert (await client.rows("/ping", "=address=8.8.8.8", "=count=1"))[0]["received"] == "0"
        stage.clock.forward(8)
        after = await counters(client, "pppoe-out1")
        [line] = await client.rows(*monitor)
        assert (line["status"], line["uptime"]) == ("connected", "3s")
        assert after["name"] == before["name"]
        assert int(after["rx-byte"]) < int(before["rx-byte"])
        assert int(after["link-downs"]) == int(before["link-downs"]) + 1
        assert after["last-link-up-time"] > before["last-link-up-time"]
        assert int((await counters(client, "ether1"))["rx-byte"]) >= int(port["rx-byte"])
