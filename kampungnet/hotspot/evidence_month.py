"""A month of free wifi from its days: of the kabupaten by kecamatan, of a kecamatan by village, of a village by day."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_
from kampungnet.devices.models import Site
from kampungnet.hotspot import evidence
from kampungnet.hotspot.evidence import Use
from kampungnet.hotspot.models import HotspotDay
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

DISTRICT_LETTERS = len("35.10.15")
VILLAGE_LETTERS = len("35.10.15.2012")
_NONE = N_("There is no such place or month here. Go back to the list.")


@dataclass(frozen=True, slots=True)
class Part:
    """One row: a kecamatan, a village or a day."""

    code: str
    """Of the place, or the day in ISO."""
    name: str
    use: Use | None
    """``None``: too few devices to be shown."""


@dataclass(frozen=True, slots=True)
class Month:
    """What is shown of one place in one month; days that are not over are not in it."""

    place: str
    name: str
    month: date
    days: int
    """Days of the month that are over."""
    parts: list[Part]
    total: Use | None


def of_place(db: Session, scope: Scope, place: str, month: date, now_ms: int) -> Month:
    """Return a month of a place; an empty one is all that may be seen. Raises ``NotFound``."""
    place = place or scope.place
    if not scope.covers(place):
        raise NotFound(_NONE)
    names = _names(db, scope.regency)
    if place not in names:
        raise NotFound(_NONE)
    today = clock.local_day(now_ms, clock.zone_of(scope.regency))
    last = min(month.replace(day=calendar.monthrange(month.year, month.month)[1]), today - timedelta(days=1))
    found = _days(db, scope.regency, place, month, last)
    parts = [Part(code, names.get(code, code), use) for code, use in evidence.shown(_by_part(found, place)).items()]
    whole = evidence.total(found.values())
    days = max(0, (last - month).days + 1)
    return Month(place, names[place], month, days, parts, None if whole.is_small else whole)


def months(db: Session, scope: Scope) -> list[date]:
    """Return the months of which anything is known, the newest first."""
    asked = select(func.min(HotspotDay.day), func.max(HotspotDay.day)).where(
        HotspotDay.regency == scope.regency, scope.where(HotspotDay.site)
    )
    first, last = db.execute(asked).one()
    found = []
    while first is not None and last >= first:
        found.append(last.replace(day=1))
        last = last.replace(day=1) - timedelta(days=1)
    return found


def _names(db: Session, regency: str) -> Mapping[str, str]:
    whole = {regency: db.get_one(Regency, regency).name}
    return whole | villages.districts(db, regency) | villages.names(db, regency)


def _days(db: Session, regency: str, place: str, first: date, last: date) -> dict[tuple[str, date], Use]:
    """Return the use of each village and day."""
    asked = (
        select(Site.village, HotspotDay)
        .join(Site, (Site.regency == HotspotDay.regency) & (Site.code == HotspotDay.site))
        .where(HotspotDay.regency == regency, HotspotDay.day.between(first, last))
        .where(_inside(place).where(Site.village))
    )
    found: dict[tuple[str, date], Use] = {}
    for village, one in db.execute(asked.order_by(Site.village, HotspotDay.day)):
        use = Use(one.people, one.people, one.seconds, one.office_seconds, one.up_bytes + one.down_bytes)
        found[village, one.day] = found.get((village, one.day), Use()) + use
    return found


def _inside(place: str) -> Scope:
    regency = place[:5]
    if place == regency:
        return Scope(regency)
    return Scope(regency, village=place) if len(place) == VILLAGE_LETTERS else Scope(regency, district=place)


def _by_part(found: Mapping[tuple[str, date], Use], place: str) -> dict[str, Use]:
    parts: dict[str, Use] = {}
    for (village, day), use in found.items():
        if place == village:
            code = day.isoformat()
        else:
            code = village if len(place) == DISTRICT_LETTERS else village[:DISTRICT_LETTERS]
        parts[code] = parts.get(code, Use()) + use
    return dict(sorted(parts.items()))
