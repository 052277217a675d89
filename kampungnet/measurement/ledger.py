"""Pure: cumulative counters in, bytes per five-minute slot out, each with how sure it is.

House policies of facts/billing-add 12, from the mistakes of others in its section 5. Nothing is repeated,
guessed or moved: what is a lower bound says so, the bytes of a gap stand beside the slots and never in one,
an unchanged counter is 0. The same readings in any order and with any repeats give the same ledger.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import attrgetter, sub
from typing import Final

import msgspec

from kampungnet.measurement.counters import (
    NO_TURN_BITS,
    UPTIME_SLACK_MS,
    Counters,
    CounterSample,
    in_columns,
    in_order,
)
from kampungnet.measurement.slots import SLOT_MS

LONGEST_STEP_MS: Final = 450_000
"""Two readings further apart leave a gap: its bytes are known in sum and belong to no slot (setting)."""
CAP_SLACK_SECONDS: Final = 2
CAP_PERCENT: Final = 102
"""No line carries more than its speed for the time between two readings, 2 s and 2 % allowed for."""
DIAL_SLACK_MS: Final = 5_000
LARGEST_FRAME_BYTES: Final = 1_522
_PACKETS_TURN: Final = 2**32


class Flag(enum.IntFlag):
    """What has to be said beside the bytes of a slot."""

    WHOLE = 0
    LOWER_BOUND = 1
    """At least so many bytes; some were not counted."""
    NEW_LIFE = 2
    """A counter began anew in it: restart, redial, reset."""
    PARTLY = 4
    """Seen for a part of its time only."""
    GAP = 8
    """In a gap, or partly: those bytes are known in sum at best."""
    IMPOSSIBLE = 16
    """A growth that no line carries was set aside."""
    CONFLICT = 32
    """Two different readings of one instant were set aside."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a contract or an installation may set."""

    line_bps: int = 10_000_000_000
    """Speed of the line in bits a second; 10 Gbit/s where nobody said: no port of a village is faster."""
    longest_step_ms: int = LONGEST_STEP_MS

    def cap_bytes(self, elapsed_ms: int) -> int:
        """Return the most bytes the line can have carried in ``elapsed_ms``."""
        return self.line_bps * (elapsed_ms + CAP_SLACK_SECONDS * 1000) * CAP_PERCENT // 800_000


HOUSE: Final = Policy()


class Step(msgspec.Struct, frozen=True, gc=False):
    """What two neighbouring samples say together: bytes between two instants."""

    first_ms: int
    last_ms: int
    rx_bytes: int
    tx_bytes: int
    flags: Flag = Flag.WHOLE


class Slot(msgspec.Struct, gc=False):
    """Five minutes of one interface."""

    rx_bytes: int = 0
    tx_bytes: int = 0
    covered_ms: int = 0
    flags: Flag = Flag.WHOLE

    @property
    def is_sample(self) -> bool:
        """Tell whether all of it was seen: only then it counts for a percentile."""
        return self.covered_ms >= SLOT_MS


@dataclass(frozen=True, slots=True)
class Total:
    """Bytes of a period."""

    rx_bytes: int
    tx_bytes: int
    covered_ms: int
    """Time whose bytes are known, gaps included that lie in the period as a whole."""
    lower_bound: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """Slots by their start, gaps beside them."""

    slots: Mapping[int, Slot] = field(default_factory=dict)
    gaps: tuple[Step, ...] = ()

    def total(self, first_ms: int, last_ms: int) -> Total:
        """Return the bytes between two slot borders. A gap across a border counts in neither period."""
        inside = [slot for at, slot in self.slots.items() if first_ms <= at < last_ms]
        whole = [gap for gap in self.gaps if first_ms <= gap.first_ms and gap.last_ms <= last_ms]
        parts: list[Slot | Step] = [*inside, *whole]
        covered = sum(slot.covered_ms for slot in inside) + sum(gap.last_ms - gap.first_ms for gap in whole)
        flagged = any(one.flags & (Flag.LOWER_BOUND | Flag.IMPOSSIBLE) for one in parts)
        return Total(
            sum(one.rx_bytes for one in parts),
            sum(one.tx_bytes for one in parts),
            covered,
            flagged or covered < last_ms - first_ms,
        )


