"""What tests of remote hands share: who asks, a box's own hands, and a line to the server that can be cut anywhere."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Problem
from kampungnet.hands import service
from kampungnet.hands.models import RemoteOrder
from kampungnet.hands.service import Wish
from kampungnet.ingest.orders_door import answered
from kampungnet.ingest.signatures import SignedRequest
from kampungnet.shared import wire
from kampungnet.shared.orders import ORDERS_PATH, Ability, OrderKind
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet_agent.acts import About
from kampungnet_agent.driver import DeviceUnreachable, Driver, Finding, Polled
from kampungnet_agent.hands import Collect, Hands, Means
from kampungnet_agent.line import Answer, Line
from kampungnet_agent.order_book import Entry, OrderBook
from kampungnet_agent.report import Sender
from kampungnet_agent.worker import Worker
from tests.journeys.box import SteppedBox
from tests.support.server import REGENCY, SITE, VILLAGE, Box

ENGINEER = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
OPERATOR = SignedIn("budi", "Pak Budi", Role.OPERATOR, Scope(REGENCY, VILLAGE))
PLACE = (REGENCY, SITE)
CAN = [Ability(OrderKind.RESTART, "router"), Ability(OrderKind.PORTAL, "portal"), Ability(OrderKind.BUNDLE)]
RESTART = Wish(OrderKind.RESTART, "router", "Wifi macet sejak pagi.")


def caller(box: Box, site: str = SITE) -> service.Caller:
    """Return a box as the door knows it."""
    return service.Caller(REGENCY, site, box.agent)


def able(database: Database, box: Box, site: str = SITE) -> None:
    """Let a box say that it can do everything."""
    with database.writes() as db:
        service.note_abilities(db, caller(box, site), CAN)


def asked(database: Database, wish: Wish = RESTART, by: SignedIn = ENGINEER, now_ms: int | None = None) -> str:
    """Ask for something; return the order's id."""
    with database.writes() as db:
        return service.ask(db, by, PLACE, wish, now_ms or clock.now_ms()).id


def order_of(database: Database, order: str) -> RemoteOrder:
    """Return an order as it stands."""
    with database.reads() as db:
        return db.get_one(RemoteOrder, (REGENCY, order))


class Killed(BaseException):
    """The power went out."""


class Fate:
    """Cuts at the chosen step: each thing that happens is a step, before it and after it."""

    def __init__(self, at: int = 0) -> None:
        self.at, self.steps = at, 0

    def step(self, error: Callable[[], BaseException] = Killed) -> None:
        """Count a step; raise at the chosen one."""
        self.steps += 1
        if self.steps == self.at:
            raise error()


class Router:
    """A device that starts anew when it is asked, and counts how often."""

    def __init__(self, fate: Fate | None = None) -> None:
        self.restarts = 0
        self.fate = fate or Fate()
        self.uptime_seconds = 90_000

    async def restart(self, about_to: About) -> None:
        """Start anew."""
        self.fate.step()
        await about_to(self.uptime_seconds)
        self.fate.step()
        self.restarts += 1
        self.uptime_seconds = 0
        self.fate.step()

    async def poll(self) -> Polled:
        """Nobody asks."""
        raise DeviceUnreachable("not here")

    async def check(self) -> list[Finding]:
        """Nobody asks."""
        return []

    async def close(self) -> None:
        """Hold nothing."""


class CutBook(OrderBook):
    """A book whose box may lose its power before or after each page is written."""

    def __init__(self, path: Path, fate: Fate) -> None:
        super().__init__(path)
        self._fate = fate

    def write(self, entry: Entry) -> None:
        """Write, or not."""
        self._fate.step()
        super().write(entry)
        self._fate.step()


class CutLine(Line):
    """Straight into the door, without a socket; the question or its answer may get lost."""

    def __init__(self, database: Database, fate: Fate, error: Callable[[], BaseException] = Killed) -> None:
        super().__init__("http://127.0.0.1:1")
        self._database, self._fate, self._error = database, fate, error

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Ask, or not."""
        assert (method, path) == ("POST", ORDERS_PATH)
        headers = headers or {}
        self._fate.step(self._error)
        request = SignedRequest(
            headers[wire.AGENT_HEADER], headers[wire.SIGNATURE_HEADER], "", body, clock.now_ms()
        )  # fmt: skip
        try:
            with self._database.writes() as db:
                content = msgspec.json.encode(answered(db, request))
        except Problem as problem:
            return Answer(problem.status, {"content-type": "application/json"}, b'{"detail":"no"}')
        self._fate.step(self._error)
        return Answer(200, {"content-type": "application/json"}, content)


class HandsOfBox:
    """The hands of one box, begun anew whenever the power comes back; its time goes on only when the test says so."""

    def __init__(self, database: Database, box: Box, folder: Path, fate: Fate | None = None) -> None:
        self.fate = fate or Fate()
        self.clock = SteppedBox(1_800_000_000_000)
        self.clock.at_ms += 3_600_000
        self.router = Router(self.fate)
        self.lost: Callable[[], BaseException] = Killed
        self.interval_seconds = 60.0
        self.others: dict[str, Driver] = {}
        self.collect: Collect | None = None
        self._database, self._box, self._path = database, box, folder / "orders.db"
        self._worker = Worker("hands")
        self.hands = self.begun()

    def begun(self) -> Hands:
        """Start the agent's process anew."""
        box = self._box
        means = Means(
            sender=Sender(box.agent, box.key.sign, self.clock),
            line=lambda: CutLine(self._database, self.fate, self.lost),
            line_worker=self._worker,
            disk_worker=self._worker,
            book=CutBook(self._path, self.fate),
            drivers={"router": self.router, **self.others},
            intervals={"router": self.interval_seconds},
            collect=self.collect,
        )
        self.hands = Hands(means)
        return self.hands

    def saw(self, uptime_seconds: int | None) -> None:
        """Let the router be polled now."""
        outcome = wire.Outcome.OK if uptime_seconds is not None else wire.Outcome.UNREACHABLE
        body = wire.RouterBody(identity="router") if uptime_seconds is not None else None
        self.hands.saw(
            wire.Reading(
                self.clock.boot_id, 1, "router", self.clock.wall_ms(), self.clock.boottime_ms(), outcome, 5,
                uptime_seconds, body=body,
            )
        )  # fmt: skip

    def forward(self, seconds: float) -> None:
        """Let time go on for the box."""
        self.clock.at_ms += int(seconds * 1000)

    async def turn(self) -> bool:
        """Do one turn; return whether the box lost its power in it, and has it again."""
        self.hands.orders_wait()
        try:
            await self.hands.turn()
        except Killed:
            self.begun()
            return True
        return False

    def close(self) -> None:
        """End the thread."""
        self._worker.stop()


async def settled(box: HandsOfBox, turns: int = 6) -> None:
    """Let a box work, be cut off as its fate wants, and see its router every minute."""
    for _ in range(turns):
        await box.turn()
        box.forward(60)
        box.router.uptime_seconds += 60
        box.saw(box.router.uptime_seconds)
        await asyncio.sleep(0)
