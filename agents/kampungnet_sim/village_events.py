"""What goes wrong in a village: reboots, power cuts, fibre cuts, provider outages, hangs.

Events are drawn once for each window of 30 days, so that any instant of any year can be asked
without playing the time before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from random import Random

from kampungnet_sim.chance import generator

WINDOW_SECONDS = 30 * 86_400
_MINUTE = 60.0
_HOUR = 3_600.0
# 17:00 UTC is midnight in WIB (UTC+7).
_LOCAL_MIDNIGHT_UTC = 17 * _HOUR


class EventKind(StrEnum):
    """The causes a village knows."""

    REBOOT = "reboot"
    POWER_CUT = "power_cut"
    FIBRE_CUT = "fibre_cut"
    PROVIDER_OUTAGE = "provider_outage"
    HANG = "hang"
    COUNTER_WRAP = "counter_wrap"
    COUNTER_RESET = "counter_reset"
    REDIAL = "redial"
    # These are not drawn: a fault, a test or :mod:`kampungnet_sim.quarter` puts them on top.
    ONT_OFF = "ont_off"
    """The ONT alone has no electricity; the router's WAN port loses its carrier."""
    CABLE_OUT = "cable_out"
    """Somebody pulled the cable between router and ONT: the box reaches the ONT no more."""
    BEND = "bend"
    """The fibre is bent or wet: light is there, far too little of it."""
    SLOW = "slow"
    """The internet answers, late."""
    BOX_OFF = "box_off"
    """Only the agent's box has no electricity: nobody polls."""


# After these the router starts anew: uptime and counters begin at 0.
BOOTING = frozenset({EventKind.REBOOT, EventKind.POWER_CUT, EventKind.HANG})
# During these nothing crosses the WAN port.
SILENCING = frozenset(
    {
        EventKind.REBOOT,
        EventKind.POWER_CUT,
        EventKind.FIBRE_CUT,
        EventKind.PROVIDER_OUTAGE,
        EventKind.HANG,
        EventKind.ONT_OFF,
        EventKind.CABLE_OUT,
        EventKind.BEND,
    }
)
# These take the carrier from the router's WAN port.
CARRIER_ENDING = frozenset({EventKind.FIBRE_CUT, EventKind.ONT_OFF, EventKind.CABLE_OUT})