def ledger(samples: Iterable[CounterSample], policy: Policy = HOUSE) -> Ledger:
    """Return the ledger of one interface from its samples, in any order and with repeats."""
    good, conflicts = _good(samples)
    return ledger_of([in_columns(good)], policy, conflicts)


def ledger_of(parts: Iterable[Counters], policy: Policy = HOUSE, conflicts: Iterable[int] = ()) -> Ledger:
    """Return the ledger of one interface from parts, no two samples of one instant in them.

    Between two samples nearly always nothing but time passed. Of a stretch of such steps only those over the border
    of a slot are looked at; what stands between is the difference of the counter. The others are taken one by one.
    ``conflicts`` are instants of samples that contradict each other.
    """
    slots: dict[int, Slot] = {}
    gaps: list[Step] = []
    last: CounterSample | None = None
    for part in in_order(parts):
        for first, end in pairwise((0, *_odd(part, policy), len(part.kinds))):
            for step in _steps((last, part.sample(first)), policy) if last else ():
                _lay(slots, gaps, step, policy)
            _lay_stretch(slots, part, first, end - 1)
            last = part.sample(end - 1)
    for at_ms in conflicts:
        slots.setdefault(at_ms - at_ms % SLOT_MS, Slot()).flags |= Flag.CONFLICT
    for slot in slots.values():
        if slot.covered_ms < SLOT_MS:
            slot.flags |= Flag.PARTLY
    return Ledger(dict(sorted(slots.items())), tuple(gaps))


def _lay(slots: dict[int, Slot], gaps: list[Step], step: Step, policy: Policy) -> None:
    if step.flags and step.flags & (Flag.IMPOSSIBLE | Flag.GAP):  # nothing is known of it, not even the sum
        _mark(slots, step, step.flags)
    elif step.last_ms - step.first_ms > policy.longest_step_ms:
        gaps.append(step)
        _mark(slots, step, step.flags | Flag.GAP)
    else:
        _spread(slots, step)


def _odd(counters: Counters, policy: Policy) -> list[int]:
    """Return the places of samples between which and the one before more than time may have passed.

    The rules of :func:`_between` for plain growth of a counter that never goes round, by the column.
    """
    most, at_ms, dial = policy.cap_bytes(0), counters.clock.at_ms, counters.dial_seconds
    found = set(counters.clock.odd(policy.longest_step_ms))
    for column in (counters.rx_bytes, counters.tx_bytes):
        steps = list(map(sub, column[1:], column))
        if steps and (min(steps) < 0 or max(steps) > most):
            found.update(place for place, step in enumerate(steps, 1) if not 0 <= step <= most)
    kinds = counters.kinds
    if kinds[0].bits != NO_TURN_BITS or kinds.count(kinds[0]) < len(kinds):
        found.update(n for n in range(1, len(kinds)) if kinds[n].bits != NO_TURN_BITS or kinds[n] != kinds[n - 1])
    if dial.count(None) < len(dial):
        found.update(n for n in range(1, len(dial)) if _dialled_anew(dial[n - 1], dial[n], at_ms[n] - at_ms[n - 1]))
    return sorted(found)


def _lay_stretch(slots: dict[int, Slot], counters: Counters, first: int, last: int) -> None:
    """Share what passed between two samples over slots; all steps between them are plain."""
    if first >= last:
        return
    shares = counters.clock.shares(first, last)
    ways = []
    for column in (counters.rx_bytes, counters.tx_bytes):
        # A step's bytes by time and rounded down, as in _spread, so that the sum stays exact.
        met = [old + (new - old) * part_ms // length_ms for old, new, part_ms, length_ms in zip(
            map(column.__getitem__, shares.before), map(column.__getitem__, shares.after),
            shares.parts_ms, shares.lengths_ms, strict=True,
        )]  # fmt: skip
        ways.append(map(sub, [*met, column[last]], [column[first], *met]))
    at_border = slots.get(shares.slots[0])  # what came before reaches no further than into the first of them
    slots.update(zip(shares.slots, map(Slot, *ways, shares.covered_ms), strict=False))
    if at_border:
        slot = slots[shares.slots[0]]
        slot.rx_bytes += at_border.rx_bytes
        slot.tx_bytes += at_border.tx_bytes
        slot.covered_ms += at_border.covered_ms
        slot.flags = at_border.flags


