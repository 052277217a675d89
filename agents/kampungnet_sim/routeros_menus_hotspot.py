"""``/ip/hotspot`` (facts/routeros.md, 7.6 and 7.7). Rows are synthetic: no recording of them exists."""

from kampungnet_sim.routeros_menu import Menu
from kampungnet_sim.routeros_router import Login, Moment, SimulatedRouter
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.routeros_values import boolean, duration
from kampungnet_sim.village import BYPASSED_HOSTS, VillageProfile
from kampungnet_sim.village_guests import Visit

_BITS = 8
# Nobody looked at the user list for so long: what was used before is not worth its working out.
_FORGOTTEN_SECONDS = 2 * 86_400


def _servers(moment: Moment) -> list[Row]:
    # Whether a forbidden hotspot says "invalid" is (unconfirmed); that it does not run is sure.
    runs = moment.router.village.has_hotspot
    row = {
        "address-pool": "hs-pool", "profile": "hsprof1", "idle-timeout": "5m", "keepalive-timeout": "none",
        "login-timeout": "none", "addresses-per-mac": "2", "HTTPS": "false", "invalid": boolean(not runs),
        "disabled": "false",
    }  # fmt: skip
    rows = [{".id": "*1", "name": "hotspot1", "interface": "bridge-hotspot", **row}]
    if runs:
        rows[0]["proxy-status"] = "running"
    if "second-hotspot" in moment.profile.features:
        rows.append({".id": "*2", "name": "hotspot-sekolah", "interface": "ether3", **row, "disabled": "true"})
    return rows


def visit_id(visit: Visit) -> str:
    """Ids of dynamic rows; they change when the device comes back."""
    return f"*{(int(visit.start) % 0xFFFF) << 12 | visit.number:X}"


def _traffic(visit: Visit, seconds: float) -> Row:
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
        **_traffic(visit, seconds),
        "radius": boolean(visit.number % 3 == 0 and "radius" in moment.profile.features),
    }
    if visit.number % 5 == 0:
        row["limit-bytes-total"] = "2147483648"
    return row


def _login_row(index: int, login: Login, now: float) -> Row:
    seconds = max(now - login.since, 0)
    up, down = int(login.up_bps * seconds / _BITS), int(login.down_bps * seconds / _BITS)
    return {
        ".id": f"*F{index:07X}",
        "server": "hotspot1",
        "user": login.user,
        "address": login.address,
        "mac-address": login.mac,
        "login-by": "http-pap",
        "uptime": duration(seconds),
        "idle-time": "0s",
        "keepalive-timeout": "2m",
        "bytes-in": str(up),
        "bytes-out": str(down),
        "packets-in": str(up // 260),
        "packets-out": str(down // 1020),
        "radius": "false",
    }


def _active(moment: Moment) -> list[Row]:
    rows = [_active_row(visit, moment) for visit in moment.active_visits()]
    rows += [_login_row(index, login, moment.state.time) for index, login in enumerate(moment.active_logins(), 1)]
    return rows


def _active_count(moment: Moment) -> int:
    if not moment.router.thrown_out:
        return moment.state.hotspot_active + len(moment.active_logins())
    return len(moment.active_visits()) + len(moment.active_logins())


def _hosts(moment: Moment) -> list[Row]:
    state = moment.state
    inside = {login.mac for login in moment.active_logins()}
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
                **_traffic(visit, seconds), "found-by": "DHCP", "static": "false", "DHCP": "true",
                "dynamic": "false", "authorized": "true" if visit.mac in inside else "false",
                "bypassed": "false",
            }
        )  # fmt: skip
    return rows


def _cookies(moment: Moment) -> list[Row]:
    return [
        {
            ".id": visit_id(visit),
            "user": visit.user,
            "mac-address": visit.mac,
            "expires-in": duration(259_200 - (moment.state.time - visit.start)),
            "mac-cookie": "true",
        }
        for visit in moment.active_visits()
    ]


