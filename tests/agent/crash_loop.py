"""kill -9 of a whole agent at random moments; after each round nothing kept may be missing or doubled.

The test runs 30 rounds; ``python tests/agent/crash_loop.py --rounds 200 --seed 1`` runs more. The
agent is a child process with a hand-made device, the central server lives here and is flaky.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from kampungnet.shared import wire
from kampungnet_agent.agent import Office, Watched, run_offices
from kampungnet_agent.box import Box
from kampungnet_agent.driver import Finding, Polled
from kampungnet_agent.line import Line
from kampungnet_agent.report import Sender
from kampungnet_agent.settings import AgentSettings, Device, ServerTable, SpoolTable
from kampungnet_agent.signing import signer_for
from kampungnet_agent.spool import Spool
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts
from kampungnet_agent.worker import Worker
from tests.agent.conftest import SEED, CentralServer, problem

ROOT = Path(__file__).parents[2]


class Result(NamedTuple):
    """What the rounds showed; the first three must be empty."""

    missing: set[int]
    doubled: list[int]
    foreign: set[int]
    kept: int
    rounds: int


class RestlessRouter:
    """A device that always answers."""

    async def poll(self) -> Polled:
        return Polled(wire.RouterBody(identity="Balai Desa"), uptime_seconds=60)

    async def check(self) -> list[Finding]:
        return []

    async def close(self) -> None:
        pass


class TalkingSpool(Spool):
    """Says each number on standard output once it is on disk: from then on it may not get lost."""

    def add(self, reading: wire.Reading) -> int:
        sequence = super().add(reading)
        sys.stdout.write(f"{sequence}\n")
        sys.stdout.flush()
        return sequence


def child(url: str, folder: Path) -> None:
    """Be the agent."""
    box = Box()
    devices = [Device(f"router-{n}", "made-here", "127.0.0.1:1", interval_seconds=0.004) for n in range(3)]
    settings = AgentSettings(ServerTable(url, ""), SpoolTable(str(folder / "spool.db")), devices)
    parts = Parts(
        TalkingSpool(folder / "spool.db", 16, box),
        Worker("spool"),
        Line(url),
        Worker("line"),
        Sender("agent-7", signer_for(SEED), box),
        Tally(),
    )
    for constant, value in (("FIRST_SEND_SECONDS", 0.01), ("PAUSE_SECONDS", 0.01)):
        setattr(sys.modules["kampungnet_agent.uplink"], constant, value)
    asyncio.run(run_offices([Office(parts, [Watched(device, RestlessRouter()) for device in devices], settings)]))


def run_rounds(rounds: int, seed: int, folder: Path) -> Result:
    """Start and kill the agent ``rounds`` times, then compare what it kept with server and spool."""
    dice = random.Random(seed)
    central = CentralServer()
    central.rule = lambda _envelope: problem(503, "busy") if dice.random() < 0.2 else None
    kept: list[int] = []
    try:
        for _ in range(rounds):
            kept += _one_round(central.url, folder, dice.uniform(0.0, 0.3))
    finally:
        central.close()
    waiting = {row[0] for row in sqlite3.connect(folder / "spool.db").execute("SELECT sequence FROM readings")}
    known = waiting | set(central.stored)
    doubled = central.conflicts + [number for number in set(kept) if kept.count(number) > 1]
    # A kill between the commit and the printed line leaves a reading nobody heard of: at most one a round.
    foreign = known - set(kept)
    return Result(set(kept) - known, doubled, foreign if len(foreign) > rounds else set(), len(kept), rounds)


def _one_round(url: str, folder: Path, seconds: float) -> list[int]:
    command = [sys.executable, __file__, "--child", url, "--folder", str(folder)]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "agents")])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}) as agent:
        if agent.stdout is None:
            raise AssertionError("the child has an output")
        first = agent.stdout.readline()
        time.sleep(seconds)
        agent.kill()
        lines = [first, *agent.stdout]
    return [int(line) for line in lines if line.endswith("\n")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--child", metavar="URL")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        result = run_rounds(options.rounds, options.seed, Path(folder))
    sys.stdout.write(f"seed {options.seed}: {result}\n")
    return 1 if result.missing or result.doubled or result.foreign else 0


if __name__ == "__main__":
    sys.exit(main())
