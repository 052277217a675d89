"""``/interface`` and the radio tables (facts/routeros.md, 7.3 to 7.5 and 7.10)."""

from kampungnet_sim.chance import key_of
from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_menu import Menu, nothing, numbered
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import boolean, duration, stamp
from kampungnet_sim.village import VillageProfile
from kampungnet_sim.village_guests import Visit

_COMMENTS = {"ether1": "Internet desa", "sfp1": "Internet desa", "bridge-hotspot": "WiFi gratis — balai desa"}
_LINK_DELAY_SECONDS = 8


def mac_of(code: str, index: int) -> str:
    """A MikroTik address that depends on the village and the port."""
    number = key_of(code, "mac") % 0xFFFF00 + index
    return f"08:55:31:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"


def _steady_part(moment: Moment) -> dict[str, Row]:
    profile = moment.profile
    up_time = stamp(moment.state.boot_time + _LINK_DELAY_SECONDS, moment.version)
    rows: dict[str, Row] = {}
    for index, port in enumerate(moment.router.village.plan, 1):
        row = {".id": f"*{index:X}", "name": port.name}
        if port.kind in ("ether", "wlan", "wifi"):
            row["default-name"] = port.name
        row |= {"type": port.kind, "mtu": "1500", "actual-mtu": "1500", "l2mtu": "1598",
                "mac-address": mac_of(profile.code, index)}  # fmt: skip
        if port.up:
            row["last-link-up-time"] = up_time
        row |= {"disabled": "false", "slave": boolean(port.slave), "dynamic": "false"}
        if port.name in _COMMENTS:
            row["comment"] = _COMMENTS[port.name]
        rows[port.name] = row
    return rows


