"""A quarter of a year of one village with troubles of every cause, and the truth of them.

The truth is this list of events and nothing else: what was down from when to when, and because of what. Whoever
judges readings of :mod:`kampungnet_sim.history` is compared with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from kampungnet_sim.chance import generator
from kampungnet_sim.register import RegisteredVillage
from kampungnet_sim.village import Village, draw_profile
from kampungnet_sim.village_day import WIB_SECONDS
from kampungnet_sim.village_events import Event, EventKind
from kampungnet_sim.village_features import Scale, Wish

# The contract's own words for an outage: shorter losses are none, and good times shorter than three polls end none.
SHORTEST_SECONDS = 300.0
CALM_SECONDS = 180.0
_DAY, _HOUR, _MINUTE = 86_400, 3_600.0, 60.0
_CALM_OF = 8
"""One village of so many has no outage at all, only what looks like one."""
_SILENT_OF = 7
"""One ONT of so many answers nobody."""

CAUSES = {
    EventKind.POWER_CUT: "listrik",
    EventKind.FIBRE_CUT: "fiber",
    EventKind.BEND: "fiber",
    EventKind.PROVIDER_OUTAGE: "penyedia",
    EventKind.HANG: "perangkat",
    EventKind.REBOOT: "perangkat",
    EventKind.ONT_OFF: "perangkat",
    EventKind.CABLE_OUT: "orang",
}


@dataclass(frozen=True, slots=True, order=True)
class Trouble:
    """A part of an outage with one cause; Unix seconds. ``kind`` is what happened, ``cause`` whom it is put down to."""

    start: float
    end: float
    cause: str
    kind: EventKind


@dataclass(frozen=True, slots=True)
class Story:
    """What a village went through. ``lost``: spans whose readings never arrived. ``planned``: windows told before."""

    village: Village
    truth: tuple[Trouble, ...]
    lost: tuple[tuple[float, float], ...]
    planned: tuple[tuple[float, float], ...]
    calm: bool
    """No outage at all."""
    clockless: bool
    """The box begins each boot in 1970 and has no NTP."""


def story(found: RegisteredVillage, place: int, seed: int, start: float, days: int) -> Story:
    """Tell the story of the village that stands at ``place`` in its register; ``start`` is a midnight in WIB."""
    chance = generator(seed, found.code, "quarter")
    calm = place % _CALM_OF == 3
    end = start + days * _DAY
    # A light that fades for weeks until the line fails has no instant of failing: only sudden bends here.
    silent = frozenset({found.code} if chance.randrange(_SILENT_OF) == 0 else ())
    wish = Wish(silent_onts=silent, ageing={found.code: end}, scale=Scale(guests=8))
    profile = draw_profile(found.code, found.name, seed, wish=wish)
    village = Village(profile, frozenset() if calm else None)
    in_cage = profile.ont.kind == "sfp-mikrotik"
    told = [(event, "") for event in _harmless(chance, start, days)]
    if not calm:
        told += [(event, CAUSES[event.kind]) for event in _own(chance, start, days, in_cage=in_cage)]
        told += [(event, "orang") for event in _nights_off(chance, start, days)]
        told += [(event, "terencana") for event in _planned(seed, found.district, start, days)]
    village.set_extra_events(tuple(sorted(event for event, _ in told)))
    drawn = {event: CAUSES.get(event.kind, "") for event in village.events_between(start, end)} | dict(told)
    lost = sorted(_lost(chance, start, days))
    planned = tuple((event.start - 600, event.end + 900) for event, cause in told if cause == "terencana")
    return Story(
        village, tuple(_outages(drawn, start, end)), tuple(lost), planned, calm, clockless=chance.random() < 0.5
    )


def _event(start: float, seconds: float, kind: EventKind) -> Event:
    return Event(float(round(start)), float(round(start + seconds)), kind)


def _some_time(chance: Random, start: float, days: int, hours: tuple[float, float] = (0.0, 24.0)) -> float:
    # Nights that are switched off end within the time told, too.
    return start + chance.randrange(max(1, days - 1)) * _DAY + chance.uniform(*hours) * _HOUR


def _harmless(chance: Random, start: float, days: int) -> Iterator[Event]:
    """Losses too short to be outages, flapping, a slow internet, a box that is off while the village works."""
    for _ in range(days // 10):
        kind = chance.choice((EventKind.PROVIDER_OUTAGE, EventKind.FIBRE_CUT))
        yield _event(_some_time(chance, start, days), chance.uniform(20, 200), kind)
    for _ in range(days // 40):
        begin = _some_time(chance, start, days)
        yield from (_event(begin + n * 480, chance.uniform(40, 110), EventKind.PROVIDER_OUTAGE) for n in range(8))
    for _ in range(days // 15):
        yield _event(_some_time(chance, start, days), chance.uniform(0.5, 9) * _HOUR, EventKind.SLOW)
    for _ in range(chance.choice((0, 0, 0, 1, 2)) if days > 7 else 1):
        yield _event(_some_time(chance, start, days), chance.uniform(0.2, 20) * _HOUR, EventKind.BOX_OFF)


def _own(chance: Random, start: float, days: int, *, in_cage: bool) -> Iterator[Event]:
    """Yield what is not drawn with the village itself. A stick in the router's cage has no adapter and no cable."""
    weeks = max(1, days // 7)
    if chance.random() < 0.06 * weeks:
        yield _event(_some_time(chance, start, days), chance.uniform(0.5, 14) * _HOUR, EventKind.BEND)
    if not in_cage and chance.random() < 0.06 * weeks:
        yield _event(_some_time(chance, start, days), chance.uniform(0.2, 9) * _HOUR, EventKind.ONT_OFF)
    if not in_cage and chance.random() < 0.06 * weeks:
        yield _event(_some_time(chance, start, days, (7, 20)), chance.uniform(0.2, 6) * _HOUR, EventKind.CABLE_OUT)
    if chance.random() < 0.05 * weeks:
        yield _event(_some_time(chance, start, days), chance.uniform(10, 90) * _MINUTE, EventKind.HANG)
    if chance.random() < 0.05 * weeks:
        # A shaky line: good for a minute now and then, and still one outage.
        at = _some_time(chance, start, days)
        for _ in range(3):
            seconds = chance.uniform(10, 25) * _MINUTE
            yield _event(at, seconds, EventKind.PROVIDER_OUTAGE)
            at += seconds + chance.uniform(50, 100)


def _nights_off(chance: Random, start: float, days: int) -> Iterator[Event]:
    """Somebody switches the lot off when leaving, and on again in the morning."""
    for _ in range(chance.choice((0, 0, 0, 1, 3)) if days > 7 else 0):
        begin = _some_time(chance, start, days, (15.0, 16.5))
        yield _event(begin, chance.uniform(15, 16) * _HOUR, EventKind.POWER_CUT)


def _planned(seed: int, district: str, start: float, days: int) -> Iterator[Event]:
    """The provider works on a kecamatan's line at night, as announced."""
    chance = generator(seed, district, "planned")
    if days > 7 and chance.random() < 0.5:
        begin = _some_time(chance, start, days, (0.5, 1.5))
        yield _event(begin, chance.uniform(1, 3) * _HOUR, EventKind.PROVIDER_OUTAGE)


def _lost(chance: Random, start: float, days: int) -> Iterator[tuple[float, float]]:
    for _ in range(days // 8):
        begin = _some_time(chance, start, days)
        yield begin, begin + chance.choice((60, 120, 240, 240, 1_800, 5_400))


def _outages(causes: dict[Event, str], start: float, end: float) -> Iterator[Trouble]:
    """Yield what was down, in order: of several at once the one that began first names the cause."""
    run: list[tuple[Trouble, float]] = []
    for one in _pieces(causes, start, end):
        if run and one.start - run[-1][0].end >= CALM_SECONDS:
            yield from _worth_telling(run)
            run = []
        unbroken = one.end - one.start
        if run:
            last, seconds = run[-1]
            unbroken += seconds if last.end == one.start else 0
            # A good time too short to end it belongs to what was before.
            run[-1] = Trouble(last.start, one.start, last.cause, last.kind), seconds
        run.append((one, unbroken))
    yield from _worth_telling(run)


def _worth_telling(run: list[tuple[Trouble, float]]) -> Iterable[Trouble]:
    return [piece for piece, _ in run] if any(unbroken >= SHORTEST_SECONDS for _, unbroken in run) else ()


def _pieces(causes: dict[Event, str], start: float, end: float) -> Iterator[Trouble]:
    until = start
    for event in sorted(causes):
        begin, last = max(event.start, until), min(event.end, end)
        if causes[event] or event.kind in CAUSES:
            if begin < last:
                yield Trouble(begin, last, causes[event] or CAUSES[event.kind], event.kind)
            until = max(until, last)


def midnight_wib(day: int) -> float:
    """Unix seconds of the local midnight that begins a day counted since 1970-01-01."""
    return float(day * _DAY - WIB_SECONDS)
