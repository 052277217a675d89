"""``/ip`` besides hotspot, DHCP and firewall, ``/tool``, ``/radius`` (facts/routeros.md, 7.12, 7.13)."""

from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_menu import Menu, nothing, numbered
from kampungnet_sim.routeros_menus_interface import mac_of
from kampungnet_sim.routeros_menus_ppp import LINE_GATEWAY, line_is_up
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import boolean, short_duration, stamp
from kampungnet_sim.village_interfaces import DIALLED

GATEWAY = LINE_GATEWAY
# The console of 7.9.2 knows types and names, that of 6 does not; the version between is (unconfirmed).
_TYPED_NETWATCH = RosVersion(7, 4)


def _local_networks() -> tuple[tuple[str, str], ...]:
    return (("192.168.88.0/24", "bridge-kantor"), ("10.5.48.0/21", "bridge-hotspot"))


def _addresses(moment: Moment) -> list[Row]:
    rows = [
        ("192.168.88.1/24", "192.168.88.0", "bridge-kantor", "false"),
        ("10.5.50.1/21", "10.5.48.0", "bridge-hotspot", "false"),
    ]
    if not moment.profile.dialled:
        rows.append(("100.64.10.23/24", "100.64.10.0", moment.profile.router.wan_interface, "true"))
    elif line_is_up(moment):
        # Of a dialled line the other end is the network.
        rows.append(("100.64.10.23/32", GATEWAY, DIALLED, "true"))
    return numbered(
        {
            "address": address,
            "network": network,
            "interface": port,
            "actual-interface": port,
            "invalid": "false",
            "dynamic": dynamic,
            "disabled": "false",
        }
        for address, network, port, dynamic in rows
    )


def _default_route(moment: Moment) -> Row:
    """By DHCP a gateway's address, on a dialled line the name of its interface."""
    dialled = moment.profile.dialled
    up = moment.state.line_up and (not dialled or line_is_up(moment))
    gateway = DIALLED if dialled else GATEWAY
    port = DIALLED if dialled else moment.profile.router.wan_interface
    row = {
        "dst-address": "0.0.0.0/0", "gateway": gateway, "distance": "1", "scope": "30",
        "target-scope": "10", "active": boolean(up), "dynamic": "true",
    }  # fmt: skip
    if moment.version.major < 7:
        via = "" if dialled else f" via  {port}"
        row["gateway-status"] = f"{gateway} reachable{via}" if up else f"{gateway} unreachable"
        # Version 6 calls every route that no routing protocol made static.
        row["static"] = "true"
        return row
    row |= {"vpn" if dialled else "dhcp": "true", "routing-table": "main", "inactive": boolean(not up)}
    if up:
        row["immediate-gw"] = DIALLED if dialled else f"{GATEWAY}%{port}"
    return row


def _routes(moment: Moment) -> list[Row]:
    rows = [_default_route(moment)]
    for net, port in _local_networks():
        own = net.replace(".0/", ".1/").partition("/")[0].replace("10.5.48.1", "10.5.50.1")
        row = {"dst-address": net, "gateway": port, "distance": "0", "scope": "10", "active": "true",
               "dynamic": "true", "connect": "true"}  # fmt: skip
        if moment.version.major < 7:
            row |= {"gateway-status": f"{port} reachable", "pref-src": own}
        else:
            row |= {"immediate-gw": port, "routing-table": "main", "target-scope": "5",
                    "local-address": f"{own}%{port}"}  # fmt: skip
        rows.append(row)
    # v6 and v7 leave a flag out of the row when it does not hold.
    return numbered({k: v for k, v in row.items() if v != "false"} for row in rows)


def _used(moment: Moment) -> list[Row]:
    return numbered({"pool": "hs-pool", "address": v.address, "owner": "DHCP", "info": v.mac} for v in moment.leases)


def _arp(moment: Moment) -> list[Row]:
    wan = moment.profile.router.wan_interface
    fixed = [{"address": GATEWAY, "mac-address": "F4:4D:5C:10:20:30", "interface": wan}]
    guests = [{"address": v.address, "mac-address": v.mac, "interface": "bridge-hotspot"} for v in moment.hosts]
    flags = {"published": "false", "invalid": "false", "DHCP": "true", "dynamic": "true",
             "complete": "true", "disabled": "false"}  # fmt: skip
    return numbered({**row, **flags} for row in (*fixed, *guests))


