"""GET, GETNEXT and GETBULK on a tree (RFC 3416), without caring how the message was secured."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from kampungnet_sim.snmp_ber import (
    COUNTER64,
    END_OF_MIB_VIEW,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    BerError,
    Oid,
    Reader,
    integer,
    object_id,
    sequence,
    wrap,
)
from kampungnet_sim.snmp_tree import Tree

State = TypeVar("State")

GET, GET_NEXT, RESPONSE, SET, GET_BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8
_NO_SUCH_NAME, _TOO_BIG, _NOT_WRITABLE = 2, 1, 17
_MISSING = (NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW)
_MAX_REPETITIONS = 500
# Room for the message around the list of values.
_ENVELOPE = 140


@dataclass(frozen=True, slots=True)
class Pdu:
    """A request as it came."""

    kind: int
    request_id: int
    first: int
    second: int
    names: tuple[Oid, ...]
    raw_bindings: bytes


def read_pdu(reader: Reader, data: bytes) -> Pdu:
    """Read a request; BerError when it is none."""
    kind, body = reader.enter()
    request_id, first, second = body.integer(), body.integer(), body.integer()
    start = body.at
    _, bindings = body.enter(0x30)
    names = []
    while bindings.more():
        _, one = bindings.enter(0x30)
        names.append(one.oid())
    return Pdu(kind, request_id, first, second, tuple(names), data[start : body.at])


def _binding(name: Oid, value: bytes) -> bytes:
    return sequence((object_id(name), value))


class Answerer(Generic[State]):
    """Answers requests from one tree."""

    def __init__(self, tree: Tree[State], max_bytes: int = 8_192) -> None:
        self._tree = tree
        self._max_bytes = max_bytes

    def answer(self, pdu: Pdu, state: State, *, version: int) -> bytes | None:
        """The encoded response, or None for what deserves none."""
        if pdu.kind == SET:
            return self._response(pdu, pdu.raw_bindings, _NOT_WRITABLE if version else _NO_SUCH_NAME, 1)
        if pdu.kind == GET_BULK and version:
            return self._bulk(pdu, state)
        if pdu.kind == GET:
            values = [self._tree.get(name, state) for name in pdu.names]
            return self._listed(pdu, list(zip(pdu.names, values, strict=True)), version)
        if pdu.kind == GET_NEXT:
            return self._listed(pdu, [self._next(name, state, version) for name in pdu.names], version)
        return None

    def _next(self, name: Oid, state: State, version: int) -> tuple[Oid, bytes]:
        following = self._tree.after(name)
        while following is not None:
            value = self._tree.value(following, state)
            # SNMPv1 cannot carry a Counter64; such objects do not exist for it.
            if version or value[0] != COUNTER64:
                return following, value
            following = self._tree.after(following)
        return name, END_OF_MIB_VIEW

    def _listed(self, pdu: Pdu, found: list[tuple[Oid, bytes]], version: int) -> bytes:
        if version == 0:
            for place, (_, value) in enumerate(found, 1):
                if value in _MISSING or value[0] == COUNTER64:
                    return self._response(pdu, pdu.raw_bindings, _NO_SUCH_NAME, place)
        body = sequence(_binding(name, value) for name, value in found)
        if len(body) > self._max_bytes:
            return self._response(pdu, sequence(()), _TOO_BIG, 0)
        return self._response(pdu, body, 0, 0)

    def _bulk(self, pdu: Pdu, state: State) -> bytes:
        bindings: list[bytes] = []
        room = self._max_bytes - _ENVELOPE
        for binding in self._bulk_bindings(pdu, state):
            room -= len(binding)
            if room < 0:
                break
            bindings.append(binding)
        return self._response(pdu, sequence(bindings), 0, 0)

    def _bulk_bindings(self, pdu: Pdu, state: State) -> Iterator[bytes]:
        singles = max(min(pdu.first, len(pdu.names)), 0)
        for name in pdu.names[:singles]:
            yield _binding(*self._next(name, state, 1))
        names = list(pdu.names[singles:])
        for _ in range(max(min(pdu.second, _MAX_REPETITIONS), 0) if names else 0):
            ended = True
            for place, name in enumerate(names):
                following, value = self._next(name, state, 1)
                names[place] = following
                ended = ended and value == END_OF_MIB_VIEW
                yield _binding(following, value)
            if ended:
                return

    @staticmethod
    def _response(pdu: Pdu, bindings: bytes, status: int, index: int) -> bytes:
        return wrap(RESPONSE, integer(pdu.request_id) + integer(status) + integer(index) + bindings)


__all__ = ["GET", "GET_BULK", "GET_NEXT", "REPORT", "Answerer", "BerError", "Pdu", "read_pdu"]
