"""Three rows of the router's firewall that let one phone knock at the login page only so often. Pure.

Every new connection of a guest to the hotspot's own ports passes the chain ``pre-hs-input``, which the maker leaves to
whoever runs the router (facts on RouterOS 9.1). A row there leads into a chain of our own, where a limit by address
sends back what is within it and the rest is dropped. So what is within goes on through the rows of others as if ours
were not there, and a phone that is held tries again by itself after a second.

Written so that every version understands it: versions 6 and 7 alike know ``jump``, ``return`` and ``dst-limit``.
"""

from collections.abc import Sequence
from typing import Final

from kampungnet.shared.wanted import WantedTries

from .fields import boolean, count, seconds, text
from .routeros_sentences import Row, encode_command

FILTER: Final = "/ip/firewall/filter"
HELD: Final = f"{FILTER} held"
"""Stands for the question how much was dropped, beside the tables."""
ADMIN_CHAIN: Final = "pre-hs-input"
OWN_CHAIN: Final = "kampungnet-tries"
WITHIN, BEYOND, ENTRANCE = "kampungnet:tries within", "kampungnet:tries beyond", "kampungnet:tries"
"""Comments of the rows, in the order in which they are added: the way in is opened last."""
CONDITIONS: Final = (
    "src-address,src-address-list,src-mac-address,in-interface,in-interface-list,dst-address,dst-address-list,hotspot,"
    "limit,time,content,src-port,packet-mark,connection-mark"
).split(",")
"""With one of these a row of ours would concern fewer than it has to."""
_PROPERTIES: Final = ".id,chain,action,protocol,dst-port,connection-state,jump-target,dst-limit,disabled,comment"
OURS: Final = frozenset({WITHIN, BEYOND, ENTRANCE})
_ASKED: Final = [f"?comment={one}" for one in (WITHIN, BEYOND, ENTRANCE)]

QUESTIONS: Final = {
    FILTER: encode_command(
        f"{FILTER}/print", f"=.proplist={_PROPERTIES},{','.join(CONDITIONS)}", f"?chain={ADMIN_CHAIN}", *_ASKED,
        *["?#|"] * len(_ASKED),
    ),
    HELD: encode_command(f"{FILTER}/print", "=stats=", "=.proplist=packets", f"?comment={BEYOND}"),
}  # fmt: skip
"""Only rows that concern us: whole firewalls are slow to read (facts on RouterOS 7.13)."""


def rows_of(tries: WantedTries | None) -> dict[str, dict[str, str]]:
    """Return the rows by their comments; none where nothing is to be held."""
    if tries is None:
        return {}
    # Forgotten only when the bucket would be full again: else silence would give more than waiting does.
    forgotten = max(100, 60 * tries.at_once // tries.a_minute + 1)
    limit = f"{tries.a_minute}/1m,{tries.at_once},src-address/{forgotten}s"
    return {
        WITHIN: {"chain": OWN_CHAIN, "action": "return", "dst-limit": limit, "disabled": "no"},
        BEYOND: {"chain": OWN_CHAIN, "action": "drop", "disabled": "no"},
        ENTRANCE: {
            "chain": ADMIN_CHAIN, "action": "jump", "jump-target": OWN_CHAIN, "protocol": "tcp",
            "dst-port": tries.ports, "connection-state": "new", "disabled": "no",
        },
    }  # fmt: skip


def is_unsound(rows: Sequence[Row]) -> bool:
    """Tell whether what stands there has to be made anew as a whole: it drops too much, or concerns too few."""
    comments = [text(row.get(b"comment")) for row in rows]
    if any(_is_narrowed(row) for row, comment in zip(rows, comments, strict=True) if comment in OURS):
        return True
    if BEYOND not in comments:
        return False
    return WITHIN not in comments or comments.index(WITHIN) > comments.index(BEYOND)


def passed_by(rows: Sequence[Row]) -> bool:
    """Tell whether a row of somebody else lets everybody in before ours is asked."""
    for row in rows:
        if text(row.get(b"comment")) == ENTRANCE:
            return False
        everybody = not _is_narrowed(row) and not row.get(b"dst-port") and not row.get(b"dst-limit")
        tcp = row.get(b"protocol", b"tcp") == b"tcp"
        lets_in = row.get(b"chain") == ADMIN_CHAIN.encode() and row.get(b"action", b"accept") in {b"accept", b"return"}
        if lets_in and everybody and tcp and not boolean(row.get(b"disabled")):
            return True
    return False


def held(rows: Sequence[Row]) -> int | None:
    """Return how many knocks were dropped since the router started."""
    return count(rows[0].get(b"packets")) if rows else None


def same_limit(one: str, other: str) -> bool:
    """Tell whether two limits are one: routers print ``60s`` as ``1m``."""
    return _limit(one) == _limit(other)


def _is_narrowed(row: Row) -> bool:
    return any(row.get(one.encode()) for one in CONDITIONS)


def _limit(value: str) -> list[object]:
    words = [word.split("/") for word in value.split(",")]
    return [[parts[0], seconds(parts[1].encode()) if len(parts) > 1 else None] for parts in words]
