"""The way out: default route, pings, names, netwatch. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from kampungnet.shared.wire import NameLookup, Ping, Watched

from .fields import boolean, count, milliseconds, text
from .mikrotik_answers import Answers, is_unresolved, reason_of
from .routeros_sentences import Row
from .routeros_wire import Reply

PROBES: Final = 3
"""Further probes when the first was lost: one lost packet is no outage."""
MOST_WATCHED: Final = 50
_STATES: Final = {b"up": True, b"down": False}
_VIA: Final = re.compile(r"\bvia\s+([^,]+)")


def default_route(rows: Iterable[Row]) -> Row:
    """Return the active default route of the main table with the smallest distance, or an empty row."""
    active = [row for row in rows if boolean(row.get(b"active")) and not boolean(row.get(b"disabled"))]
    return min(active, key=_route_order, default={})


def _route_order(row: Row) -> tuple[bool, int]:
    table = row.get(b"routing-mark") or row.get(b"routing-table") or b"main"
    return table != b"main", count(row.get(b"distance")) or 0


@lru_cache(maxsize=256)  # the same few gateways and settings at every poll
def address_in(words: str) -> str:
    """Return the address of ``192.168.1.1``, ``10.0.0.1%ether1`` or ``10.0.0.1,10.0.0.2``; else empty.

    A point-to-point line (PPPoE) has an interface name in its place, which cannot be pinged.
    """
    first = re.split("[,%@]", words, maxsplit=1)[0].strip()
    try:
        return str(ip_address(first))
    except ValueError:
        return ""


def default_interface(route: Row) -> str:
    """Return where the default route leaves: version 7 says it in ``immediate-gw``, 6 in ``gateway-status``."""
    found = _VIA.search(text(route.get(b"gateway-status")))
    if found:
        return found[1].strip()
    for raw in (route.get(b"immediate-gw"), route.get(b"gateway")):
        way = text(raw).partition(",")[0].strip()
        if "%" in way:
            return way.partition("%")[2]
        if way and not address_in(way):
            return way
    return ""


def is_answered(replies: Mapping[str, Reply], target: str) -> bool:
    """Tell whether the first probe to ``target`` came back."""
    reply = replies.get(f"ping {target}")
    return reply is not None and bool(reply.rows) and bool(count(reply.rows[-1].get(b"received")))


def is_lost(replies: Mapping[str, Reply], target: str) -> bool:
    """Tell whether the first probe to ``target`` went out and did not come back."""
    reply = replies.get(f"ping {target}")
    return reply is not None and not reply.traps and bool(reply.rows) and not is_answered(replies, target)


def pings_of(answers: Answers, addresses: Mapping[str, str]) -> list[Ping]:
    """Return the pings of this poll, several probes to one place added up."""
    pings: list[Ping] = []
    for target, address in addresses.items():
        names = _probes(target)
        probes = [reply.rows[-1] for name in names if (reply := answers.replies.get(name)) and reply.rows]
        if probes:
            pings.append(ping_of(target, address, probes))
        elif names[0] in answers:
            answers.missing.append(f"ping {target}: no answer row")
    return pings


@lru_cache(maxsize=16)
def _probes(target: str) -> tuple[str, ...]:
    """Return the names of the questions: the first probe, and those after it was lost."""
    return (f"ping {target}", *(f"ping {target} {attempt}" for attempt in range(2, PROBES + 2)))


def ping_of(target: str, address: str, probes: Sequence[Row]) -> Ping:
    """Return a ping from the last row of each command, which holds its totals; times are ``0ms`` or ``9ms445us``."""
    sent = received = 0
    spent = 0.0
    timed = 0
    for row in probes:
        back = count(row.get(b"received")) or 0
        out = count(row.get(b"sent"))
        sent += 1 if out is None else out
        received += back
        rtt = milliseconds(row.get(b"avg-rtt") or row.get(b"time"))
        if back and rtt is not None and rtt <= 600_000:
            spent += rtt * back
            timed += back
    return Ping(
        target=target,
        address=address[:200],
        sent=min(sent, 2**63 - 1),
        received=min(received, 2**63 - 1),
        rtt_ms=spent / timed if timed else None,
    )


def lookups_of(answers: Answers, names: Iterable[str]) -> Iterator[NameLookup]:
    """Yield what the router's resolver said; the time is what it took beyond the quickest answer of the round."""
    quickest = min((reply.waited for reply in answers.replies.values() if reply.waited), default=0.0)
    for name in names:
        reply = answers.replies.get(f"lookup {name}")
        if reply is None:
            continue
        found = text(reply.ret)
        if not found and not is_unresolved(reply):
            continue
        took = max(0.0, reply.waited - quickest) * 1000 if found else None
        yield NameLookup(
            name=name[:200],
            resolved=bool(found),
            milliseconds=None if took is None else round(min(took, 600_000.0), 1),
            detail=(found or reason_of(reply) or "empty answer")[:200],
        )


def netwatch_of(answers: Answers) -> list[Watched]:
    """Return what the router itself watches; a name came with version 7, before that the comment was one."""
    rows = [row for row in answers.rows("netwatch") if row.get(b"host") or row.get(b"name")]
    return [
        Watched(
            host=text(row.get(b"host")),
            up=_STATES.get(row.get(b"status", b"")),
            since=text(row.get(b"since")),
            name=text(row.get(b"name") or row.get(b"comment")),
        )
        for row in answers.limited("netwatch", rows, MOST_WATCHED)
    ]
