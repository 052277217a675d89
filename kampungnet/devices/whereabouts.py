"""Pure: from where a box speaks and in which boot, compared with before. Values in, values out.

A stolen or copied card shows itself before anybody misses the box: it speaks from another network, or from two boxes in
turn. What is remembered of a box is short: the newest networks and boots.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final, NamedTuple

MOST_NETWORKS: Final = 16
MOST_BOOTS: Final = 4
_NEAR: Final = {4: 24, 6: 48}
"""Bits of the network that counts as one address: lines get another address in it every day."""
_HOME: Final = {4: 16, 6: 32}
"""Bits of the network that counts as one place: beyond it another provider, or another part of the country."""
_LOOPBACK: Final = "127.0.0.1"
_PLAIN: Final = re.compile(r"[0-9a-fA-F.:]{2,45}")


class Heard(NamedTuple):
    """What is new about where a box speaks from, and what to remember of it."""

    networks: str
    """The newest first, with spaces between."""
    boots: str
    is_new_address: bool = False
    """From a network it never spoke from, near one it knows."""
    has_moved: bool = False
    """From a place far from all it knows."""
    is_twice: bool = False
    """An earlier boot speaks again: a box that starts anew never goes back to one, so there are two."""


def came_from(peer: str | None, headers: Mapping[bytes, bytes]) -> str:
    """Return the address of who sent a request, believing a proxy on this machine alone; empty where it is unknown."""
    if peer == _LOOPBACK and (forwarded := headers.get(b"x-forwarded-for")):
        return forwarded.decode("latin-1").rpartition(",")[2].strip() or peer
    return peer or ""


def network_of(address: str) -> str:
    """Return the network that stands for an address, ``36.80.1.0/24``; empty for what is no address."""
    # What has not the form of an address may be long, and is not remembered.
    return _near(address) if _PLAIN.fullmatch(address) else ""


def heard(networks: str | None, boots: str | None, address: str, boot_id: str) -> Heard:
    """Compare where and in which boot a box speaks now with what is remembered; nothing is new about the first time."""
    networks, boots, near = networks or "", boots or "", network_of(address)
    if boots.partition(" ")[0] == boot_id and (not near or networks.partition(" ")[0] == near):
        return Heard(networks, boots)  # as it nearly always is
    known, lives = networks.split(), boots.split()
    is_new = bool(near and known) and near not in known
    has_moved = is_new and _around(address, _HOME) not in {_around(one.partition("/")[0], _HOME) for one in known}
    is_twice = boot_id in lives[1:]
    return Heard(
        _remembered(known, near, MOST_NETWORKS), _remembered(lives, boot_id, MOST_BOOTS),
        is_new and not has_moved, has_moved, is_twice,
    )  # fmt: skip


def _remembered(known: list[str], one: str, most: int) -> str:
    if not one or (known and known[0] == one):
        return " ".join(known)
    return " ".join([one, *(other for other in known if other != one)][:most])


@lru_cache(maxsize=4096)
def _near(address: str) -> str:
    return _around(address, _NEAR)


def _around(address: str, bits: Mapping[int, int]) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    mapped = None if isinstance(found, IPv4Address) else found.ipv4_mapped
    found = mapped or found
    return str(ip_network(f"{found}/{bits[found.version]}", strict=False))
