"""A told quarter's readings as the server would have them, folded by the day, and what the classifier says of them.

The sight of a device changes only when an event of the simulator begins or ends: so of each stretch between events,
lost readings and midnights the first and the last poll are made, and the fold of the polls between is bridged. A test
holds that against the fold of every single poll.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil

import msgspec

from kampungnet.measurement.boots import Offset, TimeQuality, better, offset_of, repaired
from kampungnet.measurement.causes import judge, told_by
from kampungnet.measurement.evidence import Life, Row, Stretch, Timeline, joined, timeline
from kampungnet.measurement.outage_words import Horizon, Outage
from kampungnet.measurement.sights import onu_sights
from kampungnet.measurement.slots import Timed
from kampungnet.shared import wire
from kampungnet_sim.history import BOX_START_SECONDS, Past, Span
from kampungnet_sim.olt_onus import GASP_SECONDS, RANGING_SECONDS, Phase, Place, VillageOnu
from kampungnet_sim.quarter import Story, Trouble, midnight_wib, story
from kampungnet_sim.register import RegisteredVillage, made_up
from kampungnet_sim.village_events import EventKind
from tests.measurement.score import Case, Claim

FIRST_DAY = 20_605
"""2026-06-01, counted since 1970-01-01."""
DAY, STEP, OLT_STEP = 86_400, 60, 300
NEAR_SECONDS = 900
"""A power cut is told by what was read so shortly before and after it."""
SETTLES_SECONDS = GASP_SECONDS + RANGING_SECONDS
"""So long after an event began or ended what an OLT says of an ONU may still change."""
_ONU = "ont@olt"
_OLT_OF = 4
"""One kecamatan of so many has its OLT read."""
_STATES = {
    Phase.LOGGING: wire.OnuState.REGISTERING,
    Phase.LOS: wire.OnuState.LOS,
    Phase.WORKING: wire.OnuState.ONLINE,
    Phase.DYING_GASP: wire.OnuState.DYING_GASP,
    Phase.AUTH_FAILED: wire.OnuState.REFUSED,
    Phase.OFFLINE: wire.OnuState.OFFLINE,
}
_BY_POWER = frozenset({EventKind.POWER_CUT})
_BY_ROUTER = frozenset({EventKind.HANG, EventKind.REBOOT, EventKind.PROVIDER_OUTAGE})
_decode = msgspec.json.Decoder(wire.Reading).decode


@dataclass(frozen=True, slots=True)
class Told:
    """One village: its story, its days folded, when its box was heard (Unix seconds), and what judges may use."""

    district: str
    story: Story
    days: tuple[Timeline, ...]
    heard: tuple[tuple[float, float], ...]
    has_olt: bool

    @property
    def has_ont(self) -> bool:
        """Tell whether the ONT answers."""
        return self.story.village.profile.ont.kind != "silent"

    @property
    def group(self) -> str:
        """What its evidence comes from."""
        return f"{'ONT' if self.has_ont else 'no ONT'}{' and OLT' if self.has_olt else ''}"


def tell(found: RegisteredVillage, place: int, seed: int, days: int) -> Told:
    """Tell a village's story and fold what of it arrived."""
    start = midnight_wib(FIRST_DAY)
    told = story(found, place, seed, start, days)
    parts = list(Polls(told, Span(start, start + days * DAY, STEP)).stretches())
    has_olt = int(found.district[-2:]) % _OLT_OF == 0
    shift = _offsets(parts)
    folded = tuple(
        _day([one for one in parts if one.day == day], shift, _looks(told, start + day * DAY) if has_olt else [])
        for day in range(days)
    )
    return Told(found.district, told, folded, tuple((one.first, one.last) for one in parts), has_olt)


@dataclass(frozen=True, slots=True)
class Steady:
    """Polls between which nothing changes: only the first and the last of them were made."""

    day: int
    first: float
    last: float
    readings: tuple[wire.Reading, ...]
    internet: bool
    """Reports go out."""
    clockless: bool


