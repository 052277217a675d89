"""FiberHome AN5516 and AN5116 (facts/ont-snmp.md, section 7): power cut or fibre cut in one number.

Slot, PON and ONU are packed into one index, in two ways. The times of ups and downs are a guess
(DateAndTime): the facts name the columns and no form.
"""

from collections.abc import Callable
from typing import NamedTuple

from kampungnet_sim.olt_onus import Cause, Onu, OnuNow, Phase
from kampungnet_sim.olt_others import pon_ports
from kampungnet_sim.olt_plant import Olt
from kampungnet_sim.olt_tables import (
    Cell,
    Objects,
    OnuTable,
    always,
    date_and_time,
    enterprise,
    interfaces,
    measured,
    scaled,
    system,
)
from kampungnet_sim.snmp_ber import integer, octets


class Packing(NamedTuple):
    """By how many bits slot, PON and ONU are moved up."""

    slot: int
    pon: int
    onu: int

    def of_port(self, slot: int, port: int) -> int:
        """The index of a PON port."""
        return (slot << self.slot) + (port << self.pon)

    def of_onu(self, onu: Onu) -> int:
        """The index of an ONU."""
        return self.of_port(*onu.place[:2]) + (onu.place.number << self.onu)


AN5516 = Packing(25, 19, 8)
# Unsigned: from slot 16 on it passes 2^31.
AN5116 = Packing(27, 22, 13)


def _state(now: OnuNow) -> int:
    """0 fibre, 1 online, 2 power, 3 offline."""
    if now.online:
        return 1
    if now.phase is Phase.LOS:
        return 0
    return 2 if now.cause is Cause.DYING_GASP else 3


def _old_state(now: OnuNow) -> int:
    """AN5116 has no 3: what is off for no reason looks like a cut fibre."""
    return _state(now) % 3


_LIST: dict[str, Cell] = {
    "5875.800.3.10.1.1.2": lambda o, _: integer(o.place.slot),
    "5875.800.3.10.1.1.3": lambda o, _: integer(o.place.port),
    "5875.800.3.10.1.1.4": lambda o, _: integer(o.place.number),
    "5875.800.3.10.1.1.5": lambda *_: integer(503),
    "5875.800.3.10.1.1.7": lambda o, _: octets(o.name),
    "5875.800.3.10.1.1.10": lambda o, _: octets(o.serial),
    "5875.800.3.10.1.1.30": lambda _, n: date_and_time(n.last_up),
    "5875.800.3.10.1.1.31": lambda _, n: date_and_time(n.last_down),
    "5875.800.3.9.6.1.1.1": lambda o, n: integer(o.distance_metres if n.online else 0),
}
# 0 for offline was seen; no other marker is known.
_LIGHT: dict[str, Cell] = {
    "5875.800.3.9.3.3.1.6": lambda _, n: scaled(n.rx_dbm, 100, 0),
    "5875.800.3.9.3.3.1.7": lambda _, n: scaled(n.tx_dbm, 100, 0),
    "5875.800.3.9.3.3.1.8": lambda _, n: measured(n, n.voltage_volts, 100, 0),
    "5875.800.3.9.3.3.1.9": lambda _, n: measured(n, n.bias_milliamperes, 100, 0),
    "5875.800.3.9.3.3.1.10": lambda _, n: measured(n, n.temperature_celsius, 100, 0),
}


def _tables(packing: Packing, state: Callable[[OnuNow], int]) -> tuple[OnuTable, OnuTable]:
    states: dict[str, Cell] = {"5875.800.3.10.1.1.11": lambda _, n: integer(state(n))}
    uplink: dict[str, Cell] = {"5875.800.3.9.3.7.1.2": lambda _, n: scaled(n.olt_rx_dbm, 100, 0)}
    return (
        OnuTable(lambda onu: (packing.of_onu(onu),), _LIST | states, _LIGHT),
        OnuTable(lambda onu: (packing.of_port(*onu.place[:2]), onu.place.number), {}, uplink),
    )


def _tree(olt: Olt, model: str, object_identifier: str, packing: Packing, state: Callable[[OnuNow], int]) -> Objects:
    found = {
        **system(olt, model, object_identifier, name=model),
        **interfaces(olt, pon_ports(olt, 101, lambda s, p: f"PON {s}/{p}")),
        (*enterprise("5875.800.3.9.4.3"), 0): always(octets("RP0700")),
        (*enterprise("5875.800.3.9.4.5"), 0): always(integer(45)),
    }
    for table in _tables(packing, state):
        found |= table.objects(olt)
    for slot, port in olt.shelf.port_places():
        for column, value in ((5, 1), (8, 452), (12, len(olt.on_port(slot, port)))):
            row = (*enterprise("5875.800.3.9.3.4.1"), column, packing.of_port(slot, port))
            found[row] = always(integer(value))
    return found


def an5516(olt: Olt) -> Objects:
    """AN5516-01, the easiest OLT for our purpose."""
    return _tree(olt, "AN5516-01", "5875.800.1001.11", AN5516, _state)


def an5116(olt: Olt) -> Objects:
    """AN5116-02."""
    return _tree(olt, "AN5116-02", "5875.800.1001.1", AN5116, _old_state)
