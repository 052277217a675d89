"""The menus of ``/ip/hotspot`` (facts/routeros.md, 7.6). Rows are synthetic: no recording of them exists."""

from kampungnet_sim.hotspot_portal import Cookie, Host
from kampungnet_sim.hotspot_session import Session
from kampungnet_sim.routeros_menu import Menu
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import boolean, duration
from kampungnet_sim.village import BYPASSED_HOSTS, VillageProfile
from kampungnet_sim.village_guests import Visit

_BITS = 8


def _servers(moment: Moment) -> list[Row]:
    # Whether a forbidden hotspot says "invalid" is (unconfirmed); that it does not run is sure.
    runs = moment.router.village.has_hotspot
    rows = []
    for row in moment.router.tables["/ip/hotspot"].rows():
        shown = {**row, "HTTPS": "false", "invalid": boolean(not runs)}
        rows.append({**shown, "proxy-status": "running"} if runs and row["disabled"] == "false" else shown)
    return rows


def visit_id(visit: Visit) -> str:
    """Ids of dynamic rows; they change when the device comes back."""
    return f"*{(int(visit.start) % 0xFFFF) << 12 | visit.number:X}"


def session_id(session: Session) -> str:
    """Ids of who came by hand lie above those of the simulated crowd; a login after a restart has a new one."""
    return f"*F{session.number:07X}"


def host_id(host: Host) -> str:
    """As :func:`session_id`."""
    return f"*E{host.number:07X}"


def cookie_id(cookie: Cookie) -> str:
    """As :func:`session_id`."""
    return f"*D{cookie.number:07X}"


