"""How the answers of one poll become a ``RouterBody`` that fits into a report. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from kampungnet.shared.wire import MAX_READING_BYTES, LogLine, RouterBody

from .fields import text
from .mikrotik_answers import LONGEST_ENTRY, Answers
from .mikrotik_hotspot import guests_of, queues_of, radius_of, servers_of, users_of
from .mikrotik_interfaces import interfaces_of, lights_of, pppoe_of, radios_of
from .mikrotik_line import default_interface, default_route, lookups_of, netwatch_of, pings_of
from .mikrotik_questions import CONTROLLERS, WIRELESS
from .mikrotik_system import system_body

MOST_MISSING: Final = 40
MOST_BYTES: Final = MAX_READING_BYTES - 4000
"""Leaves room for what a reading has beside its body, and for the entries that say what was cut."""
_CUT_FIRST: Final = ("log", "users", "queues", "guests", "radios", "netwatch", "interfaces")
"""Lists that may be shortened, least needed first. The billed interface is never cut."""

_encode = msgspec.json.Encoder().encode


def body_of(
    answers: Answers, wan_interface: str, addresses: Mapping[str, str], names: Iterable[str], log: list[LogLine]
) -> RouterBody:
    """Return all that one poll of a router learned; ``addresses`` were pinged, ``names`` were resolved."""
    route = default_route(answers.rows("default route"))
    body = replace(
        system_body(answers),
        interfaces=interfaces_of(answers, wan_interface),
        wan_interface=wan_interface[:200],
        gateway=text(route.get(b"gateway")),
        default_interface=default_interface(route)[:200],
        pings=pings_of(answers, addresses),
        lookups=list(lookups_of(answers, names)),
        netwatch=netwatch_of(answers),
        pppoe=pppoe_of(answers),
        lights=lights_of(answers),
        radios=radios_of(answers),
        wireless_clients=answers.total(WIRELESS),
        access_points=answers.total(CONTROLLERS),
        hotspot_sessions=answers.number("hotspot sessions"),
        hotspot_hosts=answers.number("hotspot hosts"),
        hotspot_users=answers.number("hotspot users"),
        hotspots=servers_of(answers),
        guests=guests_of(answers),
        users=users_of(answers),
        queues=queues_of(answers),
        radius=radius_of(answers),
        dhcp_leases=answers.number("dhcp leases"),
        dhcp_leases_known=answers.number("dhcp leases known"),
        log=log,
    )
    body = fitting(body, answers.missing)
    return replace(body, missing=[entry[:LONGEST_ENTRY] for entry in answers.missing[:MOST_MISSING]])


def fitting(body: RouterBody, missing: list[str], most: int = MOST_BYTES) -> RouterBody:
    """Return a body of at most ``most`` bytes of JSON; every list that was cut is named in ``missing``."""
    excess = len(_encode(body)) - most
    for name in _CUT_FIRST:
        if excess <= 0:
            break
        rows = list(getattr(body, name))
        if name == "interfaces":
            rows.sort(key=lambda row: row.interface != body.wan_interface)
        keep = len(rows)
        while excess > 0 and keep > 1:
            keep -= 1
            excess -= len(_encode(rows[keep])) + 1
        if keep < len(rows):
            missing.append(f"{name}: the reading would be too large, {keep} of {len(rows)} reported")
            body = replace(body, **{name: rows[:keep]})
    return body