# Each of these ends a dialled line, which is dialled anew when it is over.
LINE_ENDING = CARRIER_ENDING | {EventKind.PROVIDER_OUTAGE, EventKind.REDIAL}


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One thing that happens from ``start`` (included) to ``end`` (excluded), Unix seconds."""

    start: float
    end: float
    kind: EventKind

    def holds_at(self, when: float) -> bool:
        """Is it happening at this instant?"""
        return self.start <= when < self.end


def events_of_window(seed: int, code: str, window: int) -> tuple[Event, ...]:
    """All events that start in one window of 30 days, in order of start."""
    own = _own_events(generator(seed, code, "events", window), window)
    # A pole or feeder that falls takes the whole kecamatan with it.
    shared = _district_events(seed, code[:8], window)
    return tuple(sorted((*own, *shared)))


def _at(chance: Random, window: int, hours: tuple[float, float] = (0.0, 24.0)) -> float:
    day = chance.randrange(30) * 86_400
    local = chance.uniform(*hours) * _HOUR
    return float(window * WINDOW_SECONDS + day) - (86_400 - _LOCAL_MIDNIGHT_UTC) + local


def _event(start: float, seconds: float, kind: EventKind) -> Event:
    # Whole seconds: a real log has no finer ones, and tests can name the border.
    return Event(float(round(start)), float(round(start + seconds)), kind)


def _own_events(chance: Random, window: int) -> Iterable[Event]:
    yield _event(_at(chance, window, (1, 23)), chance.uniform(40, 70), EventKind.REBOOT)
    for _ in range(chance.choice((0, 1, 1, 2))):
        start = _at(chance, window, (13, 20))
        yield _event(start, chance.uniform(6, 110) * _MINUTE, EventKind.POWER_CUT)
    for _ in range(chance.choice((0, 1, 1, 2))):
        start = _at(chance, window)
        yield _event(start, chance.uniform(7, 160) * _MINUTE, EventKind.PROVIDER_OUTAGE)
    if chance.random() < 0.22:
        yield _event(_at(chance, window), chance.uniform(1.5, 16) * _HOUR, EventKind.FIBRE_CUT)
    if chance.random() < 0.15:
        yield _event(_at(chance, window), chance.uniform(10, 45) * _MINUTE, EventKind.HANG)


@lru_cache(maxsize=4096)
def _district_events(seed: int, district: str, window: int) -> tuple[Event, ...]:
    chance = generator(seed, district, "district", window)
    found = []
    if chance.random() < 0.30:
        start = _at(chance, window, (12, 21))
        found.append(_event(start, chance.uniform(20, 150) * _MINUTE, EventKind.POWER_CUT))
    if chance.random() < 0.12:
        start = _at(chance, window)
        found.append(_event(start, chance.uniform(2, 9) * _HOUR, EventKind.FIBRE_CUT))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Segment:
    """A span in which nothing begins or ends: what holds in it, and the last starts before it.

    ``power_back``, ``ont_back`` and ``box_back`` are when the village, its ONT and its box had electricity again.
    ``dial`` is when the line could be dialled last. ``cuts`` and ``drops`` are, since the router's
    boot, the events that took the carrier from the WAN port and that ended a dialled line.
    """

    start: float
    end: float
    kinds: frozenset[EventKind]
    boot: float
    power_back: float
    ont_back: float
    box_back: float
    dial: float
    cuts: tuple[Event, ...]
    drops: tuple[Event, ...]


class Calendar:
    """All events of one village, drawn as they are needed, plus those a test added.

    ``drawn``: only events of these kinds are kept of those drawn (reboots always: something must have started it).
    ``told`` happen besides.
    """

    def __init__(
        self, seed: int, code: str, drawn: frozenset[EventKind] | None = None, told: tuple[Event, ...] = ()
    ) -> None:
        self._drawn = drawn
        self._told = told
        self._seed = seed
        self._code = code
        self._windows: dict[int, tuple[Event, ...]] = {}
        self._extra: tuple[Event, ...] = ()
        self._segment: Segment | None = None

    @property
    def extra(self) -> tuple[Event, ...]:
        """Events that a test or a demo put on top of the drawn ones."""
        return self._extra

    @extra.setter
    def extra(self, events: tuple[Event, ...]) -> None:
        self._extra = events
        self._segment = None

    def _window(self, number: int) -> tuple[Event, ...]:
        events = self._windows.get(number)
        if events is None:
            events = events_of_window(self._seed, self._code, number)
            if self._drawn is not None:
                events = tuple(e for e in events if e.kind is EventKind.REBOOT or e.kind in self._drawn)
            self._windows[number] = events
        return events

    def _since_window(self, number: int, windows: int) -> list[Event]:
        # The local day lets an event of a window start 7 hours before it, hence one more at the end.
        drawn = [e for n in range(number - windows, number + 2) for e in self._window(n)]
        return [*drawn, *self._told, *self._extra]

    def between(self, start: float, end: float) -> list[Event]:
        """Every event that touches the span, in order of start."""
        first = int(start // WINDOW_SECONDS) - 1
        last = int(end // WINDOW_SECONDS) + 1
        drawn = [e for n in range(first, last + 1) for e in self._window(n)]
        return sorted(e for e in (*drawn, *self._told, *self._extra) if e.start < end and e.end > start)

    def segment(self, when: float) -> Segment:
        """What holds at an instant; the last answer is kept, as polls come in order."""
        known = self._segment
        if known is None or not known.start <= when < known.end:
            known = self._segment = self._work_out(when)
        return known

    def _work_out(self, when: float) -> Segment:
        number = int(when // WINDOW_SECONDS)
        events = self._since_window(number, 2)
        edges = [edge for e in events for edge in (e.start, e.end)]
        edges += [float(number * WINDOW_SECONDS), float((number + 1) * WINDOW_SECONDS)]
        # Every window has a reboot, so two windows back there is always one.
        boot = max(e.end for e in events if e.kind in BOOTING and e.end <= when)
        ended = [e for e in self._since_window(number, 4) if e.end <= when]
        oldest = float((number - 4) * WINDOW_SECONDS)

        def back(*kinds: EventKind) -> float:
            return max((e.end for e in ended if e.kind is EventKind.POWER_CUT or e.kind in kinds), default=oldest)

        fallen = sorted(e for e in events if e.kind in LINE_ENDING and boot < e.start <= when)
        return Segment(
            start=max(edge for edge in edges if edge <= when),
            end=min(edge for edge in edges if edge > when),
            kinds=frozenset(e.kind for e in events if e.holds_at(when)),
            boot=boot,
            power_back=back(),
            ont_back=back(EventKind.ONT_OFF),
            box_back=back(EventKind.BOX_OFF),
            dial=max((e.end for e in events if e.kind in LINE_ENDING and boot < e.end <= when), default=boot),
            cuts=tuple(e for e in fallen if e.kind in CARRIER_ENDING),
            drops=tuple(fallen),
        )
