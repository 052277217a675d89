"""Whole cycles of our agent in a process of its own: driver, wire, durable spool; prints what they cost as JSON.

``python -m tests.benchmarks.agent_cycles --config agent.toml --cycles 200``. With more devices than one all are
polled side by side, as the running agent does it.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from kampungnet.shared import wire
from kampungnet_agent.agent import build_drivers, open_spool
from kampungnet_agent.box import Box
from kampungnet_agent.poller import Poller
from kampungnet_agent.settings import AgentSettings, read_agent_settings
from kampungnet_agent.tally import Tally
from kampungnet_agent.worker import Worker
from tests.benchmarks.own_process import cpu_seconds


async def measure(settings: AgentSettings, cycles: int, warm: int) -> dict[str, object]:
    """Poll every device and keep its reading ``cycles`` times; return CPU and wall of each cycle in milliseconds."""
    box, worker = Box(), Worker("spool")
    spool = await worker.do(open_spool, settings, box)
    watched = build_drivers(settings.devices)
    pollers = [Poller(device, driver, box, Tally()) for device, driver in watched]
    outcomes: dict[str, int] = {}
    rows: dict[str, int] = {}

    async def cycle(poller: Poller) -> None:
        reading = await poller.poll_once()
        outcomes[reading.outcome] = outcomes.get(reading.outcome, 0) + 1
        if isinstance(reading.body, wire.RouterBody):
            rows[reading.device] = max(rows.get(reading.device, 0), len(reading.body.guests) + len(reading.body.users))
        await worker.do_quickly(spool.add, reading)

    walls: list[float] = []
    spent = 0.0
    for number in range(-warm, cycles):
        if number == 0:
            outcomes.clear()
            spent = cpu_seconds()
        began = time.perf_counter()
        await asyncio.gather(*(cycle(poller) for poller in pollers))
        if number >= 0:
            walls.append((time.perf_counter() - began) * 1000)
    spent = cpu_seconds() - spent
    for _, driver in watched:
        await driver.close()
    await worker.do(spool.close)
    worker.stop()
    failed = sum(number for outcome, number in outcomes.items() if outcome != wire.Outcome.OK)
    return {"cpu_ms": spent * 1000 / cycles, "wall_ms": walls, "failed": failed, "rows": sum(rows.values())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--cycles", type=int, required=True)
    parser.add_argument("--warm", type=int, default=3)
    options = parser.parse_args()
    result = asyncio.run(measure(read_agent_settings(options.config), options.cycles, options.warm))
    sys.stdout.write(json.dumps(result))
