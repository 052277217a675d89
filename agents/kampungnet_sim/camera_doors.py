"""TCP doors of small devices: open while the device has power, really closed while it has none.

A closed port refuses a connection, as a dead device's neighbour router does for it; a listening
socket that only hangs up would look alive to whoever just connects.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

SLOW_SECONDS = 3.0
_HEAD_BYTES = 8_192
_TRICKLE_SECONDS = 1.0
_HUGE_BYTES, _CHUNK_BYTES = 64 << 20, 1 << 16
# Answers one request, given its head; None ends the connection.
Answer = Callable[[str], Awaitable[bytes | None]]


class Door:
    """One TCP port that answers text requests which end with an empty line (HTTP, RTSP)."""

    def __init__(self, answer: Answer, faults: Callable[[], frozenset[str]]) -> None:
        self.port = 0
        self.requests = 0
        self._answer, self._faults = answer, faults
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; the same port again after the first time."""
        if self._server is None:
            self._server = await asyncio.start_server(self._begin, "127.0.0.1", port or self.port)
            self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut everybody off."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if server is not None:
            await server.wait_closed()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio's complains aloud when it is cancelled.
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await self._head(reader)) is not None:
                answer = await self._answer_to(head)
                if answer is None:
                    break
                await self._send(writer, answer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # The caller went away or sent no request.
            pass
        finally:
            with suppress(ConnectionError):
                writer.close()

    async def _send(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        faults = self._faults()
        if faults & {"huge_word", "endless_table"}:
            # The first header line does not end: after 64 MB, or ever.
            writer.write(answer.split(b"\r\n", 1)[0] + b"\r\nServer: ")
            left = _HUGE_BYTES // _CHUNK_BYTES if "huge_word" in faults else -1
            while left:
                writer.write(b"A" * _CHUNK_BYTES)
                await writer.drain()
                left -= 1
        step, pause = (1, _TRICKLE_SECONDS) if "trickle" in faults else (len(answer), 0.0)
        for at in range(0, len(answer), step):
            writer.write(answer[at : at + step])
            await writer.drain()
            await asyncio.sleep(pause)

    async def _head(self, reader: asyncio.StreamReader) -> str | None:
        head = await reader.readuntil(b"\r\n\r\n")
        return head.decode("latin-1") if len(head) <= _HEAD_BYTES else None

    async def _answer_to(self, head: str) -> bytes | None:
        self.requests += 1
        faults = self._faults()
        if "close_without_notice" in faults:
            return None
        if faults & {"accept_never_answer", "stalled_session"}:
            # Until the caller or the simulator gives up.
            await asyncio.Event().wait()
        if "slow_answers" in faults:
            await asyncio.sleep(SLOW_SECONDS)
        if "garbage_bytes" in faults:
            return os.urandom(200)
        return await self._answer(head)


def field(head: str, name: str) -> str:
    """The value of a header line, empty when it is missing."""
    for line in head.split("\r\n")[1:]:
        found, _, value = line.partition(":")
        if found.strip().lower() == name:
            return value.strip()
    return ""


def http(status: str, body: bytes = b"", kind: str = "text/html", *more: str) -> bytes:
    """One HTTP answer that leaves the connection open."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body
