"""What the ONT of a village answers: system, IF-MIB, and its own optical branch.

Three kinds answer, by facts/ont-snmp.md sections 1, 3, 4 and 9.1:

``sfp-mikrotik``  the router's cage holds a GPON stick; MikroTik optical table, dBm x 1000.
``hsgq``          the no-name unit: enterprise 50224 as the recorded PK-700, dBm x 100, rows of
                  empty cages with the marker -2147483648 and one junk row, as recorded.
``plain``         interfaces only, as the recorded Calix 716GE: this unit measures no light.

Nobody ever gets an answer from a ``silent`` one (fleet.py).
"""

from collections.abc import Callable
from functools import partial

from kampungnet_sim.models import OntModel
from kampungnet_sim.routeros_menus_interface import mac_of
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
from kampungnet_sim.snmp_tree import Tree
from kampungnet_sim.village import NO_LIGHT_DBM, Village, VillageState
from kampungnet_sim.village_interfaces import InterfaceCounters

Value = Callable[[VillageState], bytes]
Objects = dict[Oid, Value]

_SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
_IF_NUMBER: Oid = (1, 3, 6, 1, 2, 1, 2, 1, 0)
_IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_IFX_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_CPU: Oid = (1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2, 1)
_ENGINE: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1)
_MIKROTIK: Oid = (1, 3, 6, 1, 4, 1, 14988, 1, 1)
_HSGQ: Oid = (1, 3, 6, 1, 4, 1, 50224, 3)

_IF_TYPES = {"ether": 6, "wlan": 71, "wifi": 71, "bridge": 209, "vlan": 135, "l2tp-out": 23, "pon": 250}
_IF_TYPES["pppoe-out"] = 23
# Index of the first module of the recorded PK-700, and the step to the next one.
HSGQ_FIRST_ROW = 16_777_472
HSGQ_ROW_STEP = 256
_NO_MODULE = -2_147_483_648
# The recorded unit had a cage without module (state 1) that still said 8.16 dBm and -1.00 C.
_JUNK_CENTIDBM, _JUNK_CENTIDEGREES = 816, -100


def _always(value: bytes) -> Value:
    return lambda _: value