def log_in(router: SimulatedRouter, values: Row) -> None:
    """``/ip/hotspot/active/login``: the client must already be in the host table (7.7)."""
    moment = router.moment()
    wanted = values.get("ip", "")
    host = next((row for row in _hosts(moment) if row["address"] == wanted), None)
    if host is None:
        raise RouterTrap(f"unknown host IP {wanted or '0.0.0.0'}")
    if values.get("mac-address", host["mac-address"]) != host["mac-address"]:
        raise RouterTrap("wrong MAC provided")
    user = router.tables["/ip/hotspot/user"].get(values.get("user", ""))
    usable = user is not None and user.get("disabled") != "true"
    if not usable or user is None or user.get("password", "") != values.get("password", ""):
        raise RouterTrap("invalid username or password")
    router.logins.append(Login(values["user"], host["mac-address"], wanted, moment.state.time))
    router.hotspot_revision += 1
    router.note(moment.state.time, "hotspot,info,debug", f"{values['user']} ({wanted}): logged in")


def _add_to_user(router: SimulatedRouter, user: str, row: Row, seconds: float) -> None:
    table = router.tables["/ip/hotspot/user"]
    before = table.get(user)
    if before is None:
        return
    grown = {
        name: str(int(before.get(name, "0")) + int(row[name]))
        for name in ("bytes-in", "bytes-out", "packets-in", "packets-out")
    }
    table.change(user, {**grown, "uptime": duration(_seconds(before.get("uptime", "0s")) + seconds)})


def settle_logouts(moment: Moment) -> None:
    """Add to the user rows what those used who left by themselves since this was done last.

    Counters of users grow at logout only; a session that a power cut or reboot ended is lost (7.6.8, 7.6.9).
    """
    router, now = moment.router, moment.state.time
    since, router.settled = max(router.settled, now - _FORGOTTEN_SECONDS), now
    calendar = router.village.calendar
    for visit in router.village.guests.touching(since, now):
        ended = visit.logged_in and since < visit.end <= now
        if ended and (visit.start, visit.number) not in router.thrown_out and router.village.router_is_up(visit.end):
            seconds = max(visit.end - visit.session_start(calendar.segment(visit.end).boot), 0)
            _add_to_user(router, visit.user, _traffic(visit, seconds), seconds)


def _seconds(text: str) -> int:
    sizes = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
    total, digits = 0, ""
    for sign in text:
        if sign.isdigit():
            digits += sign
        else:
            total += int(digits or 0) * sizes.get(sign, 0)
            digits = ""
    return total


def log_out(router: SimulatedRouter, ids: str) -> None:
    """``/ip/hotspot/active/remove``: the session's part is added to the user row, then it is gone."""
    moment = router.moment()
    now = moment.state.time
    for key in ids.split(","):
        visit = next((v for v in moment.active_visits() if visit_id(v) == key), None)
        if visit is not None:
            seconds = max(now - visit.session_start(moment.state.boot_time), 1)
            _add_to_user(router, visit.user, _traffic(visit, seconds), seconds)
            router.thrown_out.add((visit.start, visit.number))
            router.hotspot_revision += 1
            continue
        logins = moment.active_logins()
        place = next((n for n, g in enumerate(logins, 1) if f"*F{n:07X}" == key), None)
        if place is None:
            raise RouterTrap("no such item (4)", 0)
        login = logins[place - 1]
        _add_to_user(router, login.user, _login_row(place, login, now), now - login.since)
        router.logins.remove(login)
        router.hotspot_revision += 1


def _has_hotspot(profile: VillageProfile) -> bool:
    """In version 6 the hotspot is a package of its own, and can be switched off."""
    return profile.ros.major >= 7 or "no-hotspot-package" not in profile.features


def _table(path: str) -> Menu:
    return Menu(lambda moment: moment.router.tables[path].rows(), steady=True, table=True, owners=_has_hotspot)


MENUS: dict[str, Menu] = {
    "/ip/hotspot": Menu(_servers, steady=True, owners=_has_hotspot),
    "/ip/hotspot/active": Menu(_active, count=_active_count, owners=_has_hotspot, each_second=True),
    "/ip/hotspot/host": Menu(
        _hosts, count=lambda moment: moment.state.hotspot_hosts, owners=_has_hotspot, each_second=True
    ),
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
