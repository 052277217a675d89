"""Is a host there, and how fast: ICMP echo without special rights where the system allows it, else TCP connect.

Linux gives unprivileged ICMP sockets to the groups of ``net.ipv4.ping_group_range``. A refused TCP connection
is an answer, too: somebody is there to refuse.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from kampungnet.shared.wire import Ping
from kampungnet_agent.driver import DeviceUnreachable

ECHO_SECONDS: Final = 1.0
ECHOES: Final = 3
_REQUEST: Final = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
"""ICMP type of the question and of the answer (RFC 792, RFC 4443)."""
_BODY: Final = b"kampungnet" * 4


class Place(NamedTuple):
    """A host's address."""

    family: socket.AddressFamily
    address: str


class Reached(NamedTuple):
    """What came back. ``way`` is ``icmp`` or ``tcp``."""

    ping: Ping
    way: str


async def reach(host: str, tcp_port: int = 0, echoes: int = ECHOES) -> Reached:
    """Ping ``host``; by TCP where ICMP is not allowed or not answered and a port is given.

    Raises ``DeviceUnreachable`` for a name nobody knows, and where neither way can be tried.
    """
    place = await resolve(host)
    trips = await _icmp(place.family, place.address, echoes)
    way = "icmp"
    if tcp_port and not any(trip is not None for trip in trips or ()):
        by_tcp = [await _tcp(place, tcp_port) for _ in range(echoes)]
        if trips is None or any(trip is not None for trip in by_tcp):
            trips, way = by_tcp, "tcp"
    if trips is None:
        raise DeviceUnreachable("ICMP is not allowed to this user (net.ipv4.ping_group_range) and no port is given")
    back = [trip for trip in trips if trip is not None]
    mean = round(sum(back) / len(back), 3) if back else None
    return Reached(Ping(target="device", address=host[:200], sent=len(trips), received=len(back), rtt_ms=mean), way)


async def resolve(host: str) -> Place:
    """Return where a host is; raises ``DeviceUnreachable`` for a name nobody knows."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise DeviceUnreachable(f"not reachable: {error}"[:300]) from error
    family, _, _, _, address = found[0]
    return Place(family, str(address[0]))


async def _icmp(family: socket.AddressFamily, address: str, echoes: int) -> list[float | None] | None:
    """Return round trips in ms; ``None`` when this user may not."""
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    try:
        line = socket.socket(family, socket.SOCK_DGRAM, protocol)
    except OSError:  # not allowed, or no such protocol here
        return None
    with line:
        line.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        return [await _echo(line, family, address, number) for number in range(1, echoes + 1)]


async def _echo(line: socket.socket, family: socket.AddressFamily, address: str, number: int) -> float | None:
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    try:
        async with asyncio.timeout(ECHO_SECONDS):
            await loop.sock_sendto(line, echo_request(family, number), (address, 0))
            while not is_reply(family, await loop.sock_recv(line, 2048), number):
                await asyncio.sleep(0)  # a flood of others' answers may not keep the loop
    except (TimeoutError, OSError):
        return None
    return (time.perf_counter() - begun) * 1000


def echo_request(family: int, number: int) -> bytes:
    """Return an echo request; the kernel fills in identifier and, on IPv6, the checksum."""
    kind = _REQUEST[socket.AddressFamily(family)][0]
    head = struct.pack("!BBHHH", kind, 0, 0, 0, number)
    return struct.pack("!BBHHH", kind, 0, _checksum(head + _BODY), 0, number) + _BODY


def is_reply(family: int, packet: bytes, number: int) -> bool:
    """Tell whether ``packet`` is the echo reply to our request of this number."""
    expected = _REQUEST[socket.AddressFamily(family)][1]
    return len(packet) >= 8 and packet[0] == expected and packet[6:8] == number.to_bytes(2, "big")


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


async def _tcp(place: Place, port: int) -> float | None:
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(ECHO_SECONDS):
            (await connect(place, port)).close()
    except ConnectionRefusedError:
        return (time.perf_counter() - begun) * 1000
    except (TimeoutError, OSError):
        return None
    return (time.perf_counter() - begun) * 1000


async def connect(place: Place, port: int) -> socket.socket:
    """Return a connected TCP socket that does not block; raises ``OSError``. A cancelled one is closed."""
    with contextlib.ExitStack() as stack:
        line = stack.enter_context(socket.socket(place.family, socket.SOCK_STREAM))
        line.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        await asyncio.get_running_loop().sock_connect(line, (place.address, port))
        stack.pop_all()
    return line


def port_option(options: Mapping[str, object], name: str, usual: int) -> int:
    """Return a TCP port of the settings, 0 for none; raises ``ValueError``."""
    value = options.get(name, usual)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 65_535:
        return value
    raise ValueError(f"{name} must be a port from 1 to 65535, or 0 for none")
