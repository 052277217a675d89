"""Commands of the hotspot's menus that are no plain change of a list (facts/routeros.md, 7.6 and 7.7)."""

from collections.abc import Callable
from dataclasses import dataclass

from kampungnet_sim.hotspot_session import Session
from kampungnet_sim.routeros_inputs import must_be_one_of
from kampungnet_sim.routeros_menus_hotspot import (
    cookie_id,
    host_id,
    host_rows,
    session_id,
    visit_id,
    visit_traffic,
)
from kampungnet_sim.routeros_router import Moment, SimulatedRouter
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.servlet_errors import Refusal
from kampungnet_sim.village_guests import Visit

# Nobody looked at the user list for so long: what was used before is not worth its working out.
_FORGOTTEN_SECONDS = 2 * 86_400
# What a device of the office moves, down and up.
_OFFICE_BPS = (180_000.0, 30_000.0)
_ZERO = {"uptime": "0s", "bytes-in": "0", "bytes-out": "0", "packets-in": "0", "packets-out": "0"}


@dataclass(frozen=True, slots=True)
class _Device:
    mac: str
    address: str


def _gone() -> RouterTrap:
    return RouterTrap("no such item (4)", 0)


def log_in(router: SimulatedRouter, values: Row) -> None:
    """``/ip/hotspot/active/login``: the client must already be in the host table (7.7)."""
    moment, portal = router.moment(), router.portal
    wanted, now = values.get("ip", ""), router.clock()
    row = next((row for row in host_rows(moment) if row["address"] == wanted), None)
    if row is None:
        raise RouterTrap(f"unknown host IP {wanted or '0.0.0.0'}")
    device = _Device(row["mac-address"], wanted)
    if values.get("mac-address", device.mac) != device.mac:
        raise RouterTrap("wrong MAC provided")
    if portal.session_of(device.mac) is not None:
        return
    given = values.get("password", "")
    try:
        session = portal.log_in(device, values.get("user", ""), "http-pap", lambda password: password == given, now)
    except Refusal as refusal:
        raise RouterTrap(refusal.original(wanted)) from refusal
    visit = next((one for one in moment.hosts if one.mac == device.mac), None)
    if visit is not None:
        session.down_bps, session.up_bps, session.gone = visit.down_bps, visit.up_bps, max(visit.end, now)
    elif device.mac not in portal.hosts:
        session.down_bps, session.up_bps = _OFFICE_BPS


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
            _add(router, visit, seconds)


def _add(router: SimulatedRouter, visit: Visit, seconds: float) -> None:
    used = visit_traffic(visit, seconds)
    router.portal.add_to_user(visit.user, int(used["bytes-in"]), int(used["bytes-out"]), seconds)


def _log_out(router: SimulatedRouter, key: str) -> None:
    moment, now = router.moment(), router.clock()
    visit = next((v for v in moment.active_visits() if visit_id(v) == key), None)
    if visit is not None:
        _add(router, visit, max(now - visit.session_start(moment.state.boot_time), 1))
        router.thrown_out.add((visit.start, visit.number))
        router.hotspot_revision += 1
        return
    session: Session | None = next((one for one in router.portal.sessions if session_id(one) == key), None)
    if session is None:
        raise _gone()
    # Who is thrown out is not let in again by the device's cookie (7.6, item 3).
    router.portal.log_out(session, now, "admin reset", erase="mac")


def _forget_host(router: SimulatedRouter, key: str) -> None:
    host = next((one for one in router.portal.hosts.values() if host_id(one) == key), None)
    if host is None:
        raise _gone()
    router.portal.forget(host.mac, router.clock())


def _forget_cookie(router: SimulatedRouter, key: str) -> None:
    cookie = next((one for one in router.portal.cookies if cookie_id(one) == key), None)
    if cookie is None:
        raise _gone()
    router.portal.cookies.remove(cookie)
    router.hotspot_revision += 1


_REMOVERS: dict[str, Callable[[SimulatedRouter, str], None]] = {
    "/ip/hotspot/active/remove": _log_out,
    "/ip/hotspot/host/remove": _forget_host,
    "/ip/hotspot/cookie/remove": _forget_cookie,
}


def make_binding(router: SimulatedRouter, ids: str, values: Row) -> None:
    """``/ip/hotspot/host/make-binding``."""
    row = next((row for row in host_rows(router.moment()) if row[".id"] == ids), None)
    if row is None:
        raise _gone()
    fixed = {"mac-address": row["mac-address"], "address": row["address"], "to-address": row["to-address"]}
    router.tables["/ip/hotspot/ip-binding"].add({**fixed, **values})


def reset_counters(router: SimulatedRouter, ids: str) -> None:
    """``/ip/hotspot/user/reset-counters``: of all users when none is named."""
    table = router.tables["/ip/hotspot/user"]
    chosen = [row for row in table.rows() if not ids or {row[".id"], row["name"]} & set(ids.split(","))]
    if not chosen:
        raise _gone()
    for row in chosen:
        table.change(row["name"], _ZERO)


def special(router: SimulatedRouter, command: str, ids: str, values: Row) -> bool:
    """Carry out a command that is no plain change of a list; False when it is one."""
    remover = _REMOVERS.get(command)
    if remover is not None:
        for key in ids.split(","):
            remover(router, key)
    elif command == "/ip/hotspot/active/login":
        log_in(router, values)
    elif command == "/ip/hotspot/host/make-binding":
        make_binding(router, ids, values)
    elif command == "/ip/hotspot/user/reset-counters":
        reset_counters(router, ids)
    else:
        return False
    return True


def checked(router: SimulatedRouter, menu: str, values: Row) -> Row:
    """Values whose sense depends on other lists: names of profiles and servers, the directory of the pages."""
    found = dict(values)
    lists = {
        ("/ip/hotspot/user", "profile"): ("/ip/hotspot/user/profile", ()),
        ("/ip/hotspot/user", "server"): ("/ip/hotspot", ("all",)),
        ("/ip/hotspot/profile", "trial-user-profile"): ("/ip/hotspot/user/profile", ()),
        ("/ip/hotspot", "profile"): ("/ip/hotspot/profile", ()),
    }
    for (where, name), (other, more) in lists.items():
        if where == menu and name in found:
            must_be_one_of(name, found[name], [*more, *(row["name"] for row in router.tables[other].rows())])
    folder = found.get("html-directory")
    if menu == "/ip/hotspot/profile" and folder is not None and not folder.startswith(router.flash.prefix):
        # Input is normalised on boards with a flash folder (facts/routeros.md, 4.1).
        found["html-directory"] = router.flash.prefix + folder
    return found
