"""IF-MIB and ifXTable to counter readings (RFC 2863; facts on ONTs, section 3)."""

from collections.abc import Mapping
from typing import Any, Final

from kampungnet.shared.wire import CounterReading

from .fields import LARGEST_COUNT, text
from .light_sources import oid
from .snmp_session import Oid, SnmpSession, Table, Value

MOST_INTERFACES: Final = 200
LONGEST_NAME: Final = 100

IF_NUMBER: Final = oid("1.3.6.1.2.1.2.1.0")
IF_DESCR: Final = oid("1.3.6.1.2.1.2.2.1.2")
IF_TYPE: Final = oid("1.3.6.1.2.1.2.2.1.3")
IF_NAME: Final = oid("1.3.6.1.2.1.31.1.1.1.1")
NAME_COLUMNS: Final = (IF_NAME, IF_DESCR, IF_TYPE)

ADMIN_STATUS: Final = oid("1.3.6.1.2.1.2.2.1.7")
OPER_STATUS: Final = oid("1.3.6.1.2.1.2.2.1.8")
_PLAIN_COUNTERS: Final = {
    "rx_errors": oid("1.3.6.1.2.1.2.2.1.14"),
    "tx_errors": oid("1.3.6.1.2.1.2.2.1.20"),
    "rx_drops": oid("1.3.6.1.2.1.2.2.1.13"),
    "tx_drops": oid("1.3.6.1.2.1.2.2.1.19"),
}
COUNTERS_64: Final = {
    "rx_bytes": oid("1.3.6.1.2.1.31.1.1.1.6"),
    "tx_bytes": oid("1.3.6.1.2.1.31.1.1.1.10"),
    "rx_packets": oid("1.3.6.1.2.1.31.1.1.1.7"),
    "tx_packets": oid("1.3.6.1.2.1.31.1.1.1.11"),
    **_PLAIN_COUNTERS,
}
COUNTERS_32: Final = {
    "rx_bytes": oid("1.3.6.1.2.1.2.2.1.10"),
    "tx_bytes": oid("1.3.6.1.2.1.2.2.1.16"),
    "rx_packets": oid("1.3.6.1.2.1.2.2.1.11"),
    "tx_packets": oid("1.3.6.1.2.1.2.2.1.17"),
    **_PLAIN_COUNTERS,
}
"""Wrap in 34 s at 1 Gbit/s: only where a device has nothing better."""

_KINDS: Final = {
    1: "other",
    6: "ethernet",
    24: "loopback",
    53: "virtual",
    71: "wlan",
    131: "tunnel",
    135: "vlan",
    161: "lag",
    209: "bridge",
    250: "gpon",
}
"""Numbers of IANAifType that occur on village devices."""


def snmp_text(raw: Value | None, longest: int = 200) -> str:
    """Return a string as far as its first NUL; some agents pad with NUL, and recorders draw that as dots."""
    if not isinstance(raw, bytes):
        return ""
    return text(raw.partition(b"\0")[0].rstrip(b"."), longest).strip()


def names_of(table: Table) -> dict[Oid, tuple[str, str]]:
    """Return index to name and kind. ``ifName`` is the stable name, ``ifDescr`` the second best."""
    names: dict[Oid, tuple[str, str]] = {}
    taken: set[str] = set()
    for index in table[IF_TYPE] | table[IF_NAME] | table[IF_DESCR]:
        dotted = ".".join(map(str, index))
        name = snmp_text(table[IF_NAME].get(index), LONGEST_NAME) or snmp_text(table[IF_DESCR].get(index), LONGEST_NAME)
        if not name or name in taken:
            name = f"{name[:60]}#{dotted}"[:LONGEST_NAME]
        taken.add(name)
        kind = table[IF_TYPE].get(index)
        names[index] = name, _KINDS.get(kind, f"ifType {kind}") if isinstance(kind, int) else ""
    return names


def interfaces_of(
    table: Table, names: Mapping[Oid, tuple[str, str]], counters: Mapping[str, Oid]
) -> list[CounterReading]:
    """Return the counters of every interface whose name is known, in the device's order."""
    readings: list[CounterReading] = []
    for index, (name, kind) in names.items():
        oper = table.get(OPER_STATUS, {}).get(index)
        values: dict[str, Any] = {
            field: _counter(table.get(column, {}).get(index)) for field, column in counters.items()
        }
        readings.append(
            CounterReading(
                interface=name,
                kind=kind,
                running=oper == 1 if oper is not None else None,
                disabled=table.get(ADMIN_STATUS, {}).get(index) == 2,
                counter_bits=32 if counters == COUNTERS_32 else 64,
                **values,
            )
        )
    return readings


def _counter(raw: Value | None) -> int | None:
    return raw if isinstance(raw, int) and 0 <= raw <= LARGEST_COUNT else None


class Interfaces:
    """What one device's interfaces are called and which columns it has, as found at the last look."""

    def __init__(self) -> None:
        self.names: dict[Oid, tuple[str, str]] = {}
        self.counters: dict[str, Oid] = COUNTERS_64
        self.columns: tuple[Oid, ...] = ()
        """Worth asking: the device gave a value in them."""
        self.missing: list[str] = []

    async def look(self, session: SnmpSession) -> None:
        """Learn names and columns; raises ``DeviceError``."""
        self.names = names_of(await session.walk(NAME_COLUMNS))
        self.missing = [] if self.names else ["interfaces: none answered"]
        self.counters, self.columns = COUNTERS_64, ()
        if not self.names:
            return
        index = next(iter(self.names))
        if (wide := (*COUNTERS_64["rx_bytes"], *index)) not in await session.get((wide,)):
            self.counters = COUNTERS_32
            self.missing.append("64-bit counters: only 32-bit ones, which wrap in 34 s at 1 Gbit/s")
        wanted = (OPER_STATUS, ADMIN_STATUS, *self.counters.values())
        table = await session.walk(wanted, self.names)
        self.columns = tuple(column for column in wanted if table[column])

    def readings(self, table: Table) -> list[CounterReading]:
        """Return every interface's counters."""
        return interfaces_of(table, self.names, self.counters)

    def has_strangers(self, table: Table) -> bool:
        """Tell whether interfaces answered whose names are not known yet."""
        return any(cells.keys() - self.names.keys() for cells in table.values())


def choose_interfaces(
    readings: list[CounterReading], wanted: str, most: int = MOST_INTERFACES
) -> tuple[list[CounterReading], list[str]]:
    """Return at most ``most`` interfaces, ``wanted`` among them, and what has to be said about it."""
    missing = []
    if wanted and readings and all(one.interface != wanted for one in readings):
        missing.append(f"wan_interface: the device has no interface {wanted!r}"[:200])
    if len(readings) > most:
        missing.append(f"interfaces: {len(readings)} on the device, {most} reported")
        readings = sorted(readings, key=lambda one: one.interface != wanted)[:most]
    return readings, missing
