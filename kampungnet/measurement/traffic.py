"""Pure: what a device's readings say of its counters, and one local day of one interface's ledger, packed.

Both directions of an interface stand in one row: a device that tells only one of them has no traffic slots.
"""

import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Final

import msgspec

from kampungnet.measurement import planes
from kampungnet.measurement.counters import CounterSample
from kampungnet.measurement.ledger import Flag, Ledger, Slot, Step
from kampungnet.measurement.slots import MOST, SLOT_MS, SLOTS_A_DAY, Timed
from kampungnet.shared import wire

SLOTS_AN_HOUR: Final = 12
PEAKS: Final = 40
"""How many of a day's highest slots stand beside it: a 95th percentile takes 14 or 15 from an average day."""
NO_SLOT: Final = -1.0
"""Stands in the place of a highest slot where a day has fewer."""
DAY_NUMBERS: Final = 8
"""Whole numbers of a packed day, before its highest slots."""
_DIALLED: Final = ("pppoe", "ppp", "l2tp", "pptp", "sstp", "ovpn", "lte")
"""Kinds of interface that are made anew at each connect."""
_COLUMNS: Final = 4
_EMPTY: Final = Slot()
_HOUR_MS: Final = SLOTS_AN_HOUR * SLOT_MS

Samples = dict[str, list[CounterSample]]
"""Counters by interface."""
Edges = tuple[Mapping[str, CounterSample], Mapping[str, CounterSample]]
"""First and last sample of each interface: all that the days beside this one need of it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One day of one interface, as people and months ask for it."""

    rx_bytes: int
    tx_bytes: int
    """Of the slots; what gaps add stands in them."""
    covered_ms: int
    samples: int
    """Slots that were fully seen."""
    flags: Flag
    busiest_hour: int
    """Hours since local midnight of the hour with most bytes, both directions together."""
    busiest_bytes: int
    peaks: bytes
    """Bytes of the highest samples, received then sent, each from the highest down: as doubles, which Python sorts
    twice as fast as large whole numbers, and which are exact up to 2**53, a hundred Tbit/s for five minutes."""


def samples(readings: Iterable[Timed]) -> Samples:
    """Return the counters worth slots of one device's readings, in the order given."""
    found: Samples = {}
    for timed in readings:
        body = timed.reading.body
        if body is None or isinstance(body, wire.OltBody | wire.PortalBody | wire.ConfigBody):
            continue
        of_router = isinstance(body, wire.RouterBody)
        dials = {line.name: line.uptime_seconds for line in body.pppoe} if isinstance(body, wire.RouterBody) else {}
        for one in worth_slots(body):
            if one.rx_bytes is None or one.tx_bytes is None:
                continue
            found.setdefault(one.interface, []).append(
                CounterSample(
                    timed.taken_ms, one.rx_bytes, one.tx_bytes, timed.reading.device_uptime_seconds,
                    *life_of(one), dials.get(one.interface), of_router, _packets(one),
                )
            )  # fmt: skip
    return found


def life_of(one: wire.CounterReading) -> tuple[str, int, str]:
    """Return what changes when an interface's counters begin anew, their bits, and the device's number of its row."""
    dialled = one.kind.startswith(_DIALLED)
    return one.instance if dialled else "", one.counter_bits, "" if dialled else one.instance


def _packets(one: wire.CounterReading) -> tuple[int, int] | None:
    if one.rx_packets is None or one.tx_packets is None:
        return None
    return one.rx_packets, one.tx_packets


def worth_slots(body: wire.RouterBody | wire.OntBody | wire.HostBody) -> Sequence[wire.CounterReading]:
    """Return the counters worth slots: of a router whose WAN port is named, that one and the bridges.

    What the village buys and whom it serves is in those; the other ports rest in the packed readings. All of
    them would double what a year takes on disk.
    """
    wan = body.wan_interface if isinstance(body, wire.RouterBody) else ""
    return [one for one in body.interfaces if not wan or one.interface == wan or one.kind == "bridge"]


