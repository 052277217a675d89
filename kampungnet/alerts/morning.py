"""What the digest of a morning is made of: what lasts, what recovered, which lights fall, which boxes are silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from kampungnet.alerts.facts import Fact, Light, Morning, Silent, Work
from kampungnet.core import clock
from kampungnet.core.languages import Language
from kampungnet.devices.service import VillageState, village_states
from kampungnet.devices.status import Status
from kampungnet.measurement import service, states
from kampungnet.measurement.light import Level, Outlook, judge, outlook
from kampungnet.measurement.light_words import DAYS, millidecibels
from kampungnet.staff import audit, published
from kampungnet.staff.service import Scope

WORST: Final = (Level.DARK, Level.CRITICAL, Level.BLINDING, Level.WEAK, Level.GOOD)
AHEAD_MS: Final = 2 * clock.DAY_MS
"""Planned work is named so long before it begins."""


@dataclass(frozen=True, slots=True)
class Dawn:
    """What one morning says of a whole regency."""

    villages: Sequence[VillageState]
    lights: Sequence[Light]
    """The worst first."""
    seal: str = ""
    anew: int | None = None
    """The act at which the log was begun anew, if it was."""


def dawn(db: Session, regency: str, language: Language, now_ms: int) -> Dawn:
    """Look at every village of a regency: once a morning, for the trends of 401 villages take seconds."""
    zone = clock.zone_of(regency)
    found = village_states(db, regency, now_ms)
    lights = [told for one in found if (told := _light(db, one, language, zone, now_ms))]
    seals = published.heads(db, regency, now_ms, 1)
    return Dawn(
        found, [light for _, light in sorted(lights, key=lambda one: (one[0], one[1].village))],
        str(seals[0]) if seals else "", audit.begun_anew(db, regency),
    )  # fmt: skip


def morning(found: Dawn, facts: Sequence[Fact], scope: Scope, now_ms: int) -> Morning:
    """Return the morning of one reader; ``facts`` are as they may see them."""
    own = [one for one in found.villages if scope.covers(one.village.code) and one.status is not Status.NEVER]
    silent = [
        Silent(one.village.code, one.village.name, one.last_reading_ms or 0)
        for one in own if one.status is Status.SILENT
    ]  # fmt: skip
    return Morning(
        day=clock.local_day(now_ms, clock.zone_of(scope.regency)),
        facts=[one for one in facts if _is_of_today(one, now_ms)],
        lights=[one for one in found.lights if scope.covers(one.village)],
        silent=sorted(silent, key=lambda one: -one.since_ms), villages=len(own),
        up=sum(one.status is Status.UP for one in own), seal=found.seal if scope.is_whole else "",
        anew=found.anew if scope.is_whole else None,
    )  # fmt: skip


def _is_of_today(fact: Fact, now_ms: int) -> bool:
    if isinstance(fact.about, Work):
        is_coming = fact.end_ms is not None and fact.end_ms > now_ms and fact.start_ms < now_ms + AHEAD_MS
        return is_coming and not fact.about.withdrawn
    if fact.is_planned and fact.end_ms is not None:
        return False
    return fact.end_ms is None or fact.end_ms > now_ms - clock.DAY_MS


def _light(
    db: Session, state: VillageState, language: Language, zone: str, now_ms: int
) -> tuple[int, Light] | None:  # fmt: skip
    device = state.light
    if device is None or states.is_stale(device.last_ok_ms, now_ms):
        return None
    place = service.Place(device.regency, device.site, device.name)
    today = clock.local_day(now_ms, zone)
    days = service.daily_medians(db, place, "rx_power_mdbm", today - timedelta(days=DAYS), today - timedelta(days=1))
    level = judge(device.rx_power_dbm, no_light=bool(device.no_light)) or Level.GOOD
    way = outlook(millidecibels(days))
    falls = way.trend is not None and way.trend.falls
    if level is Level.GOOD and not falls:
        return None
    words = ", ".join(_words(device.rx_power_dbm, level, way, language))
    return WORST.index(level), Light(state.village.code, state.village.name, words)


def _words(dbm: float | None, level: Level, way: Outlook, language: Language) -> list[str]:
    said = [states.decibels(language, dbm)] if dbm is not None and level is not Level.DARK else []
    if level is not Level.GOOD:
        said.append(language.say(states.LIGHT_WORDS[level]))
    if way.trend is not None and way.trend.falls:
        change = language.number(-way.trend.month_db, 1)
        said.append(language.say("falls by %(change)s dB a month", change=change))
    if way.failing is not None:
        said.append(language.say("fails in about %(days)s days", days=language.number(way.failing.days)))
    return said