def visit_traffic(visit: Visit, seconds: float) -> Row:
    """Counters of a visit that is logged in for so long."""
    down, up = int(visit.down_bps * seconds / _BITS), int(visit.up_bps * seconds / _BITS)
    # From the client is "in", to the client is "out" (facts/routeros.md, section 8).
    return {
        "bytes-in": str(up),
        "bytes-out": str(down),
        "packets-in": str(up // 260),
        "packets-out": str(down // 1020),
    }


def _active_row(visit: Visit, moment: Moment) -> Row:
    seconds = max(moment.state.time - visit.session_start(moment.state.boot_time), 1)
    row = {
        ".id": visit_id(visit),
        "server": "hotspot1",
        "user": visit.user,
        "address": visit.address,
        "mac-address": visit.mac,
        "login-by": ("http-chap", "mac-cookie", "http-pap", "cookie")[visit.number % 4],
        "uptime": duration(seconds),
        "session-time-left": duration(max(86_400 - seconds, 1)),
        "idle-time": f"{visit.number % 50}s",
        "keepalive-timeout": "2m",
        **visit_traffic(visit, seconds),
        "radius": boolean(visit.number % 3 == 0 and "radius" in moment.profile.features),
    }
    if visit.number % 5 == 0:
        row["limit-bytes-total"] = "2147483648"
    return row


def _counted(session: Session, now: float) -> Row:
    counted = session.counted(now)
    return {
        "bytes-in": str(counted["in"]),
        "bytes-out": str(counted["out"]),
        "packets-in": str(counted["in"] // 260),
        "packets-out": str(counted["out"] // 1020),
    }


def _session_row(session: Session, now: float) -> Row:
    """What is left for this session stands in the limits (7.6, item 7); what has no limit has no property."""
    left, limits = session.time_left(now), session.limits
    row = {
        ".id": session_id(session),
        "server": "hotspot1",
        "user": session.user,
        "address": session.address,
        "mac-address": session.mac,
        "login-by": session.login_by,
        "uptime": duration(now - session.since),
        "idle-time": duration(now - session.active if not session.down_bps else 0),
        **_counted(session, now),
        "radius": "false",
    }
    times = {
        "session-time-left": left,
        "idle-timeout": limits.idle,
        "keepalive-timeout": limits.keepalive,
    }
    row |= {name: duration(seconds) for name, seconds in times.items() if seconds is not None}
    for way in ("in", "out", "total"):
        limit = limits.bytes_of(way)
        if limit is not None:
            row[f"limit-bytes-{way}"] = str(limit)
    return row


def _active(moment: Moment) -> list[Row]:
    rows = [_active_row(visit, moment) for visit in moment.active_visits()]
    return rows + [_session_row(one, moment.state.time) for one in moment.router.portal.sessions]


def _active_count(moment: Moment) -> int:
    by_themselves = len(moment.active_visits()) if moment.router.thrown_out else moment.state.hotspot_active
    return by_themselves + len(moment.router.portal.sessions)


def _host_row(host: Host, moment: Moment) -> Row:
    portal, now = moment.router.portal, moment.state.time
    session = portal.session_of(host.mac)
    return {
        ".id": host_id(host), "mac-address": host.mac, "address": host.address, "to-address": host.address,
        "server": "hotspot1", "uptime": duration(now - host.since), "idle-time": duration(now - host.seen),
        "host-dead-time": duration(0 if host.gone is None else now - host.gone), "bridge-port": "wlan1",
        "bytes-in": str(host.bytes_in), "bytes-out": str(host.bytes_out),
        "packets-in": str(host.bytes_in // 260), "packets-out": str(host.bytes_out // 1020),
        "found-by": "DHCP", "static": "false", "DHCP": "true", "dynamic": "false",
        "authorized": boolean(session is not None), "bypassed": boolean(portal.binding(host) == "bypassed"),
    }  # fmt: skip


def host_rows(moment: Moment) -> list[Row]:
    """Who is on the segment, logged in or not (7.6, item 5)."""
    state = moment.state
    inside = {session.mac for session in moment.router.portal.sessions}
    inside |= {visit.mac for visit in moment.active_visits()}
    rows = [
        {
            ".id": f"*{index:X}", "mac-address": f"08:55:31:00:00:{index:02X}",
            "address": f"192.168.88.{9 + index}", "to-address": f"192.168.88.{9 + index}",
            "server": "hotspot1", "uptime": duration(state.uptime_seconds), "idle-time": "1s",
            "host-dead-time": "0s", "bridge-port": "ether2", "bytes-in": str(state.uptime_seconds * 90),
            "bytes-out": str(state.uptime_seconds * 400), "packets-in": str(state.uptime_seconds),
            "packets-out": str(state.uptime_seconds), "found-by": "ARP", "static": "true",
            "DHCP": "false", "dynamic": "false", "authorized": "false", "bypassed": "true",
        }
        for index in range(1, BYPASSED_HOSTS * moment.router.village.has_hotspot + 1)
    ]  # fmt: skip
    for visit in moment.hosts:
        seconds = max(state.time - visit.session_start(state.boot_time), 1)
        rows.append(
            {
                ".id": visit_id(visit), "mac-address": visit.mac, "address": visit.address,
                "to-address": visit.address, "server": "hotspot1", "uptime": duration(seconds),
                "idle-time": f"{visit.number % 50}s", "host-dead-time": "0s", "bridge-port": "wlan1",
                **visit_traffic(visit, seconds), "found-by": "DHCP", "static": "false", "DHCP": "true",
                "dynamic": "false", "authorized": "true" if visit.mac in inside else "false",
                "bypassed": "false",
            }
        )  # fmt: skip
    return rows + [_host_row(host, moment) for host in moment.router.portal.hosts.values()]


def _host_count(moment: Moment) -> int:
    return moment.state.hotspot_hosts + len(moment.router.portal.hosts)


def _cookies(moment: Moment) -> list[Row]:
    now = moment.state.time
    rows = [
        {
            ".id": visit_id(visit),
            "user": visit.user,
            "mac-address": visit.mac,
            "expires-in": duration(259_200 - (now - visit.start)),
            "mac-cookie": "true",
        }
        for visit in moment.active_visits()
    ]
    return rows + [
        {
            ".id": cookie_id(cookie),
            "user": cookie.user,
            "mac-address": cookie.mac,
            "expires-in": duration(cookie.expires - now),
            "mac-cookie": boolean(cookie.mac_cookie),
        }
        for cookie in moment.router.portal.cookies
    ]


def _has_hotspot(profile: VillageProfile) -> bool:
    """In version 6 the hotspot is a package of its own, and can be switched off."""
    return profile.ros.major >= 7 or "no-hotspot-package" not in profile.features


def _table(path: str) -> Menu:
    return Menu(lambda moment: moment.router.tables[path].rows(), steady=True, table=True, owners=_has_hotspot)


MENUS: dict[str, Menu] = {
    "/ip/hotspot": Menu(_servers, steady=True, table=True, owners=_has_hotspot),
    "/ip/hotspot/active": Menu(_active, count=_active_count, owners=_has_hotspot, each_second=True),
    "/ip/hotspot/host": Menu(host_rows, count=_host_count, owners=_has_hotspot, each_second=True),
    "/ip/hotspot/cookie": Menu(_cookies, owners=_has_hotspot, each_second=True),
    # Passwords are read with the policy "sensitive" only; the engine takes them out.
    "/ip/hotspot/user": _table("/ip/hotspot/user"),
    "/ip/hotspot/user/profile": _table("/ip/hotspot/user/profile"),
    "/ip/hotspot/profile": _table("/ip/hotspot/profile"),
    "/ip/hotspot/ip-binding": _table("/ip/hotspot/ip-binding"),
    "/ip/hotspot/walled-garden": _table("/ip/hotspot/walled-garden"),
    "/ip/hotspot/walled-garden/ip": _table("/ip/hotspot/walled-garden/ip"),
    "/ip/hotspot/service-port": Menu(lambda _: [], steady=True, owners=_has_hotspot),
}
