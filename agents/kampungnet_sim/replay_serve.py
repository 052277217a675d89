"""Recordings behind real sockets of loopback: one router, agent or command line each."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kampungnet_sim.fleet import draw_ont_access
from kampungnet_sim.replay import ReplayEngine, read_folder, read_snmprec, recorded_version
from kampungnet_sim.replay_recording import RecordedCommandLine, RecordedEngine, read_recording
from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_server import RouterServer
from kampungnet_sim.snmp_server import AgentOptions, serve_snmp
from kampungnet_sim.snmp_tree import Tree
from kampungnet_sim.village import Village, draw_profile

Told = dict[str, object]
_USER = "kampungnet"


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What is replayed, and where. Port 0 lets the system choose."""

    folders: list[Path]
    snmprecs: list[Path]
    recordings: list[Path]
    base_port: int
    seed: int
    inventory: Path | None


class Replay:
    """What is being served; each ``add`` returns how to reach it. To be closed."""

    def __init__(self, seed: int = 1, base_port: int = 0) -> None:
        self._seed = seed
        self._next_port = base_port
        self._open = AsyncExitStack()

    async def add_router(self, folder: Path) -> Told:
        """Serve a folder of rows or terminal texts as one router."""
        recorded = read_folder(folder)
        version = recorded_version(recorded, "6.49.10 (long-term)")
        router = self._router(folder.name, version)
        told = await self._serve_router(router, ReplayEngine(router, recorded))
        return {"recording": str(folder), "router": {**told, "version": version, "commands": sorted(recorded)}}

    async def add_walk(self, file: Path) -> Told:
        """Serve a recorded walk as one SNMP agent."""
        return {"recording": str(file), "ont": await self._serve_objects(file.name, read_snmprec(file))}

    async def add_recording(self, folder: Path) -> Told:
        """Serve a folder of ``kampungnet-agent record`` by every protocol that it holds."""
        device = read_recording(folder)
        told: Told = {"recording": str(folder)}
        if device.sentences is not None:
            router = self._router(device.name, device.version)
            told["router"] = await self._serve_router(router, RecordedEngine(router, device.sentences))
        if device.objects is not None:
            told["ont"] = await self._serve_objects(device.name, device.objects)
        if device.said is not None:
            told["ssh"] = await self._serve_command_line(device.name, device.said)
        return told

    async def close(self) -> None:
        """End all of it."""
        await self._open.aclose()

    def _port(self) -> int:
        port = self._next_port
        self._next_port += 1 if port else 0
        return port

    def _router(self, name: str, version: str) -> SimulatedRouter:
        profile = draw_profile("99.99.99.2001", name, self._seed, model="rb951", version=version)
        return SimulatedRouter(Village(profile), time.time)

    async def _serve_router(self, router: SimulatedRouter, engine: Engine) -> Told:
        server = RouterServer(router, engine=engine)
        self._open.push_async_callback(server.close)
        bound = await server.start(self._port())
        user = router.users[_USER]
        return {"address": f"127.0.0.1:{bound}", "username": user.name, "password": user.password}

    async def _serve_objects(self, name: str, tree: Tree[None]) -> Told:
        access = draw_ont_access(self._seed, name)
        options = AgentOptions[None](
            community=access.community,
            state=lambda: None,
            # A recording stands still, and so does the clock of its engine.
            engine_clock=lambda _: (1, 1),
            user=access.user,
        )
        transport, bound = await serve_snmp(tree, options, self._port())
        self._open.callback(transport.close)
        return {
            "address": f"127.0.0.1:{bound}",
            "community": access.community,
            "v3_username": access.user.name,
            "v3_auth_password": access.user.auth_password,
            "v3_priv_password": access.user.priv_password,
            "objects": len(tree),
        }

    async def _serve_command_line(self, name: str, said: dict[str, str]) -> Told:
        from kampungnet_sim.ssh_server import SshDevice, SshServer  # noqa: PLC0415 -- paramiko, for those who need it

        password = draw_ont_access(self._seed, name).community
        line = partial(RecordedCommandLine, said)
        server = SshServer(SshDevice(_USER, password, line, answers=lambda: True, faults=frozenset))
        bound = await server.start(self._port())
        self._open.push_async_callback(asyncio.to_thread, server.close)
        return {"address": f"127.0.0.1:{bound}", "username": _USER, "password": password}
