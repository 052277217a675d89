"""Guesses at the router's own login page: held by the router, nobody else with them; its rows kept like all ours."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from kampungnet.shared.wanted import WantedPortal, WantedTries
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_agent.drivers.portal_guard import BEYOND, ENTRANCE, WITHIN
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.hotspot_guest import Guest
from tests.agent.drivers.portal.portal_stage import ANDI, BUDI, CODE, StageBox, body, made, wanted
from tests.sim.stage import Client, Stage, on_stage

FILTER = "/ip/firewall/filter"
TRIES = WantedTries(6, 12)
"""Six a minute: none is given back while a test runs a few seconds."""
GUESSES = 200


@pytest.fixture(params=["6.49.10", "7.20.6"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with on_stage(FleetOptions(model="hex", version=request.param)) as one:
        yield one


@pytest.fixture
async def driver(stage: Stage, tmp_path: Path) -> AsyncIterator[MikrotikPortalDriver]:
    one = made(stage, StageBox(stage.clock), tmp_path)
    yield one
    await one.close()


async def _rules(client: Client) -> list[dict[str, str]]:
    return [row for row in await client.rows(f"{FILTER}/print") if row.get("dynamic") != "true"]


async def _ours(client: Client) -> list[str]:
    comments = [row.get("comment", "") for row in await _rules(client)]
    return [one for one in comments if one.startswith("kampungnet:")]


async def _guesses(guest: Guest, stage: Stage) -> tuple[int, int]:
    """Guess two hundred codes at once, until each was answered or held; how many were answered, and how many may be."""
    began = stage.clock()
    guessing = [asyncio.create_task(guest.log_in(f"tebakan{number}", "")) for number in range(GUESSES)]
    async with asyncio.timeout(120):
        while sum(one.done() for one in guessing) + _dropped(stage) < GUESSES:
            await asyncio.sleep(0.01)
    answered = [one for one in guessing if one.done()]
    assert all(one.result().status for one in answered)
    for one in guessing:
        one.cancel()
    await asyncio.gather(*guessing, return_exceptions=True)
    return len(answered), TRIES.at_once + 1 + int((stage.clock() - began) / 60 * TRIES.a_minute)


def _dropped(stage: Stage) -> int:
    rows = stage.site.router.tables[FILTER].rows()
    return sum(int(row.get("packets", "0")) for row in rows if row.get("comment") == BEYOND)


async def test_of_two_hundred_guesses_a_dozen_are_answered_and_the_neighbour_logs_in_meanwhile(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted(tries=TRIES))
    assert driver.done == (1, [])
    thief, neighbour = await stage.site.hotspot.join(ANDI), await stage.site.hotspot.join(BUDI)
    guessing = asyncio.create_task(_guesses(thief, stage))
    await neighbour.log_in("kades", "rahasia desa")
    assert await neighbour.online()
    answered, may_be = await guessing
    assert TRIES.at_once <= answered <= may_be
    stage.clock.forward(700)
    told = (await body(driver)).held
    assert told is not None
    assert told >= GUESSES - answered
    await thief.log_in(CODE, "")
    assert await thief.online(), "who waited is let in like everybody"


async def test_without_a_limit_the_router_answers_every_guess(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted())
    assert (await _guesses(await stage.site.hotspot.join(ANDI), stage))[0] == GUESSES
    assert (await body(driver)).held is None


async def test_a_phone_that_knocks_once_too_often_waits_and_is_answered(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    await driver.follow(wanted(tries=WantedTries(60, 2)))
    guest = await stage.site.hotspot.join(ANDI)
    pages = [await guest.get("/login") for _ in range(4)]
    assert [page.status for page in pages] == [200] * 4


async def test_what_the_phones_own_apps_ask_of_the_internet_does_not_hold_its_owner(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    """Before the login each of their requests ends at another port of the router, dozens a minute."""
    await driver.follow(wanted(tries=TRIES))
    guest = await stage.site.hotspot.join(ANDI)
    for _ in range(3 * TRIES.at_once):
        await guest.get("http://berita.example/")
    await guest.log_in(CODE, "")
    assert (_dropped(stage), await guest.online()) == (0, True)


async def test_the_rows_come_behind_those_of_others_and_go_without_a_trace(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    client = await stage.client("penulis")
    await client.ask(f"{FILTER}/add", "=chain=pre-hs-input", "=action=drop", "=src-address=10.5.53.99")
    before = await _rules(client)
    await driver.follow(wanted(tries=TRIES))
    rules = await _rules(client)
    assert [{**row, "packets": "", "bytes": ""} for row in rules[: len(before)]] == [
        {**row, "packets": "", "bytes": ""} for row in before
    ]
    within, beyond, entrance = rules[len(before) :]
    assert within["dst-limit"] == "6/1m,12,src-address/2m1s"
    assert (within["action"], beyond["action"]) == ("return", "drop")
    assert (entrance["chain"], entrance["dst-port"]) == ("pre-hs-input", "64873")
    assert (entrance["connection-state"], entrance["protocol"]) == ("new", "tcp")
    ids = [row[".id"] for row in rules]
    await driver.follow(wanted(2, tries=TRIES))
    assert [row[".id"] for row in await _rules(client)] == ids, "doing it again changes nothing"
    await driver.follow(wanted(3, tries=WantedTries(30, 30)))
    limits = [row["dst-limit"] for row in await _rules(client) if row.get("comment") == WITHIN]
    assert limits == ["30/1m,30,src-address/1m40s"]
    await driver.follow(wanted(4))
    assert await _ours(client) == []
    await driver.follow(wanted(5, tries=TRIES))
    await driver.follow(WantedPortal(6, "Asia/Jakarta", managed=False))
    assert [row[".id"] for row in await _rules(client)] == [row[".id"] for row in before]


@pytest.mark.parametrize(
    "hand",
    [
        ("remove", WITHIN), ("remove", BEYOND), ("remove", ENTRANCE), ("disable", ENTRANCE), ("disable", WITHIN),
        ("set", ENTRANCE, "=src-address=10.5.53.99"), ("set", WITHIN, "=dst-limit=600/1m,600,src-address/2m"),
        ("set", BEYOND, "=action=accept"), ("set", BEYOND, "=chain=input"),
    ],
    ids="-".join,
)  # fmt: skip
async def test_another_hand_is_put_right_told_and_locks_nobody_out(
    driver: MikrotikPortalDriver, stage: Stage, hand: tuple[str, ...]
) -> None:
    await driver.follow(wanted(tries=TRIES))
    client = await stage.client("penulis")
    verb, comment, *more = hand
    (row,) = await client.rows(f"{FILTER}/print", f"?comment={comment}")
    assert await client.ask(f"{FILTER}/{verb}", f"=.id={row['.id']}", *more) == [["!done"]]
    stage.clock.forward(700)
    told = await body(driver)
    assert any(comment in one for one in told.drift), told.drift
    assert told.problems == []
    there = await _ours(client)
    assert sorted(there) == sorted([WITHIN, BEYOND, ENTRANCE])
    assert there.index(WITHIN) < there.index(BEYOND)
    guest = await stage.site.hotspot.join(BUDI)
    await guest.log_in(CODE, "")
    assert await guest.online()
    stage.clock.forward(700)
    assert (await body(driver)).drift == []


async def test_rows_in_the_wrong_order_are_made_anew(driver: MikrotikPortalDriver, stage: Stage) -> None:
    await driver.follow(wanted(tries=TRIES))
    client = await stage.client("penulis")
    rows = {row.get("comment", ""): row[".id"] for row in await _rules(client)}
    await client.ask(f"{FILTER}/move", f"=.id={rows[BEYOND]}", f"=destination={rows[WITHIN]}")
    assert await _ours(client) == [BEYOND, WITHIN, ENTRANCE]
    stage.clock.forward(700)
    assert (await body(driver)).problems == []
    assert await _ours(client) == [WITHIN, BEYOND, ENTRANCE]


async def test_a_row_of_others_that_lets_everybody_by_is_named_and_left_alone(
    driver: MikrotikPortalDriver, stage: Stage
) -> None:
    client = await stage.client("penulis")
    await client.ask(f"{FILTER}/add", "=chain=pre-hs-input", "=action=accept", "=comment=punya teknisi")
    await driver.follow(wanted(tries=TRIES))
    done, problems = driver.done
    assert done == 0
    assert any("pre-hs-input" in one for one in problems)
    (row,) = await client.rows(f"{FILTER}/print", "?comment=punya teknisi")
    assert row["disabled"] == "false"
    await client.ask(f"{FILTER}/remove", f"=.id={row['.id']}")
    await driver.follow(wanted(2, tries=TRIES))
    assert driver.done == (2, [])


def test_an_older_server_wants_no_limit() -> None:
    old = msgspec.json.encode({"revision": 1, "time_zone": "Asia/Jakarta"})
    assert msgspec.json.decode(old, type=WantedPortal).tries is None
