"""The simulated villages of a benchmark: a working Thursday at eight in the evening, whatever the time is now.

Runs as a child of its own (``python -m tests.benchmarks.simulator``), because what it costs must not count. It is
``kampungnet-sim run`` but for its clock: before sunrise nobody is online, and in a power cut there is nothing to poll.
"""

import argparse
import asyncio
import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from kampungnet_sim.control import Control
from kampungnet_sim.fleet import Fleet, FleetOptions
from kampungnet_sim.register import RegisteredVillage, made_up
from kampungnet_sim.routeros_router import ApiSession
from kampungnet_sim.village import Village, draw_profile
from kampungnet_sim.village_features import NO_WISH, Scale, Wish
from tests.benchmarks.api_line import ApiLine, Traffic
from tests.benchmarks.process import Child, module, running

START = datetime(2026, 10, 15, 20, 0, tzinfo=ZoneInfo("Asia/Jakarta")).timestamp()
QUIET_SECONDS = 1800
"""No village of ours has a cut of any kind for so long."""
SEED = 1
EVERYTHING = (
    "bad-cable", "capsman", "fasttrack", "hotspot-log", "latin-names", "old-firmware", "pppoe", "pppoe-server",
    "radius", "second-hotspot", "update-known",
)  # fmt: skip
"""Features that give a router more to tell; the others take something away."""


class Scene(msgspec.Struct, frozen=True):
    """What the simulated villages are like."""

    villages: int
    rtt_ms: float = 0.0
    full: bool = False
    """One well-equipped router: every feature, 40 guests, 300 users, 300 leases."""
    counted: bool = False
    """Let each router's clients pass a line that counts their connections and commands."""


class Router(msgspec.Struct):
    """How a simulated router is reached."""

    address: str
    username: str
    password: str
    wan_interface: str
    model: str
    version: str


class Ont(msgspec.Struct):
    """How a simulated ONT is reached."""

    address: str
    community: str
    v3_username: str = ""
    v3_auth_password: str = ""
    v3_priv_password: str = ""
    wan_interface: str = ""


class Simulated(msgspec.Struct):
    """One village of the inventory."""

    village: str
    router: Router
    ont: Ont
    guests: int = 0


class Sessions(msgspec.Struct):
    """What a router saw of its clients."""

    most: int
    """Open at the same time."""
    logins: int
    """In all."""


class Seen(msgspec.Struct):
    """What the simulator counted, by village."""

    sessions: dict[str, Sessions]
    traffic: dict[str, Traffic]


@dataclass(frozen=True)
class Simulation:
    """Running villages."""

    child: Child
    folder: Path
    villages: list[Simulated]

    def begin(self, fault: str) -> None:
        """Begin a fault everywhere."""
        wish = json.dumps({"village": "*", "fault": fault, "seconds": 3600}).encode()
        self._faults("POST", wish)

    def end_faults(self) -> None:
        """End all faults."""
        self._faults("DELETE", None)

    def seen(self) -> Seen:
        """Ask what the routers saw of their clients."""
        told = self.folder / "seen.json"
        told.unlink(missing_ok=True)
        os.kill(self.child.pid, signal.SIGUSR1)
        self.child.wait_for("what the simulator saw", told.exists, 10)
        return msgspec.json.decode(told.read_bytes(), type=Seen)

    def _faults(self, method: str, body: bytes | None) -> None:
        url = (self.folder / "control").read_text()
        request = urllib.request.Request(f"{url}/faults", body, method=method)
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def simulation(folder: Path, scene: Scene) -> Iterator[Simulation]:
    """Run simulated villages for as long as the block lasts."""
    inventory = folder / "inventory.json"
    inventory.unlink(missing_ok=True)
    wanted = ["--scene", msgspec.json.encode(scene).decode(), "--folder", str(folder)]
    with running("simulator", [*module("simulator"), *wanted], folder) as child:
        child.wait_for("the simulator", inventory.exists, 90)
        yield Simulation(child, folder, msgspec.json.decode(inventory.read_bytes(), type=list[Simulated]))


@contextmanager
def simulated(folder: Path, villages: int, rtt_ms: float = 0.0) -> Iterator[list[Simulated]]:
    """Run simulated villages for as long as the block lasts, and say how they are reached."""
    with simulation(folder, Scene(villages, rtt_ms)) as found:
        yield found.villages


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


class _CountedSessions(dict[int, ApiSession]):
    """The sessions of one router, counted as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.most = self.logins = 0

    def __setitem__(self, key: int, value: ApiSession) -> None:
        super().__setitem__(key, value)
        self.logins += 1
        self.most = max(self.most, len(self))


class _Doors(NamedTuple):
    """Where a village's clients are counted."""

    sessions: _CountedSessions
    line: ApiLine | None


async def _serve(scene: Scene, folder: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    began = time.time()
    fleet = Fleet(lambda: START + time.time() - began, _options(scene))
    async with AsyncExitStack() as ends:
        ends.push_async_callback(fleet.close)
        await fleet.start(undisturbed(scene.villages))
        control = Control(fleet)
        ends.push_async_callback(control.close)
        (folder / "control").write_text(f"http://127.0.0.1:{await control.start(0)}")
        doors = {code: await _count(fleet, code, ends, counted=scene.counted) for code in fleet.sites}
        loop.add_signal_handler(signal.SIGUSR1, lambda: _tell(folder / "seen.json", doors))
        found = [
            {**one, "guests": len(site.village.visits(START))}
            for one, site in zip(fleet.inventory(), fleet.sites.values(), strict=True)
        ]
        _write_private(folder / "inventory.json", json.dumps(found))
        await stop.wait()


def _options(scene: Scene) -> FleetOptions:
    # Pings answer at once: otherwise a poll's wall time would be that of the pings the router makes.
    like_all = FleetOptions(seed=SEED, rtt_ms=scene.rtt_ms, instant_ping=True, wish=NO_WISH)
    if not scene.full:
        return like_all
    return FleetOptions(
        seed=SEED,
        rtt_ms=scene.rtt_ms,
        instant_ping=True,
        model="hex-s",
        version="7.20.6 (stable)",
        wish=Wish(frozenset(EVERYTHING), Scale(guests=40, users=300, leases=300)),
    )


async def _count(fleet: Fleet, code: str, ends: AsyncExitStack, *, counted: bool) -> _Doors:
    site = fleet.sites[code]
    sessions = _CountedSessions()
    site.router.sessions = sessions
    if not counted:
        return _Doors(sessions, None)
    line = ApiLine(site.ports["api"])
    ends.push_async_callback(line.close)
    site.ports["api"] = await line.start()
    return _Doors(sessions, line)


def _tell(path: Path, doors: dict[str, _Doors]) -> None:
    sessions = {code: Sessions(one.sessions.most, one.sessions.logins) for code, one in doors.items()}
    traffic = {code: one.line.traffic for code, one in doors.items() if one.line is not None}
    _write_private(path, msgspec.json.encode(Seen(sessions, traffic)).decode())


def _write_private(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.touch(mode=0o600)
    beside.write_text(text)
    beside.replace(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--scene", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(_serve(msgspec.json.decode(given.scene, type=Scene), given.folder))
