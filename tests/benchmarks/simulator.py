"""The simulated villages of a benchmark: a working Thursday at eight in the evening, whatever the time is now.

Runs as a child of its own (``python -m tests.benchmarks.simulator``), because what it costs must not count. It is
``kampungnet-sim run`` but for its clock: before sunrise nobody is online, and in a power cut there is nothing to poll.
"""

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from kampungnet_sim.fleet import Fleet, FleetOptions
from kampungnet_sim.register import RegisteredVillage, made_up
from kampungnet_sim.village import Village, draw_profile
from tests.benchmarks.process import module, running

START = datetime(2026, 10, 15, 20, 0, tzinfo=ZoneInfo("Asia/Jakarta")).timestamp()
QUIET_SECONDS = 1800
"""No village of ours has a cut of any kind for so long."""
SEED = 1


class Router(msgspec.Struct):
    """How a simulated router is reached."""

    address: str
    username: str
    password: str
    wan_interface: str
    model: str
    version: str


class Simulated(msgspec.Struct):
    """One village of the inventory."""

    village: str
    router: Router
    guests: int = 0


@contextmanager
def simulated(folder: Path, villages: int, rtt_ms: float = 0.0) -> Iterator[list[Simulated]]:
    """Run simulated villages for as long as the block lasts, and say how they are reached."""
    inventory = folder / "inventory.json"
    inventory.unlink(missing_ok=True)
    wanted = ["--villages", str(villages), "--rtt-ms", str(rtt_ms), "--inventory", str(inventory)]
    with running("simulator", [*module("simulator"), *wanted], folder) as child:
        child.wait_for("the simulator", inventory.exists, 90)
        yield msgspec.json.decode(inventory.read_bytes(), type=list[Simulated])


def undisturbed(count: int) -> list[RegisteredVillage]:
    """Return made-up villages in which all is well while we measure."""
    found: list[RegisteredVillage] = []
    for one in made_up(count * 3 + 20):
        village = Village(draw_profile(one.code, one.name, SEED))
        if not village.events_between(START - QUIET_SECONDS, START + QUIET_SECONDS):
            found.append(one)
        if len(found) == count:
            break
    return found


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    began = time.time()
    # Pings answer at once: otherwise a poll's wall time would be that of the pings the router makes.
    fleet = Fleet(
        lambda: START + time.time() - began, FleetOptions(seed=SEED, rtt_ms=options.rtt_ms, instant_ping=True)
    )
    try:
        await fleet.start(undisturbed(options.villages))
        found = [
            {**one, "guests": len(site.village.visits(START))}
            for one, site in zip(fleet.inventory(), fleet.sites.values(), strict=True)
        ]
        _write_private(options.inventory, json.dumps(found))
        await stop.wait()
    finally:
        await fleet.close()


def _write_private(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.touch(mode=0o600)
    beside.write_text(text)
    beside.replace(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--villages", type=int, required=True)
    parser.add_argument("--rtt-ms", type=float, required=True)
    parser.add_argument("--inventory", type=Path, required=True)
    asyncio.run(_serve(parser.parse_args()))
