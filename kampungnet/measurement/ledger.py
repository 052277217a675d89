"""Pure: cumulative counters in, bytes per five-minute slot out, each with how sure it is.

House policies of facts/billing-add 12, from the mistakes of others in its section 5. Nothing is repeated,
guessed or moved: what is a lower bound says so, the bytes of a gap stand beside the slots and never in one,
an unchanged counter is 0. The same readings in any order and with any repeats give the same ledger.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Final

SLOT_MS: Final = 300_000
LONGEST_STEP_MS: Final = 450_000
"""Two readings further apart leave a gap: its bytes are known in sum and belong to no slot (setting)."""
UPTIME_SLACK_MS: Final = 10_000
"""Device and box clocks differ, and uptime comes in whole seconds."""
CAP_SLACK_SECONDS: Final = 2
CAP_PERCENT: Final = 102
"""No line carries more than its speed for the time between two readings, 2 s and 2 % allowed for."""


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


@dataclass(frozen=True, slots=True, order=True)
class CounterSample:
    """One interface's counters at one instant. Bytes as the device counts."""

    at_ms: int
    rx_bytes: int
    tx_bytes: int
    uptime_seconds: int | None = None
    life: str = ""
    """Changes when the counters do: the row's own number, the device's boot id."""
    bits: int = 64


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


@dataclass(frozen=True, slots=True)
class Step:
    """What two neighbouring samples say together: bytes between two instants."""

    first_ms: int
    last_ms: int
    rx_bytes: int
    tx_bytes: int
    flags: Flag = Flag.WHOLE


@dataclass(slots=True)
class Slot:
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
    slots: dict[int, Slot] = {}
    gaps: list[Step] = []
    good, conflicts = _good(samples)
    for step in _steps(good, policy):
        if step.last_ms - step.first_ms > policy.longest_step_ms and not step.flags & Flag.IMPOSSIBLE:
            gaps.append(step)
            _mark(slots, step, step.flags | Flag.GAP)
        elif step.flags & (Flag.IMPOSSIBLE | Flag.GAP):
            _mark(slots, step, step.flags)
        else:
            _spread(slots, step)
    for at_ms in conflicts:
        slots.setdefault(at_ms - at_ms % SLOT_MS, Slot()).flags |= Flag.CONFLICT
    for slot in slots.values():
        if not slot.is_sample:
            slot.flags |= Flag.PARTLY
    return Ledger(dict(sorted(slots.items())), tuple(gaps))


def _good(samples: Iterable[CounterSample]) -> tuple[list[CounterSample], list[int]]:
    """Return the samples in order, one an instant, and the instants at which they contradict each other."""
    good: list[CounterSample] = []
    conflicts: list[int] = []
    for at_ms, group in groupby(sorted(set(samples), key=lambda one: one.at_ms), key=lambda one: one.at_ms):
        same = list(group)
        if len({(one.rx_bytes, one.tx_bytes, one.life, one.bits) for one in same}) > 1:
            conflicts.append(at_ms)
        else:
            good.append(min(same, key=lambda one: -1 if one.uptime_seconds is None else one.uptime_seconds))
    return good, conflicts


def _steps(samples: Iterable[CounterSample], policy: Policy) -> Iterator[Step]:
    for last, now in pairwise(samples):
        for step in _between(last, now):
            cap = policy.cap_bytes(step.last_ms - step.first_ms)
            if max(step.rx_bytes, step.tx_bytes) > cap:
                yield Step(step.first_ms, step.last_ms, 0, 0, step.flags | Flag.IMPOSSIBLE)
            elif now.bits < 64 and min(step.rx_bytes, step.tx_bytes) + 2**now.bits <= cap:
                # one more turn of the counter would not have been seen
                yield Step(step.first_ms, step.last_ms, step.rx_bytes, step.tx_bytes, step.flags | Flag.LOWER_BOUND)
            else:
                yield step


def _between(last: CounterSample, now: CounterSample) -> Iterator[Step]:
    began_ms = _restarted_ms(last, now)
    if began_ms is not None:
        if began_ms > last.at_ms:  # what passed before the restart is lost
            yield Step(last.at_ms, began_ms, 0, 0, Flag.GAP | Flag.LOWER_BOUND)
        yield Step(began_ms, now.at_ms, now.rx_bytes, now.tx_bytes, Flag.NEW_LIFE)
    elif last.bits != now.bits:
        yield Step(last.at_ms, now.at_ms, 0, 0, Flag.GAP | Flag.NEW_LIFE | Flag.LOWER_BOUND)
    else:
        grown = _grown(last, now) if last.life == now.life else None
        if grown is None:
            flags = Flag.NEW_LIFE | Flag.LOWER_BOUND
            yield Step(last.at_ms, now.at_ms, now.rx_bytes, now.tx_bytes, flags)
        else:
            yield Step(last.at_ms, now.at_ms, *grown)


def _restarted_ms(last: CounterSample, now: CounterSample) -> int | None:
    """Return when the device began its new life, if its uptime (whole seconds) proves one."""
    if last.uptime_seconds is None or now.uptime_seconds is None:
        return None
    expected_ms = last.uptime_seconds * 1000 + now.at_ms - last.at_ms
    if now.uptime_seconds * 1000 >= expected_ms - UPTIME_SLACK_MS:
        return None
    return max(last.at_ms, now.at_ms - max(1, now.uptime_seconds) * 1000)


def _grown(last: CounterSample, now: CounterSample) -> tuple[int, int] | None:
    """Return the growth of both directions within one life; ``None`` for a reset, which is one of the whole row."""
    same_life = last.uptime_seconds is not None and now.uptime_seconds is not None
    grown = (now.rx_bytes - last.rx_bytes, now.tx_bytes - last.tx_bytes)
    if min(grown) >= 0:
        return grown
    # Only the device's own uptime tells a wrap from a reset, and only counters of 32 bits wrap within a life.
    turned = tuple(one % 2**now.bits for one in grown)
    fits = all(one < 2 ** (now.bits - 1) for one in turned)
    return (turned[0], turned[1]) if same_life and fits else None


def _spread(slots: dict[int, Slot], step: Step) -> None:
    """Share a step's bytes over its slots by time; cumulative and rounded down, so that the sum stays exact."""
    length = step.last_ms - step.first_ms
    for at_ms, first_ms, last_ms in _parts(step):
        slot = slots.setdefault(at_ms, Slot())
        for name in ("rx_bytes", "tx_bytes"):
            number = getattr(step, name)
            upto, before = (number * (one - step.first_ms) // length for one in (last_ms, first_ms))
            setattr(slot, name, getattr(slot, name) + upto - before)
        slot.covered_ms += last_ms - first_ms
        slot.flags |= step.flags


def _mark(slots: dict[int, Slot], step: Step, flags: Flag) -> None:
    for at_ms, _, _ in _parts(step):
        slots.setdefault(at_ms, Slot()).flags |= flags


def _parts(step: Step) -> Iterator[tuple[int, int, int]]:
    """Yield slot, first and last instant of the parts of a step."""
    at_ms = step.first_ms - step.first_ms % SLOT_MS
    while at_ms < step.last_ms:
        yield at_ms, max(at_ms, step.first_ms), min(at_ms + SLOT_MS, step.last_ms)
        at_ms += SLOT_MS
