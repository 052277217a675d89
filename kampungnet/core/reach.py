"""Where this server connects when a person typed the place: the internet, and of its own networks only what is named.

Without it whoever may type an address could make the server knock at what stands beside it (SSRF; ASVS 5.0, 1.3.6).
"""

import ipaddress
import os
from collections.abc import Mapping, Sequence
from typing import Final

from kampungnet.core.errors import BadInput

NETWORKS: Final = "KAMPUNGNET_REACHABLE_NETWORKS"
"""Setting: networks that are not the internet and may be reached all the same: ``10.20.0.5, 192.168.7.0/24``."""

_CARRIERS: Final = tuple(
    ipaddress.IPv6Network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)
"""Their last 32 bits are an IPv4 address."""

_INSIDE: Final = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("fec0::/10"))
"""Never on the internet, and global to older versions of Python (RFC 6890, RFC 3879)."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(environment: Mapping[str, str] = os.environ) -> list[Network]:
    """Return the networks that may be reached besides the internet. Raises ``BadInput`` naming what is none."""
    found: list[Network] = []
    for name in environment.get(NETWORKS, "").replace(",", " ").split():
        try:
            found.append(ipaddress.ip_network(name))
        except ValueError:
            meant = _meant(name)
            raise BadInput(f"{NETWORKS} names {name!r}; write an address, or a network like {meant}.") from None
    return found


def may_reach(address: str, besides: Sequence[Network]) -> bool:
    """Tell whether an address, IPv4 or IPv6 and resolved already, is on the internet or in one of some networks."""
    try:
        place = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    places = [place, *_carried(place)]
    if all(_is_internet(one) for one in places):
        return True
    return any(one in network for one in places for network in besides)


def _is_internet(place: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return place.is_global and not place.is_multicast and not any(place in network for network in _INSIDE)


def _carried(place: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address leads to where such roads exist (RFC 4291, 6052, 8215, 3056)."""
    if isinstance(place, ipaddress.IPv4Address):
        return []
    found = [place.ipv4_mapped, place.sixtofour]
    if any(place in network for network in _CARRIERS):
        found.append(ipaddress.IPv4Address(int(place) & 0xFFFF_FFFF))
    return [one for one in found if one is not None]


def _meant(name: str) -> str:
    try:
        return str(ipaddress.ip_network(name, strict=False))
    except ValueError:
        return "10.20.0.0/16"
