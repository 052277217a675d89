"""The poller: one loop per device. Deadline, back-off, logging, and every ending becomes a reading."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from kampungnet.shared import wire
from kampungnet_agent.box import Box
from kampungnet_agent.driver import DeviceError, Driver, Polled
from kampungnet_agent.pace import next_turn, phase
from kampungnet_agent.reading import UNNUMBERED, clean_detail, without_people
from kampungnet_agent.settings import Device
from kampungnet_agent.spool import SpoolError
from kampungnet_agent.tally import Tally

log = logging.getLogger(__name__)

MAX_LOGIN_PAUSE_SECONDS = 900.0
"""A router that refuses us writes each try into its small log, so tries become rare."""
CLOSE_SECONDS = 2.0
_EXPECTED = (wire.Outcome.UNREACHABLE, wire.Outcome.LOGIN_REFUSED)

Keep = Callable[[wire.Reading], Awaitable[int]]
"""Puts a reading on disk and returns its sequence; raises ``SpoolError``."""


class Ending(NamedTuple):
    """How one poll ended."""

    outcome: wire.Outcome
    detail: str = ""
    polled: Polled | None = None


class Poller:
    """Polls one device for ever. Times in seconds."""

    def __init__(self, device: Device, driver: Driver, box: Box, tally: Tally, label: str = "") -> None:
        self._label = label or device.name
        self._device, self._driver, self._box, self._tally = device, driver, box, tally
        self._dice = random.Random()  # noqa: S311 - spreads load, guards nothing
        self._outcome = wire.Outcome.OK
        self._defect = ""
        self._refusals = 0
        self._spool_fails = False

    async def poll_for_ever(self, keep: Keep) -> None:
        """Poll in this device's own phase until cancelled, then close the driver."""
        loop = asyncio.get_running_loop()
        due = loop.time() + phase(self._label, self._device.interval_seconds)
        try:
            while True:
                await asyncio.sleep(due - loop.time())
                reading = await self.poll_once()
                await self._keep(keep, reading)
                due = next_turn(due, self._interval(), loop.time())
        finally:
            await self._close()

    async def poll_once(self) -> wire.Reading:
        """Poll now, within the deadline; never raises but when cancelled."""
        taken_at_ms, begun_ms = self._box.wall_ms(), self._box.boottime_ms()
        ending = await self._ending()
        duration_ms = max(0, self._box.boottime_ms() - begun_ms)
        self._tally.count_poll(self._device.name, ending.outcome, duration_ms / 1000)
        self._tell(ending)
        return wire.Reading(
            boot_id=self._box.boot_id,
            sequence=UNNUMBERED,
            device=self._device.name,
            taken_at_ms=taken_at_ms,
            boottime_ms=begun_ms,
            outcome=ending.outcome,
            duration_ms=duration_ms,
            device_uptime_seconds=ending.polled.uptime_seconds if ending.polled else None,
            detail=clean_detail(ending.detail, self._device.secret),
            body=without_people(ending.polled.body) if ending.polled else None,
        )

    async def _ending(self) -> Ending:
        limit = self._device.timeout_seconds
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                polled = _only_polled(await self._driver.poll())
        except DeviceError as error:
            return Ending(error.outcome, str(error))
        except TimeoutError as error:
            if deadline.expired():
                return Ending(wire.Outcome.UNREACHABLE, f"no complete answer within {limit:g} s")
            return Ending(wire.Outcome.UNREACHABLE, f"timeout inside the driver: {error}")
        except asyncio.CancelledError:
            if _somebody_ends_us():
                raise
            return await self._defective(RuntimeError("it cancelled itself"))
        except Exception as error:  # noqa: BLE001 - the one place where a driver's defect must not end the other devices
            return await self._defective(error)
        return Ending(wire.Outcome.OK, polled=polled)

    async def _defective(self, error: Exception) -> Ending:
        sentence = f"defect in driver {self._device.driver}: {type(error).__name__}: {error}"
        if sentence != self._defect:
            log.error("%s: %s", self._label, clean_detail(sentence, self._device.secret), exc_info=error)
        self._defect = sentence
        await self._close()
        return Ending(wire.Outcome.UNREADABLE, sentence)

    def _interval(self) -> float:
        """Return seconds to the next turn: the device's interval, longer and longer while it refuses our login."""
        interval = self._device.interval_seconds
        if self._outcome is not wire.Outcome.LOGIN_REFUSED:
            return interval
        longest = max(interval, MAX_LOGIN_PAUSE_SECONDS)
        pause = min(longest, interval * 2.0 ** min(self._refusals, 20))
        return max(interval, pause * self._dice.uniform(0.5, 1.0))

    def _tell(self, ending: Ending) -> None:
        """Write one line when the outcome changes, none while it stays."""
        self._refusals = self._refusals + 1 if ending.outcome is wire.Outcome.LOGIN_REFUSED else 0
        if ending.outcome is wire.Outcome.OK:
            if self._outcome is not wire.Outcome.OK:
                log.warning("%s: works again", self._label)
            self._defect = ""
        elif ending.outcome is not self._outcome and not self._defect:
            detail = clean_detail(ending.detail, self._device.secret)
            log.warning("%s: %s: %s", self._label, ending.outcome.value, detail)
        self._outcome = ending.outcome

    async def _keep(self, keep: Keep, reading: wire.Reading) -> None:
        try:
            await keep(reading)
        except SpoolError as error:
            self._tally.lost_readings += 1
            if not self._spool_fails:
                log.error("%s: readings are being lost: %s", self._label, error)
            self._spool_fails = True
            await self._close()  # who tells a thing once has to tell it again: it begins anew from its own disk
        else:
            if self._spool_fails:
                log.warning("%s: readings are kept again", self._label)
            self._spool_fails = False

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._driver.close()
        except TimeoutError:
            log.warning("%s: the driver did not close within %g s", self._label, CLOSE_SECONDS)


def _only_polled(answer: object) -> Polled:
    """Refuse what a driver may not return, while its defect is still inside the loop's guard."""
    if isinstance(answer, Polled) and isinstance(answer.body, wire.Body):
        return answer
    raise TypeError(f"poll() returned {type(answer).__name__}")


def _somebody_ends_us() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
