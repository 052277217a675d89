"""Free wifi: a router made so, vouchers made and printed, a click at the desk, a million tellings of sessions."""

import asyncio
import random
import time
from dataclasses import replace
from pathlib import Path

import httpx
from sqlalchemy import select

from kampungnet.core import clock, pages
from kampungnet.core.database import Database
from kampungnet.hotspot import batches, paper, portal_pages, portals, sessions, use, voucher_page, vouchers
from kampungnet.hotspot.models import HotspotPortal, HotspotSession
from kampungnet.hotspot.paper import PaperSize
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portal_pages import Portal
from kampungnet.hotspot.vouchers import NewBatch
from kampungnet.shared.portal_body import SLOT_MS, PortalSession, PortalSlot, Way
from kampungnet.shared.wanted import WantedClick, WantedGarden, WantedPlan, WantedPortal, WantedUser
from kampungnet.staff.service import NewStaff, Role, Scope, SignedIn, add_staff
from kampungnet_agent.box import Box as RealBox
from kampungnet_agent.commands import REQUEST_SECONDS, Commands
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_agent.line import Line
from kampungnet_agent.report import Sender
from kampungnet_agent.worker import Worker
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.conftest import Settings
from tests.benchmarks.context import Context
from tests.benchmarks.rows import Row, at_most
from tests.sim.stage import on_stage
from tests.support.server import REGENCY, VILLAGE, enrolled, prepared_database, serving

PLACE = (REGENCY, f"{VILLAGE}-1")
CLICKS = 100
TELLINGS, SESSIONS, IN_A_READING = 1_000_000, 20_000, 200
_PASSWORD = "tiga kucing di sawah"
_PRINTER = {"act": "bind", "kind": "bypassed", "label": "Printer", "reason": "Cetak", "days": "0"}
_BY = SignedIn("bench", "Bench", Role.ENGINEER, Scope(REGENCY))


def portal_apply(context: Context) -> list[Row]:
    """300 users, 10 plans and 30 free places onto an empty router at 30 ms, then the same with nothing to do."""
    first, again = asyncio.run(_apply(context.own_folder("portal")))
    what = "300 users, 10 plans, 30 free places on a simulated router at 30 ms, checked on the router"
    pages = portal_pages.size(portal_pages.build(Portal("Kampunganyar", Policy(greeting="Sugeng rawuh"))))
    return [
        at_most(f"{what}: brought onto an empty one", first, "s", (3, 1)),
        at_most(f"{what}: the same again, nothing to do", again, "s", (0.3, 0.1)),
        at_most("all pages of a portal, two languages", pages / 1000, "KB", (30, 20)),
    ]


async def _apply(folder: Path) -> tuple[float, float]:
    wanted = WantedPortal(
        1, "Asia/Jakarta",
        plans=[WantedPlan(f"plan-{number}", 5000, 2000) for number in range(10)],
        users=[WantedUser(f"V{number}", f"code{number:05}", f"plan-{number % 10}") for number in range(300)],
        garden=[WantedGarden(f"G{number}", f"layanan{number}.example.go.id") for number in range(30)],
        click=WantedClick("plan-0"),
    )  # fmt: skip
    async with on_stage(FleetOptions(model="hex", rtt_ms=30)) as stage:
        secret = stage.site.router.users["penulis"].password
        settings = Settings("portal", f"127.0.0.1:{stage.port}", "penulis", secret, state_folder=str(folder))
        driver = MikrotikPortalDriver(settings)
        await driver.poll()  # the connection stands, as it does on a box that runs
        taken = []
        for _ in range(2):
            began = time.perf_counter()
            await driver.follow(wanted)
            taken.append(time.perf_counter() - began)
            if driver.done != (1, []):
                raise AssertionError(driver.done)
        await driver.close()
    return taken[0], taken[1]


def voucher_batch(context: Context) -> list[Row]:
    """10,000 vouchers made in one batch, sealed and stored."""
    database = _database(context)
    began = time.perf_counter()
    with database.writes() as db:
        vouchers.issue(db, _BY, PLACE, NewBatch("harian", 10_000), clock.now_ms())
    seconds = time.perf_counter() - began
    database.close()
    return [at_most("10,000 vouchers made, sealed and stored (SQLite)", seconds, "s", (5, 2))]


def voucher_paper(context: Context) -> list[Row]:
    """1,000 vouchers of a batch opened, written down and typeset, each with its QR code."""
    database = _database(context)
    language = pages.all_languages()["id"]
    with database.writes() as db:
        one = vouchers.issue(db, _BY, PLACE, NewBatch("harian", 1_000, 3 * 3600), clock.now_ms()).id
    rows = []
    for size, what in ((PaperSize.A4, "A4 sheets"), (PaperSize.ROLL_58, "a roll of 58 mm")):
        began = time.perf_counter()
        with database.writes() as db:
            batch = vouchers.batch(db, PLACE, one)
            printed = batches.to_print(db, _BY, batch, 1, clock.now_ms())
            sheet = replace(voucher_page.sheet(db, PLACE, batch, "Kampunganyar"), login="http://wifi.desa/login")
        body = paper.pdf(sheet, printed, size, language)
        seconds = time.perf_counter() - began
        rows.append(at_most(f"1,000 vouchers as PDF, {what} with QR ({len(body) / 1e6:.1f} MB)", seconds, "s", (10, 4)))
    database.close()
    return rows


