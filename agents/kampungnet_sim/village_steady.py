"""Guests for benchmarks: the same number at every instant, still coming and going."""

from math import floor
from typing import Protocol

from kampungnet_sim.chance import key_of, unit
from kampungnet_sim.village_features import Scale
from kampungnet_sim.village_guests import LEASE_TAIL_SECONDS, ODD_USERS, Visit, voucher_names

_STAY_SECONDS = 4 * 3_600
# A device that left: its lease is renewed by another one shortly before it would run out.
_GONE_EVERY_SECONDS = LEASE_TAIL_SECONDS - 300
# Lease rows that no guest holds: three bound ones of the office and the others of ``routeros_menus_dhcp``.
OFFICE_LEASES = 8


class Presence(Protocol):
    """Who is on the wifi, whichever way it was drawn."""

    def count(self, name: str, when: float) -> int:
        """How many are there: ``all`` devices, ``login`` sessions or ``lease`` rows."""

    def present(self, when: float, tail: float = 0.0) -> list[Visit]:
        """The visits that go on at this instant (or ended less than ``tail`` seconds ago)."""

    def touching(self, start: float, end: float) -> list[Visit]:
        """The visits that begin or end in a span."""


class SteadyGuests:
    """Each place is always taken: whoever leaves is followed at once by the next."""

    def __init__(self, seed: int, code: str, scale: Scale) -> None:
        self._key = key_of(seed, code, "steady")
        self._logins = scale.guests or 0
        # A quarter more stand at the portal and have not logged in.
        self._hosts = self._logins + self._logins // 4
        wanted = self._hosts if scale.leases is None else scale.leases - OFFICE_LEASES
        self._leases = max(wanted, self._hosts)
        self._users = (*ODD_USERS, *voucher_names(seed, code, scale.users))
        self._known: dict[int, Visit] = {}

    def _visit(self, place: int, span: tuple[float, float]) -> Visit:
        drawn = [unit(self._key ^ place, int(span[0]) + index) for index in range(3)]
        mark = int(drawn[0] * (1 << 24))
        return Visit(
            start=span[0],
            end=span[1],
            number=place,
            user=self._users[place % len(self._users)],
            mac=f"D6:{mark >> 16:02X}:{mark >> 8 & 255:02X}:{mark & 255:02X}:{place >> 8:02X}:{place & 255:02X}",
            address=f"10.5.{50 + place // 240}.{10 + place % 240}",
            host_name=("Redmi-Note-9", "OPPO-A17", "123", "Galaxy-A04")[place % 4],
            logged_in=place < self._logins,
            down_bps=40_000 + drawn[1] ** 3 * 2_400_000,
            up_bps=8_000 + drawn[2] ** 3 * 300_000,
        )

    def _at(self, place: int, when: float) -> Visit:
        known = self._known.get(place)
        here = place < self._hosts
        turn = _STAY_SECONDS if here else _GONE_EVERY_SECONDS
        phase = unit(self._key ^ 0x55, place) * turn
        began = floor((when - phase) / turn) * turn + phase
        span = (began, began + turn) if here else (began - 900, began)
        if known is None or known.start != span[0]:
            known = self._known[place] = self._visit(place, span)
        return known

    def count(self, name: str, _when: float) -> int:
        """The same at every instant."""
        return {"login": self._logins, "all": self._hosts, "lease": self._leases}[name]

    def present(self, when: float, tail: float = 0.0) -> list[Visit]:
        """Devices on the wifi now; with a tail also those that only hold a lease."""
        return [self._at(place, when) for place in range(self._leases if tail > 0 else self._hosts)]

    def touching(self, start: float, end: float) -> list[Visit]:
        """Who came or left in a span."""
        looks = [start + turn * _STAY_SECONDS for turn in range(int((end - start) // _STAY_SECONDS) + 1)]
        seen = [self._at(place, when) for place in range(self._logins) for when in (*looks, end)]
        return list(dict.fromkeys(seen))
