"""ZTE C300, C320 and C600: two trees and three codings of the index (facts/ont-snmp.md, section 5).

Drawn from the MIB text and other people's code named there; no walk of the per-ONU rows is public.
"""

from functools import partial

from kampungnet_sim.olt_onus import Cause, Onu, OnuNow, Phase, serial_bytes
from kampungnet_sim.olt_plant import Olt
from kampungnet_sim.olt_tables import (
    ETHERNET_TYPE,
    GPON_TYPE,
    Objects,
    OnuTable,
    Port,
    always,
    date_and_time,
    enterprise,
    interfaces,
    measured,
    scaled,
    system,
)
from kampungnet_sim.snmp_ber import Oid, integer, octets, ticks

_NO_LIGHT, _NO_VALUE, _DARK = 65_535, 2_147_483_647, -80_000
_OLD_PHASES = (Phase.LOGGING, Phase.LOS, None, Phase.WORKING, Phase.DYING_GASP, Phase.AUTH_FAILED, Phase.OFFLINE)
# Facts 5.5, first variant; 9 is the same in both.
_CAUSES = {Cause.NONE: 0, Cause.LOS: 3, Cause.DYING_GASP: 9, Cause.DEACTIVATED: 10}


def coding_a(slot: int, port: int) -> int:
    """PON index of the old trees; shelf 1 stands as type 1 in the upper bits."""
    return 0x10000000 + (slot << 16) + (port << 8)


def coding_b(slot: int, port: int) -> int:
    """IfIndex of a C320 with V2.1.0: the same layout counted from 0, so it means another port."""
    return coding_a(slot - 1, port - 1)


def coding_c(slot: int, port: int) -> int:
    """IfIndex of the new tree."""
    return 0x11000000 + (1 << 16) + (slot << 8) + port


def _row_a(onu: Onu) -> Oid:
    return (coding_a(*onu.place[:2]), onu.place.number)


def _row_c(onu: Onu) -> Oid:
    return (coding_c(*onu.place[:2]), onu.place.number)


def _old_phase(now: OnuNow) -> int:
    return _OLD_PHASES.index(now.phase)


def _two_thousandths(level: float | None) -> bytes:
    """Light and laser of an ONU: raw x 0.002 - 30 dBm."""
    return integer(_NO_LIGHT if level is None else round((level + 30) * 500))


def _vendor(onu: Onu) -> bytes:
    return octets(onu.serial[:4])


