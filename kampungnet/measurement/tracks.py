"""Pure: a site's timeline, asked by the instant: what each device said, and whether it started anew."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from msgspec.structs import replace

from kampungnet.measurement.evidence import SPLIT_MS, STALE_MS, Role, Row, Stretch, Timeline, began_anew
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.sights import ONU_DOWN, Seen

FORGOTTEN_MS: Final = 86_400_000
"""A device that has not answered for a day before is not there as far as a new outage is concerned."""


class Fate(Enum):
    """What became of a device over a time in which it was not heard."""

    ABSENT = "absent"
    """It had not answered before either."""
    OPEN = "open"
    """It has not answered since."""
    UNTOLD = "untold"
    """It answered again and does not tell whether it started anew then."""
    LIVED = "lived"
    RESTARTED = "restarted"


class Crossing(NamedTuple):
    """A device's fate, and when it started if it did."""

    fate: Fate
    boot_ms: int = 0


class Moment(NamedTuple):
    """The sights that hold at an instant; 0 where nothing is known."""

    router: int
    ont: int
    onu: int


class Track:
    """One device's stretches."""

    def __init__(self, row: Row | None) -> None:
        self._stretches = row.stretches if row else ()
        self._firsts = [one.first_ms for one in self._stretches]
        self._answers = [one for one in self._stretches if one.sight & Seen.ANSWERS]
        self._answer_firsts = [one.first_ms for one in self._answers]

    @property
    def first_ms(self) -> int | None:
        """When the device was looked at first."""
        return self._firsts[0] if self._firsts else None

    def at(self, at_ms: int) -> int:
        """Return the sight that holds at an instant: of the last look, while it is not stale, else of one just coming.

        After a silence the devices are asked one after another: what the second one says held when the first was asked.
        """
        place = bisect_right(self._firsts, at_ms) - 1
        if place >= 0 and at_ms < self._stretches[place].last_ms + STALE_MS:
            return self._stretches[place].sight
        coming = self._stretches[place + 1 : place + 2]
        return coming[0].sight if coming and coming[0].first_ms - at_ms <= SPLIT_MS else 0

    def edges(self, span: Span) -> Iterator[int]:
        """Yield the instants within a span at which the sight may change."""
        first = max(0, bisect_right(self._firsts, span.start_ms) - 1)
        for place in range(first, len(self._stretches)):
            stretch = self._stretches[place]
            if stretch.first_ms >= span.end_ms:
                return
            for edge in (stretch.first_ms, stretch.last_ms + STALE_MS):
                if span.start_ms < edge < span.end_ms:
                    yield edge

    def is_down_twice(self, at_ms: int) -> bool:
        """Tell whether two looks in a row found it down, of which one holds at an instant.

        Facts on ONTs 13.2: "after 2 polls alike"; a single look may meet an ONU that is just registering.
        """
        place = max(0, bisect_right(self._firsts, at_ms) - 1)
        held = self._stretches[place]
        beside = (one for one in self._stretches[max(0, place - 1) : place + 2] if one is not held)
        return held.first_ms < held.last_ms or any(one.sight & ONU_DOWN and _is_near(one, held) for one in beside)

    def silence(self, at_ms: int, slack_ms: int) -> Crossing:
        """Return the device's fate over the silence that holds at an instant.

        A start earlier than the silence, by more than ``slack_ms``, was before it: the device counted on through it.
        """
        held = self._stretches[max(0, bisect_right(self._firsts, at_ms) - 1)]
        start_ms = held.first_ms if held.sight & Seen.SILENT else at_ms
        fate = self.crossing(start_ms, start_ms + 1)
        early = fate.fate is Fate.RESTARTED and fate.boot_ms < start_ms - slack_ms
        return Crossing(Fate.LIVED) if early else fate

    def crossing(self, start_ms: int, end_ms: int, latest_ms: int | None = None) -> Crossing:
        """Return the device's fate between two instants. A start after ``latest_ms`` had another reason."""
        place = bisect_right(self._answer_firsts, start_ms) - 1
        if place < 0 or start_ms - self._answers[place].last_ms > FORGOTTEN_MS:
            return Crossing(Fate.ABSENT)
        before = self._answers[place]
        if before.last_ms >= end_ms:
            return Crossing(Fate.LIVED)
        if place + 1 == len(self._answers):
            return Crossing(Fate.OPEN)
        return _between(before, self._answers[place + 1], latest_ms)


def _is_near(one: Stretch, other: Stretch) -> bool:
    return max(one.first_ms, other.first_ms) - min(one.last_ms, other.last_ms) <= STALE_MS


def _between(before: Stretch, after: Stretch, latest_ms: int | None) -> Crossing:
    anew, boot_ms = began_anew(before, after), after.first_boot_ms
    if anew is None or boot_ms is None or (latest_ms is not None and boot_ms > latest_ms):
        return Crossing(Fate.UNTOLD)
    return Crossing(Fate.RESTARTED, boot_ms) if anew else Crossing(Fate.LIVED)


@dataclass(frozen=True, slots=True)
class Tracks:
    """The devices of one site that tell of its service."""

    router: Track
    ont: Track
    onu: Track
    is_one_box: bool
    """The ONT is a part of the router: its silence and its restarts are the router's."""

    def moments(self, span: Span) -> Iterator[tuple[Span, Moment]]:
        """Yield the parts of a span in which no sight changes, in order and without holes."""
        edges = {edge for track in (self.router, self.ont, self.onu) for edge in track.edges(span)}
        borders = [span.start_ms, *sorted(edges), span.end_ms]
        last = borders[0]
        held = self._moment(last)
        for border in borders[1:-1]:
            moment = self._moment(border)
            if moment != held:
                yield Span(last, border), held
                last, held = border, moment
        if span.end_ms > last:
            yield Span(last, span.end_ms), held

    def _moment(self, at_ms: int) -> Moment:
        ont = self.ont.at(at_ms)
        if self.is_one_box and not ont & Seen.ANSWERS:
            ont = 0
        return Moment(self.router.at(at_ms), ont, self.onu.at(at_ms))


def tracks_of(timeline: Timeline) -> Tracks:
    """Return a timeline's devices: its router, its ONT, and its ONT as an OLT sees it."""
    return Tracks(
        Track(timeline.row(Role.ROUTER)),
        Track(timeline.row(Role.ONT)),
        Track(_gasp_kept(timeline.row(Role.ONU))),
        timeline.is_one_box,
    )


def _gasp_kept(row: Row | None) -> Row | None:
    """Let a gasp stand while the ONU is merely offline afterwards: the OLT forgets, the power is still gone."""
    if row is None:
        return None
    kept: list[Stretch] = []
    for one in row.stretches:
        last = kept[-1] if kept else None
        goes_on = last and last.sight & Seen.GASP and one.sight & Seen.OFFLINE and _is_near(last, one)
        kept.append(replace(one, sight=Seen.GASP) if goes_on else one)
    return replace(row, stretches=tuple(kept))
