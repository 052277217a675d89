"""Polls of one device that turns hostile, in a process of its own; writes down time and memory as JSON.

``python -m tests.benchmarks.hostile_polls --config agent.toml --go FILE --told FILE``: polls the sound device until it
is warm, makes ``go.warm``, waits until ``go`` is there (by then the device is hostile), polls on and writes ``told``.
"""

import argparse
import asyncio
import time
from pathlib import Path

import msgspec

from kampungnet.shared import wire
from kampungnet_agent.agent import build_drivers
from kampungnet_agent.box import Box, save_memory
from kampungnet_agent.poller import Poller
from kampungnet_agent.settings import read_agent_settings
from kampungnet_agent.tally import Tally
from tests.benchmarks.own_process import forget_peak, peak_megabytes, resident_megabytes

WARM_POLLS = 5
HOSTILE_POLLS = 3


class Suffered(msgspec.Struct):
    """What the hostile polls did."""

    late_seconds: float
    """The longest time beyond the device's deadline; negative when all ended before."""
    grown_megabytes: float
    """Peak of the process' memory while they ran, against its memory before."""
    outcomes: list[str]
    """Of each poll, with the reason."""


async def measure(config: Path, go: Path) -> Suffered:
    """Poll a device before and after it turned hostile."""
    ((device, driver),) = build_drivers(read_agent_settings(config).devices)
    poller = Poller(device, driver, Box(), Tally())
    for _ in range(WARM_POLLS):
        reading = await poller.poll_once()
        if reading.outcome != wire.Outcome.OK:
            raise RuntimeError(f"the sound device was not read: {reading.detail}")
    before = resident_megabytes()
    forget_peak()
    go.with_suffix(".warm").touch()
    while not go.exists():
        await asyncio.sleep(0.05)
    seconds, outcomes = [], []
    for _ in range(HOSTILE_POLLS):
        began = time.monotonic()
        reading = await poller.poll_once()
        seconds.append(time.monotonic() - began)
        outcomes.append(f"{reading.outcome}: {reading.detail}"[:150])
    grown = peak_megabytes() - before
    await driver.close()
    return Suffered(max(seconds) - device.timeout_seconds, grown, outcomes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--go", type=Path, required=True)
    parser.add_argument("--told", type=Path, required=True)
    options = parser.parse_args()
    save_memory()
    found = asyncio.run(measure(options.config, options.go))
    beside = options.told.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(found))
    beside.replace(options.told)
