"""Pure: a site's timeline as segments, each with service, without it (and why), or unseen."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kampungnet.measurement.evidence import Life, Timeline
from kampungnet.measurement.outage_words import Evidence, Finding, Horizon, Span, Thresholds, Verdict
from kampungnet.measurement.sights import Seen
from kampungnet.measurement.tracks import Crossing, Fate, Moment, Tracks, tracks_of
from kampungnet.measurement.verdicts import (
    Fates,
    fates,
    findings,
    power,
    starts_together,
    why,
    why_by_olt,
    works,
    works_by_olt,
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time of one kind. ``works``: ``None`` where nothing is known."""

    start_ms: int
    end_ms: int
    works: bool | None
    verdict: Verdict | None = None
    """Set exactly where there was no service."""
    evidence: tuple[Evidence, ...] = ()
    waiting: bool = False
    """Unseen, and readings of it may still come."""

    @property
    def ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class _Awake:
    """The box lived; its last and first life are those beside the silences."""

    first: Life
    last: Life
    end_ms: int
    """Of its last reading, whichever life it is of."""


@dataclass(frozen=True, slots=True)
class _Site:
    tracks: Tracks
    horizon: Horizon
    settled_ms: int
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class _Gap:
    """A silence: the box was not heard between two lives, or has not been since."""

    before: Life
    after: Life | None
    span: Span

    def heard_until(self, at_ms: int) -> tuple[Evidence, ...]:
        """Return what the silence itself says at an instant within it."""
        return Evidence(self.before.last_ms, Finding.LAST_SIGN), Evidence(at_ms, Finding.SILENCE)


def segments(timeline: Timeline, horizon: Horizon, thresholds: Thresholds) -> list[Segment]:
    """Return the segments of a site from its first reading to now, in order and without holes."""
    tracks = tracks_of(timeline)
    awake = _awake(timeline.lives, horizon.now_ms, thresholds.silence_ms)
    if not awake:
        return list(_by_olt_alone(tracks, horizon.now_ms))
    settled_ms = horizon.settled_ms if horizon.settled_ms is not None else awake[-1].end_ms
    site = _Site(tracks, horizon, settled_ms, thresholds)
    found: list[Segment] = []
    start_ms = awake[0].first.first_ms
    for place, one in enumerate(awake):
        after = awake[place + 1].first if place + 1 < len(awake) else None
        heard_ms = after.first_ms if after else horizon.now_ms
        lives_on = after is None and heard_ms - one.end_ms < thresholds.silence_ms
        # The next poll would have come within an interval: on the average it stopped in its middle.
        end_ms = heard_ms if lives_on else one.end_ms + thresholds.interval_ms // 2
        alive = list(_alive(tracks, Span(one.first.first_ms, end_ms)))
        # Between the return of the power and the first poll it was as that poll found it.
        found += [replace(alive[0], start_ms=start_ms), *alive[1:]] if alive else []
        if lives_on:
            break
        gap = list(_silent(site, _Gap(one.last, after, Span(end_ms, heard_ms))))
        found += gap
        start_ms = gap[-1].end_ms if gap else end_ms
    return found


def _awake(lives: tuple[Life, ...], now_ms: int, silence_ms: int) -> list[_Awake]:
    """Return the times in which the box was heard without a silence, whichever boots."""
    found: list[_Awake] = []
    for life in lives:
        if life.first_ms > now_ms:
            continue
        end_ms = min(life.last_ms, now_ms)
        last = found[-1] if found else None
        if last is None or life.first_ms - last.end_ms >= silence_ms:
            found.append(_Awake(life, life, end_ms))
        elif end_ms > last.end_ms:
            found[-1] = _Awake(last.first, life, end_ms)
    return found


def _alive(tracks: Tracks, span: Span) -> Iterator[Segment]:
    for part, moment in tracks.moments(span):
        good = works(moment)
        if good is not False:
            yield Segment(part.start_ms, part.end_ms, good)
            continue
        met = fates(tracks, moment, part.start_ms)
        evidence = (*findings(moment, part.start_ms), *met.evidence(part.end_ms))
        yield Segment(part.start_ms, part.end_ms, good, why(moment, met), evidence)


