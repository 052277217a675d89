"""Pure: one site's readings in, a compact timeline of what was seen out. No database, no clock.

A timeline holds changes, not minutes. It is made from readings in any order and with repeats, can be kept
(it is a msgspec struct), and timelines of neighbouring times join into exactly the one that all readings
together would have given: so a day is folded once, when it comes to rest, and a quarter of a year is judged
from some ninety small values.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Final

import msgspec

from kampungnet.measurement.sights import TOO_WEAK_DBM, Seen, sight_of, uptime_of
from kampungnet.measurement.slots import Timed
from kampungnet.shared import wire

SPLIT_MS: Final = 150_000
"""A box from which nothing came for two intervals and a half is not known to live (the brief: two intervals)."""
STALE_MS: Final = 900_000
"""What a device said holds until it is asked again, at most so long: some are asked every five minutes."""
UPTIME_SLACK_MS: Final = 10_000
"""Device and box clocks differ, and uptime comes in whole seconds (as in the ledger)."""
TICKS_WRAP_MS: Final = 2**32 * 10
"""SNMP counts uptime in hundredths of a second in 32 bits: after 497 days it begins anew without a restart."""

NO_DEVICE: Final[Mapping[str, float]] = {}


class Role(StrEnum):
    """What a device is to the village's service."""

    ROUTER = "router"
    ONT = "ont"
    ONU = "onu"
    """The ONT as the provider's OLT sees it."""
    OTHER = "other"


class Stretch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A device said the same from its first to its last look, instants in ms. Boots are set where it told an uptime."""

    first_ms: int
    last_ms: int
    sight: int
    """Bits of :class:`kampungnet.measurement.sights.Seen`."""
    first_boot_ms: int | None = None
    """When the device started, as the first look has it."""
    last_boot_ms: int | None = None


class Life(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A box lived from its first to its last reading (of any device) without a pause, in one boot."""

    first_ms: int
    last_ms: int
    boot_id: str
    boot_ms: int
    """When the box started: instant less ``CLOCK_BOOTTIME``."""
    first_sequence: int
    last_sequence: int


class Row(msgspec.Struct, frozen=True, array_like=True):
    """All that is known of one device, oldest first."""

    device: str
    role: Role
    serials: tuple[str, ...]
    stretches: tuple[Stretch, ...]


class Timeline(msgspec.Struct, frozen=True, array_like=True):
    """All that is known of one site: the lives of its box (or boxes) and its devices, each in order."""

    lives: tuple[Life, ...] = ()
    rows: tuple[Row, ...] = ()

    def row(self, role: Role) -> Row | None:
        """Return the device of this role; of several the one called so, else the first by name."""
        found = [row for row in self.rows if row.role is role]
        return next((row for row in found if row.device == role), found[0] if found else None)

    @property
    def is_one_box(self) -> bool:
        """Tell whether the ONT is a module or a port of the router: it has no power of its own then."""
        router, ont = self.row(Role.ROUTER), self.row(Role.ONT)
        return bool(router and ont and set(router.serials) & set(ont.serials))


def timeline(
    readings: Iterable[Timed],
    dim_below_dbm: Mapping[str, float] = NO_DEVICE,
    onus: Mapping[str, Collection[tuple[int, int]]] | None = None,
) -> Timeline:
    """Fold one site's readings, in any order and with repeats.

    ``readings`` are those of the site's own box or boxes, with a time that is known. ``dim_below_dbm`` names by
    device the level below which its light is far below its past (:func:`sights.dim_levels`). ``onus`` are the
    sights an OLT had of the village's ONTs, by device (:func:`sights.onu_sights`). A reading is looked at once and let
    go, so an iterator over a month needs no more memory than its looks.
    """
    looks: dict[tuple[str, int], _Look] = {}
    devices: dict[str, _Device] = {}
    for timed in readings:
        reading, at_ms = timed.reading, timed.taken_ms
        key = reading.boot_id, reading.sequence
        known = looks.get(key)
        # Of one that came with two times the earlier is nearer to the truth: transport only ever adds.
        if known is not None and known[0] <= at_ms:
            continue
        device = reading.device
        stretch = _stretch(timed, dim_below_dbm.get(device, TOO_WEAK_DBM))
        looks[key] = at_ms, reading.boot_id, reading.sequence, reading.boottime_ms, device, stretch
        devices.setdefault(device, _Device()).learn(at_ms, reading.body)
    ordered = sorted(looks.values())
    stretches: dict[str, list[Stretch]] = {device: [] for device in devices}
    for look in ordered:
        stretches[look[4]].append(look[5])
    rows = [known.row(device, stretches[device]) for device, known in devices.items()]
    rows += [Row(device, Role.ONU, (), onu_stretches(seen)) for device, seen in (onus or {}).items() if seen]
    return Timeline(_lives(map(_life, ordered)), _in_order(rows))


def joined(parts: Iterable[Timeline]) -> Timeline:
    """Join the timelines of neighbouring times; none may reach into another's time."""
    kept = list(parts)
    by_device = groupby(sorted((row for part in kept for row in part.rows), key=_device), key=_device)
    rows = [_joined_row(device, list(same)) for device, same in by_device]
    lives = sorted((life for part in kept for life in part.lives), key=_life_place)
    return Timeline(_lives(lives), _in_order(rows))


