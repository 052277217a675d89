"""The memory log (facts/routeros.md, 7.13): what this boot wrote, a thousand rows, ids that grow.

Logins of guests and the row of a dirty start follow from the village; the rest was noted as it happened.
"""

from heapq import merge

from kampungnet_sim.routeros_menu import Menu
from kampungnet_sim.routeros_router import LOG_ROWS, LogRow, Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import log_time
from kampungnet_sim.village_events import EventKind

_GUESTS_SECONDS = 6 * 3_600
# Ids follow from the instant, so that a row keeps its id whatever else is listed.
_IDS_PER_SECOND = 500
_PORTAL = "hotspot,account,info,debug"


def _start_row(moment: Moment) -> list[LogRow]:
    boot = moment.state.boot_time
    ended = moment.router.village.events_between(boot - 1, boot + 1)
    if any(event.kind is EventKind.POWER_CUT and event.end == boot for event in ended):
        text = "router was rebooted without proper shutdown, probably power outage"
        return [LogRow(boot + 2, "system,error,critical", text)]
    if any(event.kind is EventKind.HANG and event.end == boot for event in ended):
        text = "router was rebooted without proper shutdown by watchdog timer"
        return [LogRow(boot + 2, "system,error,critical", text)]
    return [LogRow(boot + 2, "system,info", "router rebooted")]


def _guest_rows(moment: Moment) -> list[LogRow]:
    """Hotspot rows need a logging rule; Mikhmon's puts ``->`` in front."""
    if "hotspot-log" not in moment.profile.features:
        return []
    now, boot = moment.state.time, moment.state.boot_time
    since = max(now - _GUESTS_SECONDS, boot)
    rows = []
    for visit in moment.router.village.guests.touching(since, now):
        if not visit.logged_in:
            continue
        who, began = f"->: {visit.user} ({visit.address})", visit.session_start(boot)
        if since <= began <= now:
            rows.append(LogRow(began, _PORTAL, f"{who}: logged in"))
        if began < visit.end <= now:
            rows.append(LogRow(visit.end, _PORTAL, f"{who}: logged out: keepalive timeout"))
        if since <= began - 4 and began - 4 <= now and visit.number % 9 == 0:
            rows.append(LogRow(began - 4, _PORTAL, f"{who}: login failed: invalid username or password"))
    return sorted(rows, key=lambda row: row.when)


def _rows(moment: Moment) -> list[Row]:
    boot, wall, extra = moment.state.boot_time, moment.wall, moment.version.major >= 7
    noted = [row for row in moment.router.log if row.when >= boot]
    found = list(merge(_start_row(moment), noted, _guest_rows(moment), key=lambda row: row.when))[-LOG_ROWS:]
    rows, last = [], 0
    for row in found:
        last = max(int((row.when - boot) * _IDS_PER_SECOND), last + 1)
        shown: Row = {
            ".id": f"*{last:X}",
            "time": log_time(row.when + wall - moment.state.time, wall, moment.version),
            "topics": row.topics,
            "message": row.message,
            "buffer": "memory",
        }
        if extra:
            shown["extra-info"] = ""
        rows.append(shown)
    return rows


MENUS: dict[str, Menu] = {"/log": Menu(_rows, each_second=True)}
