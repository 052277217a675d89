"""What a hotspot does over time: limits, timeouts, restarts, and counters that move at logout only."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.hotspot_guest import Guest
from kampungnet_sim.village_features import Wish
from tests.sim.stage import Client, Stage, on_stage, row_of

ANDI, BUDI, CITRA = "D6:00:00:00:00:01", "D6:00:00:00:00:02", "D6:00:00:00:00:03"
MEGA = 1_000_000


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hex")) as one:
        one.clock.stand_still()
        yield one


@pytest.fixture
async def writer(stage: Stage) -> Client:
    client = await stage.client("penulis")
    await set_up(client, "/ip/hotspot/profile/set", ".id=hsprof1", "login-by=http-pap,trial,mac,mac-cookie")
    return client


async def set_up(client: Client, command: str, *values: str) -> None:
    found = await client.ask(command, *(f"={value}" for value in values))
    assert found[0][0] == "!done", found


async def user(client: Client, name: str, *values: str, profile: tuple[str, ...] = ()) -> None:
    """A user with a profile of its own."""
    await set_up(client, "/ip/hotspot/user/profile/add", f"name=p-{name}", *profile)
    await set_up(client, "/ip/hotspot/user/add", f"name={name}", "password=x", f"profile=p-{name}", *values)


async def row(client: Client, name: str) -> dict[str, str]:
    (found,) = await client.rows("/ip/hotspot/user/print", f"?name={name}")
    return found


def used(found: dict[str, str]) -> tuple[str, str, str]:
    return found["bytes-out"], found["bytes-in"], found["uptime"]


def reasons(guest: Guest) -> list[str]:
    return [one.reason for one in guest.truth()]


async def test_counters_of_a_user_move_at_logout_only(stage: Stage, writer: Client) -> None:
    await user(writer, "andi")
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in("andi", "x")
    assert guest.traffic(5 * MEGA, MEGA) == (5 * MEGA, MEGA)
    stage.clock.forward(60)
    (active,) = await writer.rows("/ip/hotspot/active/print", "?user=andi")
    assert (active["bytes-out"], active["bytes-in"], active["uptime"]) == ("5000000", "1000000", "1m")
    assert used(await row(writer, "andi")) == ("0", "0", "0s")
    await guest.get("/logout")
    assert used(await row(writer, "andi")) == ("5000000", "1000000", "1m")
    (session,) = guest.truth()
    assert (session.bytes_out, session.bytes_in, session.reason, session.kept) == (
        5_000_000,
        MEGA,
        "user request",
        True,
    )


@pytest.mark.parametrize("fault", ["power_cut", "reboot"])
async def test_a_restart_ends_sessions_and_the_router_forgets_what_they_used(
    stage: Stage, writer: Client, fault: str
) -> None:
    await user(writer, "andi", "limit-uptime=1h")
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in("andi", "x")
    guest.traffic(MEGA, 0)
    stage.clock.forward(600)
    stage.fleet.faults.add(fault, stage.site.village.profile.code, 60)
    assert guest.traffic(MEGA, 0) == (0, 0)
    with pytest.raises(ConnectionError):
        await guest.get("/status")
    stage.clock.forward(61)
    client = await stage.client()
    assert await client.rows("/ip/hotspot/active/print", "?user=andi") == []
    found = await row(client, "andi")
    assert (used(found), found["limit-uptime"]) == (("0", "0", "0s"), "1h")
    (session,) = guest.truth()
    assert session.end is not None
    assert round(session.end - session.start) == 600
    assert (session.bytes_out, session.reason, session.kept) == (MEGA, fault.replace("_", " "), False)


async def test_time_bought_runs_out_over_several_sessions(stage: Stage, writer: Client) -> None:
    await user(writer, "andi", "limit-uptime=1h")
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in("andi", "x")
    stage.clock.forward(2_400)
    guest.traffic(1, 1)
    await guest.get("/logout")
    await guest.log_in("andi", "x")
    (active,) = await writer.rows("/ip/hotspot/active/print", "?user=andi")
    assert active["session-time-left"] in ("20m", "19m59s")
    stage.clock.forward(1_201)
    assert guest.traffic(1, 1) == (0, 0)
    assert reasons(guest) == ["user request", "uptime limit reached"]
    assert "user andi has reached uptime limit" in (await guest.log_in("andi", "x")).text
    assert (await row(writer, "andi"))["uptime"] == "1h"


async def test_bytes_run_out_to_the_byte(stage: Stage, writer: Client) -> None:
    await user(writer, "andi", "limit-bytes-total=3M")
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in("andi", "x")
    assert guest.traffic(2 * MEGA, 0) == (2 * MEGA, 0)
    assert guest.traffic(2 * MEGA, 0) == (3 * 1_048_576 - 2 * MEGA, 0)
    assert guest.traffic(1, 1) == (0, 0)
    assert reasons(guest) == ["traffic limit reached"]
    assert "user andi has reached traffic limit" in (await guest.log_in("andi", "x")).text


async def test_each_timeout_ends_a_session_in_its_own_name(stage: Stage, writer: Client) -> None:
    guests = {}
    for mac, name, profile in (
        (ANDI, "idle", ("idle-timeout=5m", "keepalive-timeout=none")),
        (BUDI, "gone", ("keepalive-timeout=2m",)),
        (CITRA, "long", ("session-timeout=10m",)),
    ):
        await user(writer, name, profile=profile)
        guests[name] = await stage.site.hotspot.join(mac)
        await guests[name].log_in(name, "x")
    guests["gone"].leave()
    stage.clock.forward(700)
    expected = {"idle": ("idle timeout", 300), "gone": ("keepalive timeout", 120), "long": ("session timeout", 600)}
    for name, (reason, seconds) in expected.items():
        (session,) = guests[name].truth()
        assert session.end is not None
        assert (session.reason, round(session.end - session.start)) == (reason, seconds)
    assert not [r for r in await writer.rows("/ip/hotspot/active/print") if r["user"] in expected]


async def test_a_shared_user_lets_in_as_many_devices_as_its_profile_says(stage: Stage, writer: Client) -> None:
    await user(writer, "dua", profile=("shared-users=2",))
    guests = [await stage.site.hotspot.join(mac) for mac in (ANDI, BUDI, CITRA)]
    pages = [await guest.log_in("dua", "x") for guest in guests]
    assert ["logged in" in page.text for page in pages] == [True, True, False]
    assert "no more sessions are allowed for user dua" in pages[2].text
    await guests[0].get("/logout")
    assert "logged in" in (await guests[2].log_in("dua", "x")).text


async def test_trial_time_is_given_once_a_day(stage: Stage, writer: Client) -> None:
    await set_up(writer, "/ip/hotspot/profile/set", ".id=hsprof1", "trial-uptime-limit=30m", "trial-uptime-reset=1d")
    guest = await stage.site.hotspot.join(ANDI)
    assert "Free trial available" in (await guest.get("/login")).text
    await guest.log_in(way="trial")
    (session,) = guest.truth()
    assert (session.user, session.login_by) == (f"T-{ANDI}", "trial")
    stage.clock.forward(1_801)
    assert not await guest.online()
    page = await guest.log_in(way="trial")
    assert ("has reached uptime limit" in page.text, "Free trial available" in page.text) == (True, False)
    stage.clock.forward(86_400)
    assert "logged in" in (await guest.log_in(way="trial")).text


async def test_a_device_comes_back_by_its_cookie_until_it_is_thrown_out(stage: Stage, writer: Client) -> None:
    await user(writer, "andi", profile=("keepalive-timeout=1m",))
    guest = await stage.site.hotspot.join(ANDI)
    await guest.log_in("andi", "x")
    guest.leave()
    stage.clock.forward(120)
    assert await guest.online()
    assert [one.login_by for one in guest.truth()] == ["http-pap", "mac-cookie"]
    (active,) = await writer.rows("/ip/hotspot/active/print", "?user=andi")
    await set_up(writer, "/ip/hotspot/active/remove", f".id={active['.id']}")
    assert not await guest.online()
    assert reasons(guest) == ["keepalive timeout", "admin reset"]
    assert await writer.rows("/ip/hotspot/cookie/print", "?user=andi") == []


async def test_a_user_named_as_the_device_is_let_in_without_a_page(stage: Stage, writer: Client) -> None:
    await set_up(writer, "/ip/hotspot/user/add", f"name={ANDI}")
    guest = await stage.site.hotspot.join(ANDI)
    assert await guest.online()
    assert [one.login_by for one in guest.truth()] == ["mac"]


async def test_bindings_let_a_printer_pass_and_shut_a_device_out(stage: Stage, writer: Client) -> None:
    for mac, kind in ((ANDI, "bypassed"), (BUDI, "blocked")):
        await set_up(writer, "/ip/hotspot/ip-binding/add", f"mac-address={mac}", f"type={kind}")
    printer, other = [await stage.site.hotspot.join(mac) for mac in (ANDI, BUDI)]
    assert await printer.online()
    (host,) = await writer.rows("/ip/hotspot/host/print", f"?mac-address={ANDI}")
    assert (host["bypassed"], host["authorized"], int(host["bytes-out"]) > 0) == ("true", "false", True)
    with pytest.raises(ConnectionError):
        await other.get("/login")


async def test_licence_level_3_lets_one_guest_in() -> None:
    async with on_stage(FleetOptions(model="rb951", wish=Wish(frozenset({"level-3"})))) as stage:
        client = await stage.client("penulis")
        await set_up(client, "/ip/hotspot/profile/set", ".id=hsprof1", "login-by=http-pap")
        await user(client, "andi")
        # The village's own guest has the one place.
        page = await (await stage.site.hotspot.join(ANDI)).log_in("andi", "x")
        assert "session limit reached" in page.text


async def test_two_hundred_guests_come_at_once_and_the_ledger_is_exact(stage: Stage, writer: Client) -> None:
    await user(writer, "pasar", profile=("shared-users=unlimited",))
    guests = [await stage.site.hotspot.join(f"D6:00:00:00:01:{number:02X}") for number in range(100)]
    pages = await asyncio.gather(*(guest.log_in("pasar", "x") for guest in guests))
    assert all("logged in" in page.text for page in pages)
    for number, guest in enumerate(guests):
        guest.traffic(number * 1_000, number)
    for guest in guests:
        await guest.get("/logout")
    total = sum(range(100))
    assert used(await row(writer, "pasar"))[:2] == (str(total * 1_000), str(total))
    assert row_of((await writer.ask("/ip/hotspot/active/print", "=count-only=", "?user=pasar"))[-1])["ret"] == "0"
