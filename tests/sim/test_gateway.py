import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from kampungnet_sim.gateway import Gateway, GatewayBoard, LineState


@dataclass
class Line:
    board: GatewayBoard
    port: int

    async def echo(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            return await asyncio.wait_for(reader.readexactly(len(data)), 60)
        finally:
            writer.transport.abort()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    board = GatewayBoard()
    gateway = Gateway("35.10.01.2001", server.sockets[0].getsockname()[:2], board)
    yield Line(board, await gateway.start())
    await gateway.close()
    server.close()
    await server.wait_closed()


async def test_a_whole_line_carries_bytes_both_ways(line: Line) -> None:
    sent = bytes(range(256)) * 2_000
    assert await line.echo(sent) == sent


async def test_cutting_the_line_ends_what_is_on_it_and_mending_it_helps(line: Line) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(b"x")
    assert await reader.read(1) == b"x"
    line.board.put("35.10.01.2001", LineState(cut=True))
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.transport.abort()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await line.echo(b"nobody hears this")
    line.board.put("35.10.01.2001", LineState())
    assert await line.echo(b"hello") == b"hello"


async def test_all_lines_are_cut_together_unless_one_has_a_state_of_its_own(line: Line) -> None:
    line.board.put("35.10.01.2001", LineState(delay_ms=1))
    line.board.put("*", LineState(cut=True))
    assert await line.echo(b"hello") == b"hello"


async def test_a_delay_counts_once_in_each_direction_not_once_a_chunk(line: Line) -> None:
    line.board.put("*", LineState(delay_ms=500))
    loop = asyncio.get_running_loop()
    start = loop.time()
    await line.echo(b"x" * 2_000_000)
    assert 1.0 <= loop.time() - start < 15  # 31 chunks of 64 kB each way would take as many seconds


async def test_a_narrow_line_is_slow(line: Line) -> None:
    line.board.put("*", LineState(kbit_per_second=800))
    loop = asyncio.get_running_loop()
    start = loop.time()
    await line.echo(b"x" * 30_000)
    assert 0.3 <= loop.time() - start < 30


async def test_a_server_that_is_not_there_ends_the_connection() -> None:
    gateway = Gateway("35.10.01.2001", ("127.0.0.1", 1), GatewayBoard())
    port = await gateway.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.transport.abort()
    await gateway.close()