def engine_boots(state: VillageState) -> int:
    """Grows with every start: minutes from 1970 to the start."""
    return int(state.ont_boot_time // 60) & 0x7FFFFFFF


def _system(village: Village) -> Objects:
    profile = village.profile
    ont = profile.ont
    return {
        (*_SYSTEM, 1, 0): _always(octets(ont.sys_descr)),
        (*_SYSTEM, 2, 0): _always(object_id(parse_oid(ont.sys_object_id))),
        (*_SYSTEM, 3, 0): lambda s: ticks(s.time - s.ont_boot_time),
        (*_SYSTEM, 4, 0): _always(octets("kominfo")),
        (*_SYSTEM, 5, 0): _always(octets(f"ONT {profile.name}")),
        (*_SYSTEM, 6, 0): _always(octets(profile.code)),
        (*_SYSTEM, 7, 0): _always(integer(74)),
        _CPU: lambda s: integer(s.cpu_load_percent),
        (*_ENGINE, 2, 0): lambda s: integer(engine_boots(s)),
        (*_ENGINE, 3, 0): lambda s: integer(s.ont_uptime_seconds),
    }


Column = tuple[Oid, Callable[[InterfaceCounters, VillageState], bytes]]


def _changing() -> tuple[Column, ...]:
    none = counter32(0)
    return (
        ((*_IF_ENTRY, 8), lambda p, _: integer(1 if p.running else 2)),
        ((*_IF_ENTRY, 9), lambda p, _: ticks(8 if p.running else 0)),
        ((*_IF_ENTRY, 10), lambda p, _: counter32(p.rx_bytes)),
        ((*_IF_ENTRY, 11), lambda p, _: counter32(p.rx_packets)),
        ((*_IF_ENTRY, 13), lambda *_: none),
        ((*_IF_ENTRY, 14), lambda *_: none),
        ((*_IF_ENTRY, 16), lambda p, _: counter32(p.tx_bytes)),
        ((*_IF_ENTRY, 17), lambda p, _: counter32(p.tx_packets)),
        ((*_IF_ENTRY, 19), lambda *_: none),
        ((*_IF_ENTRY, 20), lambda *_: none),
        ((*_IFX_ENTRY, 6), lambda p, _: counter64(p.rx_bytes)),
        ((*_IFX_ENTRY, 7), lambda p, _: counter64(p.rx_packets)),
        ((*_IFX_ENTRY, 10), lambda p, _: counter64(p.tx_bytes)),
        ((*_IFX_ENTRY, 11), lambda p, _: counter64(p.tx_packets)),
    )


def _port_value(make: Callable[[InterfaceCounters, VillageState], bytes], place: int, state: VillageState) -> bytes:
    return make(state.ont_interfaces[place], state)


def _interfaces(village: Village) -> Objects:
    objects: Objects = {_IF_NUMBER: _always(integer(len(village.ont_plan)))}
    megabits = 1_000 if village.profile.contract_mbps > 90 else 100
    for place, port in enumerate(village.ont_plan):
        index = place + 1
        mac = bytes.fromhex(mac_of(village.profile.code, index + 32).replace(":", ""))
        steady: dict[Oid, bytes] = {
            (*_IF_ENTRY, 1): integer(index),
            (*_IF_ENTRY, 2): octets(port.name),
            (*_IF_ENTRY, 3): integer(_IF_TYPES.get(port.kind, 1)),
            (*_IF_ENTRY, 4): integer(1500),
            (*_IF_ENTRY, 5): gauge(megabits * 1_000_000),
            (*_IF_ENTRY, 6): octets(mac),
            (*_IF_ENTRY, 7): integer(1),
            (*_IFX_ENTRY, 1): octets(port.name),
            (*_IFX_ENTRY, 15): gauge(megabits),
            (*_IFX_ENTRY, 18): octets(""),
            (*_IFX_ENTRY, 19): ticks(0),
        }
        for column, value in steady.items():
            objects[(*column, index)] = _always(value)
        for column, make in _changing():
            objects[(*column, index)] = partial(_port_value, make, place)
    return objects


def _mikrotik(village: Village) -> Objects:
    profile = village.profile
    table = (*_MIKROTIK, 19, 1, 1)
    values: dict[int, Value] = {
        2: _always(octets(profile.router.wan_interface)),
        3: lambda s: integer(int(s.rx_power_dbm <= NO_LIGHT_DBM)),
        4: _always(integer(0)),
        5: _always(gauge(131_000)),
        6: lambda s: integer(round(s.ont_temperature_celsius)),
        7: lambda s: gauge(round(s.ont_voltage_volts * 1_000)),
        8: lambda s: gauge(round(s.ont_bias_milliamperes)),
        9: lambda s: integer(round((NO_LIGHT_DBM if s.tx_power_dbm is None else s.tx_power_dbm) * 1_000)),
        10: lambda s: integer(round(s.rx_power_dbm * 1_000)),
        11: _always(octets("HSGQ")),
        12: _always(octets(profile.ont_serial)),
    }
    objects: Objects = {(*table, column, 1): value for column, value in values.items()}
    objects[(*_MIKROTIK, 4, 4, 0)] = _always(octets(profile.version.split(" ", 1)[0]))
    objects[(*_MIKROTIK, 7, 3, 0)] = _always(octets(profile.router_serial))
    return objects


def _centi(value: float | None) -> int:
    return _NO_MODULE if value is None else round(value * 100)


def _hsgq(_: Village) -> Objects:
    table = (*_HSGQ, 2, 4, 1)
    first, empty, junk = (HSGQ_FIRST_ROW + n * HSGQ_ROW_STEP for n in range(3))
    objects: Objects = {
        (*_HSGQ, 1, 1, 17, 0): lambda s: integer(s.cpu_load_percent),
        (*_HSGQ, 1, 1, 18, 0): _always(integer(34)),
        (*table, 5, first): _always(integer(2)),
        (*table, 8, first): lambda s: integer(_centi(s.ont_temperature_celsius)),
        (*table, 11, first): lambda s: integer(_centi(s.tx_power_dbm)),
        (*table, 12, first): lambda s: integer(_centi(s.rx_power_dbm)),
    }
    for number, row in enumerate((first, empty, junk), 1):
        # The recorded names end with a NUL byte.
        objects[(*table, 2, row)] = _always(octets(b"FXE%02d\x00" % number))
    for row, light, warmth in ((empty, _NO_MODULE, 0), (junk, _JUNK_CENTIDBM, _JUNK_CENTIDEGREES)):
        objects[(*table, 5, row)] = _always(integer(1))
        objects[(*table, 8, row)] = _always(integer(warmth))
        objects[(*table, 11, row)] = _always(integer(light))
        objects[(*table, 12, row)] = _always(integer(light))
    return objects


def ont_tree(village: Village) -> Tree[VillageState]:
    """All objects of one village's ONT."""
    objects = {**_system(village), **_interfaces(village)}
    ont: OntModel = village.profile.ont
    if ont.kind == "sfp-mikrotik":
        objects |= _mikrotik(village)
    elif ont.kind == "hsgq":
        objects |= _hsgq(village)
    return Tree(objects)