def _good(samples: Iterable[CounterSample]) -> tuple[list[CounterSample], list[int]]:
    """Return the samples in order, one an instant, and the instants at which they contradict each other."""
    ordered = sorted(set(samples), key=attrgetter("at_ms"))
    good: list[CounterSample] = []
    conflicts: list[int] = []
    if len({one.at_ms for one in ordered}) == len(ordered):
        return ordered, []
    for at_ms, group in groupby(ordered, key=attrgetter("at_ms")):
        same = list(group)
        if len(same) > 1 and len({(one.rx_bytes, one.tx_bytes, one.life, one.bits, one.row) for one in same}) > 1:
            conflicts.append(at_ms)
        else:
            # Which of them must not depend on the order of a set.
            good.append(same[0] if len(same) == 1 else min(same, key=repr))
    return good, conflicts


def _steps(samples: Iterable[CounterSample], policy: Policy) -> Iterator[Step]:
    for last, now in pairwise(samples):
        for step in _between(last, now, policy):
            cap = policy.cap_bytes(step.last_ms - step.first_ms)
            if max(step.rx_bytes, step.tx_bytes) > cap:
                yield Step(step.first_ms, step.last_ms, 0, 0, step.flags | Flag.IMPOSSIBLE)
            elif now.bits < NO_TURN_BITS and _may_have_turned(last, now, step, policy):
                yield Step(step.first_ms, step.last_ms, step.rx_bytes, step.tx_bytes, step.flags | Flag.LOWER_BOUND)
            else:
                yield step


def _between(last: CounterSample, now: CounterSample, policy: Policy) -> Iterator[Step]:
    began_ms = _restarted_ms(last, now)
    fell = now.rx_bytes < last.rx_bytes or now.tx_bytes < last.tx_bytes
    if began_ms is not None and began_ms > last.at_ms - UPTIME_SLACK_MS and (now.sure_uptime or fell):
        began_ms = max(last.at_ms, began_ms)
        if began_ms > last.at_ms:  # what passed before the restart is lost
            yield Step(last.at_ms, began_ms, 0, 0, Flag.GAP | Flag.LOWER_BOUND)
        yield Step(began_ms, now.at_ms, now.rx_bytes, now.tx_bytes, Flag.NEW_LIFE)
    elif last.bits != now.bits or _differ(last.row, now.row):
        yield Step(last.at_ms, now.at_ms, 0, 0, Flag.GAP | Flag.NEW_LIFE | Flag.LOWER_BOUND)
    elif _differ(last.life, now.life):
        yield Step(last.at_ms, now.at_ms, now.rx_bytes, now.tx_bytes, Flag.NEW_LIFE | Flag.LOWER_BOUND)
    elif began_ms is None and not _redialled(last, now):
        yield _grown(last, now, policy, fell=fell)
    else:
        # Uptimes contradict the counters, which may have begun anew or gone on: the smaller number is safe either way.
        rx, tx = (now.rx_bytes, now.tx_bytes) if fell else (now.rx_bytes - last.rx_bytes, now.tx_bytes - last.tx_bytes)
        yield Step(last.at_ms, now.at_ms, rx, tx, Flag.NEW_LIFE | Flag.LOWER_BOUND)


def _differ(last: str, now: str) -> bool:
    """Tell whether both are known and not the same: a driver may have learned it in between."""
    return bool(last and now and last != now)


