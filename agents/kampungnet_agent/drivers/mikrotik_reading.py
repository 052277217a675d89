"""How the answers of one poll become a ``RouterBody`` that fits into a report. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec.structs import replace

from kampungnet.shared.wire import CounterReading, HotspotUser, LogLine, RouterBody

from .fields import count, percent, text
from .mikrotik_answers import LONGEST_ENTRY, Answers, Made
from .mikrotik_hotspot import guests_of, queues_of, radius_of, servers_of, users_of
from .mikrotik_interfaces import interfaces_of, lights_of, pppoe_of, radios_of
from .mikrotik_line import default_interface, default_route, lookups_of, netwatch_of, pings_of
from .mikrotik_questions import CONTROLLERS, WIRELESS
from .mikrotik_system import MadeOfFacts, facts_body, hotspot_package_problem, sensors_of

MOST_MISSING: Final = 40
MOST_BYTES: Final = 124_000
"""Each minute: far below what may travel, with room for what a reading has beside its body and for what was cut."""
_CUT_FIRST: Final = (
    "log",
    "users",
    "queues",
    "guests",
    "radius",
    "radios",
    "netwatch",
    "lookups",
    "sensors",
    "pppoe",
    "lights",
    "hotspots",
    "interfaces",
)
"""Lists that may be shortened, least needed first. The billed interface is never cut."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """What was made at the last look, for rows that did not change since."""

    users: Made[HotspotUser] = field(default_factory=dict)
    interfaces: Made[CounterReading] = field(default_factory=dict)
    facts: MadeOfFacts = field(default_factory=MadeOfFacts)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a reading needs beside the answers."""

    wan_interface: str
    addresses: Mapping[str, str]
    """What was pinged, by target."""
    names: Iterable[str]
    """What was resolved."""
    log: list[LogLine]
    first_user: int = 0
    """Where the list of users starts: what did not fit into the last reading comes first in the next."""
    made: MadeBefore = field(default_factory=MadeBefore)


def body_of(answers: Answers, around: Surroundings) -> RouterBody:
    """Return all that one poll of a router learned."""
    users = users_of(answers, around.made.users)
    first_user = around.first_user % len(users) if users else 0
    route = default_route(answers.rows("default route"))
    resource = answers.row("resource")
    version = text(resource.get(b"version"))
    answers.missing.extend(hotspot_package_problem(answers.rows("packages"), version))
    body = replace(
        facts_body(answers, around.made.facts),
        board=text(resource.get(b"board-name")),
        version=version,
        cpu_load_percent=percent(resource.get(b"cpu-load")),
        free_memory_bytes=count(resource.get(b"free-memory")),
        total_memory_bytes=count(resource.get(b"total-memory")),
        free_storage_bytes=count(resource.get(b"free-hdd-space")),
        total_storage_bytes=count(resource.get(b"total-hdd-space")),
        sensors=sensors_of(answers.rows("health")),
        interfaces=interfaces_of(answers, around.wan_interface, around.made.interfaces),
        wan_interface=around.wan_interface[:200],
        gateway=text(route.get(b"gateway")),
        default_interface=default_interface(route)[:200],
        pings=pings_of(answers, around.addresses),
        lookups=list(lookups_of(answers, around.names)),
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
        users=users[first_user:] + users[:first_user],
        queues=queues_of(answers),
        radius=radius_of(answers),
        dhcp_leases=answers.number("dhcp leases"),
        dhcp_leases_known=answers.number("dhcp leases known"),
        log=around.log,
        missing=_shown(answers.missing),  # the last one: what stands above adds to it
    )
    return fitting(body)


def fitting(body: RouterBody, most: int = MOST_BYTES) -> RouterBody:
    """Return a body of at most ``most`` bytes of JSON; every list that was cut is named in ``missing``."""
    excess = len(_encode(body)) - most
    cuts: list[str] = []
    for name in _CUT_FIRST:
        if excess <= 0:
            break
        rows = list(getattr(body, name))
        if name == "interfaces":
            rows.sort(key=lambda row: row.interface != body.wan_interface)
        keep = len(rows)
        while excess > 0 and keep > (name == "interfaces"):
            keep -= 1
            excess -= len(_encode(rows[keep])) + 1
        if keep < len(rows):
            cuts.append(f"{name}: the reading would be too large, {keep} of {len(rows)} reported")
            body = replace(body, **{name: rows[:keep]})
    return replace(body, missing=_shown([*cuts, *body.missing])) if cuts else body


def _shown(missing: list[str]) -> list[str]:
    return [entry[:LONGEST_ENTRY] for entry in missing[:MOST_MISSING]]
