"""One test for each fault, with the eyes of a client."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kampungnet_sim.faults import FAULTS, FaultBoard
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.routeros_values import local
from tests.sim.stage import Clock, Stage, needed, on_stage, row_of, run


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hex-s", instant_ping=True)) as one:
        yield one


async def ont_answers(stage: Stage, seconds: str = "30") -> bool:
    port = stage.site.ports["snmp"]
    access = ["-v2c", "-c", stage.site.access.community, "-t", seconds, "-r", "0"]
    code, _ = await run(needed("snmpget", "snmp"), *access, f"127.0.0.1:{port}", "1.3.6.1.2.1.1.3.0")
    return code == 0


async def refused(stage: Stage) -> bool:
    """Nobody can talk to the router now."""
    client = await stage.connect()
    client.send("/login")
    return await client.ended()


async def silent(stage: Stage, seconds: float = 0.5) -> bool:
    client = await stage.connect()
    client.send("/login", "=name=kampungnet", f"=password={stage.password}")
    try:
        await asyncio.wait_for(client.read(), seconds)
    except TimeoutError:
        return True
    return False


def just_started(resource: list[dict[str, str]]) -> bool:
    """Less than a minute ago."""
    return resource[0]["uptime"].removesuffix("s").isdigit()


async def test_reboot_ends_sessions_and_starts_uptime_anew(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("reboot", "35.10.01.2001", 20)
    assert await client.ended()
    assert await refused(stage)
    stage.clock.forward(21)
    again = await stage.client()
    assert just_started(await again.rows("/system/resource/print"))


async def test_the_reboot_command_reboots(stage: Stage) -> None:
    client = await stage.client("admin")
    client.send("/system/reboot")
    assert await refused(stage)


async def test_counter_wrap_brings_counters_to_the_edge_and_over_it(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("counter_wrap", "*")
    query = ("/interface/print", "=.proplist=rx-byte", "?name=sfp1")
    assert int((await client.rows(*query))[0]["rx-byte"]) > 2**64 - 50_000_000
    stage.clock.forward(600)
    assert int((await client.rows(*query))[0]["rx-byte"]) < 2**40


async def test_cut_fibre_takes_light_and_internet_and_leaves_router_and_guests(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("cut_fibre", "*", 60)
    [sfp] = await client.rows("/interface/ethernet/monitor", "=numbers=sfp1", "=once=")
    assert (sfp["sfp-rx-power"], sfp["status"]) == ("-40", "no-link")
    [lost] = await client.rows("/ping", "=address=8.8.8.8", "=count=1")
    assert (lost["status"], lost["received"], "time" in lost) == ("timeout", "0", False)
    assert await client.rows("/ip/route/print", "?dst-address=0.0.0.0/0", "?active=true") == []
    assert await client.rows("/ip/hotspot/active/print")
    stage.clock.forward(61)
    assert (await client.rows("/ping", "=address=8.8.8.8", "=count=1"))[0]["received"] == "1"


async def test_power_cut_darkens_router_and_ont(stage: Stage) -> None:
    client = await stage.client()
    assert await ont_answers(stage)
    stage.fleet.faults.add("power_cut", "*", 60)
    assert await client.ended()
    assert not await ont_answers(stage, "1")
    stage.clock.forward(61)
    assert await ont_answers(stage)
    assert await (await stage.client()).rows("/system/identity/print")


async def test_provider_outage_leaves_the_light_on(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("provider_outage", "*", 60)
    assert (await client.rows("/ping", "=address=8.8.8.8", "=count=1"))[0]["status"] == "timeout"
    [sfp] = await client.rows("/interface/ethernet/monitor", "=numbers=sfp1", "=once=")
    assert float(sfp["sfp-rx-power"]) > -40


async def test_hang_takes_connections_says_nothing_and_ends_with_a_start(stage: Stage) -> None:
    stage.fleet.faults.add("hang", "*", 60)
    assert await silent(stage)
    stage.clock.forward(61)
    rows = await (await stage.client()).rows("/system/resource/print")
    assert just_started(rows)


async def test_slow_answers_come_three_seconds_late(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("slow_answers", "*")
    start = asyncio.get_running_loop().time()
    assert await client.rows("/system/identity/print")
    assert 2.9 <= asyncio.get_running_loop().time() - start < 30


async def test_wrong_password_ends_sessions_and_refuses_every_login(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("wrong_password", "*")
    assert await client.ended()
    stranger = await stage.connect()
    trap, _ = await stranger.ask("/login", "=name=kampungnet", f"=password={stage.password}")
    assert row_of(trap)["message"] == "invalid user name or password (6)"
    assert not await ont_answers(stage, "1")


async def test_garbage_bytes_start_with_what_no_client_can_read(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("garbage_bytes", "*")
    client.send("/system/identity/print")
    assert (await client.reader.readexactly(2)) == b"\xff\xfe"


async def test_stalled_session_stops_in_the_middle_of_a_sentence(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("stalled_session", "*")
    client.send("/system/identity/print")
    assert len(await asyncio.wait_for(client.reader.read(1_000), 60)) > 3
    client.send("/system/identity/print")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.reader.read(1_000), 0.4)


async def test_skewed_clock_believes_in_1970_until_it_is_over(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("skewed_clock", "*", 60)
    assert (await client.rows("/system/clock/print"))[0]["date"].startswith("1970-")
    stage.clock.forward(61)
    year = local(stage.clock()).year
    async with asyncio.timeout(60):
        while not (await client.rows("/system/clock/print"))[0]["date"].startswith(str(year)):
            await asyncio.sleep(0.05)


async def test_close_without_notice_breaks_at_the_next_command(stage: Stage) -> None:
    client = await stage.client()
    stage.fleet.faults.add("close_without_notice", "*")
    client.send("/system/identity/print")
    assert await client.ended()


async def test_accept_never_answer_takes_connections_and_says_nothing(stage: Stage) -> None:
    stage.fleet.faults.add("accept_never_answer", "*")
    assert await silent(stage)
    assert not await ont_answers(stage, "1")


async def test_a_fault_ends_by_itself_or_when_it_is_taken_back(stage: Stage) -> None:
    stage.fleet.faults.add("accept_never_answer", "*", 5)
    stage.clock.forward(6)
    assert not await silent(stage, 30)
    stage.fleet.faults.add("accept_never_answer", "35.10.01.2001", 500)
    assert stage.fleet.faults.clear("35.10.01.2001") == 1
    assert not await silent(stage, 30)


async def test_another_village_is_not_concerned(stage: Stage) -> None:
    stage.fleet.faults.add("power_cut", "35.10.99.2099", 500)
    assert await ont_answers(stage)


def test_every_fault_is_switched_on_in_some_test() -> None:
    texts = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [fault for fault in FAULTS if f'"{fault}"' not in texts] == []


@pytest.mark.parametrize(("fault", "seconds"), [("flood", 5), ("reboot", 0), ("reboot", 1e9)])
def test_a_fault_nobody_knows_or_that_lasts_for_ever_is_refused(fault: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=r"fault|seconds"):
        FaultBoard(Clock()).add(fault, "*", seconds)
