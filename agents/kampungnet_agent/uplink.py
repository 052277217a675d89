"""The uplink: newest readings first, then the backlog, one request at a time, nothing forgotten without a receipt."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from kampungnet.shared import wire
from kampungnet_agent.key_change import KeyKeeper
from kampungnet_agent.line import Line, LineError
from kampungnet_agent.pace import DENIED_SECONDS, BackOff, until_phase
from kampungnet_agent.report import Sender, make_post
from kampungnet_agent.spool import Spool, Spooled, SpoolError
from kampungnet_agent.tally import Tally
from kampungnet_agent.verdict import Kind, NoReceipt, judge
from kampungnet_agent.version import VERSION
from kampungnet_agent.worker import Worker

log = logging.getLogger(__name__)
Result = TypeVar("Result")
Params = ParamSpec("Params")

PAUSE_SECONDS = 0.2
"""Between backlog batches when the server names no pause."""
REQUEST_SECONDS = 60.0
"""One request in all, however slowly its answer trickles."""
FIRST_SEND_SECONDS = 60.0
"""The first send waits a random part of this, because a whole district gets its power back at once."""
SWEEP_SECONDS = 3600.0
"""How often readings over the age limit are looked for."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the uplink works with; made once in ``agent.py``."""

    spool: Spool
    spool_worker: Worker
    line: Line
    line_worker: Worker
    sender: Sender
    tally: Tally
    label: str = ""
    """Stands before each log line when several agents share a process."""
    keeper: KeyKeeper | None = None
    """Changes the key of the box; between two requests, so that none is under way with the old one."""
    orders_wait: Callable[[], None] = lambda: None
    """Told when a receipt says that the office wants something done here."""