_OLD_TABLE = OnuTable(
    _row_a,
    {
        "3902.1012.3.11.4.1.1": lambda o, _: integer(262_400 - 10 * o.distance_metres),
        "3902.1012.3.11.4.1.2": lambda o, _: integer(o.distance_metres),
        "3902.1012.3.28.1.1.1": lambda o, _: octets(o.model),
        "3902.1012.3.28.1.1.2": lambda o, _: octets(o.name),
        "3902.1012.3.28.1.1.3": lambda *_: octets(""),
        "3902.1012.3.28.1.1.5": lambda o, _: octets(serial_bytes(o.serial)),
        "3902.1012.3.28.2.1.1": lambda *_: integer(1),
        "3902.1012.3.28.2.1.2": lambda _, n: integer(1 if n.online else 2),
        "3902.1012.3.28.2.1.4": lambda _, n: integer(_old_phase(n)),
        "3902.1012.3.28.2.1.5": lambda _, n: date_and_time(n.last_up),
        "3902.1012.3.28.2.1.6": lambda _, n: date_and_time(n.last_down),
        "3902.1012.3.28.2.1.7": lambda _, n: integer(_CAUSES[n.cause]),
        "3902.1012.3.50.11.2.1.1": lambda o, _: _vendor(o),
        "3902.1012.3.50.11.2.1.2": lambda *_: octets("V6.0"),
        "3902.1012.3.50.11.2.1.9": lambda o, _: octets(o.model),
        "3902.1012.3.50.11.2.1.20": lambda _, n: ticks(n.uptime_seconds),
    },
)
# The ANI tables end with the number of the ONU's own port.
_OLD_ANI = OnuTable(
    lambda onu: (*_row_a(onu), 1),
    {},
    light={
        "3902.1012.3.50.12.1.1.10": lambda _, n: _two_thousandths(n.rx_dbm),
        "3902.1012.3.50.12.1.1.14": lambda _, n: _two_thousandths(n.tx_dbm),
        "3902.1012.3.50.12.1.1.17": lambda _, n: measured(n, n.voltage_volts, 50, _NO_LIGHT),
        "3902.1012.3.50.12.1.1.18": lambda _, n: measured(n, n.bias_milliamperes, 500, _NO_LIGHT),
        "3902.1012.3.50.12.1.1.19": lambda _, n: measured(n, n.temperature_celsius, 256, _NO_LIGHT),
    },
)
_OLD_UPLINK = OnuTable(_row_a, {}, light={"3902.1015.1010.11.2.1.2": lambda _, n: scaled(n.olt_rx_dbm, 1_000, _DARK)})
_NEW_TABLE = OnuTable(
    _row_c,
    {
        "3902.1082.500.10.2.3.3.1.2": lambda o, _: octets(o.name),
        "3902.1082.500.10.2.3.3.1.3": lambda *_: octets(""),
        "3902.1082.500.10.2.3.3.1.18": lambda o, _: octets(f"1,{o.serial}"),
        "3902.1082.500.10.2.3.8.1.1": lambda *_: integer(1),
        "3902.1082.500.10.2.3.8.1.4": lambda _, n: integer(_old_phase(n) + 1),
        "3902.1082.500.10.2.3.8.1.5": lambda _, n: date_and_time(n.last_up),
        "3902.1082.500.10.2.3.8.1.6": lambda _, n: date_and_time(n.last_down),
        "3902.1082.500.10.2.3.10.1.2": lambda o, _: integer(o.distance_metres),
        "3902.1082.500.20.2.1.2.1.1": lambda o, _: _vendor(o),
        "3902.1082.500.20.2.1.2.1.2": lambda *_: octets("V6.0.10P2"),
        "3902.1082.500.20.2.1.2.1.3": lambda o, _: octets(o.serial),
        "3902.1082.500.20.2.1.2.1.7": lambda _, n: integer(1 if n.online else 2),
        "3902.1082.500.20.2.1.2.1.8": lambda o, _: octets(o.model),
    },
    light={"3902.1082.500.1.2.4.2.1.2": lambda _, n: scaled(n.olt_rx_dbm, 1_000, _DARK)},
)
_NEW_CAUSE = OnuTable(_row_c, {"3902.1082.500.10.2.3.8.1.7": lambda _, n: integer(_CAUSES[n.cause])})
_NEW_ANI = OnuTable(
    lambda onu: (*_row_c(onu), 1),
    {},
    light={"3902.1082.500.20.2.2.2.1.10": lambda _, n: _two_thousandths(n.rx_dbm)},
)


def _cards(olt: Olt, tree: str) -> Objects:
    """Cards by rack, shelf and slot; status 1 is in service."""
    found: Objects = {}
    slots = range(olt.shelf.first_slot, olt.shelf.first_slot + olt.shelf.slots)
    for slot, kind in [*((s, "GTGOG") for s in slots), (slots[-1] + 2, "SMXA")]:
        base = (*enterprise(tree), 0)[:-1]
        found[(*base, 4, 1, 1, slot)] = always(octets(kind))
        found[(*base, 5, 1, 1, slot)] = always(integer(1))
        found[(*base, 9, 1, 1, slot)] = lambda m: integer(olt.load_percent(m.when))
        found[(*base, 11, 1, 1, slot)] = always(integer(41))
    return found


