"""V-SOL V1600D, UFiber, HSGQ, C-DATA and BDCOM (facts/ont-snmp.md, sections 8 to 10).

V-SOL's light and the whole UFiber table are as recorded. The others follow the facts; where those
leave the form of an index open, the row ends with the one number they name.
"""

from collections.abc import Callable
from functools import partial

from kampungnet_sim.olt_onus import Cause, Onu, OnuNow, serial_bytes
from kampungnet_sim.olt_plant import Moment, Olt
from kampungnet_sim.olt_tables import (
    EPON_TYPE,
    ETHERNET_TYPE,
    GPON_TYPE,
    Objects,
    OnuTable,
    Port,
    always,
    clock_text,
    enterprise,
    interfaces,
    measured,
    scaled,
    system,
)
from kampungnet_sim.snmp_ber import Oid, counter64, gauge, integer, octets, ticks

_MARK = -65_535


def pon_ports(olt: Olt, first: int, name: Callable[[int, int], str], kind: int = GPON_TYPE) -> list[Port]:
    """PON ports with plain indexes, and the uplink before them."""
    places = olt.shelf.port_places()
    ports = [Port(first + n, name(s, p), name(s, p), kind, 2_488, s, p) for n, (s, p) in enumerate(places)]
    return [Port(first - 1, "uplink", "GE0/1", ETHERNET_TYPE, 1_000), *ports]


def _pon_and_number(onu: Onu) -> Oid:
    return (onu.place.port, onu.place.number)


# -- V-SOL ------------------------------------------------------------------------------------


def milliwatts(level: float | None) -> bytes:
    """``0.03 mW (-14.61 dBm)``; without light the bare marker."""
    return octets(str(_MARK) if level is None else f"{10 ** (level / 10):.2f} mW ({level:.2f} dBm)")


def _with_unit(now: OnuNow, value: float, unit: str) -> bytes:
    return octets("-" if now.rx_dbm is None else f"{value:.2f} {unit}")


_VSOL_LIST, _VSOL_LIGHT = "37950.1.1.5.12.1.25.1", "37950.1.1.5.12.2.1.8.1"
_VSOL = OnuTable(
    _pon_and_number,
    {
        f"{_VSOL_LIST}.4": lambda _, n: integer(int(n.online)),
        f"{_VSOL_LIST}.5": lambda o, _: octets(o.mac),
        f"{_VSOL_LIST}.9": lambda o, _: octets(o.name),
        f"{_VSOL_LIST}.15": lambda _, n: integer(1 if n.cause is Cause.DYING_GASP else 0),
        f"{_VSOL_LIST}.17": lambda o, _: integer(o.distance_metres),
        f"{_VSOL_LIST}.18": lambda _, n: octets(clock_text(n.last_up)),
        f"{_VSOL_LIST}.19": lambda _, n: octets(clock_text(n.last_down)),
        f"{_VSOL_LIST}.20": lambda _, n: octets(_alive(n.online_seconds)),
        f"{_VSOL_LIGHT}.1": lambda o, _: integer(o.place.port),
        f"{_VSOL_LIGHT}.2": lambda o, _: integer(o.place.number),
    },
    light={
        f"{_VSOL_LIGHT}.3": lambda _, n: _with_unit(n, n.temperature_celsius, "C"),
        f"{_VSOL_LIGHT}.4": lambda _, n: _with_unit(n, n.voltage_volts, "V"),
        f"{_VSOL_LIGHT}.5": lambda _, n: _with_unit(n, n.bias_milliamperes, "mA"),
        f"{_VSOL_LIGHT}.6": lambda _, n: milliwatts(n.tx_dbm),
        f"{_VSOL_LIGHT}.7": lambda _, n: milliwatts(n.rx_dbm),
    },
)


def _alive(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} Days {hours} Hours {minutes} Minutes {rest} Seconds"


def vsol(olt: Olt) -> Objects:
    """V1600D, EPON: every value is a text with its unit."""
    box = enterprise("37950.1.1.5.10.12")
    found = {
        **system(olt, "V1600D", "37950.1.1.5.10.14.1", name="V1600D"),
        **interfaces(olt, pon_ports(olt, 5, lambda _, p: f"EPON0/{p}", EPON_TYPE)),
        **_VSOL.objects(olt),
        (*box, 3, 0): lambda m: integer(olt.load_percent(m.when)),
        (*box, 4, 0): always(integer(52)),
        (*box, 5, 8, 0): lambda m: octets(_alive(m.when - m.boot)),
        (*box, 5, 9, 0): always(integer(41)),
        (*box, 5, 11, 0): always(octets("V2109240001")),
    }
    for _, port in olt.shelf.port_places():
        for column, text in ((2, "27.84 .C"), (3, "3.22 V"), (4, "24.63 mA"), (5, "6.56 dbm")):
            found[(*enterprise("37950.1.1.5.10.13.1.1"), column, port)] = always(octets(text))
    return found


