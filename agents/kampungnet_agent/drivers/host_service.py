"""Knocking at a service: does it speak its protocol, how fast, and who does it say it is."""

import asyncio
import re
import time
from typing import Final, NamedTuple

from kampungnet.shared.wire import Service

from .fields import text
from .ping_echo import connect, resolve

SERVICE_SECONDS: Final = 3.0
MOST_HEAD_BYTES: Final = 8_192
_SERVER: Final = re.compile(rb"^server:[ \t]*([^\r\n]{1,200})", re.IGNORECASE | re.MULTILINE)


class Asked(NamedTuple):
    """One service's answer; ``problem`` says why there is none, empty when there is."""

    service: Service
    server: str = ""
    problem: str = ""


async def ask_rtsp(host: str, port: int) -> Asked:
    """Ask an RTSP server for its methods (RFC 2326, 10.1), which needs no password. A refusal is an answer."""
    place = f"[{host}]" if ":" in host else host
    question = f"OPTIONS rtsp://{place}:{port}/ RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: KampungNet\r\n\r\n"
    return await _ask("rtsp", b"RTSP/1.", host, port, question.encode())


async def ask_http(host: str, port: int) -> Asked:
    """Ask a web server for its first page and read no further than the head."""
    place = f"[{host}]" if ":" in host else host
    question = f"GET / HTTP/1.1\r\nHost: {place}:{port}\r\nUser-Agent: KampungNet\r\nConnection: close\r\n\r\n"
    return await _ask("http", b"HTTP/1.", host, port, question.encode())


async def _ask(name: str, sign: bytes, host: str, port: int, question: bytes) -> Asked:
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(SERVICE_SECONDS):
            head = await _head(host, port, question)
    except TimeoutError:
        return Asked(Service(name=name, port=port, answers=False), problem=f"no answer within {SERVICE_SECONDS:g} s")
    except OSError as error:
        why = "port closed" if isinstance(error, ConnectionRefusedError) else f"not reachable: {error}"
        return Asked(Service(name=name, port=port, answers=False), problem=why[:150])
    if not head.startswith(sign):
        return Asked(Service(name=name, port=port, answers=False), problem=f"something answers that is not {name}")
    took = round((time.perf_counter() - begun) * 1000, 3)
    found = _SERVER.search(head)
    return Asked(
        Service(name=name, port=port, answers=True, milliseconds=took), text(found[1]).strip() if found else ""
    )


async def _head(host: str, port: int, question: bytes) -> bytes:
    loop, place = asyncio.get_running_loop(), await resolve(host)
    with await connect(place, port) as line:
        await loop.sock_sendall(line, question)
        head = b""
        while b"\r\n\r\n" not in head and len(head) < MOST_HEAD_BYTES:
            piece = await loop.sock_recv(line, MOST_HEAD_BYTES)
            if not piece:
                break
            head += piece
        return head
