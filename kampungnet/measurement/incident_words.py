"""Pure: an incident in, what a page says of it out."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kampungnet.core.languages import Language
from kampungnet.measurement.incidents import Place
from kampungnet.measurement.outage_list import CAUSES, DOUBTFUL, SILENT, stretch
from kampungnet.measurement.outage_words import Cause

NAMES_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one incident, with the names of its villages."""

    id: str
    start_ms: int
    end_ms: int | None
    cause: Cause
    confidence: float
    is_silence: bool
    """Nothing but silence speaks for it."""
    place: Place
    sites: int
    is_mixed: bool
    is_provisional: bool
    villages: Sequence[tuple[str, str]]
    """Code and name, in the order in which they went dark."""


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One incident as the list shows it."""

    id: str
    style: str
    what: str
    where: str
    when: str
    how_many: str
    names: str
    note: str
    is_open: bool


def told(
    one: Told, names: Mapping[str, str], language: Language, zone: str, now_ms: int, connected: Collection[str] = ()
) -> IncidentLine:
    """Return an incident in words. ``names`` are of kecamatan and villages, by code.

    One whose villages are all ``connected`` by now goes on no more, even where that was not judged yet.
    """
    is_back = all(code in connected for code, _ in one.villages)
    what = language.say(SILENT if one.is_silence else CAUSES[one.cause])
    if not one.is_silence and one.cause is not Cause.UNKNOWN and one.confidence < DOUBTFUL:
        what = language.say("Probably: %(what)s", what=what[:1].lower() + what[1:])
    notes = []
    if one.is_mixed:
        notes.append(language.say("The villages tell of different causes: perhaps one pole or cabinet carried both."))
    if one.is_provisional:
        notes.append(language.say("Provisional: not all data has come from the box yet."))
    shown = ", ".join(name for _, name in one.villages[:NAMES_SHOWN])
    more = len(one.villages) - NAMES_SHOWN
    return IncidentLine(
        one.id, "unseen" if one.is_silence else one.cause.value, what, where(one.place, names, language),
        stretch((one.start_ms, one.end_ms), language, zone, now_ms, is_back=is_back), _how_many(one, language),
        shown + (" " + language.say("and %(more)s more", more=language.number(more)) if more > 0 else ""),
        " ".join(notes), one.end_ms is None and not is_back,
    )  # fmt: skip


def where(place: Place, names: Mapping[str, str], language: Language) -> str:
    """Return the name of a likely place, the finest part first."""
    if not place:
        return language.say("place not known")
    last = place[-1]
    code = last.split("-")[0]
    if code in names:
        is_district = len(code) == 8
        return language.say("Kecamatan %(name)s", name=names[code]) if is_district else names[code]
    if len(place) == 1:
        return language.say("Cable %(name)s", name=last)
    return language.say("%(part)s on cable %(name)s", part=last, name=place[0])


def causes_of(found: Sequence[Told]) -> list[tuple[Cause, int]]:
    """Return how many incidents there are of each cause, in the causes' own order."""
    counts = Counter(one.cause for one in found)
    return [(cause, counts[cause]) for cause in Cause if counts[cause]]


def _how_many(one: Told, language: Language) -> str:
    number = len({code for code, _ in one.villages})
    if number == 1:
        return ""
    if number >= one.sites:
        return language.say("all %(number)s villages there", number=language.number(number))
    return language.say("%(number)s of %(sites)s villages there", number=language.number(number),
                        sites=language.number(one.sites))  # fmt: skip
