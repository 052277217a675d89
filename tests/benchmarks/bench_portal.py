"""Free wifi: a router made so, vouchers made, and a million tellings of sessions whose sums must be the truth."""

import asyncio
import random
import time
from pathlib import Path

from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hotspot import portal_pages, sessions, use, vouchers
from kampungnet.hotspot.models import HotspotSession
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portal_pages import Portal
from kampungnet.hotspot.vouchers import NewBatch
from kampungnet.shared.portal_body import SLOT_MS, PortalSession, PortalSlot, Way
from kampungnet.shared.wanted import WantedClick, WantedGarden, WantedPlan, WantedPortal, WantedUser
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_sim.fleet import FleetOptions
from tests.agent.drivers.conftest import Settings
from tests.benchmarks.context import Context
from tests.benchmarks.rows import Row, at_most
from tests.sim.stage import on_stage
from tests.support.server import REGENCY, VILLAGE, enrolled, prepared_database

PLACE = (REGENCY, f"{VILLAGE}-1")
TELLINGS, SESSIONS, IN_A_READING = 1_000_000, 20_000, 200
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
