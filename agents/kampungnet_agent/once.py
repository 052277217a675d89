"""``kampungnet-agent poll``: every device once, side by side, without spool and server."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from kampungnet.shared import wire
from kampungnet_agent.agent import build_drivers
from kampungnet_agent.box import Box
from kampungnet_agent.poller import Poller
from kampungnet_agent.reading import encode_checked
from kampungnet_agent.settings import Device
from kampungnet_agent.tally import Tally


async def poll_each(devices: Sequence[Device]) -> AsyncIterator[tuple[bool, str]]:
    """Yield (worked, reading as JSON) in the order in which the devices answer; sequences count from 1."""
    box, tally = Box(), Tally()
    watched = build_drivers(devices)
    try:
        pollers = [Poller(device, driver, box, tally) for device, driver in watched]
        for sequence, finished in enumerate(asyncio.as_completed([one.poll_once() for one in pollers]), start=1):
            reading = msgspec.structs.replace(await finished, sequence=sequence)
            line = encode_checked(reading).decode()
            yield reading.outcome is wire.Outcome.OK, line
    finally:
        for _, driver in watched:
            await driver.close()
