"""``/tool/fetch``: the router gets a file by itself, the only way over the API to give version 6 a new page.

It takes the policy ``test`` (facts/routeros.md, 11.1), and device-mode ``home`` forbids it (7.2). The rows and the
texts of its traps are (unconfirmed). Nothing leaves loopback: other hosts do not answer.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_request import Request
from kampungnet_sim.routeros_tables import RouterTrap, Row

_PATIENCE_SECONDS = 10.0


async def _download(url: str) -> bytes:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    if parts.scheme != "http" or not (host.startswith("127.") or host == "localhost"):
        raise RouterTrap("failure: connection timeout")
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            path = parts.path or "/"
            target = f"{path}?{parts.query}" if parts.query else path
            writer.write(f"GET {target} HTTP/1.0\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        raise RouterTrap("failure: connection timeout") from error
    status = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")[2]
    if not status.startswith("200"):
        raise RouterTrap(f"failure: closing connection: <{status}> {host}:{port} (4)")
    return body


async def fetch(engine: Engine, request: Request) -> AsyncIterator[list[Row]]:
    """Get ``url`` and keep it as ``dst-path``, in place of a file of that name."""
    router = engine.router
    if router.version >= RosVersion(7, 0) and "hotspot-forbidden" in router.profile.features:
        raise RouterTrap("failure: not allowed by device-mode")
    url, given = request.arguments.get("url", ""), request.arguments.get("dst-path", "")
    if not url:
        raise RouterTrap("missing value(s) of argument(s) url", 1)
    yield [{"status": "connecting", ".section": "0"}]
    started = router.clock()
    data = await _download(url)
    moment = router.moment()
    router.flash.store((given or urlsplit(url).path).strip("/"), data, router.clock(), moment.state.free_storage_bytes)
    kilobytes = str(-(-len(data) // 1024))
    took = f"{max(int(router.clock() - started), 1)}s"
    yield [{"status": "finished", "downloaded": kilobytes, "total": kilobytes, "duration": took, ".section": "1"}]
