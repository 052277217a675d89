"""SNMP to one device: exact objects and whole columns, in as few packets as their length allows.

Version 2c is spoken by ourselves (:mod:`.snmp_v2c`), version 3 by pysnmp (:mod:`.snmp_v3`), which is
imported only when a device wants it.
"""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceUnreachable, LoginRefused
from kampungnet_agent.record_tape import TAPE

from .snmp_access import Access
from .snmp_ber import Answer, Binding, Oid, Question, Value
from .snmp_table import Table, TableReading
from .snmp_v2c import Place, ask, resolve

__all__ = ["Oid", "SnmpSession", "Table", "Value"]

TIMEOUT_SECONDS: Final = 2.0
RETRIES: Final = 1
_VALUES_PER_PACKET: Final = 50
"""Keeps an answer below one Ethernet frame: IP fragments get lost on some paths."""
_COUNTERS_PER_PACKET: Final = 62
"""The same for a known table: counters and states take 20 bytes each, names and makers' own objects more."""
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
        self._cautious = 1
        """By how much less than usual one packet is asked to hold."""

    async def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """Return the values of exact objects; what the device does not have is left out."""
        found: dict[Oid, Value] = {}
        at = 0
        while at < len(oids):
            part = tuple(oids[at : at + _VALUES_PER_PACKET // self._cautious])
            try:
                bindings = await self._ask(Question(part))
            except _TooBig:
                self._ask_for_less()
                continue
            asked = frozenset(part)  # an answer to something else is none
            found.update((oid, value) for oid, value in bindings if value is not None and oid in asked)
            at += len(part)
        return found

    async def walk(self, columns: Sequence[Oid], rows: Collection[Oid] = ()) -> Table:
        """Return whole columns of one table. See :meth:`read`."""
        return (await self.read((), columns, rows))[1]

    async def read(
        self, exact: Sequence[Oid], columns: Sequence[Oid], rows: Collection[Oid] = ()
    ) -> tuple[dict[Oid, Value], Table]:
        """Return exact objects and whole columns together, mostly in one packet; ``rows``: indexes seen before.

        A walk that breaks off raises, so half a table is never taken for a whole one.
        """
        if not columns:
            return await self.get(exact), {}
        reading = TableReading(exact, columns, rows)
        most_values = _COUNTERS_PER_PACKET if rows else _VALUES_PER_PACKET
        while not reading.finished:
            try:
                answer = await self._ask(reading.question(most_values // self._cautious))
            except _TooBig:
                self._ask_for_less()
                continue
            if not answer:
                raise AnswerUnreadable("empty answer in the middle of a table")
            reading.take(answer)
        return reading.found, reading.table

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
        if _VALUES_PER_PACKET // self._cautious <= _FEWEST_VALUES:
            raise AnswerUnreadable("the device answered with SNMP error tooBig, however little is asked")
        self._cautious *= 2


def _status_error(status: int) -> DeviceError:
    name = _STATUS_NAMES[status] if 0 <= status < len(_STATUS_NAMES) else f"number {status}"
    if status in _REFUSAL_STATUS:
        return LoginRefused(f"SNMP access refused: {name}")
    if status == _TOO_BIG:
        return _TooBig("the device answered with SNMP error tooBig")
    return AnswerUnreadable(f"the device answered with SNMP error {name}")
