"""IF-MIB and ifXTable to counter readings (RFC 2863; facts on ONTs, section 3). Pure."""

from collections.abc import Mapping
from typing import Any, Final

from kampungnet.shared.wire import CounterReading

from .fields import LARGEST_COUNT, text
from .light_sources import oid
from .snmp_session import Oid, Table, Value

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
        oper = table[OPER_STATUS].get(index)
        values: dict[str, Any] = {field: _counter(table[column].get(index)) for field, column in counters.items()}
        readings.append(
            CounterReading(
                interface=name,
                kind=kind,
                running=oper == 1 if oper is not None else None,
                disabled=table[ADMIN_STATUS].get(index) == 2,
                counter_bits=32 if counters is COUNTERS_32 else 64,
                **values,
            )
        )
    return readings


def _counter(raw: Value | None) -> int | None:
    return raw if isinstance(raw, int) and 0 <= raw <= LARGEST_COUNT else None
