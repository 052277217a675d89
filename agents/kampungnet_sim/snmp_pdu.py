"""GET, GETNEXT and GETBULK on a tree (RFC 3416), without caring how the message was secured."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from kampungnet_sim.snmp_ber import (
    COUNTER64,
    END_OF_MIB_VIEW,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    OCTETS,
    BerError,
    Oid,
    Reader,
    integer,
    object_id,
    octets,
    sequence,
    wrap,
)
from kampungnet_sim.snmp_tree import Tree

State = TypeVar("State")

GET, GET_NEXT, RESPONSE, SET, GET_BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8
_NO_SUCH_NAME, _TOO_BIG, _NOT_WRITABLE = 2, 1, 17
_MISSING = (NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW)
_MAX_REPETITIONS = 500
_LAST_ROW = 0xFFFFFFFF
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


def _mistyped(value: bytes) -> bytes:
    """The value as another type, as a broken agent sends it."""
    return integer(42) if value[0] == OCTETS else octets("n/a")


class Answerer(Generic[State]):
    """Answers requests from one tree. ``observe`` hears the kind of each request and how many values it got."""

    def __init__(
        self, tree: Tree[State], max_bytes: int = 8_192, observe: Callable[[int, int], None] | None = None
    ) -> None:
        self._tree = tree
        self._max_bytes = max_bytes
        self._observe = observe
        self._faults: frozenset[str] = frozenset()

    def answer(self, pdu: Pdu, state: State, *, version: int, faults: frozenset[str] = frozenset()) -> bytes | None:
        """The encoded response, or None for what deserves none."""
        self._faults = faults
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
        if "stuck_oid" in self._faults and self._tree.knows(name):
            return name, self._tree.value(name, state)
        if "endless_table" in self._faults:
            made_up = self._made_up(name, state)
            if made_up is not None:
                return made_up
        following = self._tree.after(name)
        while following is not None:
            value = self._tree.value(following, state)
            # SNMPv1 cannot carry a Counter64; such objects do not exist for it.
            if version or value[0] != COUNTER64:
                return following, value
            following = self._tree.after(following)
        return name, END_OF_MIB_VIEW

    def _made_up(self, name: Oid, state: State) -> tuple[Oid, bytes] | None:
        """One more row of a table that never ends; None where no row has been reached yet."""
        last = self._tree.before(name)
        if last is None or last[:-1] != name[:-1] or name[-1] >= _LAST_ROW:
            return None
        return (*name[:-1], name[-1] + 1), self._tree.value(last, state)

    def _listed(self, pdu: Pdu, found: list[tuple[Oid, bytes]], version: int) -> bytes:
        if version == 0:
            for place, (_, value) in enumerate(found, 1):
                if value in _MISSING or value[0] == COUNTER64:
                    return self._response(pdu, pdu.raw_bindings, _NO_SUCH_NAME, place)
        self._tell(pdu, len(found))
        body = sequence(self._binding(name, value) for name, value in found)
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
        self._tell(pdu, len(bindings))
        return self._response(pdu, sequence(bindings), 0, 0)

    def _tell(self, pdu: Pdu, values: int) -> None:
        if self._observe is not None:
            self._observe(pdu.kind, values)

    def _binding(self, name: Oid, value: bytes) -> bytes:
        twisted = "wrong_type" in self._faults and value not in _MISSING
        return sequence((object_id(name), _mistyped(value) if twisted else value))

    def _bulk_bindings(self, pdu: Pdu, state: State) -> Iterator[bytes]:
        singles = max(min(pdu.first, len(pdu.names)), 0)
        for name in pdu.names[:singles]:
            yield self._binding(*self._next(name, state, 1))
        names = list(pdu.names[singles:])
        for _ in range(max(min(pdu.second, _MAX_REPETITIONS), 0) if names else 0):
            ended = True
            for place, name in enumerate(names):
                following, value = self._next(name, state, 1)
                names[place] = following
                ended = ended and value == END_OF_MIB_VIEW
                yield self._binding(following, value)
            if ended:
                return

    def _response(self, pdu: Pdu, bindings: bytes, status: int, index: int) -> bytes:
        request_id = pdu.request_id ^ 1 if "wrong_request_id" in self._faults else pdu.request_id
        return wrap(RESPONSE, integer(request_id) + integer(status) + integer(index) + bindings)


__all__ = ["GET", "GET_BULK", "GET_NEXT", "REPORT", "Answerer", "BerError", "Pdu", "read_pdu"]
