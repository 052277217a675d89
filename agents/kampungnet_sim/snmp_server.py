"""An SNMP agent on one UDP socket of loopback: v1, v2c and v3."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from kampungnet_sim.snmp_ber import (
    OCTETS,
    SEQUENCE,
    BerError,
    Oid,
    Reader,
    counter32,
    integer,
    object_id,
    octets,
    sequence,
    wrap,
)
from kampungnet_sim.snmp_pdu import GET_BULK, GET_NEXT, REPORT, Answerer, Pdu, read_pdu
from kampungnet_sim.snmp_tree import Tree
from kampungnet_sim.snmp_usm import (
    AUTH,
    DECRYPTION_ERROR,
    NOT_IN_TIME,
    PRIV,
    REPORTABLE,
    Header,
    Usm,
    UsmUser,
    read_header,
)

State = TypeVar("State")
_VERSION_3 = 3
SLOW_SECONDS = 3.0
# Later than any client waits: the answer then meets another question.
LATE_SECONDS = 25.0
# With the fault `walk_breaks_off` a walk gets so many answers after its first, then silence.
_WALK_ANSWERS = 2
_WALKERS = 500


@dataclass
class AgentOptions(Generic[State]):
    """How one agent is reached. ``clock`` gives engine boots and engine time (seconds)."""

    community: str
    state: Callable[[], State]
    engine_clock: Callable[[State], tuple[int, int]]
    engine_id: bytes = b"\x80\x00\x3a\x8c\x05kampung"
    user: UsmUser | None = None
    answers: Callable[[], bool] = field(default=lambda: True)
    faults: Callable[[], frozenset[str]] = field(default=frozenset)
    observe: Callable[[int, int], None] | None = None


class SnmpAgent(asyncio.DatagramProtocol, Generic[State]):
    """Answers from one tree. A wrong community gets silence, as on real devices."""

    def __init__(self, tree: Tree[State], options: AgentOptions[State]) -> None:
        self._tree = tree
        self._answerer = Answerer(tree, observe=options.observe)
        self._options = options
        self._walks: dict[tuple[str | int, ...], int] = {}
        self._usm = Usm(options.engine_id, options.user) if options.user else None
        self._transport: asyncio.DatagramTransport | None = None
        self._reports: dict[Oid, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """A request came."""
        faults = self._options.faults()
        if not self._options.answers() or "accept_never_answer" in faults:
            return
        try:
            answer = self._answer(data, faults, addr)
        except (BerError, OverflowError):
            # Unreadable requests are dropped in silence (RFC 3412 7.2).
            return
        if answer is None:
            return
        if faults & {"garbage_bytes", "stalled_session"}:
            answer = os.urandom(60) if "garbage_bytes" in faults else answer[: len(answer) // 2]
        wait = LATE_SECONDS if "late_answers" in faults else SLOW_SECONDS if "slow_answers" in faults else 0.0
        if wait:
            asyncio.get_running_loop().call_later(wait, self._send, answer, addr)
        else:
            self._send(answer, addr)

    def _send(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)

    def _breaks_off(self, pdu: Pdu, faults: frozenset[str], addr: tuple[str | int, ...]) -> bool:
        """Is this the packet of a walk that stays without an answer?"""
        if "walk_breaks_off" not in faults or pdu.kind not in (GET_NEXT, GET_BULK) or not pdu.names:
            self._walks.pop(addr, None)
            return False
        if len(self._walks) > _WALKERS:
            self._walks.clear()
        # Who asks for what comes after a whole name goes on with a walk; a column's name begins one.
        answered = self._walks.get(addr, 0) if self._tree.knows(pdu.names[-1]) else 0
        self._walks[addr] = answered + 1
        return answered > _WALK_ANSWERS

    def _answer(self, data: bytes, faults: frozenset[str], addr: tuple[str | int, ...]) -> bytes | None:
        _, message = Reader(data).enter(SEQUENCE)
        version = message.integer()
        if version == _VERSION_3:
            return self._answer_v3(data, faults, addr)
        community = message.octets()
        refused = "wrong_password" in faults or community != self._options.community.encode()
        if version not in (0, 1) or refused:
            return None
        pdu = read_pdu(message, data)
        if self._breaks_off(pdu, faults, addr):
            return None
        response = self._answerer.answer(pdu, self._options.state(), version=version, faults=faults)
        if response is None:
            return None
        return sequence((integer(version), octets(community), response))

    # -- version 3 --------------------------------------------------------------------

    def _answer_v3(self, data: bytes, faults: frozenset[str], addr: tuple[str | int, ...]) -> bytes | None:
        if self._usm is None:
            return None
        header = read_header(data)
        state = self._options.state()
        clock = self._options.engine_clock(state)
        problem = self._usm.problem(header, data, clock)
        if problem is not None:
            return self._report(header, problem, clock)
        scoped = self._usm.decrypted(header)
        try:
            context, name, pdu = _read_scoped(scoped)
        except BerError:
            return self._report(header, DECRYPTION_ERROR, clock)
        if self._breaks_off(pdu, faults, addr):
            return None
        response = self._answerer.answer(pdu, state, version=_VERSION_3, faults=faults)
        if response is None:
            return None
        answer = sequence((octets(context), octets(name), response))
        return self._usm.message(header, answer, clock, level=AUTH | PRIV)

    def _report(self, header: Header, counter: Oid, clock: tuple[int, int]) -> bytes | None:
        if self._usm is None or not header.flags & REPORTABLE:
            return None
        self._reports[counter] = count = self._reports.get(counter, 0) + 1
        binding = sequence((object_id(counter), counter32(count)))
        request_id = 0
        pdu = wrap(REPORT, integer(request_id) + integer(0) + integer(0) + sequence((binding,)))
        scoped = sequence((octets(self._usm.engine_id), octets(b""), pdu))
        # Only this report may be trusted by the manager, so only this one is signed (RFC 3414 3.2).
        level = AUTH if counter == NOT_IN_TIME else 0
        return self._usm.message(header, scoped, clock, level=level)


def _read_scoped(scoped: bytes) -> tuple[bytes, bytes, Pdu]:
    _, reader = Reader(scoped).enter(SEQUENCE)
    _, start, end = reader.next(OCTETS)
    context = scoped[start:end]
    name = reader.octets()
    return context, name, read_pdu(reader, scoped)


async def serve_snmp(
    tree: Tree[State], options: AgentOptions[State], port: int = 0
) -> tuple[asyncio.DatagramTransport, int]:
    """Open the socket on 127.0.0.1; returns it and its port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: SnmpAgent(tree, options), local_addr=("127.0.0.1", port))
    return transport, int(transport.get_extra_info("sockname")[1])
