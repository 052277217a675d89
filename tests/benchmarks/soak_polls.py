"""Polls of all devices of one agent.toml, over and over, in a process of its own; prints what grew as JSON.

``python -m tests.benchmarks.soak_polls --config agent.toml --warm 20 --cycles 200 --seconds 240``. Drivers, pollers and
spool are the agent's own; what the spool holds is settled after each hundred readings, as a receipt would do it.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from kampungnet.shared import wire
from kampungnet_agent.agent import build_drivers, open_spool
from kampungnet_agent.box import Box, save_memory
from kampungnet_agent.poller import Poller
from kampungnet_agent.settings import AgentSettings, read_agent_settings
from kampungnet_agent.tally import Tally
from kampungnet_agent.worker import Worker
from tests.benchmarks.own_process import descriptors, resident_megabytes

SETTLED_TOGETHER = 100
AT_ONCE = 50
"""Polls side by side. The running agent spreads 401 devices over the minute; here they come as fast as it goes."""


class Soaked(msgspec.Struct):
    """What many polls left behind. Memory in MB, before and after."""

    cycles: int
    failed: int
    memory: tuple[float, float]
    descriptors: tuple[int, int]


class _Soak:
    """Everything an agent has but the uplink."""

    def __init__(self, settings: AgentSettings) -> None:
        box = Box()
        self._worker = Worker("spool")
        self._spool = self._worker.submit(open_spool, settings, box).result(30)
        self._watched = build_drivers(settings.devices)
        self._pollers = [Poller(device, driver, box, Tally()) for device, driver in self._watched]
        self._kept: list[int] = []
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.failed = 0

    async def cycle(self) -> None:
        """Poll every device once."""
        await asyncio.gather(*map(self._poll, self._pollers))

    async def _poll(self, poller: Poller) -> None:
        async with self._turns:
            reading = await poller.poll_once()
            self.failed += reading.outcome != wire.Outcome.OK
            self._kept.append(await self._worker.do(self._spool.add, reading))
        if len(self._kept) >= SETTLED_TOGETHER:
            settled, self._kept = self._kept, []
            await self._worker.do(self._spool.settle, settled)

    async def close(self) -> None:
        """Close every connection and the spool."""
        for _, driver in self._watched:
            await driver.close()
        await self._worker.do(self._spool.close)
        self._worker.stop()


async def soak(settings: AgentSettings, warm: int, cycles: int, seconds: float) -> Soaked:
    """Poll ``warm`` times, look, poll ``cycles`` times, and look again; stop when ``seconds`` are over."""
    one, until = _Soak(settings), time.monotonic() + seconds
    await _repeat(one.cycle, warm, until)
    memory, open_ones = resident_megabytes(), descriptors()
    done = await _repeat(one.cycle, cycles, until)
    found = Soaked(done, one.failed, (memory, resident_megabytes()), (open_ones, descriptors()))
    await one.close()
    return found


async def _repeat(work: Callable[[], Awaitable[None]], times: int, until: float) -> int:
    for done in range(times):
        if time.monotonic() > until:
            return done
        await work()
    return times


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--warm", type=int, required=True)
    parser.add_argument("--cycles", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    save_memory()
    result = asyncio.run(soak(read_agent_settings(given.config), given.warm, given.cycles, given.seconds))
    sys.stdout.write(msgspec.json.encode(result).decode())
