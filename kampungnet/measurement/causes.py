"""Pure: one site's timeline in, its outages with their causes out. No database, no clock.

Losses that are too short are none, flapping is damped, a cause that begins while another lasts does not name
the outage, and what nobody saw is told apart from what was down.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kampungnet.core import clock
from kampungnet.measurement.evidence import Timeline
from kampungnet.measurement.outage_words import (
    HOUSE,
    Cause,
    Evidence,
    Finding,
    Horizon,
    Judgement,
    Outage,
    Span,
    Thresholds,
    Verdict,
)
from kampungnet.measurement.segments import Segment, segments

SILENCE_CONFIDENCE: Final = 0.2
NEIGHBOUR_CONFIDENCE: Final = 0.6
LEAST_NEIGHBOURS: Final = 2


@dataclass(slots=True)
class _Phase:
    """A part of a run with one cause."""

    start_ms: int
    end_ms: int
    verdict: Verdict
    evidence: dict[Finding, Evidence]

    @property
    def cause(self) -> Cause:
        return self.verdict.cause

    def take(self, other: "_Phase", verdict: Verdict) -> None:
        """Become one with a neighbour, under one verdict."""
        self.start_ms, self.end_ms = min(self.start_ms, other.start_ms), max(self.end_ms, other.end_ms)
        # What spoke for another cause is no evidence for this one: light was good until it was asked again.
        if self.cause is not verdict.cause:
            self.evidence = {}
        self.verdict = verdict
        if other.cause is verdict.cause:
            _learn(self.evidence, other.evidence.values())


@dataclass(slots=True)
class _Run:
    """Losses that belong together, good and unseen times between them included."""

    parts: list[Segment]
    since: tuple[Segment, ...] | None = None
    """The unseen time after it up to now, if nobody has seen it end; else ``None``."""


def judge(
    timeline: Timeline, horizon: Horizon, thresholds: Thresholds = HOUSE, neighbours: Sequence[Outage] = ()
) -> Judgement:
    """Return the outages of one site up to ``horizon.now_ms``, oldest first, and what of its time is unseen.

    ``neighbours`` are outages of sites on the same cable, PON or kecamatan. The same readings give the same
    judgement, in whichever order and how often they came.
    """
    parts = segments(timeline, horizon, thresholds)
    if not parts:
        return Judgement((), (Span(0, horizon.now_ms),))
    settled_ms = horizon.settled_ms
    if settled_ms is None:
        settled_ms = max((life.last_ms for life in timeline.lives), default=horizon.now_ms)
    found: list[Outage] = []
    for run in _runs(parts, thresholds):
        found += _outages(run, settled_ms, thresholds)
    found += _silences(parts, found, thresholds)
    told = sorted((told_by(one, neighbours, thresholds) for one in found), key=lambda one: one.start_ms)
    unseen = [Span(0, parts[0].start_ms), *(Span(one.start_ms, one.end_ms) for one in parts if one.works is None)]
    return Judgement(tuple(told), tuple(_touching(unseen)))


def told_by(outage: Outage, neighbours: Iterable[Outage], thresholds: Thresholds = HOUSE) -> Outage:
    """Return an outage with what neighbours say that began at the same time.

    An unknown cause becomes theirs if most of them agree. "Switched off after work" is a power cut if a neighbour
    lost power in the same minute.
    """
    near = [one for one in neighbours if abs(one.start_ms - outage.start_ms) <= thresholds.together_ms]
    proven: list[Cause] = [one.cause for one in near if one.is_proven and one.cause is not Cause.UNKNOWN]
    evidence = (*outage.evidence, Evidence(outage.start_ms, Finding.NEIGHBOURS, len(near)))
    at_night = any(one.what is Finding.OUTSIDE_OFFICE for one in outage.evidence)
    if at_night and Cause.LISTRIK in proven:
        kept = tuple(one for one in evidence if one.what is not Finding.OUTSIDE_OFFICE)
        return replace(outage, cause=Cause.LISTRIK, confidence=0.9, evidence=kept)
    if outage.cause is not Cause.UNKNOWN or not near:
        return outage
    most = max(sorted(set(proven)), key=proven.count, default=Cause.UNKNOWN)
    if len(proven) < LEAST_NEIGHBOURS or 2 * proven.count(most) <= len(proven):
        return replace(outage, evidence=evidence)
    return replace(outage, cause=most, confidence=NEIGHBOUR_CONFIDENCE, evidence=evidence)


def _runs(parts: Iterable[Segment], thresholds: Thresholds) -> Iterator[_Run]:
    run: list[Segment] = []
    pending: list[Segment] = []
    for one in parts:
        if one.works is not False:
            pending.append(one)
            continue
        if run and not _carries_on(run[-1], pending, one, thresholds):
            yield from _worth_telling(_Run(run), thresholds)
            run = []
        run += [*pending, one] if run else [one]
        pending = []
    if run:
        is_open = all(one.works is None for one in pending)
        yield from _worth_telling(_Run(run, tuple(pending) if is_open else None), thresholds)


def _carries_on(last: Segment, pending: Iterable[Segment], one: Segment, thresholds: Thresholds) -> bool:
    """Tell whether two losses are one: too short a good time between them, or an unseen one and the same cause."""
    good_ms = unseen_ms = 0
    for between in pending:
        if between.works:
            good_ms += between.ms
        else:
            unseen_ms += between.ms
    is_same = bool(last.verdict and one.verdict and last.verdict.cause is one.verdict.cause)
    return good_ms < thresholds.calm_ms and (not unseen_ms or (is_same and unseen_ms <= thresholds.bridge_ms))


def _worth_telling(run: _Run, thresholds: Thresholds) -> Iterator[_Run]:
    longest_ms = unbroken_ms = lost_ms = 0
    for one in run.parts:
        unbroken_ms = unbroken_ms + one.ms if one.works is False else 0
        lost_ms += one.ms if one.works is False else 0
        longest_ms = max(longest_ms, unbroken_ms)
    whole_ms = run.parts[-1].end_ms - run.parts[0].start_ms
    flaps = lost_ms >= 2 * thresholds.shortest_ms and 100 * lost_ms >= thresholds.flap_percent * whole_ms
    if longest_ms >= thresholds.shortest_ms or flaps:
        yield run


def _outages(run: _Run, settled_ms: int, thresholds: Thresholds) -> Iterator[Outage]:
    phases = _one_lasts(_calmed(_phases(run, thresholds), thresholds.shortest_ms))
    for one in run.since or ():
        since_ms = phases[-1].start_ms - thresholds.interval_ms
        _learn(phases[-1].evidence, _firsts(one.evidence, since_ms).values())
    for phase in phases:
        is_open = run.since is not None and phase is phases[-1]
        outage = Outage(
            phase.start_ms,
            None if is_open else phase.end_ms,
            phase.cause,
            phase.verdict.confidence,
            tuple(sorted(phase.evidence.values())),
            is_open or phase.end_ms > settled_ms,
        )
        yield _after_work(outage, thresholds)


def _phases(run: _Run, thresholds: Thresholds) -> list[_Phase]:
    phases: list[_Phase] = []
    for one in run.parts:
        last = phases[-1] if phases else None
        if one.verdict is None:
            if last is not None:
                last.end_ms = one.end_ms
            continue
        evidence = _firsts(one.evidence, one.start_ms - thresholds.interval_ms)
        phase = _Phase(one.start_ms, one.end_ms, one.verdict, evidence)
        if last is None or last.cause is not phase.cause:
            phases.append(phase)
        else:
            last.take(phase, _surer(last, phase.verdict))
    return phases


def _surer(phase: _Phase, other: Verdict) -> Verdict:
    return max(phase.verdict, other, key=lambda one: one.confidence)


def _calmed(phases: Iterable[_Phase], shortest_ms: int) -> list[_Phase]:
    """Let a phase that is too short, or says nothing of the cause, go into its neighbour."""
    kept: list[_Phase] = []
    for phase in phases:
        while kept and _is_slight(kept[-1], shortest_ms) and not _is_slight(phase, shortest_ms):
            phase.take(kept.pop(), phase.verdict)
        if kept and (kept[-1].cause is phase.cause or _is_slight(phase, shortest_ms)):
            is_same = kept[-1].cause is phase.cause
            kept[-1].take(phase, _surer(kept[-1], phase.verdict) if is_same else kept[-1].verdict)
        else:
            kept.append(phase)
    return kept


def _is_slight(phase: _Phase, shortest_ms: int) -> bool:
    return phase.cause is Cause.UNKNOWN or phase.end_ms - phase.start_ms < shortest_ms


def _one_lasts(phases: Iterable[_Phase]) -> list[_Phase]:
    """Of two outages at once the one that began first names the cause (facts on billing 12): it lasted if it stands
    again afterwards."""  # fmt: skip
    kept: list[_Phase] = []
    for phase in phases:
        kept.append(phase)
        while len(kept) >= 3 and kept[-1].cause is kept[-3].cause:
            last, between = kept.pop(), kept.pop()
            kept[-1].take(between, kept[-1].verdict)
            kept[-1].take(last, _surer(kept[-1], last.verdict))
    return kept


def _firsts(evidence: Iterable[Evidence], since_ms: int) -> dict[Finding, Evidence]:
    """Return each finding once, as it was seen first. What was before the outage is no evidence of it."""
    first: dict[Finding, Evidence] = {}
    _learn(first, (one for one in evidence if one.at_ms >= since_ms))
    return first


def _learn(first: dict[Finding, Evidence], evidence: Iterable[Evidence]) -> None:
    for one in evidence:
        known = first.get(one.what)
        if known is None or one < known:
            first[one.what] = one


def _after_work(outage: Outage, thresholds: Thresholds) -> Outage:
    """Call it a person's doing when power or router went from closing to opening, which power cuts hardly do."""
    end_ms, start_ms = outage.end_ms, outage.start_ms
    if outage.cause not in {Cause.LISTRIK, Cause.PERANGKAT} or end_ms is None:
        return outage
    if not thresholds.night_ms <= end_ms - start_ms <= thresholds.longest_night_ms:
        return outage
    opens, last_opens = thresholds.opening_hours
    closed = clock.local(start_ms, thresholds.zone).hour >= thresholds.closing_hour
    if not closed or not opens <= clock.local(end_ms, thresholds.zone).hour < last_opens:
        return outage
    evidence = (*outage.evidence, Evidence(start_ms, Finding.OUTSIDE_OFFICE))
    return replace(outage, cause=Cause.ORANG, confidence=0.6, evidence=evidence)


