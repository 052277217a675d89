"""Remote hands: what the office wants done once in this village, in the steps of :mod:`kampungnet.shared.orders`.

The box asks when a receipt says that something waits, and when it has an ending to tell. Orders are carried out one
after the other; nothing here ever sends a command again by itself.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import msgspec

from kampungnet.shared import wire
from kampungnet.shared.orders import (
    MAX_ABILITIES,
    MAX_TOLD,
    ORDERS_PATH,
    Ability,
    Order,
    OrderKind,
    OrdersAnswer,
    OrdersQuestion,
    OrderState,
    Why,
)
from kampungnet_agent.acts import ActRefused, Renews, Restarts
from kampungnet_agent.credential import signature_headers
from kampungnet_agent.driver import DeviceError, Driver
from kampungnet_agent.last_seen import LastSeen
from kampungnet_agent.line import Line, LineError
from kampungnet_agent.order_book import BookError, Entry, OrderBook, Step
from kampungnet_agent.pace import BackOff
from kampungnet_agent.reading import clean_detail
from kampungnet_agent.report import Sender
from kampungnet_agent.watch import ending_of
from kampungnet_agent.worker import Worker

log = logging.getLogger(__name__)
Result = TypeVar("Result")
Params = ParamSpec("Params")

REQUEST_SECONDS = 40.0
ACT_SECONDS = 180.0
"""For a portal with thousands of rows, or a bundle of many devices."""
WATCH_SECONDS = 10.0
"""From look to look at what began, when no reading comes."""

Collect = Callable[[LastSeen], Awaitable[bytes]]
"""Makes a packed bundle."""


class NoAnswer(Exception):
    """The server said nothing that can be used; ``str(error)`` is one sentence."""


@dataclass(frozen=True, slots=True)
class Means:
    """What hands work with."""

    sender: Sender
    line: Callable[[], Line]
    line_worker: Worker
    disk_worker: Worker
    book: OrderBook
    drivers: dict[str, Driver]
    intervals: Mapping[str, float]
    """Seconds from poll to poll of each device."""
    collect: Collect | None = None
    label: str = ""


class TooLate(Exception):
    """The time to begin an order is over."""


@dataclass(slots=True)
class _Act:
    """An order that is being carried out, as it stands now: the book may be lost meanwhile."""

    entry: Entry
    until_ms: int
    """``CLOCK_BOOTTIME``: it may begin before."""


class Hands:
    """Carries out orders of the office."""

    def __init__(self, means: Means, dice: random.Random | None = None) -> None:
        self._means = means
        self._back_off = BackOff(dice or random.Random())  # noqa: S311 - spreads load, guards nothing
        self._wake = asyncio.Event()
        self._wake.set()
        self.seen = LastSeen()
        self._asks = True
        """Once at the start: to say what this box can do, and how orders ended before."""
        self._watched: set[str] = set()
        """Devices of which somebody waits for a reading."""
        self._told = ""
        self._lost = 0
        """Lost books of which the server's next answer need not say any more what stood in them."""

    def orders_wait(self) -> None:
        """Ask soon: a receipt said that something waits."""
        self._asks = True
        self._wake.set()

    def saw(self, reading: wire.Reading) -> None:
        """Learn how a device is."""
        self.seen.note(reading)
        if reading.device in self._watched:
            self._wake.set()

    async def work_for_ever(self) -> None:
        """Ask, act and tell until cancelled."""
        wait: float | None = 0.0
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                pass  # it is time to look again
            self._wake.clear()
            wait = await self.turn()

    async def turn(self) -> float | None:
        """Do all there is to do now; return the seconds to the next turn, ``None``: until somebody wakes us."""
        try:
            await self._finish()
            if self._asks or _worth_telling(await self._open()):
                await self._talk()
            entries = await self._open()
        except NoAnswer as error:
            self._tell(str(error), logging.INFO)
            return self._back_off.failed() + WATCH_SECONDS
        except BookError as error:  # the box keeps measuring, so nobody would look for it
            self._tell(str(error), logging.ERROR)
            return self._back_off.failed() + WATCH_SECONDS
        except Exception as error:  # noqa: BLE001 - the one place where a defect here must not end the measuring
            self._tell(f"{type(error).__name__}: {error}", logging.ERROR, error)
            return self._back_off.failed() + WATCH_SECONDS
        self._back_off.worked()
        self._tell("")
        self._watched = {one.device for one in entries if one.step is Step.BEGUN}
        return WATCH_SECONDS if entries else None

    async def _talk(self) -> None:
        """Ask and tell until neither side has anything new to say."""
        while True:
            asked_ms = self._means.sender.box.boottime_ms()
            entries, lost = await self._open(), self._means.book.lost
            answer = await self._ask(entries)
            self._asks = False
            await self._forget(entries, answer)
            moved = await self._obey(answer, asked_ms)
            self._lost = lost
            if not moved:
                return

    async def _obey(self, answer: OrdersAnswer, asked_ms: int) -> bool:
        """Take what is new, do what was told to go, drop what is over; return whether there is something to tell."""
        box = self._means.sender.box
        named = {one.id: one for one in answer.orders}
        moved = False
        for entry in await self._open():
            order = named.get(entry.id)
            if entry.step is not Step.TAKEN:
                continue
            is_mine = order is not None and order.mark == entry.mark and entry.boot_id == box.boot_id
            if order is not None and is_mine:
                await self._carry_out(entry, asked_ms + order.left_ms)
            else:
                await self._write(entry.ended(OrderState.DROPPED, Why.LATE))
            moved = True
        for order in answer.orders:
            moved = await self._take(order) or moved
        return moved

    async def _take(self, order: Order) -> bool:
        if await self._disk(self._means.book.knows, order.id):
            return False
        boot_id = self._means.sender.box.boot_id
        if not order.mark:
            await self._write(Entry(order.id, order.kind, order.device, secrets.token_hex(8), boot_id))
        elif self._means.book.lost > self._lost:
            # This box took it into the book that was lost: it may be begun, so it is not done, and nobody knows more.
            lost = Entry(order.id, order.kind, order.device, order.mark, boot_id)
            await self._write(lost.ended(OrderState.FAILED, Why.CUT))
        else:
            return False  # taken by a box that this one was, or is a copy of
        return True

    async def _carry_out(self, entry: Entry, until_ms: int) -> None:
        """Do one order, which ends or is watched from then on."""
        act = _Act(entry, until_ms)
        try:
            async with asyncio.timeout(ACT_SECONDS):
                await self._do(act)
        except TooLate:
            await self._write(act.entry.ended(OrderState.DROPPED, Why.LATE))
        except ActRefused as error:
            said = clean_detail(str(error))
            await self._write(act.entry.ended(OrderState.REFUSED, Why.DEVICE, right=error.right[:200], detail=said))
        except (DeviceError, TimeoutError) as error:
            await self._broke_off(act.entry, clean_detail(str(error)))

    async def _do(self, act: _Act) -> None:
        entry, driver, collect = act.entry, self._means.drivers.get(act.entry.device), self._means.collect
        if entry.kind == OrderKind.RESTART and isinstance(driver, Restarts):
            await self._restart(act, driver)
        elif entry.kind == OrderKind.PORTAL and isinstance(driver, Renews):
            await self._begin(act)
            came = await driver.renew()
            state, why = (OrderState.FAILED, Why.DEVICE) if came.problems else (OrderState.DONE, Why.NOTHING)
            said = clean_detail(" ".join(came.problems[:5]))
            await self._write(act.entry.ended(state, why, changed=came.changed, detail=said))
        elif entry.kind == OrderKind.BUNDLE and collect is not None:
            await self._begin(act)
            await self._write(act.entry.ended(OrderState.DONE, bundle=await collect(self.seen)))
        else:
            log.warning("%sorder %s cannot be done here: %s %s", self._means.label, entry.id, entry.kind, entry.device)
            await self._write(entry.ended(OrderState.DROPPED, Why.UNABLE))

    async def _restart(self, act: _Act, driver: Restarts) -> None:
        async def about_to(uptime_seconds: int | None) -> None:
            await self._begin(act, uptime_seconds)

        await driver.restart(about_to)
        await self._write(msgspec.structs.replace(act.entry, sent=True))

    async def _begin(self, act: _Act, uptime_seconds: int | None = None) -> None:
        """Write down that the order is begun; after that it is never begun again. Raises :class:`TooLate`."""
        entry, now_ms = act.entry, self._means.sender.box.boottime_ms()
        if entry.step is not Step.TAKEN:
            raise RuntimeError(f"order {entry.id} was to begin a second time")
        if now_ms >= act.until_ms:
            raise TooLate
        # Before it is written: who is cut off in between cannot tell whether it was.
        act.entry = msgspec.structs.replace(
            entry, step=Step.BEGUN, begun_ms=now_ms, uptime_seconds=uptime_seconds or 0
        )  # fmt: skip
        await self._write(act.entry)
        log.warning("%sorder %s begins: %s %s", self._means.label, entry.id, entry.kind, entry.device)

    async def _broke_off(self, entry: Entry, said: str) -> None:
        """End what did not reach its device, or not to the end; a restart that was begun is watched."""
        if entry.step is Step.TAKEN:
            await self._write(entry.ended(OrderState.FAILED, Why.UNREACHABLE, detail=said))
        elif entry.kind != OrderKind.RESTART:
            await self._write(entry.ended(OrderState.FAILED, Why.CUT, detail=said))

    async def _finish(self) -> None:
        """Give an ending to what was begun, as far as it is known by now."""
        box = self._means.sender.box
        for entry in await self._open():
            if entry.step is Step.BEGUN:
                seen, every = self.seen.readings.get(entry.device), self._means.intervals.get(entry.device, 0.0)
                ended = ending_of(entry, seen, box.boot_id, box.boottime_ms(), every)
                if ended is not None:
                    await self._write(ended)

    async def _forget(self, entries: Sequence[Entry], answer: OrdersAnswer) -> None:
        told = [one for one in entries if one.step is Step.ENDED and one.id in answer.noted]
        if told:
            await self._disk(self._means.book.forget, told)

    async def _ask(self, entries: Sequence[Entry]) -> OrdersAnswer:
        means = self._means
        question = OrdersQuestion(
            agent=means.sender.agent,
            sent_at_ms=means.sender.box.wall_ms(),
            can=self._abilities(),
            told=[one.told() for one in _worth_telling(entries)],
        )
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await means.line_worker.do(self._exchange, question)
        except (TimeoutError, LineError) as error:
            raise NoAnswer(str(error) or "the server did not answer in time") from error

    def _exchange(self, question: OrdersQuestion) -> OrdersAnswer:
        sender, line = self._means.sender, self._means.line()
        body = msgspec.json.encode(question)
        headers = {
            "Content-Type": "application/json",
            **signature_headers(sender.agent, sender.sign, ORDERS_PATH, body),
        }
        try:
            answer = line.request("POST", ORDERS_PATH, body, headers)
        finally:
            line.close()
        if answer.status == 404 and not question.told:  # a server of before this version: nothing is wanted there
            return OrdersAnswer(0)
        if answer.status != 200 or not answer.is_json:
            raise LineError(f"the server answered {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=OrdersAnswer)
        except wire.UNREADABLE as error:
            raise LineError(f"what is to be done cannot be read: {error}") from error

    def _abilities(self) -> list[Ability]:
        found = [Ability(OrderKind.BUNDLE)] if self._means.collect else []
        for name, driver in self._means.drivers.items():
            if isinstance(driver, Restarts):
                found.append(Ability(OrderKind.RESTART, name))
            if isinstance(driver, Renews):
                found.append(Ability(OrderKind.PORTAL, name))
        return found[:MAX_ABILITIES]

    async def _open(self) -> list[Entry]:
        return await self._disk(self._means.book.open_entries)

    async def _write(self, entry: Entry) -> None:
        await self._disk(self._means.book.write, entry)

    async def _disk(self, job: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        return await self._means.disk_worker.do(job, *args, **kwargs)

    def _tell(self, sentence: str, level: int = logging.INFO, error: Exception | None = None) -> None:
        """Write one line when it breaks, one when it works again."""
        if sentence and sentence != self._told:
            log.log(level, "%sorders: %s", self._means.label, sentence, exc_info=error)
        elif self._told and not sentence:
            log.info("%sorders: the server answers again", self._means.label)
        self._told = sentence


def _worth_telling(entries: Sequence[Entry]) -> list[Entry]:
    """Return what goes into one question: what was taken and what ended, and one bundle at most."""
    found = [one for one in entries if one.step in {Step.TAKEN, Step.ENDED}]
    small = [one for one in found if not (one.ending and one.ending.bundle)]
    large = [one for one in found if one.ending and one.ending.bundle]
    return [*large[:1], *small][:MAX_TOLD]
