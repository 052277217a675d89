"""``/ip`` besides the hotspot, ``/queue``, ``/tool``, ``/radius`` (facts/routeros.md, 7.8, 7.9, 7.12, 7.13)."""

from collections import Counter

from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_menu import Menu, nothing, numbered
from kampungnet_sim.routeros_menus_interface import mac_of
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import boolean, duration, stamp
from kampungnet_sim.village_guests import LEASE_TAIL_SECONDS

_STAFF_HOSTS = ("Printer-Kantor", "CCTV", "Komputer Kaur Keuangan")
GATEWAY = "100.64.10.1"


def _addresses(moment: Moment) -> list[Row]:
    wan = moment.profile.router.wan_interface
    rows = (
        ("192.168.88.1/24", "192.168.88.0", "bridge-kantor", "false"),
        ("10.5.50.1/22", "10.5.48.0", "bridge-hotspot", "false"),
        ("100.64.10.23/24", "100.64.10.0", wan, "true"),
    )
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


def _routes(moment: Moment) -> list[Row]:
    state = moment.state
    wan = moment.profile.router.wan_interface
    up = state.fibre_up
    default = {
        "dst-address": "0.0.0.0/0", "gateway": GATEWAY, "distance": "1", "scope": "30",
        "target-scope": "10", "active": boolean(up), "dynamic": "true", "dhcp": "true",
    }  # fmt: skip
    local = {"distance": "0", "scope": "10", "target-scope": "5", "active": "true", "dynamic": "true",
             "connect": "true"}  # fmt: skip
    nets = (("192.168.88.0/24", "bridge-kantor"), ("10.5.48.0/22", "bridge-hotspot"))
    if moment.version.major < 7:
        default |= {"gateway-status": f"{GATEWAY} {'reachable' if up else 'unreachable'} via {wan}"}
        rows = [default] + [
            {"dst-address": net, "gateway": port, "gateway-status": f"{port} reachable",
             "pref-src": net.replace(".0/", ".1/").partition("/")[0], **local}
            for net, port in nets
        ]  # fmt: skip
    else:
        default |= {"immediate-gw": f"{GATEWAY}%{wan}", "routing-table": "main", "vrf-interface": wan}
        rows = [default] + [
            {"dst-address": net, "gateway": port, "immediate-gw": port, "routing-table": "main",
             "local-address": f"{net.replace('.0/', '.1/').partition('/')[0]}%{port}", **local}
            for net, port in nets
        ]  # fmt: skip
    # v6 and v7 leave a flag out of the row when it does not hold.
    kept = [{k: v for k, v in row.items() if v != "false"} for row in rows]
    return numbered(kept)


def _dhcp_servers(_: Moment) -> list[Row]:
    row = {"lease-time": "30m", "dynamic": "false", "invalid": "false", "disabled": "false"}
    return numbered(
        [
            {"name": "dhcp-hotspot", "interface": "bridge-hotspot", "address-pool": "hs-pool", **row},
            {"name": "dhcp-kantor", "interface": "bridge-kantor", "address-pool": "dhcp-kantor", **row},
        ]
    )


def _leases(moment: Moment) -> list[Row]:
    now, boot = moment.state.time, moment.state.boot_time
    rows = []
    for index, name in enumerate(_STAFF_HOSTS, 1):
        mac, address = f"08:55:31:00:00:{index:02X}", f"192.168.88.{9 + index}"
        rows.append(
            {
                ".id": f"*{index:X}", "address": address, "mac-address": mac, "server": "dhcp-kantor",
                "status": "bound", "expires-after": "17m", "last-seen": "13m", "active-address": address,
                "active-mac-address": mac, "active-server": "dhcp-kantor", "host-name": name,
                "radius": "false", "dynamic": "false", "blocked": "false", "disabled": "false",
                "comment": "Perangkat desa",
            }
        )  # fmt: skip
    # A static lease whose owner is away has no active-* at all.
    rows.append({".id": "*4", "address": "192.168.88.77", "mac-address": "08:55:31:00:00:77",
                 "server": "dhcp-kantor", "status": "waiting", "last-seen": "never",
                 "radius": "false", "dynamic": "false", "blocked": "false", "disabled": "false"})  # fmt: skip
    for visit in moment.leases:
        age = now - visit.session_start(boot)
        left = LEASE_TAIL_SECONDS - min(now - min(now, visit.end), LEASE_TAIL_SECONDS - 1)
        rows.append(
            {
                ".id": f"*{int(visit.start) % 97 * 4096 + visit.number + 16:X}",
                "address": visit.address, "mac-address": visit.mac, "client-id": f"1:{visit.mac.lower()}",
                "server": "dhcp-hotspot", "status": "bound", "expires-after": duration(left),
                "last-seen": duration(max(age, 0) % 900), "active-address": visit.address,
                "active-mac-address": visit.mac, "active-client-id": f"1:{visit.mac.lower()}",
                "active-server": "dhcp-hotspot", "host-name": visit.host_name, "radius": "false",
                "dynamic": "true", "blocked": "false", "disabled": "false",
            }
        )  # fmt: skip
    return rows


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