def _interfaces(moment: Moment) -> list[Row]:
    steady = _steady_part(moment)
    rows = []
    for port in moment.state.interfaces:
        rx, tx = str(port.rx_bytes), str(port.tx_bytes)
        row = steady[port.name]
        row["rx-byte"], row["tx-byte"] = rx, tx
        row["rx-packet"], row["tx-packet"] = str(port.rx_packets), str(port.tx_packets)
        row["link-downs"] = str(port.link_downs)
        row["running"] = boolean(port.running)
        if port.kind == "ether":
            # Not every kind of port counts errors: missing is not 0.
            row |= {"rx-drop": "0", "tx-drop": "0", "rx-error": "0", "tx-error": "0"}
        row["tx-queue-drop"] = str(port.tx_packets // 90_000)
        row["fp-rx-byte"], row["fp-tx-byte"] = str(port.rx_bytes // 2), "0"
        row["fp-rx-packet"], row["fp-tx-packet"] = str(port.rx_packets // 2), "0"
        rows.append(row)
    return rows


def _ethernet(moment: Moment) -> list[Row]:
    steady = _steady_part(moment)
    rows = []
    for port in moment.state.interfaces:
        if port.kind != "ether":
            continue
        base = steady[port.name]
        rows.append(
            {
                ".id": base[".id"], "name": port.name, "default-name": port.name, "mtu": "1500",
                "l2mtu": "1598", "mac-address": base["mac-address"],
                "orig-mac-address": base["mac-address"], "arp": "enabled",
                "auto-negotiation": "true", "running": boolean(port.running), "disabled": "false",
                "slave": base["slave"], "rx-bytes": str(port.rx_bytes), "tx-bytes": str(port.tx_bytes),
                "rx-packet": str(port.rx_packets), "tx-packet": str(port.tx_packets),
                "driver-rx-byte": str(port.rx_bytes), "driver-tx-byte": str(port.tx_bytes),
                "rx-fcs-error": "0", "rx-align-error": "0", "rx-pause": "0", "tx-collision": "0",
                **({"comment": base["comment"]} if "comment" in base else {}),
            }
        )  # fmt: skip
    return rows


def _some(kind: str) -> Menu:
    def rows(moment: Moment) -> list[Row]:
        found = []
        for row in _interfaces(moment):
            if row["type"] == kind:
                if kind == "vlan":
                    name = row["name"]
                    row |= {"vlan-id": name[4:6], "interface": "bridge-" + name.partition("-")[2]}
                found.append(row)
        return found

    return Menu(rows)


def _wireless_row(visit: Visit, moment: Moment) -> Row:
    state = moment.state
    seconds = int(state.time - visit.session_start(state.boot_time))
    signal = -48 - visit.number % 35
    down, up = int(visit.down_bps * seconds / 8), int(visit.up_bps * seconds / 8)
    return {
        "interface": "wlan1",
        "mac-address": visit.mac,
        "ap": "false",
        "wds": "false",
        "bridge": "false",
        "rx-rate": "65Mbps-20MHz/1S",
        "tx-rate": "72.2Mbps-20MHz/1S/SGI",
        "packets": f"{down // 1020},{up // 260}",
        "bytes": f"{down},{up}",
        "uptime": duration(max(seconds, 1)),
        "last-activity": f"{visit.number % 90 * 10}ms",
        "signal-strength": f"{signal}@6Mbps" if moment.version.major < 7 else str(signal),
        "signal-to-noise": str(95 + signal),
        "tx-ccq": str(99 - visit.number % 40),
        "last-ip": visit.address,
        "authentication-type": "wpa2-psk",
        "encryption": "aes-ccm",
    }


def _wireless_clients(moment: Moment) -> list[Row]:
    return [{".id": _guest_id(visit), **_wireless_row(visit, moment)} for visit in moment.hosts]


def _guest_id(visit: Visit) -> str:
    return f"*{int(visit.start) % 97 * 4096 + visit.number + 16:X}"


def _wifi_clients(moment: Moment) -> list[Row]:
    rows = []
    for visit in moment.hosts:
        old = _wireless_row(visit, moment)
        rows.append(
            {
                ".id": _guest_id(visit), "interface": "wifi1", "ssid": "WiFi Desa",
                "mac-address": visit.mac, "band": "2ghz-ax", "auth-type": "wpa2-psk",
                "authorized": "true", "signal": str(-48 - visit.number % 35),
                "tx-rate": "72200000", "rx-rate": "65000000",
                "tx-bits-per-second": str(int(visit.down_bps)),
                "rx-bits-per-second": str(int(visit.up_bps)),
                "bytes": old["bytes"], "packets": old["packets"], "uptime": old["uptime"],
                "last-activity": old["last-activity"],
            }
        )  # fmt: skip
    return rows


def _radios(moment: Moment) -> list[Row]:
    rows = [r for r in _interfaces(moment) if r["type"] in ("wlan", "wifi")]
    for row in rows:
        row |= {"ssid": "WiFi Desa", "band": "2ghz-b/g/n", "frequency": "2437", "mode": "ap-bridge"}
    return rows


def has_wireless(profile: VillageProfile) -> bool:
    """The old wireless package: in v6 and up to 7.12 everywhere, later where it is installed."""
    if profile.ros >= RosVersion(7, 13):
        return profile.router.wireless == "wireless"
    return True


def has_wifi(profile: VillageProfile) -> bool:
    """``/interface/wifi`` is part of the system from 7.13 on, radios or not."""
    return profile.ros >= RosVersion(7, 13)


def _old_clients(moment: Moment) -> list[Row]:
    return _wireless_clients(moment) if moment.profile.router.wireless == "wireless" else []


def _new_clients(moment: Moment) -> list[Row]:
    return _wifi_clients(moment) if moment.profile.router.wireless == "wifi" else []


def _clients(moment: Moment) -> int:
    return moment.state.wireless_clients


def _poe_ports(moment: Moment) -> list[Row]:
    if moment.profile.router.model not in ("RB951Ui-2HnD", "RB760iGS"):
        return []
    return numbered([{"name": "ether5", "poe-out": "auto-on", "poe-priority": "10"}], 5)


MENUS: dict[str, Menu] = {
    "/interface": Menu(_interfaces),
    "/interface/ethernet": Menu(_ethernet),
    "/interface/ethernet/poe": Menu(_poe_ports, steady=True),
    "/interface/ethernet/switch/port": Menu(nothing, steady=True),
    "/interface/bridge": _some("bridge"),
    "/interface/bridge/port": Menu(nothing, steady=True),
    "/interface/bridge/host": Menu(nothing, steady=True),
    "/interface/bridge/vlan": Menu(nothing, steady=True),
    "/interface/vlan": _some("vlan"),
    "/interface/pppoe-client": Menu(nothing, steady=True),
    "/interface/l2tp-client": _some("l2tp-out"),
    "/interface/bonding": Menu(nothing, steady=True),
    "/interface/lte": Menu(nothing, steady=True),
    "/interface/list": Menu(nothing, steady=True),
    "/interface/wireless": Menu(_radios, owners=has_wireless),
    "/interface/wireless/registration-table": Menu(
        _old_clients, owners=has_wireless,
        count=lambda m: _clients(m) if m.profile.router.wireless == "wireless" else 0,
    ),
    "/interface/wifi": Menu(_radios, owners=has_wifi),
    "/interface/wifi/registration-table": Menu(
        _new_clients, owners=has_wifi,
        count=lambda m: _clients(m) if m.profile.router.wireless == "wifi" else 0,
    ),
    "/interface/wifi/capsman": Menu(nothing, steady=True, owners=has_wifi),
    "/interface/wifi/capsman/remote-cap": Menu(nothing, steady=True, owners=has_wifi),
    "/caps-man/interface": Menu(nothing, steady=True, owners=has_wireless),
    "/caps-man/remote-cap": Menu(nothing, steady=True, owners=has_wireless),
    "/caps-man/registration-table": Menu(nothing, steady=True, owners=has_wireless),
}  # fmt: skip
