"""What the portal driver asks a router, and how rows become what it works with. Pure but for the asking."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from kampungnet.shared.portal_body import PortalHost, Way
from kampungnet.shared.wanted import UserKind, WantedPortal
from kampungnet_agent.driver import AnswerUnreadable

from . import portal_guard
from .fields import boolean, count, seconds, text
from .portal_memory import is_random, pseudonym
from .portal_sessions import Seen, Session, Totals
from .portal_target import (
    BINDINGS,
    GARDEN,
    GARDEN_ADDRESSES,
    PROFILES,
    QUEUES,
    TRIAL_PREFIX,
    USERS,
    Online,
)
from .routeros_sentences import Row, encode_command
from .routeros_wire import Reply, RouterConnection

ACTIVE: Final = "/ip/hotspot/active"
HOSTS: Final = "/ip/hotspot/host"
SERVERS: Final = "/ip/hotspot"
SERVER_PROFILES: Final = "/ip/hotspot/profile"
COOKIES: Final = "/ip/hotspot/cookie"
FILES: Final = "/file"
RESOURCE: Final = "/system/resource"
LICENCE: Final = "/system/license"

PROPERTIES: Final = {
    PROFILES: ".id,name,rate-limit,shared-users,idle-timeout,session-timeout",
    USERS: ".id,name,profile,limit-uptime,disabled,comment,uptime,bytes-in,bytes-out",
    BINDINGS: ".id,mac-address,type,comment,disabled",
    GARDEN: ".id,action,dst-host,comment,disabled",
    GARDEN_ADDRESSES: ".id,action,dst-host,protocol,dst-port,comment,disabled",
    QUEUES: ".id,name,target,max-limit,comment,dynamic,disabled",
    ACTIVE: ".id,server,user,address,mac-address,login-by,uptime,idle-time,session-time-left,bytes-in,bytes-out",
    HOSTS: "mac-address,server,authorized,bypassed,blocked,bytes-in,bytes-out",
    SERVERS: "name,interface,profile,address-pool,disabled,invalid",
    SERVER_PROFILES: ".id,name,dns-name,hotspot-address,html-directory,login-by,https-redirect,trial-user-profile,"
    "trial-uptime-limit,trial-uptime-reset",
    RESOURCE: "uptime,version",
}
MOST_HOSTS: Final = 300
MOST_COUNTERS_ASKED: Final = 100
LONGEST_SECONDS: Final = 60 * 86_400
"""Of one session: a router that claims more is not believed."""
_NO_SUCH: Final = "no such command"


async def tables(connection: RouterConnection, menus: Sequence[str]) -> dict[str, list[Row]]:
    """Ask whole tables in one round. A menu this router does not have is an empty table.

    Raises ``AnswerUnreadable`` when it refuses one: an empty answer would mean that everybody is gone.
    """
    replies = await connection.ask([portal_guard.QUESTIONS.get(menu) or printed(menu) for menu in menus])
    for menu, reply in zip(menus, replies, strict=True):
        if reply.traps and _NO_SUCH not in str(reply.traps[0].message):
            raise AnswerUnreadable(f"{menu}: {reply.traps[0].message}"[:300])
    return {menu: reply.rows for menu, reply in zip(menus, replies, strict=True)}


def printed(menu: str, *query: str) -> bytes:
    """Return the command that prints a table with the properties that are used."""
    proplist = PROPERTIES.get(menu)
    return encode_command(f"{menu}/print", *([f"=.proplist={proplist}"] if proplist else []), *query)


def counters_of(names: Iterable[str]) -> bytes:
    """Return the command that asks the counters of some users, whose names may be any text."""
    some = sorted(names)[:MOST_COUNTERS_ASKED]
    words = [f"?name={name}" for name in some] + ["?#|"] * (len(some) - 1)
    return encode_command(f"{USERS}/print", "=.proplist=name,uptime,bytes-in,bytes-out", *words)


def totals(rows: Iterable[Row]) -> dict[str, Totals]:
    """Return users' counters by name."""
    found = {}
    for row in rows:
        numbers = (seconds(row.get(b"uptime")), count(row.get(b"bytes-in")), count(row.get(b"bytes-out")))
        found[text(row.get(b"name"))] = Totals(*(number or 0 for number in numbers))
    return found


