"""Huawei SmartAX MA5600 (facts/ont-snmp.md, section 6).

Port tables are as recorded; the per-ONT rows are drawn from HUAWEI-XPON-MIB, no walk of them is public.
"""

from kampungnet_sim.olt_onus import Cause, Onu, OnuNow, serial_bytes
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
from kampungnet_sim.snmp_ber import Oid, counter64, integer, octets

_XPON = "2011.6.128.1.1.2"
_NO_VALUE = 2_147_483_647
_CAUSES = {Cause.NONE: -1, Cause.LOS: 2, Cause.DYING_GASP: 13, Cause.DEACTIVATED: 8}


def if_index(slot: int, port: int) -> int:
    """GPON port in frame 0: above 2^31."""
    return 0xFA000000 + (slot << 13) + (port << 8)


def _row(onu: Onu) -> Oid:
    return (if_index(*onu.place[:2]), onu.place.number)


def _olt_rx(level: float | None) -> bytes:
    return integer(_NO_VALUE if level is None else round(level * 100) + 10_000)


def _up(now: OnuNow) -> int:
    return 1 if now.online else 2


_TABLE = OnuTable(
    _row,
    {
        f"{_XPON}.43.1.3": lambda o, _: octets(serial_bytes(o.serial)),
        f"{_XPON}.43.1.7": lambda *_: octets("line-desa"),
        f"{_XPON}.43.1.8": lambda *_: octets("srv-desa"),
        f"{_XPON}.43.1.9": lambda o, _: octets(o.name),
        f"{_XPON}.45.1.1": lambda *_: octets("494.B"),
        f"{_XPON}.45.1.4": lambda o, _: octets(o.model),
        f"{_XPON}.45.1.5": lambda *_: octets("V3R017C10S120"),
        f"{_XPON}.46.1.1": lambda *_: integer(1),
        f"{_XPON}.46.1.15": lambda _, n: integer(_up(n)),
        f"{_XPON}.46.1.16": lambda _, n: integer(3 if n.online else -1),
        f"{_XPON}.46.1.18": lambda _, n: integer(2 if n.online else -1),
        f"{_XPON}.46.1.20": lambda o, n: integer(o.distance_metres if n.online else -1),
        f"{_XPON}.46.1.22": lambda _, n: date_and_time(n.last_up),
        f"{_XPON}.46.1.23": lambda _, n: date_and_time(n.last_down),
        f"{_XPON}.46.1.24": lambda _, n: integer(_CAUSES[n.cause]),
        f"{_XPON}.46.1.25": lambda _, n: date_and_time(n.last_gasp),
        f"{_XPON}.46.1.29": lambda o, _: integer(o.distance_metres),
        "2011.6.128.1.1.4.23.1.3": lambda _, n: counter64(n.tx_bytes),
        "2011.6.128.1.1.4.23.1.4": lambda _, n: counter64(n.rx_bytes),
    },
    light={
        f"{_XPON}.51.1.1": lambda _, n: measured(n, n.temperature_celsius, 1, _NO_VALUE),
        f"{_XPON}.51.1.2": lambda _, n: measured(n, n.bias_milliamperes, 1, _NO_VALUE),
        f"{_XPON}.51.1.3": lambda _, n: scaled(n.tx_dbm, 100, _NO_VALUE),
        f"{_XPON}.51.1.4": lambda _, n: scaled(n.rx_dbm, 100, _NO_VALUE),
        f"{_XPON}.51.1.5": lambda _, n: measured(n, n.voltage_volts, 1_000, _NO_VALUE),
        f"{_XPON}.51.1.6": lambda _, n: _olt_rx(n.olt_rx_dbm),
        f"{_XPON}.51.1.7": lambda *_: integer(_NO_VALUE),
    },
)


def _modules(olt: Olt) -> Objects:
    """The OLT's own PON modules, as recorded: received light is never given for a port."""
    found: Objects = {}
    for slot, port in olt.shelf.port_places():
        index = if_index(slot, port)
        for column, value in enumerate((28, 322, 32, 711, _NO_VALUE), 1):
            found[(*enterprise(f"{_XPON}.23.1"), column, index)] = always(integer(value))
        found[(*enterprise(f"{_XPON}.21.1.10"), index)] = always(integer(1))
        found[(*enterprise(f"{_XPON}.21.1.16"), index)] = always(integer(len(olt.on_port(slot, port))))
    for count, one in enumerate(olt.waiting, 1):
        row = (if_index(*one.place[:2]), count)
        found[(*enterprise(f"{_XPON}.48.1.2"), *row)] = always(octets(serial_bytes(one.serial)))
    return found


def _boards(olt: Olt) -> Objects:
    found: Objects = {}
    base = enterprise("2011.2.6.7.1.1.2.1")
    for slot in range(olt.shelf.first_slot, olt.shelf.first_slot + olt.shelf.slots):
        found[(*base, 5, 0, slot)] = lambda m: integer(olt.load_percent(m.when))
        found[(*base, 6, 0, slot)] = always(integer(38))
        found[(*base, 7, 0, slot)] = always(octets("H807GPBD"))
        found[(*base, 10, 0, slot)] = always(integer(55))
    return found


def smartax(olt: Olt) -> Objects:
    """MA5600T, MA5608T, MA5800."""
    descr = "Huawei-MA5600-V800R018"
    ports = [
        # The recorded port counters stay 0: traffic is counted per ONT.
        Port(if_index(s, p), f"{descr}-GPON_UNI", f"GPON 0/{s}/{p}", GPON_TYPE, 2_488, s, p, counts=False)
        for s, p in olt.shelf.port_places()
    ]
    ports.append(Port(234_938_368, f"{descr}-ETHERNET", "ethernet0/7/0", ETHERNET_TYPE, 1_000))
    return {
        **system(olt, "Huawei Integrated Access Software", "2011.2.123", name="MA5608T"),
        **interfaces(olt, ports),
        **_TABLE.objects(olt),
        **_modules(olt),
        **_boards(olt),
    }
