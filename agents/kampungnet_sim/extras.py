"""Devices a fleet has only when asked for: OLTs, command lines, cameras, access points."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from kampungnet_sim.access_point import access_point_tree, draw_community, web_page
from kampungnet_sim.camera import Camera, draw_camera_login
from kampungnet_sim.camera_doors import Door
from kampungnet_sim.chance import key_of
from kampungnet_sim.faults import FaultBoard
from kampungnet_sim.olt_service import OltService, OltWish
from kampungnet_sim.snmp_ont import engine_boots
from kampungnet_sim.snmp_server import AgentOptions, serve_snmp
from kampungnet_sim.village import Village, VillageState

_TICK_SECONDS = 0.1
Clock = Callable[[], float]


class ExtraError(ValueError):
    """What was asked for cannot be had; the text says why."""


@dataclass(frozen=True, slots=True)
class ExtraWish:
    """Which further devices to run. ``ont_ssh`` and ``ssh_age`` are names of ssh_devices, empty for none.

    ``cameras`` and ``access_points`` stand in every village (True) or in those with these codes.
    """

    olts: tuple[OltWish, ...] = ()
    olt_ssh: bool = False
    ont_ssh: str = ""
    ssh_age: str = ""
    cameras: bool | frozenset[str] = False
    access_points: bool | frozenset[str] = False


def is_wished(wish: bool | frozenset[str], code: str) -> bool:
    """Tell whether a village has what is wished for everybody (True), nobody (False) or these codes."""
    return wish if isinstance(wish, bool) else code in wish


def _ports(first: int) -> Iterator[int]:
    while True:
        yield first
        first += 1 if first else 0


class Extras:
    """All further devices of one fleet."""

    def __init__(self, wish: ExtraWish, seed: int, clock: Clock, faults: FaultBoard) -> None:
        self.olts: list[OltService] = []
        self._wish, self._seed, self._clock, self._faults = wish, seed, clock, faults
        self._doors: list[tuple[Door, Callable[[], bool]]] = []
        self._sockets: list[asyncio.DatagramTransport] = []
        self._closers: list[Callable[[], None]] = []
        self._listed: dict[str, dict[str, object]] = {}
        self._counted: dict[str, Callable[[], dict[str, object]]] = {}
        self._ticker: asyncio.Task[None] | None = None

    async def start(self, villages: dict[str, Village], first_port: int) -> None:
        """Open everything that was asked for. ExtraError when it cannot be."""
        if (self._wish.ont_ssh or self._wish.olt_ssh) and find_spec("paramiko") is None:
            raise ExtraError("command lines need paramiko: install kampungnet[agent-ssh]")
        ports = _ports(first_port)
        self._listed = {code: {} for code in villages}
        count = len(self._wish.olts)
        for place, olt in enumerate(self._wish.olts):
            await self._open_olt(place, olt, list(villages.values())[place::count], ports)
        for code, village in villages.items():
            if self._wish.ont_ssh:
                await self._open_ont_shell(code, village, next(ports))
            if is_wished(self._wish.cameras, code):
                await self._open_camera(code, village, ports)
            if is_wished(self._wish.access_points, code):
                await self._open_access_point(code, village, ports)
        if self._doors:
            self._ticker = asyncio.get_running_loop().create_task(self._tick_for_ever())

    # -- each kind ----------------------------------------------------------------------------------

    async def _open_olt(self, place: int, wish: OltWish, villages: list[Village], ports: Iterator[int]) -> None:
        service = OltService(f"olt-{place + 1}", wish, self._seed, self._clock, self._faults)
        self.olts.append(service)
        try:
            await service.start(villages, next(ports))
        except ValueError as error:
            raise ExtraError(str(error)) from error
        self._closers.append(service.close)
        self._counted[service.name] = service.listed
        if self._wish.olt_ssh:
            await self._open_olt_shell(service, next(ports))

    async def _open_ont_shell(self, code: str, village: Village, port: int) -> None:
        from kampungnet_sim.ssh_devices import open_ont  # noqa: PLC0415 -- loads paramiko, which few need

        name = f"{code}/ont"
        faults = partial(self._faults.active, name)
        shell = await open_ont(self._wish.ont_ssh, village, self._clock, faults, (self._wish.ssh_age, port))
        self._closers.append(shell.close)
        self._counted[name] = shell.counts
        self._listed[code]["ont_ssh"] = {"kind": self._wish.ont_ssh, **shell.access}

    async def _open_olt_shell(self, service: OltService, port: int) -> None:
        from kampungnet_sim.ssh_devices import open_olt  # noqa: PLC0415 -- loads paramiko, which few need

        shell = await open_olt(service, self._wish.ssh_age, port)
        if shell is None:
            raise ExtraError(f"no command line of {service.wish.model} is known")
        self._closers.append(shell.close)
        self._counted[f"{service.name} ssh"] = shell.counts
        service.ssh = shell.access

    async def _open_camera(self, code: str, village: Village, ports: Iterator[int]) -> None:
        login = draw_camera_login(self._seed, code)
        camera = Camera(login, partial(self._faults.active, f"{code}/camera"))
        alive = partial(self._has_power, f"{code}/camera", village)
        for door in (camera.rtsp, camera.web):
            await self._open_door(door, alive, next(ports))
        self._listed[code]["camera"] = {
            "address": f"127.0.0.1:{camera.rtsp.port}",
            "web_address": f"127.0.0.1:{camera.web.port}",
            "username": login.username,
            "password": login.password,
        }
        self._counted[f"{code}/camera"] = lambda: {"rtsp": camera.rtsp.requests, "web": camera.web.requests}

    async def _open_access_point(self, code: str, village: Village, ports: Iterator[int]) -> None:
        name = f"{code}/access-point"
        faults = partial(self._faults.active, name)
        alive = partial(self._has_power, name, village)
        community = draw_community(self._seed, code)
        options: AgentOptions[VillageState] = AgentOptions(
            community=community,
            state=lambda: village.state_at(self._clock()),
            engine_clock=lambda state: (engine_boots(state), state.ont_uptime_seconds),
            engine_id=b"\x80\x00\x3a\x8c\x05" + key_of(name, "engine").to_bytes(8, "big"),
            answers=alive,
            faults=faults,
        )
        transport, snmp = await serve_snmp(access_point_tree(village), options, next(ports))
        self._sockets.append(transport)
        web = web_page(faults)
        await self._open_door(web, alive, next(ports))
        self._listed[code]["access_point"] = {
            "address": f"127.0.0.1:{snmp}",
            "web_address": f"127.0.0.1:{web.port}",
            "community": community,
            "wan_interface": "eth0",
        }

    # -- power ----------------------------------------------------------------------------------------

    def _has_power(self, name: str, village: Village) -> bool:
        now = self._clock()
        off = any(e.holds_at(now) for e in self._faults.own_events(name))
        return not off and "device_dead" not in self._faults.active(name) and village.state_at(now).power

    async def _open_door(self, door: Door, alive: Callable[[], bool], port: int) -> None:
        await door.open(port)
        self._doors.append((door, alive))

    async def _tick_for_ever(self) -> None:
        while True:
            for door, alive in self._doors:
                await (door.open() if alive() else door.close())
            await asyncio.sleep(_TICK_SECONDS)

    # -- for others -------------------------------------------------------------------------------------

    def inventory(self, code: str) -> dict[str, object]:
        """What a village has of it."""
        found = dict(self._listed.get(code, {}))
        olt = next((one for service in self.olts if (one := service.inventory(code))), None)
        return {**found, "olt": olt} if olt else found

    def names(self) -> list[str]:
        """What a fault may be asked for, beside villages."""
        return [name.removesuffix(" ssh") for name in self._counted] + [
            f"{code}/access-point" for code, listed in self._listed.items() if "access_point" in listed
        ]

    def listed(self) -> dict[str, dict[str, object]]:
        """What each device counted."""
        return {name: count() for name, count in self._counted.items()}

    async def close(self) -> None:
        """Close everything."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        for close in self._closers:
            close()
        for transport in self._sockets:
            transport.close()
        for door, _ in self._doors:
            await door.close()
