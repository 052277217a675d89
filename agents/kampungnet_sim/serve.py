"""Keeps a fleet or a replay running until it is told to stop."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kampungnet_sim.agent_settings import write_private, write_settings
from kampungnet_sim.control import Control
from kampungnet_sim.fleet import Fleet, FleetOptions, draw_ont_access
from kampungnet_sim.register import RegisteredVillage
from kampungnet_sim.replay import (
    ReplayEngine,
    read_folder,
    read_snmprec,
    recorded_version,
)
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_server import RouterServer
from kampungnet_sim.snmp_server import AgentOptions, serve_snmp
from kampungnet_sim.village import Village, draw_profile

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
                write_settings(configs, site)
        announce()
        await stop.wait()
    finally:
        await control.close()
        await fleet.close()


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What is replayed, and where. Port 0 lets the system choose."""

    folders: list[Path]
    snmprecs: list[Path]
    base_port: int
    seed: int
    inventory: Path | None


async def _replay_router(folder: Path, port: int, seed: int) -> tuple[RouterServer, dict[str, object]]:
    recorded = read_folder(folder)
    version = recorded_version(recorded, "6.49.10 (long-term)")
    village = Village(draw_profile("99.99.99.2001", folder.name, seed, model="rb951", version=version))
    router = SimulatedRouter(village, time.time)
    server = RouterServer(router, engine=ReplayEngine(router, recorded))
    bound = await server.start(port)
    user = router.users["kampungnet"]
    return server, {
        "recording": str(folder),
        "router": {
            "address": f"127.0.0.1:{bound}",
            "username": user.name,
            "password": user.password,
            "version": version,
            "commands": sorted(recorded),
        },
    }


async def _replay_snmp(file: Path, port: int, seed: int) -> tuple[asyncio.DatagramTransport, dict[str, object]]:
    tree = read_snmprec(file)
    access = draw_ont_access(seed, file.name)
    options = AgentOptions[None](
        community=access.community,
        state=lambda: None,
        # A recording stands still, and so does the clock of its engine.
        engine_clock=lambda _: (1, 1),
        user=access.user,
    )
    transport, bound = await serve_snmp(tree, options, port)
    return transport, {
        "recording": str(file),
        "ont": {
            "address": f"127.0.0.1:{bound}",
            "community": access.community,
            "v3_username": access.user.name,
            "v3_auth_password": access.user.auth_password,
            "v3_priv_password": access.user.priv_password,
            "objects": len(tree),
        },
    }


async def run_replay(options: ReplayOptions, announce: Announce) -> None:
    """Serve recordings until SIGTERM or SIGINT."""
    stop = _stop_event()
    servers: list[RouterServer] = []
    sockets: list[asyncio.DatagramTransport] = []
    listed: list[dict[str, object]] = []

    def port() -> int:
        return options.base_port + len(listed) if options.base_port else 0

    try:
        for folder in options.folders:
            server, found = await _replay_router(folder, port(), options.seed)
            servers.append(server)
            listed.append(found)
        for file in options.snmprecs:
            transport, found = await _replay_snmp(file, port(), options.seed)
            sockets.append(transport)
            listed.append(found)
        _write_inventory(options.inventory, listed)
        announce()
        await stop.wait()
    finally:
        for transport in sockets:
            transport.close()
        for server in servers:
            await server.close()