def _restarted_ms(last: CounterSample, now: CounterSample) -> int | None:
    """Return when the device began its new life, if its uptime (whole seconds) speaks of one.

    One that began before the last sample is none that its counters tell of: a clock was set, or the device slept.
    """
    if last.uptime_seconds is None or now.uptime_seconds is None:
        return None
    expected_ms = last.uptime_seconds * 1000 + now.at_ms - last.at_ms
    if now.uptime_seconds * 1000 >= expected_ms - UPTIME_SLACK_MS:
        return None
    return now.at_ms - max(1, now.uptime_seconds) * 1000


def _redialled(last: CounterSample, now: CounterSample) -> bool:
    return _dialled_anew(last.dial_seconds, now.dial_seconds, now.at_ms - last.at_ms)


def _dialled_anew(last: int | None, now: int | None, elapsed_ms: int) -> bool:
    """Tell whether a line was dialled in between: its time fell, or is shorter than what went by."""
    if now is None:
        return False
    return (last is not None and now < last) or now * 1000 + DIAL_SLACK_MS < elapsed_ms


def _grown(last: CounterSample, now: CounterSample, policy: Policy, *, fell: bool) -> Step:
    """Return the growth within what looks like one life: plain, over a wrap, or from a reset of the whole row."""
    grown = (now.rx_bytes - last.rx_bytes, now.tx_bytes - last.tx_bytes)
    if not fell:
        return Step(last.at_ms, now.at_ms, *grown)
    # Only the device's own uptime tells a wrap from a reset; where packets fell as well, it was a reset.
    same_life = last.uptime_seconds is not None and now.uptime_seconds is not None
    if last.packets and now.packets and any(new < old for old, new in zip(last.packets, now.packets, strict=True)):
        same_life = False
    rx, tx = (one % (1 << now.bits) for one in grown)
    if same_life and max(rx, tx) <= policy.cap_bytes(now.at_ms - last.at_ms):
        return Step(last.at_ms, now.at_ms, rx, tx)
    return Step(last.at_ms, now.at_ms, now.rx_bytes, now.tx_bytes, Flag.NEW_LIFE | Flag.LOWER_BOUND)


def _may_have_turned(last: CounterSample, now: CounterSample, step: Step, policy: Policy) -> bool:
    """Tell whether a counter of few bits may have gone round once more than was seen."""
    elapsed_ms = step.last_ms - step.first_ms
    most = [policy.cap_bytes(elapsed_ms)] * 2
    if last.packets and now.packets and elapsed_ms <= policy.longest_step_ms:
        new = step.flags & Flag.NEW_LIFE
        for way, packets in enumerate(now.packets):
            counted = packets if new else (packets - last.packets[way]) % _PACKETS_TURN
            most[way] = min(most[way], counted * LARGEST_FRAME_BYTES)
    turn = 1 << now.bits
    return step.rx_bytes + turn <= most[0] or step.tx_bytes + turn <= most[1]


def _spread(slots: dict[int, Slot], step: Step) -> None:
    """Share a step's bytes over its slots by time; cumulative and rounded down, so that the sum stays exact."""
    first_ms, end_ms, flags = step.first_ms, step.last_ms, step.flags
    length, rx_before, tx_before, now_ms = end_ms - first_ms, 0, 0, first_ms
    at_ms = first_ms - first_ms % SLOT_MS
    while now_ms < end_ms:
        last_ms = min(at_ms + SLOT_MS, end_ms)
        slot = slots.get(at_ms)
        if slot is None:
            slot = slots[at_ms] = Slot()
        done = last_ms - first_ms
        rx, tx = step.rx_bytes * done // length, step.tx_bytes * done // length
        slot.rx_bytes += rx - rx_before
        slot.tx_bytes += tx - tx_before
        slot.covered_ms += last_ms - now_ms
        if flags:
            slot.flags |= flags
        rx_before, tx_before, now_ms, at_ms = rx, tx, last_ms, at_ms + SLOT_MS


def _mark(slots: dict[int, Slot], step: Step, flags: Flag) -> None:
    for at_ms in range(step.first_ms - step.first_ms % SLOT_MS, step.last_ms, SLOT_MS):
        slots.setdefault(at_ms, Slot()).flags |= flags
