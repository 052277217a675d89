"""A whole agent whose one device always answers, over a spool on a disk that others fill; a child of the test.

It says each number when it is on disk, and ``lost`` for each reading that found no room.
"""

import asyncio
import sys
from base64 import b64decode
from functools import partial
from pathlib import Path

from kampungnet.shared import wire
from kampungnet_agent import uplink
from kampungnet_agent.agent import Office, Watched, run_offices
from kampungnet_agent.box import Box
from kampungnet_agent.driver import Polled
from kampungnet_agent.line import Line
from kampungnet_agent.pace import BackOff
from kampungnet_agent.report import Sender
from kampungnet_agent.settings import AgentSettings, Device, ServerTable, SpoolTable
from kampungnet_agent.signing import signer_for
from kampungnet_agent.spool import SpoolError
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts
from kampungnet_agent.worker import Worker
from tests.agent.crash_loop import RestlessRouter, TalkingSpool

MEGABYTES = 64
"""More than the disk has: it is the disk that is full, not the spool."""


class WordyRouter(RestlessRouter):
    """Says a kilobyte each time."""

    async def poll(self) -> Polled:
        return Polled(wire.RouterBody(identity="Balai Desa", missing=["x" * 190] * 5), uptime_seconds=60)


class FrankSpool(TalkingSpool):
    """Says also what it could not keep."""

    def add(self, reading: wire.Reading) -> int:
        try:
            return super().add(reading)
        except SpoolError:
            sys.stdout.write("lost\n")
            sys.stdout.flush()
            raise


def main(url: str, folder: Path, agent: str, seed: bytes) -> None:
    box, file = Box(), folder / "spool.db"
    device = Device("router", "made-here", "127.0.0.1:1", interval_seconds=0.004)
    settings = AgentSettings(ServerTable(url, "", report_interval_seconds=1), SpoolTable(str(file)), [device])
    sender = Sender(agent, signer_for(seed), box)
    parts = Parts(FrankSpool(file, MEGABYTES, box), Worker("spool"), Line(url), Worker("line"), sender, Tally())
    for constant, value in (("FIRST_SEND_SECONDS", 0.01), ("PAUSE_SECONDS", 0.01)):
        setattr(uplink, constant, value)
    setattr(uplink, "BackOff", partial(BackOff, base=0.05, cap=0.3))  # noqa: B010 -- mypy knows it for a class
    asyncio.run(run_offices([Office(parts, [Watched(device, WordyRouter())], settings)]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], b64decode(sys.argv[4]))
