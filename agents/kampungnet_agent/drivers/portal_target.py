"""What a router's tables have to hold at this moment, by what is wanted, the hour, and what was used. Pure.

Everything of ours carries a mark that nobody writes by hand: comments begin with ``kampungnet:``, plans are named
``kampungnet-…``. Formats and meanings
of the properties: facts on RouterOS 7.6 and on hotspots 11.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kampungnet.shared.portal_body import Way
from kampungnet.shared.wanted import BindingKind, WantedBinding, WantedGarden, WantedPlan, WantedPortal, WantedUser

from . import portal_guard
from .portal_sessions import Totals

MARK: Final = "kampungnet:"
OWNER: Final = "kampungnet:owner "
"""Begins the comment of the row that says whose router this is."""
PREFIX: Final = "kampungnet-"
PROFILES: Final = "/ip/hotspot/user/profile"
USERS: Final = "/ip/hotspot/user"
BINDINGS: Final = "/ip/hotspot/ip-binding"
GARDEN: Final = "/ip/hotspot/walled-garden"
GARDEN_ADDRESSES: Final = "/ip/hotspot/walled-garden/ip"
QUEUES: Final = "/queue/simple"
TABLES: Final = (PROFILES, USERS, BINDINGS, GARDEN, GARDEN_ADDRESSES, QUEUES)
"""In the order in which rows are added: a user needs its plan first. They are removed in the other order."""
TRIAL_PREFIX: Final = "T-"
FORGOTTEN_SECONDS: Final = 60
"""A router that knows of so much less use than the box was cut from its power."""

_ZONES: Final = {"Asia/Jakarta": 7, "Asia/Pontianak": 7, "Asia/Makassar": 8, "Asia/Jayapura": 9}
"""WIB, WITA and WIT know no summer time, and small boxes often have no table of zones."""

Properties = dict[str, str]


class Use(msgspec.Struct):
    """What one voucher, account or (by click) device used so far. Days and months are local."""

    first_ms: int
    seconds: int = 0
    """Of sessions that ended, in all."""
    day: str = ""
    day_seconds: int = 0
    day_bytes: int = 0
    month: str = ""
    month_bytes: int = 0


class Online(NamedTuple):
    """One device that is logged in."""

    session: str
    guest: str
    user: str
    address: str
    way: Way
    reference: str
    plan: str


class Around(NamedTuple):
    """What the target depends on besides what is wanted."""

    now_ms: int
    uses: Mapping[str, Use] = {}
    """By reference, and by pseudonym for who came by click."""
    counters: Mapping[str, Totals] = {}
    """The router's own counters of users, by name."""
    online: Sequence[Online] = ()
    macs: Mapping[str, str] = {}
    """Addresses of devices that a binding names by pseudonym."""
    elsewhere: Mapping[str, int] = {}
    """Seconds of sessions that run, by user, which were counted as used otherwise; the router counts them at logout."""


class Target(NamedTuple):
    """What has to be."""

    tables: dict[str, dict[str, Properties]]
    """By menu, then by our own key of the row (its comment, or the name of a plan)."""
    portal: Properties
    """Settings of the hotspot's server profile that are ours while the portal is managed."""
    ended: dict[str, str]
    """Sessions that must not go on, with the reason."""


def target(wanted: WantedPortal, around: Around) -> Target:
    """Return what the router has to hold now."""
    if not wanted.managed:
        return Target({menu: {} for menu in (*TABLES, portal_guard.FILTER)}, {}, {})
    local = local_time(wanted.time_zone, around.now_ms)
    plans = {plan.name: plan for plan in wanted.plans}
    closed = {plan.name for plan in wanted.plans if not is_open(plan, local)}
    users = {user.reference: user for user in wanted.users if user.plan in plans}
    over = {one.reference for one in users.values() if _is_over(one, around)}
    tables = {
        PROFILES: {PREFIX + plan.name: _profile(plan) for plan in wanted.plans},
        USERS: {_mark(one.reference): _user(one, around, off=one.reference in over or one.plan in closed)
                for one in users.values()},
        BINDINGS: {_mark(one.reference): row for one in wanted.bindings if (row := _binding(one, around))},
        GARDEN: {_mark(one.reference): _garden(one) for one in wanted.garden} | _owner(wanted.place),
        GARDEN_ADDRESSES: dict(_garden_addresses(wanted.garden)),
        QUEUES: dict(_slowed(around, plans, local)),
        portal_guard.FILTER: portal_guard.rows_of(wanted.tries),
    }  # fmt: skip
    return Target(tables, _portal(wanted, closed), dict(_ended(wanted, around, (closed, over))))