# -- UFiber -----------------------------------------------------------------------------------


def _ufiber_row(onu: Onu) -> Oid:
    return (len(onu.serial), *onu.serial.encode())


_UBIQUITI = "41112.1.5.6.2.1"
_UFIBER = OnuTable(
    _ufiber_row,
    {
        f"{_UBIQUITI}.1": lambda o, _: octets(o.serial),
        f"{_UBIQUITI}.2": lambda o, _: octets(o.name),
        f"{_UBIQUITI}.3": lambda _, n: integer(1 if n.online else 2),
        f"{_UBIQUITI}.4": lambda *_: octets("NanoG"),
        f"{_UBIQUITI}.5": lambda o, n: integer(o.place.port if n.online else 0),
        f"{_UBIQUITI}.6": lambda _, n: ticks(n.uptime_seconds),
        f"{_UBIQUITI}.10": lambda _, n: counter64(n.rx_bytes),
        f"{_UBIQUITI}.11": lambda _, n: counter64(n.tx_bytes),
    },
    # 0, not a marker, when the ONU is off.
    light={
        f"{_UBIQUITI}.8": lambda _, n: scaled(n.tx_dbm, 100, 0),
        f"{_UBIQUITI}.9": lambda _, n: scaled(n.rx_dbm, 100, 0),
    },
)


def ufiber(olt: Olt) -> Objects:
    """UFiber OLT: rows are named by the serial number itself; no causes, no light at the OLT."""
    return {
        **system(olt, "EdgeOS v4.4.2.4598.220304.1412", "41112.1.5", name="UF-OLT"),
        **interfaces(olt, pon_ports(olt, 8, lambda _, p: f"pon{p}")),
        **_UFIBER.objects(olt),
        (*enterprise("41112.1.5.1.1"), 0): always(octets("UFiber OLT")),
        (*enterprise("41112.1.5.1.2"), 0): always(octets("B4FBE41B4808")),
        (*enterprise("41112.1.5.1.3"), 0): always(octets("UF-OLT.ER-e600.v4.4.2.4598.220304.1412")),
        (*enterprise("41112.1.5.7.1"), 0): always(gauge(len(olt.shelf.port_places()) + 1)),
    }


# -- HSGQ, C-DATA, BDCOM --------------------------------------------------------------------------

_HSGQ = OnuTable(
    lambda onu: (0x01000000 + (onu.place.port << 8) + onu.place.number,),
    {
        "50224.3.12.2.1.2": lambda o, _: octets(o.name),
        "50224.3.12.2.1.4": lambda _, n: integer(1 if n.online else 2),
        "50224.3.12.2.1.8": lambda o, _: octets(o.serial[:4]),
        "50224.3.12.2.1.9": lambda o, _: octets(o.model),
        "50224.3.12.2.1.15": lambda o, _: octets(o.serial),
        "50224.3.12.2.1.20": lambda _, n: octets(clock_text(n.last_up)),
    },
)
_HSGQ_LIGHT = OnuTable(
    lambda onu: (0x01000000 + (onu.place.port << 8) + onu.place.number, 0, 0),
    {},
    light={
        "50224.3.12.3.1.4": lambda _, n: scaled(n.rx_dbm, 100, -2_147_483_648),
        "50224.3.12.3.1.5": lambda _, n: scaled(n.tx_dbm, 100, -2_147_483_648),
    },
)


def hsgq(olt: Olt) -> Objects:
    """HSGQ GPON: light rows end with two zeros; those ending with 65535 twice are the OLT's own modules."""
    found = {
        **system(olt, "HSGQ-G008", "50224.3.1.1", name="HSGQ"),
        **interfaces(olt, pon_ports(olt, 9, lambda _, p: f"PON{p}")),
        **_HSGQ.objects(olt),
        **_HSGQ_LIGHT.objects(olt),
    }
    for _, port in olt.shelf.port_places():
        own = (0x01000000 + (port << 8), 65_535, 65_535)
        found[(*enterprise("50224.3.12.3.1.4"), *own)] = always(integer(-2_147_483_648))
        found[(*enterprise("50224.3.12.3.1.5"), *own)] = always(integer(652))
    return found