@dataclass
class Polls:
    """Makes polls of a village that arrive."""

    story: Story
    span: Span
    past: Past = field(init=False)

    def __post_init__(self) -> None:
        self.past = Past(self.story.village)

    def stretches(self) -> Iterator[Steady]:
        """Yield them in order."""
        phase = self.past.first_poll(self.span)
        borders = self._borders()
        for start, end in itertools.pairwise(borders):
            first, after = ceil((start - phase) / STEP), ceil((end - phase) / STEP)
            if after > first and self.past.polls_at(phase + first * STEP):
                found = self._stretch(phase + first * STEP, after - first)
                if not self._is_lost(found.first):
                    yield found

    def every_poll(self) -> list[wire.Reading]:
        """Return all readings that arrive, one by one."""
        when, found = self.past.first_poll(self.span), []
        while when < self.span.end:
            readings = self.past.poll(when)
            found += [] if self._is_lost(when) else [_decode(text) for text in readings]
            when += STEP
        return found

    def _borders(self) -> list[float]:
        start, end = self.span.start, self.span.end
        events = self.story.village.events_between(start, end)
        edges = {edge for one in events for edge in (one.start, one.end, one.end + BOX_START_SECONDS)}
        # The first poll without a carrier still pings the gateway of the one before.
        edges |= {one.start + STEP for one in events}
        edges |= {edge for lost in self.story.lost for edge in lost}
        edges |= {start + n * DAY for n in range(int((end - start) // DAY) + 1)}
        return sorted(edge for edge in edges | {end} if start <= edge <= end)

    def _is_lost(self, when: float) -> bool:
        return any(first <= when < last for first, last in self.story.lost)

    def _stretch(self, first: float, polls: int) -> Steady:
        last = first + (polls - 1) * STEP
        texts = self.past.poll(first)
        self.past.skip(max(0, polls - 2))
        texts += self.past.poll(last) if polls > 1 else []
        day = int((first - self.span.start) // DAY)
        internet = self.story.village.state_at(first).internet_ping_ms is not None
        return Steady(day, first, last, tuple(map(_decode, texts)), internet, self.story.clockless)


def _offsets(parts: Iterable[Steady]) -> dict[str, Offset]:
    """Return by boot what the reports told of its clock; one that never got out tells nothing."""
    found: dict[str, Offset] = {}
    for one in parts:
        if one.internet:
            reading = one.readings[0]
            received_ms = reading.taken_at_ms + 200 + reading.boottime_ms % 1_700
            sent_ms = reading.boottime_ms if one.clockless else reading.taken_at_ms
            new = offset_of(sent_ms, reading.boottime_ms, received_ms, synchronised=not one.clockless)
            found[reading.boot_id] = better(found.get(reading.boot_id), new)
    return found


def _timed(one: Steady, shift: dict[str, Offset]) -> Iterator[Timed]:
    for reading in one.readings:
        # In 1970 the wall clock shows what the box has counted since it started.
        shown = msgspec.structs.replace(reading, taken_at_ms=reading.boottime_ms) if one.clockless else reading
        at_ms, quality = repaired(shown, shift.get(reading.boot_id), reading.taken_at_ms + 1_000)
        if quality > TimeQuality.UNKNOWN:
            yield Timed(at_ms, shown)


def _day(parts: Sequence[Steady], shift: dict[str, Offset], looks: list[tuple[int, int]]) -> Timeline:
    bridges = [bridged(timeline(_timed(one, shift))) for one in parts]
    return joined([*bridges, timeline([], {}, {_ONU: looks})])


def bridged(ends: Timeline) -> Timeline:
    """Return the fold of all polls of a steady stretch, given that of its first and last.

    Raises ``ValueError`` if something changed between them.
    """
    rows = []
    for row in ends.rows:
        first, last = row.stretches[0], row.stretches[-1]
        if first.sight != last.sight:
            raise ValueError(f"{row.device} changed from {first} to {last}")
        whole = Stretch(first.first_ms, last.last_ms, first.sight, first.first_boot_ms, last.last_boot_ms)
        rows.append(Row(row.device, row.role, row.serials, (whole,)))
    if not ends.lives:
        return ends
    first_life, last_life = ends.lives[0], ends.lives[-1]
    life = Life(
        first_life.first_ms, last_life.last_ms, first_life.boot_id, first_life.boot_ms, first_life.first_sequence,
        last_life.last_sequence,
    )  # fmt: skip
    return Timeline((life,), tuple(rows))


def _looks(told: Story, start: float) -> list[tuple[int, int]]:
    """What the OLT says of the village's ONU in a day; it is asked every five minutes."""
    onu, segment = VillageOnu(Place(1, 1, 1), told.village), told.village.calendar.segment
    found = []
    now, held = onu.now(start), (0.0, 0.0)
    for place in range(DAY // OLT_STEP):
        when = start + place * OLT_STEP + 7
        if not held[0] <= when < held[1]:
            now, held = onu.now(when), (segment(when).start + SETTLES_SECONDS, segment(when).end)
        seen = wire.Onu(serial=onu.serial, state=_STATES[now.phase])
        body = wire.OltBody(onus=[seen])
        reading = wire.Reading("olt", place, "olt", round(when * 1000), 0, wire.Outcome.OK, 9, body=body)
        found += onu_sights([Timed(round(when * 1000), reading)], onu.serial)
    return found


def judge_all(told: Sequence[Told], days: int) -> list[list[Outage]]:
    """Judge every village from its folded days, then let neighbours of a kecamatan speak."""
    end_ms = round((midnight_wib(FIRST_DAY) + days * DAY) * 1000)
    return _with_neighbours(told, [list(judge(joined(one.days), Horizon(end_ms, end_ms)).outages) for one in told])


def _with_neighbours(told: Sequence[Told], found: list[list[Outage]]) -> list[list[Outage]]:
    of_district: dict[str, list[int]] = {}
    for place, one in enumerate(told):
        of_district.setdefault(one.district, []).append(place)
    said = []
    for place, outages in enumerate(found):
        near = [other for n in of_district[told[place].district] if n != place for other in found[n]]
        said.append([told_by(one, near) for one in outages])
    return said


def case_of(told: Told, outages: Iterable[Outage], days: int) -> Case:
    """Set what was said beside the truth. Silence alone is no downtime; announced work is planned where it was down."""
    end_ms = round((midnight_wib(FIRST_DAY) + days * DAY) * 1000)
    said = [Claim(one.start_ms, min(one.end_ms or end_ms, end_ms), one.cause.value) for one in outages if one.is_proven]
    truth = [claim for one in told.story.truth for claim in _claims(told, one)]
    windows = [(round(first * 1000), round(last * 1000)) for first, last in told.story.planned]
    return Case(told.group, truth, [part for one in said for part in _planned(one, windows)])


def _planned(claim: Claim, windows: Sequence[tuple[int, int]]) -> Iterator[Claim]:
    edges = {edge for window in windows for edge in window if claim.start_ms < edge < claim.end_ms}
    borders = sorted(edges | {claim.start_ms, claim.end_ms})
    for first, last in itertools.pairwise(borders):
        within = any(start <= first < end for start, end in windows)
        yield Claim(first, last, "terencana" if within else claim.cause)


def _claims(told: Told, trouble: Trouble) -> Iterator[Claim]:
    """Cut a trouble where what arrives begins or ends to tell its cause."""
    heard = [(max(first - STEP, trouble.start), min(last + STEP, trouble.end)) for first, last in told.heard]
    evident = [span for span in heard if span[0] < span[1]] if _can_tell(told, trouble) else []
    if trouble.kind in _BY_POWER and _was_heard_beside(told, trouble):
        evident = [(trouble.start, trouble.end)]
    borders = sorted({trouble.start, trouble.end, *(edge for span in evident for edge in span)})
    for first, last in itertools.pairwise(borders):
        is_evident = any(start <= first < end for start, end in evident)
        yield Claim(round(first * 1000), round(last * 1000), trouble.cause, is_evident)


def _can_tell(told: Told, trouble: Trouble) -> bool:
    """Facts on ONTs 13.3: the router alone tells of itself and of the line behind the gateway, no more."""
    if trouble.kind is EventKind.BEND:
        return told.has_ont and told.story.village.profile.ont.kind != "plain"
    return trouble.kind in _BY_ROUTER or told.has_ont or told.has_olt


def _was_heard_beside(told: Told, trouble: Trouble) -> bool:
    before = any(trouble.start - NEAR_SECONDS <= last and first <= trouble.start for first, last in told.heard)
    return before and any(first <= trouble.end + NEAR_SECONDS and last >= trouble.end for first, last in told.heard)


def villages(count: int) -> list[tuple[int, RegisteredVillage]]:
    """Return that many villages with their places."""
    return list(enumerate(made_up(count)))