def local_time(zone: str, instant_ms: int) -> datetime:
    """Return the local moment of an instant. Raises ``ValueError`` for a zone that nobody knows here."""
    hours = _ZONES.get(zone)
    try:
        where = timezone(timedelta(hours=hours)) if hours is not None else ZoneInfo(zone)
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"time zone {zone} is not known here") from error
    return datetime.fromtimestamp(instant_ms / 1000, where)


def is_open(plan: WantedPlan, local: datetime) -> bool:
    """Tell whether a plan is open at a local moment."""
    minute = local.hour * 60 + local.minute
    return not plan.hours or any(
        local.weekday() in hours.weekdays and hours.opens <= minute < hours.closes for hours in plan.hours
    )


def next_change_ms(wanted: WantedPortal, uses: Mapping[str, Use], now_ms: int) -> int:
    """Return the next instant at which the hour alone changes the target: opening hours, blocks that end, vouchers."""
    midnight = local_time(wanted.time_zone, now_ms).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = int((midnight + timedelta(days=1)).timestamp() * 1000)
    ends = [one.until_ms for one in wanted.bindings if one.until_ms]
    ends += [one.expires_ms for one in wanted.users if one.expires_ms]
    ends += [
        uses[one.reference].first_ms + one.valid_seconds * 1000
        for one in wanted.users
        if one.valid_seconds and one.reference in uses
    ]
    hours = [
        int((midnight + timedelta(minutes=minute)).timestamp() * 1000)
        for plan in wanted.plans
        for one in plan.hours
        for minute in (one.opens, one.closes)
    ]
    return min(instant for instant in (tomorrow, *ends, *hours) if instant > now_ms)


def reached(plan: WantedPlan, use: Use | None, local: datetime) -> bool:
    """Tell whether a quota of the plan is reached: then it goes on slower."""
    if use is None:
        return False
    today, month = use.day == f"{local:%Y-%m-%d}", use.month == f"{local:%Y-%m}"
    return (
        (0 < plan.day_seconds <= use.day_seconds and today)
        or (0 < plan.day_bytes <= use.day_bytes and today)
        or (0 < plan.month_bytes <= use.month_bytes and month)
    )


def limit_left(user: WantedUser, use: Use | None, known: int) -> int:
    """Return the ``limit-uptime`` to give a user, in seconds; 0 when its time is used up.

    The router compares it with its own counter, which lacks the sessions a power cut took (facts on RouterOS 7.6.9):
    the limit is lowered by what the router forgot. ``known`` is what it counted, or will at the logout.
    """
    used = use.seconds if use else 0
    if used >= user.limit_seconds:
        return 0
    forgotten = used - known
    return user.limit_seconds - forgotten if forgotten > FORGOTTEN_SECONDS else user.limit_seconds


def _mark(reference: str) -> str:
    return f"{MARK}{reference}"


def _profile(plan: WantedPlan) -> Properties:
    return {
        "rate-limit": _rate(plan.up_kbps, plan.down_kbps, plan.priority),
        "shared-users": str(plan.devices),
        "idle-timeout": f"{plan.idle_seconds}s" if plan.idle_seconds else "none",
        "session-timeout": f"{plan.session_seconds}s",
    }


def _rate(up_kbps: int, down_kbps: int, priority: int = 8) -> str:
    """Return ``rx/tx`` as the router sees it: what the guest sends comes first (facts on hotspots 4.2)."""
    if not up_kbps and not down_kbps:
        return "" if priority == 8 else f"0/0 0/0 0/0 0/0 {priority}"
    rate = f"{up_kbps}k/{down_kbps}k"
    return rate if priority == 8 else f"{rate} 0/0 0/0 0/0 {priority}"