def desk_click(context: Context) -> list[Row]:
    """A form sent at the desk until the box says that the router follows: server, agent, simulated router."""
    took = asyncio.run(_clicks(context))
    what = f"click at the desk to its effect found on the router, p99 of {CLICKS} (server, agent, simulated router)"
    return [at_most(what, sorted(took)[CLICKS * 99 // 100 - 1], "s", (5, 1))]


async def _clicks(context: Context) -> list[float]:
    folder = context.own_folder("portal-click")
    database = _database(context)
    box = enrolled(database)  # takes the place of the one that the database came with
    with database.writes() as db:
        add_staff(db, NewStaff("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY)), _PASSWORD)
        portals.set_policy(db, _BY, PLACE, Policy(managed=True), clock.now_ms())
    worker, took = Worker("wanted"), list[float]()
    async with on_stage(FleetOptions(model="hex"), start=clock.now_ms() / 1000) as stage:
        secret = stage.site.router.users["penulis"].password
        settings = Settings("portal", f"127.0.0.1:{stage.port}", "penulis", secret, state_folder=str(folder))
        driver = MikrotikPortalDriver(settings)
        with serving(database) as server:
            address = f"http://127.0.0.1:{server.port}"
            commands = Commands(
                Sender(box.agent, box.key.sign, RealBox()),
                Line(address, None, REQUEST_SECONDS),
                worker,
                driver,
                "portal",
            )
            following = asyncio.create_task(commands.follow_for_ever())
            async with httpx.AsyncClient(base_url=address, headers={"Sec-Fetch-Site": "same-origin"}) as desk:
                await desk.post("/masuk", data={"username": "sari", "password": _PASSWORD})
                for number in range(CLICKS):
                    began = time.perf_counter()
                    sent = _PRINTER | {"mac": f"00:1A:2B:3C:{number // 256:02X}:{number % 256:02X}"}
                    answer = await desk.post(f"/desa/{VILLAGE}/wifi", data=sent)
                    if answer.status_code != 303:
                        raise AssertionError(answer.text)
                    await _until_done(database)
                    took.append(time.perf_counter() - began)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            worker.stop()
        await driver.close()
    database.close()
    return took


async def _until_done(database: Database) -> None:
    for _ in range(1000):
        with database.reads() as db:
            one = db.get_one(HotspotPortal, PLACE)
        if one.done_revision == one.revision:
            if one.problems != "[]":
                raise AssertionError(one.problems)
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not done within ten seconds")


def session_sums(context: Context) -> list[Row]:
    """A million tellings, a fifth of them repeats, in any order: the sums must be the truth to the byte."""
    database = _database(context)
    dice = random.Random(20)
    slot = clock.now_ms() // SLOT_MS - 48
    truth: dict[tuple[str, int], tuple[int, int, int]] = {}
    told: list[PortalSession] = []
    for number in range(TELLINGS * 4 // 5):
        name, half_hour = f"{number % SESSIONS:016x}", slot + dice.randrange(3)
        old = truth.get((name, half_hour), (0, 0, 0))
        new = (old[0] + 1, old[1] + dice.randrange(10**6), old[2] + dice.randrange(10**7))
        truth[name, half_hour] = new
        told.append(_session(name, half_hour, new))
    told += [dice.choice(told) for _ in range(TELLINGS // 5)]
    dice.shuffle(told)
    began = time.perf_counter()
    for start in range(0, len(told), IN_A_READING * 50):
        some = told[start : start + IN_A_READING * 50]
        with database.writes() as db:
            sessions.record(db, [sessions.Told(*PLACE, 0, some)])
    seconds = time.perf_counter() - began
    with database.reads() as db:
        found = {
            (name, half_hour): values
            for name, packed in db.execute(select(HotspotSession.id, HotspotSession.slots))
            for half_hour, values in use.unpack(packed).items()
        }
    wrong = sum(found.get(key) != values for key, values in truth.items()) + len(found.keys() - truth.keys())
    database.close()
    what = f"{TELLINGS:,} tellings of {SESSIONS:,} sessions, a fifth repeated, in any order ({seconds:.0f} s)"
    return [at_most(f"{what}: half hours that are not the truth", wrong, "", (0, 0))]


def _session(name: str, half_hour: int, used: tuple[int, int, int]) -> PortalSession:
    seen_ms = (half_hour + 1) * SLOT_MS
    return PortalSession(name, f"g-{name}", Way.CLICK, seen_ms - 1000, seen_ms, [PortalSlot(half_hour, *used)])


def _database(context: Context) -> Database:
    database = prepared_database(f"sqlite:///{context.own_folder('portal-db') / 'kampungnet.db'}")
    enrolled(database)
    return database
