"""Pages for a router that takes no files over its API: the box offers them for a moment, the router gets them itself.

That is ``/tool/fetch`` with the policy ``test`` (facts on routers 11.1). No page holds a secret, and only who was told
the random path gets one.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

REQUEST_SECONDS: Final = 10.0
REQUEST_BYTES: Final = 4_096


@asynccontextmanager
async def offered(files: Mapping[str, str], address: str) -> AsyncIterator[str]:
    """Serve files over HTTP on one of this box's addresses; yields the URL they lie under. Raises ``OSError``."""
    path = f"/{secrets.token_hex(16)}"
    contents = {f"{path}/{name}".encode(): content.encode() for name, content in files.items()}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                writer.write(_answer(contents, await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()  # who asks like this gets nothing; the router says itself what it did not get
        finally:
            writer.close()

    server = await asyncio.start_server(serve, address, 0, limit=REQUEST_BYTES)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"http://{f'[{address}]' if ':' in address else address}:{port}{path}"
    finally:
        server.close()


def _answer(contents: Mapping[bytes, bytes], head: bytes) -> bytes:
    method, _, rest = head.partition(b" ")
    content = contents.get(rest.partition(b" ")[0]) if method == b"GET" else None
    status = b"200 OK" if content is not None else b"404 Not Found"
    length = str(len(content or b"")).encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s" % (status, length, content or b"")
