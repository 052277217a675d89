"""``/interface`` besides radios and dialled lines (facts/routeros.md, 7.3 to 7.5)."""

from kampungnet_sim.chance import key_of
from kampungnet_sim.routeros_menu import Menu, nothing, numbered
from kampungnet_sim.routeros_menus_ppp import call_interfaces
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import boolean, stamp
from kampungnet_sim.village_interfaces import DIALLED, InterfaceCounters, InterfacePlan

_COMMENTS = {
    "ether1": "Internet desa",
    "sfp1": "Internet desa",
    "pppoe-out1": "Internet desa",
    "bridge-hotspot": "WiFi gratis — balai desa",
}
_LINK_DELAY_SECONDS = 8
_NARROW = 1 << 32


def mac_of(code: str, index: int) -> str:
    """A MikroTik address that depends on the village and the port."""
    number = key_of(code, "mac") % 0xFFFF00 + index
    return f"08:55:31:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"


def _link_times(moment: Moment, port: InterfaceCounters) -> Row:
    """When the link came and went last; a port that never lost it has no ``last-link-down-time``."""
    boot = moment.state.boot_time
    segment = moment.router.village.calendar.segment(moment.state.time)
    falls = segment.drops if port.name == DIALLED else segment.cuts
    if not port.link_downs:
        falls = ()
    times: Row = {}
    if port.link_downs:
        times["last-link-down-time"] = stamp(falls[-1].start if falls else boot + 3, moment.version)
    if port.running or port.link_downs:
        ends = [event.end for event in falls if event.end <= moment.state.time]
        times["last-link-up-time"] = stamp(max([boot + _LINK_DELAY_SECONDS, *ends]), moment.version)
    return times


def _fixed_part(moment: Moment, place: int, port: InterfacePlan) -> Row:
    row = {".id": f"*{place:X}", "name": port.name}
    if port.kind in ("ether", "wlan", "wifi"):
        row["default-name"] = port.name
    mtu = "1480" if port.name == DIALLED else "1500"
    row |= {"type": port.kind, "mtu": mtu, "actual-mtu": mtu, "disabled": "false",
            "slave": boolean(port.slave), "dynamic": "false"}  # fmt: skip
    if port.name != DIALLED:
        row |= {"l2mtu": "1598", "mac-address": mac_of(moment.profile.code, place)}
    if port.kind == "ether":
        row["max-l2mtu"] = "2028"
    if port.name in _COMMENTS:
        row["comment"] = _COMMENTS[port.name]
    return row


def _errors(moment: Moment, port: InterfaceCounters) -> Row:
    """Not every kind of port counts errors: missing is not 0."""
    if port.kind not in ("ether", "pppoe-out"):
        return {}
    bad = "bad-cable" in moment.profile.features and port.name == "ether2"
    seconds = moment.state.uptime_seconds if bad else 0
    return {"rx-drop": str(seconds // 300), "tx-drop": "0", "rx-error": str(seconds // 40), "tx-error": "0"}


def interface_rows(moment: Moment) -> list[Row]:
    """The rows of ``/interface``."""
    narrow = "counters_32_bit" in moment.router.faults()
    rows = []
    for place, (port, plan) in enumerate(zip(moment.state.interfaces, moment.router.village.plan, strict=True), 1):
        rx, tx = (port.rx_bytes % _NARROW, port.tx_bytes % _NARROW) if narrow else (port.rx_bytes, port.tx_bytes)
        rows.append(
            {
                **_fixed_part(moment, place, plan), **_link_times(moment, port), "link-downs": str(port.link_downs),
                "rx-byte": str(rx), "tx-byte": str(tx), "rx-packet": str(port.rx_packets),
                "tx-packet": str(port.tx_packets), **_errors(moment, port),
                "tx-queue-drop": str(port.tx_packets // 90_000), "fp-rx-byte": str(rx // 2), "fp-tx-byte": "0",
                "fp-rx-packet": str(port.rx_packets // 2), "fp-tx-packet": "0", "running": boolean(port.running),
            }
        )  # fmt: skip
    return rows + call_interfaces(moment)


def _ethernet(moment: Moment) -> list[Row]:
    rows = []
    for port, base in zip(moment.state.interfaces, interface_rows(moment), strict=False):
        if port.kind != "ether":
            continue
        rows.append(
            {
                ".id": base[".id"], "name": port.name, "default-name": port.name, "mtu": "1500",
                "l2mtu": "1598", "mac-address": base["mac-address"],
                "orig-mac-address": base["mac-address"], "arp": "enabled",
                "auto-negotiation": "true", "running": boolean(port.running), "disabled": "false",
                "slave": base["slave"], "rx-bytes": str(port.rx_bytes), "tx-bytes": str(port.tx_bytes),
                "rx-packet": str(port.rx_packets), "tx-packet": str(port.tx_packets),
                "driver-rx-byte": str(port.rx_bytes), "driver-tx-byte": str(port.tx_bytes),
                "rx-fcs-error": base["rx-error"], "rx-align-error": "0", "rx-pause": "0", "tx-collision": "0",
                **({"comment": base["comment"]} if "comment" in base else {}),
            }
        )  # fmt: skip
    return rows


def _some(kind: str) -> Menu:
    def rows(moment: Moment) -> list[Row]:
        found: list[Row] = []
        for row in interface_rows(moment):
            if row["type"] == kind:
                if kind == "vlan":
                    name = row["name"]
                    row |= {"vlan-id": name[4:6], "interface": "bridge-" + name.partition("-")[2]}
                found.append(row)
        return found

    return Menu(rows)


def _poe_ports(moment: Moment) -> list[Row]:
    if moment.profile.router.model not in ("RB951Ui-2HnD", "RB760iGS"):
        return []
    return numbered([{"name": "ether5", "poe-out": "auto-on", "poe-priority": "10"}], 5)


MENUS: dict[str, Menu] = {
    "/interface": Menu(interface_rows),
    "/interface/ethernet": Menu(_ethernet),
    "/interface/ethernet/poe": Menu(_poe_ports, steady=True),
    "/interface/ethernet/switch/port": Menu(nothing, steady=True),
    "/interface/bridge": _some("bridge"),
    "/interface/bridge/port": Menu(nothing, steady=True),
    "/interface/bridge/host": Menu(nothing, steady=True),
    "/interface/bridge/vlan": Menu(nothing, steady=True),
    "/interface/vlan": _some("vlan"),
    "/interface/l2tp-client": _some("l2tp-out"),
    "/interface/bonding": Menu(nothing, steady=True),
    "/interface/lte": Menu(nothing, steady=True),
    "/interface/list": Menu(nothing, steady=True),
}  # fmt: skip