def seen(rows: Iterable[Row], key: bytes) -> list[Seen]:
    """Return who is logged in. A device twice in the table is two addresses of one: the longer one stands."""
    found: dict[tuple[str, str], Seen] = {}
    for row in rows:
        mac = text(row.get(b"mac-address"))
        one = Seen(
            user=text(row.get(b"user")),
            mac=mac,
            guest=pseudonym(key, mac),
            uptime_seconds=min(LONGEST_SECONDS, seconds(row.get(b"uptime")) or 0),
            idle_seconds=seconds(row.get(b"idle-time")) or 0,
            up_bytes=count(row.get(b"bytes-in")) or 0,
            down_bytes=count(row.get(b"bytes-out")) or 0,
            seconds_left=seconds(row.get(b"session-time-left")),
        )
        before = found.get((one.user, mac))
        if before is None or before.uptime_seconds < one.uptime_seconds:
            found[one.user, mac] = one
    return list(found.values())


def hosts(rows: Iterable[Row], key: bytes) -> list[PortalHost]:
    """Return the devices without a session."""
    found = []
    for row in rows:
        if boolean(row.get(b"authorized")):
            continue
        mac = text(row.get(b"mac-address"))
        host = PortalHost(
            guest=pseudonym(key, mac),
            bypassed=boolean(row.get(b"bypassed")) or False,
            blocked=boolean(row.get(b"blocked")) or False,
            random_mac=is_random(mac),
            up_bytes=count(row.get(b"bytes-in")),
            down_bytes=count(row.get(b"bytes-out")),
        )
        found.append(host)
    return found[:MOST_HOSTS]


class Names:
    """Whose a user of the router is: a voucher, an account, a click, or somebody else's."""

    def __init__(self, wanted: WantedPortal | None) -> None:
        self._users = {one.name: one for one in wanted.users} if wanted else {}
        self._click = wanted.click.plan if wanted and wanted.click else ""

    def give(self, session: Session) -> None:
        """Say of a session whose it is. It keeps what it was once known by: a revoked voucher is listed no more."""
        way, reference, plan = self.of(session.user)
        if reference or not session.reference:
            session.way, session.reference, session.plan = way, reference, plan

    def of(self, user: str) -> tuple[Way, str, str]:
        """Return way, reference and plan."""
        known = self._users.get(user)
        if known is not None:
            way = Way.VOUCHER if known.kind is UserKind.VOUCHER else Way.ACCOUNT
            return way, known.reference, known.plan
        if user.startswith(TRIAL_PREFIX):
            return Way.CLICK, "", self._click
        return Way.OTHER, "", ""


def online(sessions: Iterable[Session], rows: Iterable[Row]) -> list[Online]:
    """Return who is logged in, with the address each has now."""
    addresses = {(text(row.get(b"user")), text(row.get(b"mac-address"))): text(row.get(b"address")) for row in rows}
    found = []
    for one in sessions:
        if not one.end:
            address = addresses.get((one.user, one.mac), "")
            found.append(Online(one.id, one.guest, one.user, address, one.way, one.reference, one.plan))
    return found


def refusals(replies: Iterable[tuple[str, Reply]]) -> list[str]:
    """Return what the router refused, a sentence each: what was asked, and its own words."""
    return [f"{what}: {reply.traps[0].message}"[:300] for what, reply in replies if reply.traps]


def profile_row(found: Mapping[str, Sequence[Row]]) -> tuple[Row, Row]:
    """Return the first hotspot server that runs (or is there) and the profile it uses."""
    servers = sorted(found[SERVERS], key=lambda row: boolean(row.get(b"disabled")) or False)
    server = servers[0] if servers else {}
    profiles = [row for row in found[SERVER_PROFILES] if row.get(b"name") == server.get(b"profile")]
    return server, (profiles[0] if profiles else {})
