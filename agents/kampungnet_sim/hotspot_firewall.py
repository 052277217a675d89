"""The chain ``pre-hs-input``: what its rules make of a guest's new connections to the hotspot's own ports.

The router sends every new connection of a guest to itself through it before its own rules let the login page, ports
64872 to 64875, be reached (facts/routeros.md, 9.1). A rule with a property that is not known here fits nothing.

A dropped packet is one more try later: a phone sends its first packet again after 1, 3, 7, ... seconds. So a held
connection waits, and is let through when one of those is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from kampungnet_sim.hotspot_rules import port_fits
from kampungnet_sim.routeros_inputs import read_dst_limit

if TYPE_CHECKING:
    from kampungnet_sim.routeros_router import SimulatedRouter

CHAIN: Final = "pre-hs-input"
SERVLET, PROXY, SECURE = 64873, 64874, 64875
AGAIN_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""From one first packet to the next, as Linux sends them."""
_FILTER: Final = "/ip/firewall/filter"
_DEEPEST: Final = 10
_NOT_CONDITIONS: Final = frozenset(
    ".id chain action jump-target reject-with comment disabled invalid dynamic log log-prefix packets bytes".split()
)
_GOES_ON: Final = frozenset({"log", "passthrough", "add-src-to-address-list", "add-dst-to-address-list"})


class Knock(NamedTuple):
    """The first packet of a new connection."""

    address: str
    port: int


@dataclass(slots=True)
class _Bucket:
    tokens: float
    seen: float


class HotspotFirewall:
    """The rules at work, with what each remembers of each guest."""

    def __init__(self, router: "SimulatedRouter") -> None:
        self._router = router
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._boot = 0.0

    def verdict(self, knock: Knock) -> str:
        """``accept``, ``drop`` or ``reject``."""
        boot = self._router.village.calendar.segment(self._router.clock()).boot
        if boot != self._boot:
            self._boot, self._buckets = boot, {}
        return self._walk(CHAIN, knock, _DEEPEST) or "accept"

    def _walk(self, chain: str, knock: Knock, deeper: int) -> str:
        for row in self._fitting(chain, knock):
            action = row.get("action", "accept")
            if action in _GOES_ON:
                continue
            if action == "return":
                return ""
            if action != "jump":
                return action
            end = self._walk(row.get("jump-target", ""), knock, deeper - 1) if deeper else ""
            if end:
                return end
        return ""

    def _fitting(self, chain: str, knock: Knock) -> Iterator[Mapping[str, str]]:
        table = self._router.tables[_FILTER]
        for row in table.rows():
            if row.get("chain") == chain and row.get("disabled") != "true" and self._fits(row, knock):
                table.count(row[".id"], "packets")
                yield row

    def _fits(self, row: Mapping[str, str], knock: Knock) -> bool:
        checks: dict[str, Callable[[str], bool]] = {
            "protocol": lambda value: value in ("tcp", "6"),
            "dst-port": lambda value: port_fits(value, knock.port),
            "connection-state": lambda value: "new" in value.split(","),
            "src-address": lambda value: value.removesuffix("/32") == knock.address,
        }
        given = {name: value for name, value in row.items() if name not in _NOT_CONDITIONS and value}
        limit = given.pop("dst-limit", "")
        known = all(name in checks and checks[name](value) for name, value in given.items())
        # A rule's limit is asked last: a packet that it does not concern takes nothing from it.
        return known and (not limit or self._within(row[".id"], limit, knock))

    def _within(self, rule: str, text: str, knock: Knock) -> bool:
        """Take one from a guest's bucket, if one is left; a guest unseen for the expiry begins with a full one."""
        limit, now = read_dst_limit(text), self._router.clock()
        kept = self._buckets.get((rule, knock.address))
        if kept is None or now - kept.seen > limit.expire:
            kept = self._buckets[rule, knock.address] = _Bucket(limit.burst, now)
        kept.tokens = min(limit.burst, kept.tokens + (now - kept.seen) * limit.packets / limit.seconds)
        kept.seen = now
        if kept.tokens < 1:
            return False
        kept.tokens -= 1
        return True