def _netwatch(moment: Moment) -> list[Row]:
    state = moment.state
    status = "up" if state.internet_up else "down"
    since = stamp(moment.wall - min(state.uptime_seconds, 7_200), moment.version)
    rows = moment.router.tables["/tool/netwatch"].rows()
    for row in rows:
        row |= {"status": status, "since": since}
        if moment.version >= RosVersion(7, 4):
            row |= {"type": row.get("type", "simple"), "done-tests": str(state.uptime_seconds // 60),
                    "failed-tests": "0"}  # fmt: skip
            row["name"] = row.get("name", "")
    return rows


def _queue_name(user: str, names: Counter[str]) -> str:
    """One voucher may be in use on several phones; names of queues are unique all the same."""
    names[user] += 1
    return f"<hotspot-{user}>" if names[user] == 1 else f"<hotspot-{user}-{names[user] - 1}>"


def _queues(moment: Moment) -> list[Row]:
    rows = moment.router.tables["/queue/simple"].rows()
    wan = moment.state.interfaces[0]
    for row in rows[:1]:
        row |= {"bytes": f"{wan.tx_bytes}/{wan.rx_bytes}", "packets": f"{wan.tx_packets}/{wan.rx_packets}"}
    names: Counter[str] = Counter()
    for index, visit in enumerate(moment.active_visits(), 1):
        seconds = max(moment.state.time - visit.session_start(moment.state.boot_time), 1)
        up, down = int(visit.up_bps * seconds / 8), int(visit.down_bps * seconds / 8)
        rows.append(
            {
                ".id": f"*{0x1000 + index:X}", "name": _queue_name(visit.user, names),
                "target": f"{visit.address}/32", "parent": "none", "packet-marks": "",
                "priority": "8/8", "queue": "default-small/default-small", "limit-at": "0/0",
                "max-limit": "1000000/4000000", "burst-limit": "0/0", "burst-threshold": "0/0",
                "burst-time": "0s/0s", "bytes": f"{up}/{down}", "packets": f"{up // 260}/{down // 1020}",
                "dropped": "0/0", "rate": f"{int(visit.up_bps)}/{int(visit.down_bps)}",
                "packet-rate": "0/0", "queued-bytes": "0/0", "queued-packets": "0/0",
                "dynamic": "true", "invalid": "false", "disabled": "false",
            }
        )  # fmt: skip
    return rows


def _rules(path: str) -> Menu:
    def rows(moment: Moment) -> list[Row]:
        found = moment.router.tables[path].rows()
        wan = moment.state.interfaces[0]
        for place, row in enumerate(found, 2):
            row |= {"bytes": str(wan.rx_bytes // place), "packets": str(wan.rx_packets // place)}
        return found

    return Menu(rows, table=True)


def _connections(moment: Moment) -> int:
    return 14 + 9 * moment.state.hotspot_hosts


def _connection_rows(moment: Moment) -> list[Row]:
    return numbered(
        {"protocol": "tcp", "src-address": f"{v.address}:40{v.number % 999:03d}",
         "dst-address": "142.250.4.1:443", "timeout": "5m", "tcp-state": "established"}
        for v in moment.hosts
    )  # fmt: skip


def _cloud(_: Moment) -> list[Row]:
    return [{"ddns-enabled": "false", "update-time": "true", "public-address": "203.0.113.7"}]


def _dns(_: Moment) -> list[Row]:
    return [{"servers": "1.1.1.1,8.8.8.8", "dynamic-servers": "", "allow-remote-requests": "true",
             "cache-size": "2048", "cache-used": "214", "cache-max-ttl": "1w"}]  # fmt: skip


def _table(path: str) -> Menu:
    return Menu(lambda moment: moment.router.tables[path].rows(), steady=True, table=True)


MENUS: dict[str, Menu] = {
    "/ip/address": Menu(_addresses, steady=True),
    "/ip/route": Menu(_routes),
    "/ip/dhcp-server": Menu(_dhcp_servers, steady=True),
    "/ip/dhcp-server/lease": Menu(_leases),
    "/ip/dhcp-client": Menu(nothing, steady=True),
    "/ip/pool": _table("/ip/pool"),
    "/ip/pool/used": Menu(_used),
    "/ip/arp": Menu(_arp),
    "/ip/neighbor": Menu(_neighbours, steady=True),
    "/ip/cloud": Menu(_cloud, steady=True),
    "/ip/dns": Menu(_dns, steady=True),
    "/ip/firewall/connection": Menu(_connection_rows, count=_connections),
    "/ip/firewall/filter": _rules("/ip/firewall/filter"),
    "/ip/firewall/nat": _rules("/ip/firewall/nat"),
    "/ip/firewall/mangle": _rules("/ip/firewall/mangle"),
    "/ip/firewall/raw": _rules("/ip/firewall/raw"),
    "/ip/firewall/address-list": _table("/ip/firewall/address-list"),
    "/ip/kid-control/device": Menu(nothing, steady=True),
    "/ipv6/firewall/connection": Menu(nothing),
    "/ipv6/firewall/filter": Menu(nothing, steady=True),
    "/ipv6/firewall/address-list": Menu(nothing, steady=True),
    "/ipv6/neighbor": Menu(nothing),
    "/ipv6/route": Menu(nothing),
    "/ipv6/pool": Menu(nothing, steady=True),
    "/queue/simple": Menu(_queues, table=True),
    "/queue/tree": Menu(nothing, steady=True),
    "/radius": _table("/radius"),
    "/system/scheduler": _table("/system/scheduler"),
    "/system/script": _table("/system/script"),
    "/system/logging": _table("/system/logging"),
    "/tool/netwatch": Menu(_netwatch, table=True),
    "/certificate": Menu(nothing, steady=True),
    "/file": Menu(nothing),
    "/snmp/community": Menu(nothing, steady=True),
}
