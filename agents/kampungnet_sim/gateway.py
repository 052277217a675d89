"""The village's line to the server: a TCP proxy on loopback that can be cut, delayed and throttled."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

_CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class LineState:
    """How a line is now: ``delay_ms`` one way, ``kbit_per_second`` 0 means as fast as it goes."""

    cut: bool = False
    delay_ms: float = 0.0
    kbit_per_second: float = 0.0


class GatewayBoard:
    """The state of every line; ``*`` stands for all villages without one of their own."""

    def __init__(self) -> None:
        self._states: dict[str, LineState] = {}
        self._gateways: list[Gateway] = []

    def enlist(self, gateway: "Gateway") -> None:
        """A gateway that wants to know when its line is cut."""
        self._gateways.append(gateway)

    def state(self, village: str) -> LineState:
        """How this village's line is."""
        return self._states.get(village) or self._states.get("*") or LineState()

    def put(self, village: str, state: LineState) -> None:
        """Change a line; cutting it ends the connections on it."""
        self._states[village] = state
        for gateway in self._gateways:
            if self.state(gateway.village).cut:
                gateway.drop_all()

    def listed(self) -> dict[str, LineState]:
        """All lines that were changed."""
        return dict(self._states)


class Gateway:
    """One line. While it is cut, connections are taken and ended at once, as after a timeout."""

    def __init__(self, village: str, target: tuple[str, int], board: GatewayBoard) -> None:
        self.village = village
        self._target = target
        self._board = board
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        board.enlist(self)

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; returns the port."""
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    def _state(self) -> LineState:
        return self._board.state(self.village)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio's complains aloud when it is cancelled.
        task = asyncio.get_running_loop().create_task(self._accept(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state().cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            for one in (writer, far_writer):
                self._writers.discard(one)
                one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes one way. Reading goes on while bytes are under way, or a delay would throttle."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=64)
        carrier = asyncio.create_task(self._carry(under_way, writer))
        loop = asyncio.get_running_loop()
        try:
            with suppress(ConnectionError):
                while data := await reader.read(_CHUNK):
                    await under_way.put((loop.time() + self._state().delay_ms / 1000, data))
            await under_way.put((0.0, b""))
            await carrier
        finally:
            carrier.cancel()

    async def _carry(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await under_way.get()
            if not data:
                with suppress(OSError, RuntimeError):
                    writer.write_eof()
                return
            rate = self._state().kbit_per_second
            # At 8 bits a byte, kbit/s is the number of bits per millisecond.
            wait = max(due - loop.time(), 0) + (len(data) * 8 / rate / 1000 if rate else 0)
            if wait > 0:
                await asyncio.sleep(wait)
            if writer.is_closing():
                return
            writer.write(data)
            with suppress(ConnectionError):
                await writer.drain()

    def drop_all(self) -> None:
        """End all connections on the line without notice."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def close(self) -> None:
        """Stop listening and end everything."""
        if self._server is not None:
            self._server.close()
        self.drop_all()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
