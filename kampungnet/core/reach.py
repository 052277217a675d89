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

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(environment: Mapping[str, str] = os.environ) -> list[Network]:
    """Return the networks that may be reached besides the internet. Raises ``BadInput`` naming what is none."""
    found: list[Network] = []
    for name in environment.get(NETWORKS, "").replace(",", " ").split():
        try:
            found.append(ipaddress.ip_network(name))
        except ValueError:
            raise BadInput(f"{NETWORKS} names {name!r}; write addresses or networks like 10.20.0.0/16.") from None
    return found


def may_reach(address: str, besides: Sequence[Network]) -> bool:
    """Tell whether an address, IPv4 or IPv6 and resolved already, is on the internet or in one of some networks."""
    try:
        place = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped:
        place = place.ipv4_mapped
    return (place.is_global and not place.is_multicast) or any(place in one for one in besides)
