"""What the simulator's tests share: a village on stage, its clock, and a client that knows only bytes."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from kampungnet_sim.fleet import Fleet, FleetOptions, Site
from kampungnet_sim.register import RegisteredVillage
from kampungnet_sim.village import Village, VillageState, draw_profile

SARONGAN = RegisteredVillage("35.10.01.2001", "Sarongan", "35.10.01")
SUKOREJO = RegisteredVillage("35.10.02.2001", "Sukorejo", "35.10.02")
# Tuesday 2026-11-17, 19:30 WIB: an evening with many guests.
EVENING = 1_794_918_600.0


class Clock:
    """Time that runs from a chosen instant and can be moved, or stand."""

    def __init__(self, start: float = EVENING) -> None:
        self._offset = start - time.monotonic()
        self._stands_since: float | None = None

    def __call__(self) -> float:
        return (time.monotonic() if self._stands_since is None else self._stands_since) + self._offset

    def stand_still(self) -> None:
        """Move by ``forward`` only, where a test asks for exact seconds."""
        self._stands_since = time.monotonic()

    def forward(self, seconds: float) -> None:
        """Jump ahead."""
        self._offset += seconds


def calm_from(village: Village, start: float, seconds: float = 7_200) -> float:
    """The first hour from ``start`` on before which nothing happened for an hour and nothing will for ``seconds``."""
    while village.events_between(start - 3_600, start + seconds):
        start += 3_600
    return start


def calm_seed(start: float, *villages: RegisteredVillage) -> int:
    """The first seed by which nothing happens in these villages, or on stage, around a time a test cannot choose."""
    seed = 1
    while any(
        calm_from(Village(draw_profile(one.code, one.name, seed)), start) > start for one in villages or (SARONGAN,)
    ):
        seed += 1
    return seed


@dataclass
class Stage:
    """One running village."""

    fleet: Fleet
    clock: Clock
    clients: list["Client"] = field(default_factory=list)

    @property
    def site(self) -> Site:
        """The village."""
        return self.fleet.sites[SARONGAN.code]

    @property
    def port(self) -> int:
        """The router's API port."""
        return self.site.ports["api"]

    @property
    def password(self) -> str:
        """Of the poller's account."""
        return self.site.router.users["kampungnet"].password

    def truth(self) -> VillageState:
        """What is true now."""
        return self.site.village.state_at(self.clock())

    async def connect(self) -> "Client":
        """A client that has not logged in yet."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client

    async def client(self, user: str = "kampungnet") -> "Client":
        """A client that has logged in."""
        client = await self.connect()
        password = self.site.router.users[user].password
        assert await client.ask("/login", f"=name={user}", f"=password={password}") == [["!done"]]
        return client


@asynccontextmanager
async def on_stage(options: FleetOptions | None = None, start: float | None = None) -> AsyncIterator[Stage]:
    """Run one village, in a calm evening unless another time is asked for."""
    options = options or FleetOptions()
    if start is None:
        profile = draw_profile(SARONGAN.code, SARONGAN.name, options.seed)
        start = calm_from(Village(profile), EVENING)
    clock = Clock(start)
    fleet = Fleet(clock, options)
    await fleet.start([SARONGAN])
    stage = Stage(fleet, clock)
    try:
        yield stage
    finally:
        await fleet.close()
        for client in stage.clients:
            await client.close()


def word(text: str | bytes) -> bytes:
    """One API word of up to 2,097,151 bytes, written without the simulator's own code."""
    raw = text.encode() if isinstance(text, str) else text
    size = len(raw)
    if size >= 1 << 14:
        return bytes([size >> 16 | 192, size >> 8 & 255, size & 255]) + raw
    return (bytes([size]) if size < 128 else bytes([size >> 8 | 128, size & 255])) + raw


def sentence(*words: str | bytes) -> bytes:
    """One API sentence."""
    return b"".join(map(word, words)) + b"\0"


class Client:
    """An API client that hides nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *words: str | bytes) -> None:
        """Send one sentence."""
        self.writer.write(sentence(*words))

    async def read(self) -> list[str]:
        """Read one sentence; EOFError when the router went away."""
        words: list[str] = []
        while True:
            size = (await self.reader.readexactly(1))[0]
            if size >= 128:
                size = (size & 127) << 8 | (await self.reader.readexactly(1))[0]
            if not size:
                return words
            words.append((await self.reader.readexactly(size)).decode("latin-1"))

    async def answer(self) -> list[list[str]]:
        """Read up to ``!done`` or ``!fatal``."""
        found = []
        while True:
            found.append(await asyncio.wait_for(self.read(), 60))
            if found[-1][0] in ("!done", "!fatal"):
                return found

    async def ask(self, *words: str | bytes) -> list[list[str]]:
        """Send a sentence and read the whole answer."""
        self.send(*words)
        return await self.answer()

    async def rows(self, *words: str) -> list[dict[str, str]]:
        """Ask and take the rows out of the answer."""
        found = await self.ask(*words)
        return [row_of(one) for one in found if one[0] == "!re"]

    async def ended(self) -> bool:
        """Did the router close the connection?"""
        try:
            return await asyncio.wait_for(self.reader.read(1), 60) == b""
        except ConnectionError:
            return True

    async def close(self) -> None:
        """Go away."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


def row_of(words: list[str]) -> dict[str, str]:
    """The attributes of a sentence."""
    parts = (one[1:].partition("=") for one in words if one.startswith("="))
    return {name: value for name, _, value in parts}


async def run(*command: str, seconds: float = 60) -> tuple[int, str]:
    """Run a program; its exit code and all it said."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        with suppress(ProcessLookupError):  # it may have ended just now
            process.kill()
        # To the end of its output, or the pipe stays open.
        await process.communicate()
        raise
    return process.returncode or 0, output.decode(errors="replace")


def needed(program: str, package: str) -> str:
    """The path of a program, or a skip that says what to install."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed here (on Debian: apt install {package})")
    return found