def _old_ports(olt: Olt) -> Objects:
    found: Objects = {}
    table = enterprise("3902.1012.3.13.1.1")
    for count, (slot, port) in enumerate(olt.shelf.port_places(), 1):
        index = coding_a(slot, port)
        onus = len(olt.on_port(slot, port))
        for column, value in ((1, octets(f"OLT-{count}")), (10, integer(1)), (11, integer(1))):
            found[(*table, column, index)] = always(value)
        found[(*table, 12, index)] = always(integer(128))
        found[(*table, 13, index)] = always(integer(onus))
    for one in olt.waiting:
        row = (coding_a(*one.place[:2]), one.place.number)
        waiting = enterprise("3902.1012.3.13.3.1")
        found[(*waiting, 2, *row)] = always(octets(serial_bytes(one.serial)))
        found[(*waiting, 10, *row)] = always(octets(one.model))
    return found


def _old(olt: Olt, descr: str, object_identifier: str) -> Objects:
    """Tree 1012 by coding A, IF-MIB by coding B, no ifDescr."""
    places = olt.shelf.port_places()
    ports = [Port(coding_b(s, p), "", f"gpon_1/{s}/{p}", GPON_TYPE, 2_488, s, p) for s, p in places]
    ports.append(Port(coding_b(4, 1), "", "gei_1/4/1", ETHERNET_TYPE, 1_000))
    return {
        **system(olt, descr, object_identifier, name="ZXAN"),
        **interfaces(olt, ports),
        **_OLD_TABLE.objects(olt),
        **_OLD_ANI.objects(olt),
        **_OLD_UPLINK.objects(olt),
        **_old_ports(olt),
        **_cards(olt, "3902.1082.10.1.2.4.1"),
    }


def _new(olt: Olt, descr: str, object_identifier: str) -> Objects:
    places = olt.shelf.port_places()
    ports = [Port(coding_c(s, p), "PON KOTA", f"gpon_olt-1/{s}/{p}", GPON_TYPE, 2_488, s, p) for s, p in places]
    # The byte 0x11 covers uplinks too: it does not mean GPON.
    ports.append(Port(coding_c(10, 1), "UPLINK", "xgei-1/10/1", ETHERNET_TYPE, 10_000))
    found = {
        **system(olt, descr, object_identifier, name="ZXAN"),
        **interfaces(olt, ports),
        **_NEW_TABLE.objects(olt),
        **_NEW_ANI.objects(olt),
        **_cards(olt, "3902.1082.10.1.2.4.1"),
    }
    for slot, port in places:
        found[(*enterprise("3902.1082.30.40.2.4.1.2"), coding_c(slot, port))] = always(integer(_NO_VALUE))
    for one in olt.waiting:
        row = (coding_c(*one.place[:2]), one.place.number)
        for column, text in ((2, one.serial), (8, one.model), (10, "V6.0.10P2")):
            found[(*enterprise("3902.1082.500.2.2.11.2.1"), column, *row)] = always(octets(text))
    return found


def c320_new(olt: Olt) -> Objects:
    """C320 with V2.2: the new tree, with causes."""
    descr = "C320 Version V2.2.0 Software, Copyright (c) by ZTE Corporation Compiled"
    return {**_new(olt, descr, "3902.1082.1001.320.2.1"), **_NEW_CAUSE.objects(olt)}


c600 = partial(_new, descr="ZXA10 C600, ZTE ZXA10 Software Version: V1.2.2", object_identifier="3902.1082.1001.600.1.1")
c320_old = partial(
    _old,
    descr="C320 Version V2.1.0 Software, Copyright (c) by ZTE Corporation Compiled",
    object_identifier="3902.1082.1001.320.2.1",
)
# The number of a C300 is not confirmed (facts, 5.1).
c300 = partial(
    _old,
    descr="C300 Version V2.1.0 Software, Copyright (c) by ZTE Corporation Compiled",
    object_identifier="3902.1082.1001.300.2.1",
)
