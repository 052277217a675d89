"""The PON ports our ONUs hang on: up or down, and traffic. Exact rows, joined by name."""

from collections.abc import Iterable
from typing import Final

from kampungnet.shared.wire import CounterReading

from .olt_trees import OnuTree
from .ont_interfaces import COUNTERS_64, IF_NAME, LONGEST_NAME, NAME_COLUMNS, OPER_STATUS, interfaces_of, snmp_text
from .snmp_ber import Oid, Value
from .snmp_session import SnmpSession, Table

MOST_PORTS: Final = 32
_COUNTERS: Final = {name: COUNTERS_64[name] for name in ("rx_bytes", "tx_bytes")}
_COLUMNS: Final = (OPER_STATUS, *_COUNTERS.values())


class PonPorts:
    """Ports of one OLT. An ifIndex computed from an ONU's row is believed only when its ifName ends as it must:
    on ZTE the same number means different ports in different tables (facts 5.2).
    """

    def __init__(self, tree: OnuTree) -> None:
        self._tree = tree
        self._names: dict[Oid, tuple[str, str]] = {}
        self._asked: set[Oid] = set()
        self.readings: list[CounterReading] = []

    async def read(self, session: SnmpSession, rows: Iterable[Oid]) -> None:
        """Read the ports of ``rows``; raises ``DeviceError``."""
        if self._tree.pon_port is None:
            return
        await self._learn(session, dict(map(self._tree.pon_port, rows)))
        if not self._names:
            return
        values = await session.get([(*column, *index) for index in self._names for column in _COLUMNS])
        table: Table = {column: self._column(column, values) for column in (*_COLUMNS, *NAME_COLUMNS)}
        self.readings = interfaces_of(table, self._names, _COUNTERS)

    async def _learn(self, session: SnmpSession, wanted: dict[int, str]) -> None:
        new = {(index,): end for index, end in wanted.items() if (index,) not in self._asked}
        new = dict(list(new.items())[: MOST_PORTS - len(self._names)])
        told = await session.get([(*IF_NAME, *index) for index in new]) if new else {}
        for index, end in new.items():
            self._asked.add(index)
            name = snmp_text(told.get((*IF_NAME, *index)), LONGEST_NAME)
            if name.endswith(end):
                self._names[index] = name, "gpon"

    def _column(self, column: Oid, values: dict[Oid, Value]) -> dict[Oid, Value]:
        return {index: values[(*column, *index)] for index in self._names if (*column, *index) in values}
