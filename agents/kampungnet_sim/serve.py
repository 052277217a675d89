"""Keeps a fleet or a replay running until it is told to stop."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

from kampungnet_sim.agent_settings import write_private, write_settings
from kampungnet_sim.control import Control
from kampungnet_sim.fleet import Fleet, FleetOptions
from kampungnet_sim.register import RegisteredVillage
from kampungnet_sim.replay_serve import Replay, ReplayOptions

Announce = Callable[[], None]


def _write_inventory(path: Path | None, inventory: list[dict[str, object]]) -> None:
    if path is not None:
        write_private(path, json.dumps(inventory, indent=1, ensure_ascii=False))


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def run_fleet(
    villages: list[RegisteredVillage],
    options: FleetOptions,
    *,
    control_port: int | None,
    inventory: Path | None,
    configs: Path | None,
    announce: Announce,
) -> None:
    """Serve villages until SIGTERM or SIGINT."""
    stop = _stop_event()
    fleet = Fleet(time.time, options)
    control = Control(fleet)
    try:
        await fleet.start(villages)
        listed = fleet.inventory()
        if control_port is not None:
            url = f"http://127.0.0.1:{await control.start(control_port)}"
            listed = [{**one, "control": url} for one in listed]
        _write_inventory(inventory, listed)
        if configs is not None:
            for site in fleet.sites.values():
                write_settings(configs, site, fleet.extras)
        announce()
        await stop.wait()
    finally:
        await control.close()
        await fleet.close()


async def run_replay(options: ReplayOptions, announce: Announce) -> None:
    """Serve recordings until SIGTERM or SIGINT."""
    stop = _stop_event()
    replay = Replay(options.seed, options.base_port)
    try:
        listed = [await replay.add_router(folder) for folder in options.folders]
        listed += [await replay.add_walk(file) for file in options.snmprecs]
        listed += [await replay.add_recording(folder) for folder in options.recordings]
        _write_inventory(options.inventory, listed)
        announce()
        await stop.wait()
    finally:
        await replay.close()