def onu_stretches(seen: Iterable[tuple[int, int]]) -> tuple[Stretch, ...]:
    """Return what an OLT saw of one ONU, instants in ms and sights in any order and with repeats, as stretches."""
    return _runs(Stretch(at_ms, at_ms, sight) for at_ms, sight in sorted(set(seen)))


def began_anew(before: Stretch, after: Stretch) -> bool | None:
    """Tell whether a device started anew between two stretches; ``None`` where one told no uptime.

    It did if its start, as told now, is another one and lies after the last time it was seen.
    """
    old, new = before.last_boot_ms, after.first_boot_ms
    if old is None or new is None:
        return None
    if abs(new - old - TICKS_WRAP_MS) <= UPTIME_SLACK_MS:
        return False
    return new - old > UPTIME_SLACK_MS and new >= before.last_ms - UPTIME_SLACK_MS


_device = attrgetter("device")
_Look = tuple[int, str, int, int, str, Stretch]
"""Instant, boot id and sequence, by which looks are ordered; then the box's boot time, the device, what it said."""


@dataclass(slots=True)
class _Device:
    """What its bodies tell of a device; of several roles the last one it played."""

    told: tuple[int, str] = (-1, "")
    serials: set[str] = field(default_factory=set)

    def learn(self, at_ms: int, body: wire.Body | None) -> None:
        if role := _role(body):
            self.told = max(self.told, (at_ms, role))
            if serial := _serial(body):
                self.serials.add(serial)

    def row(self, device: str, looks: Iterable[Stretch]) -> Row:
        role = Role(self.told[1]) if self.told[1] else _role_by_name(device)
        return Row(device, role, tuple(sorted(self.serials)), _runs(looks))


def _role(body: wire.Body | None) -> Role | None:
    if isinstance(body, wire.RouterBody):
        return Role.ROUTER
    if isinstance(body, wire.OntBody):
        return Role.ONT
    return Role.OTHER if body is not None else None


def _role_by_name(device: str) -> Role:
    """A device that never answered is known by its name only, as on the pages."""
    return Role(device) if device in {Role.ROUTER, Role.ONT} else Role.OTHER


def _serial(body: wire.Body | None) -> str:
    return body.serial if isinstance(body, wire.RouterBody | wire.OntBody) else ""


def _stretch(timed: Timed, dim_below_dbm: float) -> Stretch:
    at_ms, sight = timed.taken_ms, sight_of(timed.reading, dim_below_dbm)
    if not sight & Seen.UPTIME:
        return Stretch(at_ms, at_ms, sight)
    boot_ms = at_ms - (uptime_of(timed.reading) or 0) * 1000
    return Stretch(at_ms, at_ms, sight, boot_ms, boot_ms)


def _runs(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Join what neighbours say alike. Asks two neighbours only: so any cut in time gives the same in the end."""
    found: list[Stretch] = []
    last: Stretch | None = None
    for one in stretches:
        if last is not None and _is_same(last, one):
            last = found[-1] = Stretch(last.first_ms, one.last_ms, last.sight, last.first_boot_ms, one.last_boot_ms)
        else:
            found.append(one)
            last = one
    return tuple(found)


def _is_same(last: Stretch, one: Stretch) -> bool:
    return (
        last.sight == one.sight
        and one.first_ms - last.last_ms <= STALE_MS
        and (one.first_boot_ms == last.last_boot_ms or not began_anew(last, one))
    )


def _life(look: _Look) -> Life:
    at_ms, boot_id, sequence, boottime_ms, _, _ = look
    return Life(at_ms, at_ms, boot_id, at_ms - boottime_ms, sequence, sequence)


def _lives(lives: Iterable[Life]) -> tuple[Life, ...]:
    """Join the lives of each boot; two boxes at one site live side by side."""
    by_boot: dict[str, list[Life]] = defaultdict(list)
    for one in lives:
        found = by_boot[one.boot_id]
        if found and one.first_ms - found[-1].last_ms <= SPLIT_MS:
            found[-1] = _longer(found[-1], one)
        else:
            found.append(one)
    return tuple(sorted((life for found in by_boot.values() for life in found), key=_life_place))


def _longer(last: Life, one: Life) -> Life:
    lowest, highest = min(last.first_sequence, one.first_sequence), max(last.last_sequence, one.last_sequence)
    return Life(last.first_ms, one.last_ms, last.boot_id, last.boot_ms, lowest, highest)


def _life_place(life: Life) -> tuple[int, str]:
    return life.first_ms, life.boot_id


def _joined_row(device: str, same: list[Row]) -> Row:
    same.sort(key=lambda row: row.stretches[0].first_ms)
    known = [row.role for row in same if row.role is not _role_by_name(device)]
    # The sort is stable: what several boxes saw at one instant keeps the order it has in its part.
    stretches = sorted((one for row in same for one in row.stretches), key=attrgetter("first_ms"))
    serials = sorted({serial for row in same for serial in row.serials})
    return Row(device, known[-1] if known else same[0].role, tuple(serials), _runs(stretches))


def _in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=_device))
