"""SNMP to one device: exact objects and whole columns, in as few packets as their length allows.

Version 2c is spoken by ourselves (:mod:`.snmp_v2c`), version 3 by pysnmp (:mod:`.snmp_v3`), which is
imported only when a device wants it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceUnreachable, LoginRefused
from kampungnet_agent.record_tape import TAPE

from .snmp_access import Access
from .snmp_ber import Answer, Binding, Oid, Question, Value
from .snmp_v2c import Place, ask, resolve

__all__ = ["Oid", "SnmpSession", "Table", "Value"]

Table = dict[Oid, dict[Oid, Value]]
"""Column to row index to value."""

TIMEOUT_SECONDS: Final = 2.0
RETRIES: Final = 1
MOST_ROWS: Final = 500
"""Some small devices answer for ever (facts 2.1)."""
_VALUES_PER_PACKET: Final = 50
"""Keeps an answer below one Ethernet frame: IP fragments get lost on some paths."""
_FEWEST_VALUES: Final = 6
_TOO_BIG: Final = 1
_REFUSAL_STATUS: Final = {6, 16}
"""noAccess and authorizationError of RFC 3416."""
_STATUS_NAMES: Final = (
    "noError tooBig noSuchName badValue readOnly genErr noAccess wrongType wrongLength wrongEncoding wrongValue "
    "noCreation inconsistentValue resourceUnavailable commitFailed undoFailed authorizationError notWritable"
).split()


class _TooBig(AnswerUnreadable):
    """The device cannot put that many values into one packet."""


class _Line(Protocol):
    async def ask(self, question: Question) -> Answer: ...

    def close(self) -> None: ...


class _V2cLine:
    def __init__(self, host: str, port: int, community: str) -> None:
        self._host, self._port, self._community = host, port, community.encode()
        self._place: Place | None = None

    async def ask(self, question: Question) -> Answer:
        try:
            if self._place is None:
                self._place = await resolve(self._host, self._port)
            return await ask(self._place, self._community, question, TIMEOUT_SECONDS, RETRIES + 1)
        except ConnectionRefusedError as error:
            raise DeviceUnreachable("the device is there, but SNMP is switched off (port closed)") from error
        except OSError as error:
            self._place = None  # the name may point elsewhere by now
            raise DeviceUnreachable(f"not reachable: {error}"[:500]) from error

    def close(self) -> None:
        self._place = None


def _line_to(host: str, port: int, access: Access) -> _Line:
    if access.version == "2c":
        return _V2cLine(host, port, access.secret)
    from .snmp_v3 import V3Line  # 15 MB that a box without version 3 never needs

    return V3Line(host, port, access, TIMEOUT_SECONDS, RETRIES + 1)


class SnmpSession:
    """One device. :meth:`close` must be called at the end."""

    def __init__(self, host: str, port: int, access: Access) -> None:
        self._line = _line_to(host, port, access)
        self._values_per_packet = _VALUES_PER_PACKET

    async def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """Return the values of exact objects; what the device does not have is left out."""
        found: dict[Oid, Value] = {}
        at = 0
        while at < len(oids):
            part = tuple(oids[at : at + self._values_per_packet])
            try:
                bindings = await self._ask(Question(part))
            except _TooBig:
                self._ask_for_less()
                continue
            found.update(_known(bindings, part))
            at += len(part)
        return found

    async def walk(self, columns: Sequence[Oid], expected_rows: int = 0) -> Table:
        """Return whole columns of one table. See :meth:`read`."""
        return (await self.read((), columns, expected_rows))[1]

    async def read(
        self, exact: Sequence[Oid], columns: Sequence[Oid], expected_rows: int = 0
    ) -> tuple[dict[Oid, Value], Table]:
        """Return exact objects and whole columns together, mostly in one packet.

        A column ends at its border, at an OID that does not grow, and at ``MOST_ROWS``. A walk
        that breaks off raises, so half a table is never taken for a whole one.
        """
        found: dict[Oid, Value] = {}
        table: Table = {column: {} for column in columns}
        last: dict[Oid, Oid] = {column: column for column in columns}
        pending = tuple(exact)
        if pending and not last:
            return await self.get(pending), table
        while last:
            rows = min(len(table[column]) for column in last)
            per_packet = max(1, (self._values_per_packet - len(pending)) // len(last))
            repetitions = min(per_packet, expected_rows - rows + 1) if expected_rows > rows else per_packet
            asked = (*map(_just_before, pending), *last.values())
            try:
                answer = await self._ask(Question(asked, len(pending), repetitions))
            except _TooBig:
                self._ask_for_less()
                continue
            if not answer:
                raise AnswerUnreadable("empty answer in the middle of a table")
            found.update(_known(answer, pending))
            _sort_into(table, last, answer[len(pending) :])
            pending = pending[len(answer) :]  # a device may cut its answer anywhere
        return found, table

    async def next_rows(self, column: Oid, after: Oid, count: int) -> list[tuple[Oid, Value]]:
        """Return up to ``count`` further rows of one column behind ``after``; none at its end.

        For columns too long for one visit: the caller goes on later where it stopped.
        """
        answer = await self._ask(Question((after,), 0, count))
        rows: list[tuple[Oid, Value]] = []
        for oid, value in answer:
            if oid[: len(column)] != column or value is None or oid <= after:
                break
            rows.append((oid, value))
            after = oid
        return rows

    async def close(self) -> None:
        """Give back what was held; never raises."""
        self._line.close()

    async def _ask(self, question: Question) -> list[Binding]:
        answer = await self._line.ask(question)
        if answer.status:
            raise _status_error(answer.status)
        tape = TAPE.get()
        if tape is not None:
            tape.objects.update((oid, value) for oid, value in answer.bindings if value is not None)
        return answer.bindings

    def _ask_for_less(self) -> None:
        """Halve what one packet holds; raises ``AnswerUnreadable`` when even little is too much."""
        if self._values_per_packet <= _FEWEST_VALUES:
            raise AnswerUnreadable("the device answered with SNMP error tooBig, however little is asked")
        self._values_per_packet = max(_FEWEST_VALUES, self._values_per_packet // 2)


def _status_error(status: int) -> DeviceError:
    name = _STATUS_NAMES[status] if 0 <= status < len(_STATUS_NAMES) else f"number {status}"
    if status in _REFUSAL_STATUS:
        return LoginRefused(f"SNMP access refused: {name}")
    if status == _TOO_BIG:
        return _TooBig("the device answered with SNMP error tooBig")
    return AnswerUnreadable(f"the device answered with SNMP error {name}")


def _known(bindings: Iterable[Binding], wanted: Sequence[Oid]) -> dict[Oid, Value]:
    """Return what was asked for and is there; an answer to something else is none."""
    asked = frozenset(wanted)
    return {oid: value for oid, value in bindings if value is not None and oid in asked}


def _just_before(oid: Oid) -> Oid:
    """Return an OID whose successor is ``oid`` if that exists: GETBULK asks for what comes next."""
    return (*oid[:-1], oid[-1] - 1) if oid[-1] else oid[:-1]


def _sort_into(table: Table, last: dict[Oid, Oid], answer: Sequence[Binding]) -> None:
    """Put one GETBULK answer into its columns and forget the columns that ended."""
    asked = tuple(last)
    for position, (oid, value) in enumerate(answer):
        column = asked[position % len(asked)]
        if column not in last:
            continue
        inside = oid[: len(column)] == column and value is not None
        if not inside or oid <= last[column] or len(table[column]) >= MOST_ROWS:
            del last[column]
        elif value is not None:
            table[column][oid[len(column) :]] = value
            last[column] = oid
