"""What the tables of all OLTs share: rows of ONUs, the system group, IF-MIB rows, times as bytes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

from kampungnet_sim.olt_onus import Onu, OnuNow
from kampungnet_sim.olt_plant import Moment, Olt
from kampungnet_sim.snmp_ber import (
    Oid,
    counter32,
    counter64,
    gauge,
    integer,
    object_id,
    octets,
    parse_oid,
    ticks,
)
from kampungnet_sim.village_day import WIB_SECONDS

Value = Callable[[Moment], bytes]
Objects = dict[Oid, Value]
Cell = Callable[[Onu, OnuNow], bytes]

_SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
_IF_NUMBER: Oid = (1, 3, 6, 1, 2, 1, 2, 1, 0)
_IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_IFX_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_ENGINE: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1)
GPON_TYPE, EPON_TYPE, ETHERNET_TYPE = 250, 1, 6


def enterprise(text: str) -> Oid:
    """``3902.1012.3`` below the tree of all makers."""
    return (1, 3, 6, 1, 4, 1, *parse_oid(text))


def always(value: bytes) -> Value:
    """An object that never changes."""
    return lambda _: value


@dataclass(frozen=True)
class OnuTable:
    """Columns with one row an ONU. Reading a column in ``light`` costs the OLT a question over the fibre."""

    index: Callable[[Onu], Oid]
    columns: Mapping[str, Cell]
    light: Mapping[str, Cell] = field(default_factory=dict)

    def objects(self, olt: Olt) -> Objects:
        """Every cell of every ONU."""
        found: Objects = {}
        for onu in olt.onus:
            index = self.index(onu)
            for column, cell in self.columns.items():
                found[(*enterprise(column), *index)] = partial(_cell, olt, onu, cell)
            for column, cell in self.light.items():
                found[(*enterprise(column), *index)] = partial(_light_cell, olt, onu, cell)
        return found


def _cell(olt: Olt, onu: Onu, cell: Cell, moment: Moment) -> bytes:
    return cell(onu, olt.now(onu, moment))


def _light_cell(olt: Olt, onu: Onu, cell: Cell, moment: Moment) -> bytes:
    olt.light_read(onu, moment.when)
    return cell(onu, olt.now(onu, moment))


# -- times --------------------------------------------------------------------------------


def local_time(when: float) -> datetime:
    """An instant as the OLT's clock shows it (WIB)."""
    return datetime.fromtimestamp(when, UTC) + timedelta(seconds=WIB_SECONDS)


def date_and_time(when: float) -> bytes:
    """The eight bytes of RFC 2579 DateAndTime in local time; all zero for never."""
    if not when:
        return octets(bytes(8))
    at = local_time(when)
    return octets(at.year.to_bytes(2, "big") + bytes((at.month, at.day, at.hour, at.minute, at.second, 0)))


def clock_text(when: float) -> str:
    """``2026-07-22 07:34:11`` in local time, zeros for never."""
    return local_time(when).strftime("%Y-%m-%d %H:%M:%S") if when else "0000-00-00 00:00:00"


# -- system and interfaces --------------------------------------------------------------------


def system(olt: Olt, descr: str, object_identifier: str, *, name: str) -> Objects:
    """System group and the clock of the SNMP engine."""
    return {
        (*_SYSTEM, 1, 0): always(octets(descr)),
        (*_SYSTEM, 2, 0): always(object_id(enterprise(object_identifier))),
        (*_SYSTEM, 3, 0): lambda m: ticks(m.when - m.boot),
        (*_SYSTEM, 4, 0): always(octets("")),
        (*_SYSTEM, 5, 0): always(octets(name)),
        (*_SYSTEM, 6, 0): always(octets(olt.name)),
        (*_SYSTEM, 7, 0): always(integer(78)),
        (*_ENGINE, 2, 0): lambda m: integer(engine_boots(m)),
        (*_ENGINE, 3, 0): lambda m: integer(int(m.when - m.boot)),
    }


def engine_boots(moment: Moment) -> int:
    """Grows with every start: minutes from 1970 to the start."""
    return int(moment.boot // 60) & 0x7FFFFFFF


class Port(NamedTuple):
    """One row of IF-MIB. ``slot`` and ``port`` are set for PON ports; ``counts`` is false where HC stays 0."""

    if_index: int
    descr: str
    name: str
    if_type: int
    megabits: int
    slot: int = -1
    port: int = -1
    counts: bool = True


def interfaces(olt: Olt, ports: Iterable[Port]) -> Objects:
    """IF-MIB rows: the traffic of a PON port is that of its ONUs, the uplink carries all of them."""
    found: Objects = {}
    listed = list(ports)
    for port in listed:
        onus = [onu for onu in olt.onus if port.slot < 0 or onu.place[:2] == (port.slot, port.port)]
        traffic = partial(_traffic, olt, onus, port)
        steady: dict[Oid, bytes] = {
            (*_IF_ENTRY, 1): integer(port.if_index),
            (*_IF_ENTRY, 2): octets(port.descr),
            (*_IF_ENTRY, 3): integer(port.if_type),
            (*_IF_ENTRY, 5): gauge(port.megabits * 1_000_000),
            (*_IF_ENTRY, 7): integer(1),
            (*_IF_ENTRY, 8): integer(1),
            (*_IFX_ENTRY, 1): octets(port.name),
            (*_IFX_ENTRY, 15): gauge(port.megabits),
            (*_IFX_ENTRY, 18): octets(""),
            (*_IFX_ENTRY, 19): ticks(0),
        }
        for column in (13, 14, 19, 20):
            steady[(*_IF_ENTRY, column)] = counter32(0)
        for name, value in steady.items():
            found[(*name, port.if_index)] = always(value)
        found[(*_IFX_ENTRY, 6, port.if_index)] = partial(_counted, traffic, 1)
        found[(*_IFX_ENTRY, 10, port.if_index)] = partial(_counted, traffic, 0)
    found[_IF_NUMBER] = always(integer(len(listed)))
    return found


def _traffic(olt: Olt, onus: list[Onu], port: Port, moment: Moment) -> tuple[int, int]:
    """Bytes down to the ONUs and up from them; an uplink sees them the other way round."""
    if not port.counts:
        return 0, 0
    nows = [olt.now(onu, moment) for onu in onus]
    down, up = sum(n.rx_bytes for n in nows), sum(n.tx_bytes for n in nows)
    return (down, up) if port.slot >= 0 else (up, down)


def _counted(traffic: Callable[[Moment], tuple[int, int]], which: int, moment: Moment) -> bytes:
    return counter64(traffic(moment)[which])


# -- numbers ------------------------------------------------------------------------------------


def scaled(level: float | None, factor: float, missing: int) -> bytes:
    """A level times a factor, or the maker's mark for "no value"."""
    return integer(missing if level is None else round(level * factor))


def measured(now: OnuNow, value: float, factor: float, missing: int) -> bytes:
    """A reading that only an ONU with light can give."""
    return integer(missing if now.rx_dbm is None else round(value * factor))
