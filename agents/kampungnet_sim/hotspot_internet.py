"""The internet behind a village's hotspot: the probes of phones, a page for every name, and servers on loopback."""

import asyncio
from contextlib import suppress

from kampungnet_sim.servlet import Answer, Request

_LAST_SECONDS = 10.0
_APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
# What a phone or a PC looks for to know that it is online (facts/hotspot.md, 8).
_PROBES: dict[str, tuple[int, bytes]] = {
    "captive.apple.com": (200, _APPLE),
    "connectivitycheck.gstatic.com": (204, b""),
    "connectivitycheck.platform.hicloud.com": (204, b""),
    "detectportal.firefox.com": (200, b"success\n"),
    "www.msftconnecttest.com": (200, b"Microsoft Connect Test"),
    "www.msftncsi.com": (200, b"Microsoft NCSI"),
}
Far = dict[str, tuple[str, int]]


def far_answer(request: Request) -> Answer:
    """What a host of the internet says: enough for a browser to prove that it is online."""
    name = request.host.partition(":")[0].lower()
    status, body = _PROBES.get(name, (200, b""))
    if name not in _PROBES:
        body = f"<!doctype html><title>Internet</title><h1>Internet</h1><p>This is {name}.</p>".encode()
    return Answer(status, "OK" if body else "No Content", body, {"Content-Type": "text/html"})


def no_way() -> Answer:
    """The line to the internet is down."""
    return Answer(504, "Gateway Timeout", b"<html><body>Error: the host does not answer</body></html>")


async def forward(request: Request, place: tuple[str, int]) -> bytes:
    """Ask a real server on loopback in the guest's stead; what it said, head and all."""
    reader, writer = await asyncio.open_connection(*place)
    try:
        target = request.target.split("/", 3)
        path = "/" + target[3] if "://" in request.target and len(target) > 3 else "/"
        path = path if "://" in request.target else request.target
        kept = {k: v for k, v in request.headers.items() if not k.startswith(("proxy-", "connection", "keep-alive"))}
        lines = [f"{request.method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in kept.items()), "connection: close"]
        writer.write("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + request.body)
        await writer.drain()
        return await asyncio.wait_for(reader.read(-1), _LAST_SECONDS)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    passed = 0
    while data := await reader.read(65_536):
        passed += len(data)
        writer.write(data)
        await writer.drain()
    # One side has said all it had to say; the other may go on.
    with suppress(OSError):
        writer.write_eof()
    return passed


async def tunnel(place: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, int]:
    """Carry a ``CONNECT`` to a server on loopback until it ends; bytes (down, up)."""
    far_reader, far_writer = await asyncio.open_connection(*place)
    try:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        down, up = await asyncio.gather(_pipe(far_reader, writer), _pipe(reader, far_writer))
    finally:
        far_writer.close()
    return down, up
