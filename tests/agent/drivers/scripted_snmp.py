"""A small SNMP v2c agent on loopback that serves a dictionary, with misbehaviour to choose."""

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]
from pysnmp.proto import rfc1902, rfc1905  # type: ignore[import-untyped]
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]

from kampungnet_agent.drivers import snmp_session
from kampungnet_agent.drivers.light_sources import oid
from kampungnet_agent.drivers.snmp_session import Oid

Plain = int | bytes | str
"""``int`` is served as Counter64, ``bytes`` as OctetString, a dotted ``str`` as an OID."""


@dataclass
class ScriptedAgent(asyncio.DatagramProtocol):
    values: dict[str, Plain] = field(default_factory=dict)
    community: bytes = b"rahasia"
    silent_after: int = 1_000_000
    stuck_at: Oid = ()
    """Answers this object again and again as the next one."""
    status: int = 0
    packets: int = 0
    most_values: int = 60
    """More in one answer is error tooBig for a GET; a GETBULK is cut there."""
    spoil: Callable[[bytes], list[bytes]] = field(default=lambda answer: [answer])
    """What really leaves for one answer."""
    asked: list[Oid] = field(default_factory=list)
    """Every object anybody asked for."""
    pace_seconds: float = 0.0
    _seen: dict[str, Plain] = field(default_factory=dict)
    _known: list[tuple[Oid, Plain]] = field(default_factory=list)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        if bytes(v2c.apiMessage.get_community(message)) != self.community or self.packets >= self.silent_after:
            return
        self.packets += 1
        request = v2c.apiMessage.get_pdu(message)
        self.asked += [name.asTuple() for name, _ in v2c.apiPDU.get_varbinds(request)]
        answer = v2c.apiMessage.get_response(message)
        response = v2c.apiMessage.get_pdu(answer)
        found = self.answers(request)
        status = self.status or (1 if len(found) > self.most_values else 0)
        if status:
            v2c.apiPDU.set_error_status(response, status)
        else:
            v2c.apiPDU.set_varbinds(response, found)
        for datagram in self.spoil(encoder.encode(answer)):
            asyncio.get_running_loop().call_later(self.pace_seconds, self._leave, datagram, address)

    def _leave(self, datagram: bytes, address: tuple[str, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(datagram, address)

    def answers(self, request: Any) -> list[tuple[Oid, Any]]:
        asked = [name.asTuple() for name, _ in v2c.apiPDU.get_varbinds(request)]
        known = self._sorted()
        if not request.isSameTypeWith(v2c.GetBulkRequestPDU()):
            exact = dict(known)
            return [(one, served(exact[one]) if one in exact else rfc1905.noSuchInstance) for one in asked]
        once = int(v2c.apiBulkPDU.get_non_repeaters(request))
        found = [self._next(known, one) for one in asked[:once]]
        columns = asked[once:]
        for _ in range(int(v2c.apiBulkPDU.get_max_repetitions(request))):
            row = [self._next(known, one) for one in columns]
            columns = [name for name, _ in row]
            found += row
        return found[: self.most_values]

    def _sorted(self) -> list[tuple[Oid, Plain]]:
        """Return the values in order; sorted anew when a test changed them. An OLT's thousands take long otherwise."""
        if self._seen != self.values:
            self._seen = dict(self.values)
            self._known = sorted((oid(dotted), value) for dotted, value in self.values.items())
        return self._known

    def _next(self, known: list[tuple[Oid, Plain]], one: Oid) -> tuple[Oid, Any]:
        place = bisect_right(known, one, key=lambda pair: pair[0])
        if self.stuck_at and one[: len(self.stuck_at)] == self.stuck_at:
            place -= 1
        return (known[place][0], served(known[place][1])) if place < len(known) else (one, rfc1905.endOfMibView)


def served(value: Plain) -> Any:
    if isinstance(value, int):
        return rfc1902.Counter64(value) if value >= 0 else rfc1902.Integer32(value)
    return rfc1902.OctetString(value) if isinstance(value, bytes) else rfc1902.ObjectIdentifier(value)


@contextlib.contextmanager
def impatience() -> Iterator[None]:
    """Ask once and for 0.3 s, where no answer comes anyway: a device that answers needs longer on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snmp_session, "TIMEOUT_SECONDS", 0.3)
        patch.setattr(snmp_session, "RETRIES", 0)
        yield


@contextlib.asynccontextmanager
async def answering(agent: ScriptedAgent) -> AsyncIterator[str]:
    """Serve on a free loopback port; yield ``host:port``."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: agent, local_addr=("127.0.0.1", 0))
    try:
        yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()


def optical_router(rows: dict[int, tuple[int, int, int, int, int]]) -> dict[str, Plain]:
    """A MikroTik with two ports and optical rows: temperature, voltage, bias, tx, rx as raw numbers."""
    values: dict[str, Plain] = {
        "1.3.6.1.2.1.1.1.0": b"RouterOS CRS317",
        "1.3.6.1.2.1.1.2.0": "1.3.6.1.4.1.14988.1",
        "1.3.6.1.2.1.1.3.0": 12_300,
        "1.3.6.1.4.1.14988.1.1.7.3.0": b"SERIAL1",
        "1.3.6.1.4.1.14988.1.1.4.4.0": b"6.49.10",
    }
    for index, name in ((1, b"ether1"), (2, b"sfp1")):
        cells: dict[str, Plain] = {
            "2.2.1.2": name, "2.2.1.3": 6, "2.2.1.7": 1, "2.2.1.8": index,
            "2.2.1.10": 7, "2.2.1.16": 8, "2.2.1.13": 1, "2.2.1.14": 2, "2.2.1.19": 3, "2.2.1.20": 4,
            "31.1.1.1.1": name, "31.1.1.1.6": 2**40 + index, "31.1.1.1.7": 11,
            "31.1.1.1.10": 2**41, "31.1.1.1.11": 12,
        }  # fmt: skip
        values |= {f"1.3.6.1.2.1.{column}.{index}": value for column, value in cells.items()}
    for index, row in rows.items():
        values[f"1.3.6.1.4.1.14988.1.1.19.1.1.2.{index}"] = f"sfp{index}".encode()
        for column, value in zip((6, 7, 8, 9, 10), row, strict=True):
            values[f"1.3.6.1.4.1.14988.1.1.19.1.1.{column}.{index}"] = value
    return values