def _by_olt_alone(tracks: Tracks, now_ms: int) -> Iterator[Segment]:
    """No box was ever heard here: the provider's OLT speaks."""
    first_ms = tracks.onu.first_ms
    if first_ms is not None and first_ms < now_ms:
        for part, moment in tracks.moments(Span(first_ms, now_ms)):
            good = works_by_olt(moment)
            believed = good is not False or tracks.onu.is_down_twice(part.start_ms)
            yield _seen_by_olt(part, moment, good if believed else None)


def _seen_by_olt(part: Span, moment: Moment, good: bool | None) -> Segment:
    if good is not False:
        return Segment(part.start_ms, part.end_ms, good)
    evidence = tuple(findings(Moment(0, 0, moment.onu), part.start_ms))
    return Segment(part.start_ms, part.end_ms, good, why_by_olt(moment), evidence)


def _silent(site: _Site, gap: _Gap) -> Iterator[Segment]:
    """Yield what a silence comes to. One that ends soon after power came back leaves its rest to what follows."""
    start_ms = gap.span.start_ms
    for segment in _power_cut(site, gap):
        yield segment
        start_ms = segment.end_ms
    if start_ms > gap.span.start_ms and gap.span.end_ms - start_ms < site.thresholds.silence_ms:
        return
    waiting = _is_waiting(site, gap)
    for part, moment in site.tracks.moments(Span(start_ms, gap.span.end_ms)):
        # A modem at work says nothing of a router behind it that nobody hears.
        good = False if works_by_olt(moment) is False and site.tracks.onu.is_down_twice(part.start_ms) else None
        segment = _seen_by_olt(part, moment, good)
        heard = gap.heard_until(part.start_ms)
        yield replace(segment, evidence=(*heard, *segment.evidence), waiting=waiting and good is None)


def _is_waiting(site: _Site, gap: _Gap) -> bool:
    """Tell whether readings of a silence may still come: their numbers are missing, and the spool is not empty."""
    if gap.after is None:
        return True
    missing = gap.after.first_sequence - gap.before.last_sequence - 1
    return missing > 0 and gap.span.end_ms > site.settled_ms


def _power_cut(site: _Site, gap: _Gap) -> Iterator[Segment]:
    """Yield the power cut that a silence was, if the devices' own starts tell so afterwards."""
    if gap.after is None or _is_waiting(site, gap):
        return
    met = _fates_across(site, gap.before, gap.after)
    last_ms, until_ms = gap.before.last_ms, gap.after.first_ms
    gasped = any(moment.onu & Seen.GASP for _, moment in site.tracks.moments(Span(last_ms, until_ms)))
    boots = starts_together(met, site.thresholds.together_ms)
    verdict = power(met, boots, gasped=gasped)
    if verdict is None or not boots:
        return
    back_ms = max(gap.span.start_ms, min(*boots, until_ms))
    evidence = (*gap.heard_until(gap.span.start_ms), *met.evidence(back_ms))
    if gasped:
        evidence = (*evidence, Evidence(gap.span.start_ms, Finding.OLT_GASP))
    if back_ms > gap.span.start_ms:
        yield Segment(gap.span.start_ms, back_ms, works=False, verdict=verdict, evidence=evidence)


def _fates_across(site: _Site, before: Life, after: Life) -> Fates:
    latest_ms = after.first_ms + site.thresholds.together_ms
    router = site.tracks.router.crossing(before.last_ms, after.first_ms, latest_ms)
    ont = Crossing(Fate.ABSENT)
    if not site.tracks.is_one_box:
        ont = site.tracks.ont.crossing(before.last_ms, after.first_ms, latest_ms)
    anew = after.boot_id != before.boot_id and after.boot_ms > before.last_ms - site.thresholds.interval_ms
    box = Crossing(Fate.RESTARTED, after.boot_ms) if anew else Crossing(Fate.LIVED)
    return Fates(router, ont, box)