def hsgq_epon(olt: Olt) -> Objects:
    """HSGQ EPON: no description, and per port how many ONUs there are and how many are online."""
    found = system(olt, "", "12170.2.3", name="EPON-OLT")
    for slot, port in olt.shelf.port_places():
        onus = olt.on_port(slot, port)
        row = (*enterprise("12170.2.3.3.1.1"), 7, 1, 0, port)
        found[row] = always(integer(len(onus)))
        found[(*enterprise("12170.2.3.3.1.1"), 8, 1, 0, port)] = partial(_online, olt, onus)
    return found


def _online(olt: Olt, onus: list[Onu], moment: Moment) -> bytes:
    return integer(sum(olt.now(onu, moment).online for onu in onus))


_CDATA_CAUSES = {Cause.DYING_GASP: "dying-gasp", Cause.NONE: "--"}
_CDATA = OnuTable(
    lambda onu: (0x480000 + ((onu.place.port - 1) << 12) + onu.place.number,),
    {
        "17409.2.8.4.1.1.2": lambda o, _: octets(o.name),
        "17409.2.8.4.1.1.3": lambda o, _: octets(serial_bytes(o.serial)),
        "17409.2.8.4.1.1.7": lambda _, n: integer(1 if n.online else 2),
        "17409.2.8.4.1.1.9": lambda o, _: integer(o.distance_metres),
        # The facts name the column, not its values: the words of the command line stand in for them.
        "17409.2.8.4.1.1.103": lambda _, n: octets(
            {Cause.DYING_GASP: "dying-gasp", Cause.NONE: "--"}.get(n.cause, "losi")
        ),
    },
    light={
        "17409.2.8.4.4.1.4": lambda _, n: scaled(n.rx_dbm, 100, 0),
        "17409.2.8.4.4.1.5": lambda _, n: scaled(n.tx_dbm, 100, 0),
        "17409.2.8.4.4.1.6": lambda _, n: measured(n, n.bias_milliamperes, 100, 0),
        "17409.2.8.4.4.1.7": lambda _, n: measured(n, n.voltage_volts, 100, 0),
        "17409.2.8.4.4.1.8": lambda _, n: measured(n, n.temperature_celsius, 100, 0),
    },
)


def cdata(olt: Olt) -> Objects:
    """C-DATA GPON."""
    return {
        **system(olt, "FD1608S", "17409.1.11", name="OLT"),
        **interfaces(olt, pon_ports(olt, 11, lambda _, p: f"gpon0/0/{p}")),
        **_CDATA.objects(olt),
    }


_BDCOM_CAUSES = {Cause.NONE: 0, Cause.DYING_GASP: 1, Cause.LOS: 8, Cause.DEACTIVATED: 3}


def bdcom_index(onu: Onu) -> int:
    """BDCOM gives every ONU an ifIndex of its own, after those of the ports."""
    return 1_000 + onu.place.port * 256 + onu.place.number


_BDCOM = OnuTable(
    lambda onu: (bdcom_index(onu),),
    {
        "3320.10.3.1.1.33": lambda o, n: integer(o.distance_metres if n.online else 0),
        "3320.10.3.1.1.35": lambda _, n: integer(_BDCOM_CAUSES[n.cause]),
        "3320.10.3.3.1.2": lambda o, _: octets(o.serial),
        "3320.10.3.3.1.4": lambda _, n: integer(3 if n.online else 0),
    },
    light={
        "3320.10.3.4.1.2": lambda _, n: scaled(n.rx_dbm, 10, _MARK),
        "3320.10.3.4.1.3": lambda _, n: scaled(n.tx_dbm, 10, _MARK),
        "3320.10.2.3.1.3": lambda _, n: scaled(n.olt_rx_dbm, 10, _MARK),
    },
)


def bdcom(olt: Olt) -> Objects:
    """BDCOM GP3600; counts of ONUs per port as recorded."""
    descr = "BDCOM(tm) GP3600-16B Software, Version 74104\nhardware version: A"
    found = {
        **system(olt, descr, "3320.1.390.0", name="BDCOM"),
        **interfaces(olt, pon_ports(olt, 110, lambda _, p: f"GPON0/{p}")),
        **_BDCOM.objects(olt),
    }
    for count, (slot, port) in enumerate(olt.shelf.port_places()):
        index, onus = 110 + count, len(olt.on_port(slot, port))
        found[(*enterprise("3320.10.2.1.1.1"), index)] = always(integer(index))
        found[(*enterprise("3320.10.2.1.1.4"), index)] = always(integer(onus))
        found[(*enterprise("3320.10.2.1.1.5"), index)] = always(integer(0))
    return found
