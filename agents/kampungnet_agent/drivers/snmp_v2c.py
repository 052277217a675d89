"""One question, one answer, over UDP: a fresh socket for each, so that nothing lingers and no old answer fits."""

import asyncio
import ipaddress
import secrets
import socket
from typing import Any, Final

from kampungnet_agent.driver import AnswerUnreadable, DeviceUnreachable

from .snmp_ber import Answer, NotSnmp, Question, decode, encode

LARGEST_DATAGRAM: Final = 65_535
MOST_STRAYS: Final = 50
"""A device that floods us may not keep the event loop for itself."""

Place = tuple[int, Any]
"""Address family and socket address."""


async def resolve(host: str, port: int) -> Place:
    """Return where to send; raises ``OSError`` for a name nobody knows."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        return found[0][0], found[0][4]
    return (socket.AF_INET6 if version == 6 else socket.AF_INET), (host, port)


async def ask(place: Place, community: bytes, question: Question, timeout: float, tries: int) -> Answer:
    """Return the answer to ``question``; ``timeout`` in seconds for each of ``tries``.

    Raises ``DeviceUnreachable`` when nothing comes, ``AnswerUnreadable`` when only answers come that are no
    SNMP or belong to another question, ``OSError`` when the network refuses.
    """
    family, address = place
    request_id = secrets.randbits(31)
    datagram = encode(question, community, request_id)
    strays = _Strays()
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        line.connect(address)
        for _ in range(tries):
            line.send(datagram)
            until = asyncio.get_running_loop().time() + timeout
            while (data := await _next_datagram(line, until)) is not None:
                answer = strays.fitting(data, request_id)
                if answer:
                    return answer
    strays.raise_if_any()
    raise DeviceUnreachable("no answer: device off, or the community is wrong (SNMP 2c cannot tell which)")


async def _next_datagram(line: socket.socket, until: float) -> bytes | None:
    """Return what comes before the loop's time ``until``.

    Not ``asyncio.timeout``: when a slow box comes back to its loop late, answer and deadline are there together,
    and the answer would be thrown away. Here what came counts first.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Future[bytes | None] = loop.create_future()
    loop.add_reader(line, _take, line, came)
    alarm = loop.call_at(until, _give_up, came)
    try:
        return await came
    finally:
        alarm.cancel()
        loop.remove_reader(line)


def _take(line: socket.socket, came: "asyncio.Future[bytes | None]") -> None:
    if came.done():
        return
    try:
        came.set_result(line.recv(LARGEST_DATAGRAM))
    except BlockingIOError:  # the kernel woke us for a datagram and then found its checksum wrong
        return
    except OSError as error:
        came.set_exception(error)


def _give_up(came: "asyncio.Future[bytes | None]") -> None:
    if not came.done():
        came.set_result(None)


class _Strays:
    """Datagrams that are no answer to our question."""

    def __init__(self) -> None:
        self._count = 0
        self._why = ""

    def fitting(self, data: bytes, request_id: int) -> Answer | None:
        """Return the answer in ``data`` when it is ours."""
        try:
            answer = decode(data)
        except NotSnmp as error:
            self._note(f"not SNMP 2c: {error}")
            return None
        if answer.request_id == request_id:
            return answer
        self._note("another request's number")
        return None

    def raise_if_any(self) -> None:
        """Name what came instead of an answer."""
        if self._count:
            raise AnswerUnreadable(f"{self._count} answers that fit no question ({self._why})")

    def _note(self, why: str) -> None:
        self._count, self._why = self._count + 1, why
        if self._count >= MOST_STRAYS:
            self.raise_if_any()