def _user(user: WantedUser, around: Around, *, off: bool) -> Properties:
    left = 0
    if user.limit_seconds:
        known = around.counters[user.name].seconds if user.name in around.counters else 0
        left = limit_left(user, around.uses.get(user.reference), known + around.elsewhere.get(user.name, 0))
    return {
        "name": user.name,
        "password": user.password,
        "profile": PREFIX + user.plan,
        "limit-uptime": f"{left}s",
        "disabled": "yes" if off else "no",
    }


def _is_over(user: WantedUser, around: Around) -> bool:
    use = around.uses.get(user.reference)
    if user.expires_ms is not None and user.expires_ms <= around.now_ms:
        return True
    if use is None:
        return False
    if user.valid_seconds and use.first_ms + user.valid_seconds * 1000 <= around.now_ms:
        return True
    return 0 < user.limit_seconds <= use.seconds


def _binding(one: WantedBinding, around: Around) -> Properties | None:
    mac = one.mac or around.macs.get(one.guest, "")
    if not mac or (one.until_ms is not None and one.until_ms <= around.now_ms):
        return None
    kind = "blocked" if one.kind is BindingKind.BLOCKED else "bypassed"
    return {"mac-address": mac, "type": kind, "disabled": "no"}


def _garden(one: WantedGarden) -> Properties:
    return {"action": "allow", "dst-host": one.host, "disabled": "no"}


def _owner(place: str) -> dict[str, Properties]:
    """Return the row that says whose router this is; switched off it opens nothing, and the name leads nowhere."""
    row = {"action": "allow", "dst-host": "kampungnet.invalid", "disabled": "yes"}
    return {f"{OWNER}{place}": row} if place else {}


def _garden_addresses(garden: Sequence[WantedGarden]) -> Iterator[tuple[str, Properties]]:
    """Yield rules by address for each port: a name behind HTTPS opens by nothing else; ``*`` cannot be followed."""
    for one in garden:
        if "*" not in one.host:
            for port in one.ports or (80, 443):
                row = {"action": "accept", "dst-host": one.host, "protocol": "tcp", "dst-port": str(port)}
                yield f"{_mark(one.reference)} {port}", row | {"disabled": "no"}


def _slowed(around: Around, plans: Mapping[str, WantedPlan], local: datetime) -> Iterator[tuple[str, Properties]]:
    """Yield a queue for each device whose quota is reached: slower, not cut, and without a new login."""
    for one in around.online:
        plan = plans.get(one.plan)
        if plan and plan.slow_down_kbps and reached(plan, around.uses.get(one.reference or one.guest), local):
            rate = _rate(plan.slow_up_kbps or plan.slow_down_kbps, plan.slow_down_kbps)
            yield (
                _mark(one.guest),
                {
                    "name": f"{PREFIX}{one.guest}",
                    "target": f"{one.address}/32",
                    "max-limit": rate,
                    "disabled": "no",
                },
            )


def _portal(wanted: WantedPortal, closed: set[str]) -> Properties:
    ways = ["http-chap", "http-pap", "cookie", "mac-cookie"]
    click = wanted.click
    if click is None or click.plan in closed:
        return {"login-by": ",".join(ways), "https-redirect": "no"}
    return {
        "login-by": ",".join([*ways, "trial"]),
        "https-redirect": "no",
        "trial-user-profile": PREFIX + click.plan,
        "trial-uptime-limit": f"{click.seconds}s" if click.seconds else "1d",
        "trial-uptime-reset": f"{click.again_seconds}s",
    }


def _ended(wanted: WantedPortal, around: Around, barred: tuple[set[str], set[str]]) -> Iterator[tuple[str, str]]:
    closed, over = barred
    kicked = {kick.session for kick in wanted.kicks}
    known = {user.reference for user in wanted.users}
    blocked = {
        one.guest or one.mac for one in wanted.bindings
        if one.kind is BindingKind.BLOCKED and (one.until_ms is None or one.until_ms > around.now_ms)
    }  # fmt: skip
    for one in around.online:
        ours = one.way in {Way.VOUCHER, Way.ACCOUNT}
        if one.session in kicked:
            yield one.session, "kicked"
        elif one.guest in blocked:
            yield one.session, "blocked"
        elif one.way is Way.CLICK and wanted.click is None:
            yield one.session, "closed"
        elif ours and one.reference not in known:
            yield one.session, "revoked"
        elif (ours and one.reference in over) or (one.way is not Way.OTHER and one.plan in closed):
            yield one.session, "closed"
