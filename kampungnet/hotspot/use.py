"""How long and how much: half hours of sessions become days of use, without names. Pure.

A session tells each half hour cumulatively and any number of times; the greatest value counts, so order and
repetition change nothing. Half hours are numbered on the UTC clock, and every zone's day is made of whole ones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from kampungnet.shared.portal_body import SLOT_MS, PortalSlot, Way

Slots = dict[int, tuple[int, int, int]]
"""Half hour: seconds, bytes up, bytes down."""

_PACKED: Final = msgspec.msgpack.Decoder(list[tuple[int, int, int, int]])


@dataclass(frozen=True, slots=True)
class Session:
    """What a day is made of."""

    guest: str
    way: Way
    slots: Slots


@dataclass(frozen=True, slots=True)
class DayUse:
    """The use of one portal on one local day."""

    people: int
    sessions: int
    seconds: int
    office_seconds: int
    up_bytes: int
    down_bytes: int
    clicks: int
    vouchers: int
    accounts: int

    @property
    def outside_percent(self) -> float | None:
        """Share of the time that was outside office hours; ``None`` when nobody was online."""
        return 100 * (self.seconds - self.office_seconds) / self.seconds if self.seconds else None


def pack(slots: Mapping[int, tuple[int, int, int]]) -> bytes:
    """Pack half hours into a few bytes each."""
    return msgspec.msgpack.encode([(number, *slots[number]) for number in sorted(slots)])


def unpack(packed: bytes) -> Slots:
    """Return the half hours that :func:`pack` was given."""
    return {number: (seconds, up, down) for number, seconds, up, down in _PACKED.decode(packed)}


def merged(slots: Slots, told: Iterable[PortalSlot], shift: int = 0) -> Slots:
    """Return what is known after something more was told; ``shift`` half hours put a wrong clock right."""
    found = dict(slots)
    for one in told:
        number = max(0, one.number + shift)
        old = found.get(number, (0, 0, 0))
        found[number] = (max(old[0], one.seconds), max(old[1], one.up_bytes), max(old[2], one.down_bytes))
    return found


def totals(slots: Slots) -> tuple[int, int, int]:
    """Return seconds, bytes up and bytes down of all half hours."""
    seconds, up, down = zip(*slots.values(), strict=True) if slots else ((), (), ())
    return sum(seconds), sum(up), sum(down)


def slots_of_day(start_ms: int, end_ms: int) -> range:
    """Return the numbers of the half hours of a local day, given by its first and its last instant."""
    return range(start_ms // SLOT_MS, end_ms // SLOT_MS)


def day_use(sessions: Iterable[Session], day: range, office: frozenset[int]) -> DayUse:
    """Return the use of a day; ``office`` names its half hours within office hours."""
    guests: set[str] = set()
    ways: dict[Way, int] = dict.fromkeys(Way, 0)
    seconds = in_office = up = down = number = 0
    for one in sessions:
        of_day = [(slot, values) for slot, values in one.slots.items() if slot in day]
        if not of_day:
            continue
        guests.add(one.guest)
        ways[one.way] += 1
        number += 1
        seconds += sum(values[0] for _, values in of_day)
        in_office += sum(values[0] for slot, values in of_day if slot in office)
        up += sum(values[1] for _, values in of_day)
        down += sum(values[2] for _, values in of_day)
    return DayUse(
        len(guests), number, seconds, in_office, up, down, ways[Way.CLICK], ways[Way.VOUCHER], ways[Way.ACCOUNT]
    )