def _neighbours(moment: Moment) -> list[Row]:
    return numbered(
        [
            {
                "interface": "ether2,bridge-kantor", "address": "192.168.88.2",
                "mac-address": mac_of(moment.profile.code, 90), "identity": "AP-Balai\x00\x00",
                "platform": "MikroTik", "version": "6.49.10 (long-term)", "unpack": "none",
                "age": "26s", "uptime": "3d4h", "board": "RBwAP2nD", "interface-name": "bridge",
                "discovered-by": "cdp,lldp,mndp", "system-caps": "bridge,router",
                "system-caps-enabled": "bridge,router",
            }
        ]
    )  # fmt: skip


def _internet_since(moment: Moment) -> float:
    """When the internet came or went last, as seen from the village."""
    segment = moment.router.village.calendar.segment(moment.state.time)
    if moment.state.internet_up:
        return max(segment.dial, segment.boot) + 60
    return segment.drops[-1].start + 60 if segment.drops else segment.boot


def _watched(moment: Moment, row: Row) -> Row:
    state, at_home = moment.state, row["host"].startswith(("192.168.", "10.5."))
    since = state.boot_time + 60 if at_home else _internet_since(moment)
    if row.get("disabled") == "true":
        return {"status": "unknown"}
    if state.time < max(since, state.boot_time + 60):
        # Nothing was tried yet since the start.
        return {"status": "unknown", "since": stamp(state.boot_time, moment.version)}
    up = at_home or state.internet_up
    found = {"status": "up" if up else "down", "since": stamp(since, moment.version)}
    if moment.version >= _TYPED_NETWATCH and row.get("type") == "icmp":
        trip = state.internet_ping_ms
        answered = round(10 * (100 - state.packet_loss_percent) / 100) if trip is not None else 0
        found |= {"sent-count": "10", "response-count": str(answered), "loss-count": str(10 - answered),
                  "loss-percent": f"{100 - 10 * answered}"}  # fmt: skip
        if trip is not None:
            mean, most = (short_duration(time, moment.version) for time in (trip, trip + 3))
            found |= {"rtt-avg": mean, "rtt-min": mean, "rtt-max": most, "rtt-jitter": "3ms", "rtt-stdev": "1ms"}
    return found


def _netwatch(moment: Moment) -> list[Row]:
    rows = []
    for kept in moment.router.tables["/tool/netwatch"].rows():
        row = {**kept, **_watched(moment, kept)}
        if moment.version >= _TYPED_NETWATCH:
            row["type"], row["name"] = row.get("type", "simple"), row.get("name", "")
            row["done-tests"], row["failed-tests"] = str(moment.state.uptime_seconds // 60), "0"
        else:
            row.pop("type", None)
            row.pop("name", None)
        rows.append(row)
    return rows


def _cloud(_: Moment) -> list[Row]:
    return [{"ddns-enabled": "false", "update-time": "true", "public-address": "203.0.113.7"}]


def _dns(_: Moment) -> list[Row]:
    return [{"servers": "1.1.1.1,8.8.8.8", "dynamic-servers": "", "allow-remote-requests": "true",
             "cache-size": "2048", "cache-used": "214", "cache-max-ttl": "1w"}]  # fmt: skip


def _table(path: str) -> Menu:
    return Menu(lambda moment: moment.router.tables[path].rows(), steady=True, table=True)


MENUS: dict[str, Menu] = {
    "/ip/address": Menu(_addresses),
    "/ip/route": Menu(_routes),
    "/ip/pool": _table("/ip/pool"),
    "/ip/pool/used": Menu(_used, each_second=True),
    "/ip/arp": Menu(_arp, each_second=True),
    "/ip/neighbor": Menu(_neighbours, steady=True),
    "/ip/cloud": Menu(_cloud, steady=True),
    "/ip/dns": Menu(_dns, steady=True),
    "/ip/kid-control/device": Menu(nothing, steady=True),
    "/ipv6/firewall/connection": Menu(nothing),
    "/ipv6/firewall/filter": Menu(nothing, steady=True),
    "/ipv6/firewall/address-list": Menu(nothing, steady=True),
    "/ipv6/neighbor": Menu(nothing),
    "/ipv6/route": Menu(nothing),
    "/ipv6/pool": Menu(nothing, steady=True),
    "/radius": _table("/radius"),
    "/system/scheduler": _table("/system/scheduler"),
    "/system/script": _table("/system/script"),
    "/system/logging": _table("/system/logging"),
    "/tool/netwatch": Menu(_netwatch, table=True),
    "/file": Menu(nothing),
    "/snmp/community": Menu(nothing, steady=True),
}
