"""Pure: what the readings of one device's day say, without the readings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kampungnet.measurement import slots, traffic
from kampungnet.measurement.boots import TimeQuality
from kampungnet.measurement.counters import Counters, CounterSample, in_columns
from kampungnet.measurement.ledger import Ledger, Policy, ledger, ledger_of
from kampungnet.measurement.packing import Kept, Shared
from kampungnet.measurement.slots import SLOT_MS, Timed
from kampungnet.measurement.told import Told, told


@dataclass(frozen=True, slots=True)
class Digest:
    """A day's gauges by series, and its counters by interface: as samples, and as columns where that could be."""

    untimed: int
    """Readings whose time nobody knows."""
    series: Mapping[str, slots.Slots]
    samples: traffic.Samples
    columns: Mapping[str, list[Counters]]
    edges: traffic.Edges
    lines: set[str]

    def books(self, before: Mapping[str, CounterSample], after: Mapping[str, CounterSample], policy: Policy
              ) -> dict[str, Ledger]:  # fmt: skip
        """Return the ledger of each interface, from the samples nearest to the day on both sides too."""
        found: dict[str, Ledger] = {}
        for name in sorted({*self.samples, *self.columns}):
            near = [side[name] for side in (before, after) if name in side]
            samples, columns = self.samples.get(name, []), self.columns.get(name)
            if not columns:
                found[name] = ledger([*samples, *near], policy)
                continue
            found[name] = ledger_of([*columns, *(in_columns([one]) for one in (*samples, *near))], policy)
        return found


def digest_of(texts: Sequence[Shared]) -> Digest:
    """Return the digest of a day's packs."""
    columns: list[Told] = []
    kept: list[Kept] = []
    for text in texts:
        found = told(text)
        if found:
            columns.append(found)
        else:
            kept += text.kept()
    instants = [one.taken_ms for one in kept if one.time_quality > TimeQuality.UNKNOWN]
    instants += [at_ms for one in columns for at_ms in one.taken_ms]
    if len(set(instants)) < len(instants):  # a repeat, or readings that contradict each other
        return digest([one for text in texts for one in text.kept()])
    return digest(kept, columns)


def digest(kept: Sequence[Kept], columns: Sequence[Told] = ()) -> Digest:
    """Return the digest of readings, in any order and with repeats, and of others that none of them repeats."""
    timed = timed_of(kept)
    samples = traffic.samples(timed)
    gathered = slots.gathered(timed)
    counters: dict[str, list[Counters]] = {}
    ends = {name: list(of_one) for name, of_one in samples.items()}
    for one in columns:
        _gather(one, gathered)
        for name, of_one in one.counters.items():
            counters.setdefault(name, []).append(of_one)
            ends.setdefault(name, []).extend(of_one.sample(place) for place in one.edges())
    lines = traffic.lines(timed) | {one.line for one in columns if one.line}
    return Digest(len(kept) - len(timed), slots.combined(gathered), samples, counters, traffic.edges(ends), lines)


def timed_of(kept: Iterable[Kept]) -> list[Timed]:
    """Return the readings whose time is known."""
    return [one.timed() for one in kept if one.time_quality > TimeQuality.UNKNOWN]


def _gather(found: Told, gathered: slots.Gathered) -> None:
    slot_of = [at_ms // SLOT_MS for at_ms in found.taken_ms]
    cuts = [0, *(place for place, (last, now) in enumerate(pairwise(slot_of), 1) if last != now), len(slot_of)]
    stretches = [(slot_of[first] * SLOT_MS, first, last) for first, last in pairwise(cuts)]
    for name, values in found.gauges:
        of_name = gathered[name]
        if of_name:
            for slot, first, last in stretches:
                of_name[slot] += values[first:last]
        else:
            of_name.update([(slot, values[first:last]) for slot, first, last in stretches])