def lines(readings: Iterable[Timed]) -> set[str]:
    """Return the interfaces that a router named as its line to the provider."""
    bodies = (timed.reading.body for timed in readings)
    return {body.wan_interface for body in bodies if isinstance(body, wire.RouterBody)} - {""}


def edges(found: Samples) -> Edges:
    """Return the first and the last sample of each interface."""
    return (
        {name: _at(min(one.at_ms for one in of_one), of_one) for name, of_one in found.items()},
        {name: _at(max(one.at_ms for one in of_one), of_one) for name, of_one in found.items()},
    )


def _at(at_ms: int, found: Iterable[CounterSample]) -> CounterSample:
    return min((one for one in found if one.at_ms == at_ms), key=repr)  # of two at one instant always the same


def cut(book: Ledger, first_ms: int, last_ms: int) -> Ledger:
    """Return what of a ledger belongs to a stretch: its slots, and the gaps that begin in it."""
    slots = {at_ms: slot for at_ms, slot in book.slots.items() if first_ms <= at_ms < last_ms}
    return Ledger(slots, tuple(gap for gap in book.gaps if first_ms <= gap.first_ms < last_ms))


def pack(slots: Mapping[int, Slot], start_ms: int) -> bytes:
    """Pack the slots of the day starting at ``start_ms``: bytes in and out, time covered and flags of 288."""
    row = [_EMPTY] * SLOTS_A_DAY
    for at_ms, slot in slots.items():
        row[(at_ms - start_ms) // SLOT_MS] = slot
    columns = (
        _fitting([slot.rx_bytes for slot in row]), _fitting([slot.tx_bytes for slot in row]),
        array("q", [slot.covered_ms for slot in row]), array("q", [slot.flags for slot in row]),
    )  # fmt: skip
    return zlib.compress(planes.split(b"".join(column.tobytes() for column in columns)), 9)


def _fitting(numbers: list[int]) -> "array[int]":
    return array("q", numbers if max(numbers) <= MOST else [min(one, MOST) for one in numbers])


def unpack(packed: bytes, start_ms: int) -> dict[int, Slot]:
    """Return the slots that :func:`pack` was given. Raises ``zlib.error`` or ``ValueError`` on foreign bytes."""
    values = array("q")
    values.frombytes(planes.join(zlib.decompress(packed)))
    if len(values) != _COLUMNS * SLOTS_A_DAY:
        raise ValueError("a day of traffic has 288 slots of four numbers")
    columns = [values[n * SLOTS_A_DAY : (n + 1) * SLOTS_A_DAY] for n in range(_COLUMNS)]
    return {
        start_ms + place * SLOT_MS: Slot(rx, tx, covered, Flag(flags))
        for place, (rx, tx, covered, flags) in enumerate(zip(*columns, strict=True))
        if covered or flags
    }


def pack_all(interfaces: Mapping[str, Mapping[int, Slot]], start_ms: int) -> bytes:
    """Pack the day of every interface of a device."""
    return msgspec.msgpack.encode({name: pack(slots, start_ms) for name, slots in interfaces.items()})


def unpack_all(packed: bytes, start_ms: int, only: Collection[str] = ()) -> dict[str, dict[int, Slot]]:
    """Return the slots that :func:`pack_all` was given; with ``only`` of those interfaces."""
    found = msgspec.msgpack.decode(packed, type=dict[str, bytes])
    return {name: unpack(blob, start_ms) for name, blob in found.items() if not only or name in only}


def pack_gaps(gaps: Sequence[Step]) -> bytes:
    """Pack the gaps of a day; no bytes for none."""
    return msgspec.msgpack.encode([msgspec.structs.astuple(gap) for gap in gaps]) if gaps else b""


def unpack_gaps(packed: bytes) -> list[Step]:
    """Return the gaps that :func:`pack_gaps` was given."""
    rows = msgspec.msgpack.decode(packed, type=list[tuple[int, int, int, int, int]]) if packed else []
    return [Step(first_ms, last_ms, rx, tx, Flag(flags)) for first_ms, last_ms, rx, tx, flags in rows]


def hours(slots: Mapping[int, Slot], start_ms: int) -> Iterator[tuple[int, Slot]]:
    """Yield each hour that was seen, counted from local midnight, as one long slot."""
    found: dict[int, Slot] = {}
    for at_ms, slot in slots.items():
        hour = found.setdefault((at_ms - start_ms) // _HOUR_MS, Slot())
        hour.rx_bytes += slot.rx_bytes
        hour.tx_bytes += slot.tx_bytes
        hour.covered_ms += slot.covered_ms
        if slot.flags:
            hour.flags |= slot.flags
    yield from sorted(found.items())


def summary(slots: Mapping[int, Slot], start_ms: int) -> Summary:
    """Sum up a day."""
    seen = [slot for slot in slots.values() if slot.covered_ms >= SLOT_MS]
    peaks = array("d")
    for values in ([slot.rx_bytes for slot in seen], [slot.tx_bytes for slot in seen]):
        highest = sorted(values, reverse=True)[:PEAKS]
        peaks.extend(highest + [NO_SLOT] * (PEAKS - len(highest)))
    of_hours: dict[int, int] = {}
    for at_ms, slot in slots.items():
        hour = (at_ms - start_ms) // _HOUR_MS
        of_hours[hour] = of_hours.get(hour, 0) + slot.rx_bytes + slot.tx_bytes
    busiest_bytes, back = max(((passed, -hour) for hour, passed in of_hours.items()), default=(0, 0))
    return Summary(
        rx_bytes=min(sum([slot.rx_bytes for slot in slots.values()]), MOST),
        tx_bytes=min(sum([slot.tx_bytes for slot in slots.values()]), MOST),
        covered_ms=sum([slot.covered_ms for slot in slots.values()]),
        samples=len(seen),
        flags=reduce(or_, (slot.flags for slot in slots.values() if slot.flags), Flag.WHOLE),
        busiest_hour=-back,
        busiest_bytes=min(busiest_bytes, MOST),
        peaks=peaks.tobytes(),
    )


def pack_day(day: date, total: Summary) -> bytes:
    """Pack all that a month needs of a day, its gaps aside: of one length, so that days can stand in a row.

    The highest slots are turned round for it: those sent before those received, each from the lowest up.
    """
    numbers = (
        day.toordinal(), total.rx_bytes, total.tx_bytes, total.covered_ms, total.samples, total.flags,
        total.busiest_hour, total.busiest_bytes,
    )  # fmt: skip
    return array("q", numbers).tobytes() + _turned(total.peaks)


def peaks_of(packed: bytes) -> bytes:
    """Return the highest slots of a packed day, as they stand in :attr:`Summary.peaks`."""
    return _turned(packed[8 * DAY_NUMBERS :])


def _turned(numbers: bytes) -> bytes:
    return array("q", numbers)[::-1].tobytes()


def highest_bytes(peaks: bytes) -> int:
    """Return the bytes received in the highest sample of a day, from its :attr:`Summary.peaks`; 0 without any."""
    return max(0, int(array("d", peaks[:8])[0])) if peaks else 0


def merged(packed: Mapping[int, Slot], young: Mapping[int, Slot]) -> dict[int, Slot]:
    """Add the young hours to the packed ones: they meet within a slot and share none of its time."""
    found = dict(packed)
    for at_ms, slot in young.items():
        old = found.get(at_ms, Slot())
        both = Slot(old.rx_bytes + slot.rx_bytes, old.tx_bytes + slot.tx_bytes, old.covered_ms + slot.covered_ms)
        both.flags = (old.flags | slot.flags) & ~(Flag.PARTLY if both.is_sample else Flag.WHOLE)
        found[at_ms] = both
    return found