class Uplink:
    """Sends what the spool holds. ``interval`` is seconds between live reports."""

    def __init__(self, parts: Parts, interval: float = 60.0, dice: random.Random | None = None) -> None:
        self._parts = parts
        self._interval = interval
        self._dice = dice or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._back_off = BackOff(self._dice)
        self._live_mark = 0
        self._live_due = 0.0
        self._sweep_due = 0.0
        self._told: Kind | None = None

    async def send_for_ever(self) -> None:
        """Send until cancelled."""
        await asyncio.sleep(self._dice.uniform(0.0, min(FIRST_SEND_SECONDS, self._interval)))
        loop = asyncio.get_running_loop()
        self._live_due = loop.time()
        try:
            while True:
                await asyncio.sleep(await self._turn_or_wait(loop.time()))
        finally:
            self._parts.line.abort()

    async def _turn_or_wait(self, now: float) -> float:
        try:
            await self._keep_key()
            return await self.turn(now)
        except SpoolError as error:
            if not self._told:
                log.error("%suplink: %s", self._parts.label, error)
            self._told = Kind.FAILED
            return self._back_off.failed()

    async def _keep_key(self) -> None:
        parts, box = self._parts, self._parts.sender.box
        if parts.keeper is None or not parts.keeper.is_due(box):
            return
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await parts.line_worker.do(parts.keeper.change, parts.line, box.wall_ms())
        except TimeoutError:
            parts.line.abort()

    async def turn(self, now: float) -> float:
        """Do the one most urgent thing and return the seconds to wait before the next; ``now`` is monotonic."""
        if now >= self._sweep_due:
            self._sweep_due = now + SWEEP_SECONDS
            await self._spool(self._parts.spool.drop_too_old)
        if now >= self._live_due:
            readings = await self._spool(self._parts.spool.newest, self._live_mark)
            self._plan_live(now)
            result = await self.deliver(readings) if readings else 0.0
            if readings and not isinstance(result, NoReceipt):
                self._live_mark = readings[-1].sequence
        else:
            readings = await self._spool(self._parts.spool.oldest, self._live_mark)
            result = await self.deliver(readings) if readings else self._live_due - now
        if isinstance(result, NoReceipt):
            self._live_due = now  # after a failure the newest goes first again
            return self._wait_after(result)
        return min(result, max(0.0, self._live_due - now))

    async def deliver(self, readings: Sequence[Spooled]) -> float | NoReceipt:
        """Send ``readings`` and settle the receipt; return the pause in seconds, or why there is no receipt."""
        verdict = await self.send(readings)
        if isinstance(verdict, wire.Receipt):
            return await self._settle(readings, verdict)
        if verdict.kind is Kind.REFUSED:
            return await self._find_culprit(readings, verdict)
        return verdict

    async def send(self, readings: Sequence[Spooled]) -> wire.Receipt | NoReceipt:
        """Send one report and judge the answer; nothing is forgotten here."""
        parts = self._parts
        health = await self._spool(self._health)

        def exchange() -> wire.Receipt | NoReceipt:
            parcel = make_post(parts.sender, readings, health)
            if len(parcel.body) > wire.MAX_BODY_BYTES:
                return NoReceipt(Kind.REFUSED, f"the report has {len(parcel.body)} bytes compressed")
            return judge(parts.line.request("POST", wire.REPORTS_PATH, parcel.body, parcel.headers))

        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await parts.line_worker.do(exchange)
        except TimeoutError:
            parts.line.abort()
            return NoReceipt(Kind.FAILED, f"the server did not finish its answer within {REQUEST_SECONDS:.0f} s")
        except LineError as error:
            return NoReceipt(Kind.FAILED, str(error))

    async def _settle(self, readings: Sequence[Spooled], receipt: wire.Receipt) -> float | NoReceipt:
        sent = {reading.sequence for reading in readings}
        refused = [
            (readings[refusal.position].sequence, refusal.reason)
            for refusal in receipt.refused
            if refusal.position < len(readings) and refusal.sequence in {None, readings[refusal.position].sequence}
        ]
        # A receipt may only speak about this report: whatever else it names stays.
        accepted = sent.intersection(receipt.accepted).difference(sequence for sequence, _ in refused)
        await self._spool(self._parts.spool.settle, accepted, refused)
        for sequence, reason in refused:
            log.error("%suplink: the server refused reading %d, set aside: %s", self._parts.label, sequence, reason)
        if readings and not accepted and not refused:
            return NoReceipt(Kind.FAILED, "the receipt names none of the readings that were sent")
        self._works_again(len(accepted))
        if receipt.orders:
            self._parts.orders_wait()
        return receipt.pause_ms / 1000 if receipt.pause_ms else PAUSE_SECONDS

    async def _find_culprit(self, readings: Sequence[Spooled], refusal: NoReceipt) -> float | NoReceipt:
        """Halve a refused report until the reading nobody takes stands alone, and set only that aside."""
        empty = await self.send([])
        if isinstance(empty, NoReceipt):
            # Not a reading but the envelope is refused: setting readings aside one by one would lose them all.
            return empty._replace(kind=Kind.FAILED) if empty.kind is Kind.REFUSED else empty
        return await self._halve(readings, refusal)

    async def _halve(self, readings: Sequence[Spooled], refusal: NoReceipt) -> float | NoReceipt:
        if len(readings) == 1:
            if not refusal.from_our_server:
                return refusal._replace(kind=Kind.FAILED)
            await self._spool(self._parts.spool.settle, [], [(readings[0].sequence, refusal.sentence)])
            log.error("%suplink: reading %d set aside: %s", self._parts.label, readings[0].sequence, refusal.sentence)
            return PAUSE_SECONDS
        middle = len(readings) // 2
        pause: float | NoReceipt = PAUSE_SECONDS
        for half in (readings[:middle], readings[middle:]):
            verdict = await self.send(half)
            if isinstance(verdict, wire.Receipt):
                pause = await self._settle(half, verdict)
            else:
                pause = await self._halve(half, verdict) if verdict.kind is Kind.REFUSED else verdict
            if isinstance(pause, NoReceipt):
                return pause
            await asyncio.sleep(pause)
        return pause

    def _plan_live(self, now: float) -> None:
        """Plan the next live report at this agent's own moment of the interval, fixed over restarts."""
        wait = until_phase(self._parts.sender.agent, self._interval, self._parts.sender.box.wall_ms() / 1000)
        self._live_due = now + (wait if wait > self._interval / 10 else wait + self._interval)

    def _wait_after(self, failure: NoReceipt) -> float:
        """Count and tell a failure; return the seconds to wait."""
        tally, keeper = self._parts.tally, self._parts.keeper
        if failure.kind is Kind.DENIED and keeper is not None and keeper.identity.read_again():
            failure = failure._replace(kind=Kind.FAILED)  # it was the old key that was refused
        tally.send_failures += 1
        tally.credential_refused = failure.kind is Kind.DENIED
        if failure.kind is not self._told:
            if failure.kind is Kind.DENIED:
                log.error(
                    "%suplink: this box is not accepted; readings are kept, next try in an hour: %s",
                    self._parts.label,
                    failure.sentence,
                )
            elif self._told is None:
                log.warning("%suplink: readings are kept on the box: %s", self._parts.label, failure.sentence)
        self._told = failure.kind
        wait = self._back_off.failed()
        if failure.kind is Kind.DENIED:
            return DENIED_SECONDS + wait
        return max(wait, failure.retry_after_seconds or 0.0)

    def _works_again(self, sent: int) -> None:
        tally = self._parts.tally
        tally.sent_readings += sent
        tally.last_receipt_ms = self._parts.sender.box.wall_ms()
        tally.credential_refused = False
        self._back_off.worked()
        if self._told is not None:
            log.warning("%suplink: the server takes reports again", self._parts.label)
        self._told = None

    def _health(self) -> wire.AgentHealth:
        parts = self._parts
        state = parts.spool.state()
        return wire.AgentHealth(
            version=VERSION,
            board=parts.sender.box.board,
            spool_readings=state.readings,
            spool_oldest_ms=state.oldest_ms,
            dropped_readings=state.dropped + parts.tally.lost_readings,
            refused_readings=state.refused,
            corrupt_readings=state.corrupt,
            send_failures=parts.tally.send_failures,
            free_disk_bytes=parts.sender.box.free_disk_bytes(parts.spool.path.parent),
        )

    async def _spool(self, job: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        return await self._parts.spool_worker.do(job, *args, **kwargs)
