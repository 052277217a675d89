"""A line to one simulated router that counts connections and commands in flight, as the router's side sees them."""

import asyncio
from collections.abc import Callable

import msgspec

from kampungnet_sim.routeros_wire import SentenceReader

_CHUNK = 65_536


class Traffic(msgspec.Struct):
    """What went over the line so far."""

    connections: int = 0
    """In all."""
    most_connections: int = 0
    """Open at the same time."""
    commands: int = 0
    most_in_flight: int = 0
    """Commands of one connection that waited for their end at the same time."""


class ApiLine:
    """Listens, passes everything on to ``port`` of loopback, and counts."""

    def __init__(self, port: int) -> None:
        self.traffic = Traffic()
        self._port = port
        self._open = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Return the port to connect to instead."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        traffic = self.traffic
        self._open += 1
        traffic.connections += 1
        traffic.most_connections = max(traffic.most_connections, self._open)
        answers, router = await asyncio.open_connection("127.0.0.1", self._port)
        flight = _Flight(traffic)
        try:
            await asyncio.gather(_pass(client, router, flight.asked), _pass(answers, back, flight.answered))
        finally:
            self._open -= 1


class _Flight:
    """The commands of one connection that are not answered to their end."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._asked, self._answered = SentenceReader(), SentenceReader()
        self._waiting = 0

    def asked(self, data: bytes) -> None:
        commands = len(self._asked.feed(data))
        self._waiting += commands
        self._traffic.commands += commands
        self._traffic.most_in_flight = max(self._traffic.most_in_flight, self._waiting)

    def answered(self, data: bytes) -> None:
        self._waiting -= sum(sentence[0] == b"!done" for sentence in self._answered.feed(data))


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter, count: Callable[[bytes], None]) -> None:
    try:
        while data := await source.read(_CHUNK):
            count(data)
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        return  # one of the two ends went away; the other is told below
    finally:
        sink.close()