def _silences(parts: Sequence[Segment], known: Sequence[Outage], thresholds: Thresholds) -> Iterator[Outage]:
    """Yield silences that may still turn out to be outages: the box is not heard, or its spool is still coming."""
    waiting = [one for one in parts if one.waiting]
    spans = _touching(Span(one.start_ms, one.end_ms) for one in waiting)
    open_from_ms = min((one.start_ms for one in known if one.end_ms is None), default=parts[-1].end_ms)
    for span in spans:
        if (
            span.start_ms >= open_from_ms
            or span.end_ms - span.start_ms < thresholds.silence_ms - thresholds.interval_ms
        ):
            continue
        within = (one.evidence for one in waiting if span.start_ms <= one.start_ms < span.end_ms)
        evidence = _firsts((one for part in within for one in part), span.start_ms - thresholds.interval_ms)
        yield Outage(
            span.start_ms,
            None if span.end_ms == parts[-1].end_ms else span.end_ms,
            Cause.UNKNOWN,
            SILENCE_CONFIDENCE,
            tuple(sorted(evidence.values())),
            provisional=True,
        )


def _touching(spans: Iterable[Span]) -> Iterator[Span]:
    """Join spans that touch; drop empty ones. They come in order."""
    last: Span | None = None
    for one in spans:
        if one.end_ms <= one.start_ms:
            continue
        if last is not None and one.start_ms <= last.end_ms:
            last = Span(last.start_ms, max(last.end_ms, one.end_ms))
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last
