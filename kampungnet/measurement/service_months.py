"""Close a site's month of service together with its traffic, and note as corrections what is known later.

What is frozen is the whole month as it stood, not a difference: contracts judge it by policies of their own. A month
that is closed is looked at again when something in it changed (``months_due``), by one process at a time.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final

import msgspec
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import insert_new
from kampungnet.devices.models import Agent, Site
from kampungnet.measurement import outage_log, site_traffic
from kampungnet.measurement.availability import Record
from kampungnet.measurement.models import MonthDue, TrafficMonth
from kampungnet.measurement.month_facts import MonthFacts, same
from kampungnet.measurement.outage_models import JudgedSite, ServiceMonth
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.site_traffic import Days
from kampungnet.measurement.workdays import month_of

_FACTS: Final = msgspec.msgpack.Decoder(MonthFacts)

Place = tuple[str, str]
"""Regency and site."""


def facts(db: Session, place: Place, month: date, now_ms: int) -> MonthFacts:
    """Return what is known now of the month that begins on ``month``; of one that is not over, until now."""
    whole = month_of(month.year, month.month, clock.zone_of(place[0]))
    period = Span(whole.start_ms, max(whole.start_ms, min(whole.end_ms, now_ms)))
    record = outage_log.record(db, place, period)
    known = record or Record((), (period,))
    line = site_traffic.line_traffic(db, Days(*place, month, _next(month) - timedelta(days=1)))
    return MonthFacts(
        now_ms, period, record is not None, tuple(known.outages), tuple(known.unseen), tuple(known.windows), line
    )


def frozen(db: Session, place: Place, month: date) -> list[MonthFacts]:
    """Return a closed month as it stood, then as it was known after each correction; nothing of an open one."""
    return frozen_of(db, place[0], [place[1]], month).get(place[1], [])


def frozen_of(db: Session, regency: str, sites: Collection[str], month: date) -> Mapping[str, list[MonthFacts]]:
    """Return the same of several sites, those with a closed month, in one query."""
    found: dict[str, list[MonthFacts]] = {}
    rows = db.execute(
        select(ServiceMonth.site, ServiceMonth.facts)
        .where(ServiceMonth.regency == regency, ServiceMonth.site.in_(sites), ServiceMonth.month == month)
        .order_by(ServiceMonth.site, ServiceMonth.number)
    )
    for row in rows:
        found.setdefault(row.site, []).append(_FACTS.decode(row.facts))
    return found


def to_close(db: Session, now_ms: int, wait_ms: int) -> list[tuple[Place, date]]:
    """Return the months that ended ``wait_ms`` ago or earlier and are not closed, of sites that are ready for it.

    A site with a box is ready when it was judged after the wait; one without, when its traffic is closed.
    """
    of_site = (ServiceMonth.regency == Site.regency, ServiceMonth.site == Site.code, ServiceMonth.number == 0)
    newest = select(func.max(ServiceMonth.month)).where(*of_site).scalar_subquery()
    of_traffic = (TrafficMonth.regency == Site.regency, TrafficMonth.site == Site.code)
    oldest = select(func.min(TrafficMonth.month)).where(*of_traffic).scalar_subquery()
    has_box = exists().where(Agent.regency == Site.regency, Agent.site == Site.code)
    judged = (JudgedSite.regency == Site.regency) & (JudgedSite.site == Site.code)
    rows = db.execute(
        select(Site.regency, Site.code, has_box, JudgedSite.since, JudgedSite.judged_ms, newest, oldest)
        .outerjoin(JudgedSite, judged)
        .order_by(Site.regency, Site.code)
    )
    found: list[tuple[Place, date]] = []
    for regency, site, has_one, since, judged_ms, closed, first_traffic in rows:
        known_ms = min(now_ms, judged_ms or 0) if has_one else now_ms
        border = clock.local_day(max(known_ms - wait_ms, 0), clock.zone_of(regency)).replace(day=1)
        first = min((one for one in (since, first_traffic) if one is not None), default=border).replace(day=1)
        month = _next(closed) if closed else first
        while month < border:
            found.append(((regency, site), month))
            month = _next(month)
    return found


def is_before_all(db: Session, place: Place, month: date) -> bool:
    """Tell whether a month lies before all that is known of a site: it is never closed, for there is nothing in it.

    Of a box that was not judged yet nobody can tell: that takes minutes.
    """
    regency, site = place
    of_traffic = select(func.min(TrafficMonth.month)).where(TrafficMonth.regency == regency, TrafficMonth.site == site)
    of_service = select(func.min(ServiceMonth.month)).where(ServiceMonth.regency == regency, ServiceMonth.site == site)
    judged = db.get(JudgedSite, place)
    if judged is None and db.scalar(select(exists().where(Agent.regency == regency, Agent.site == site))):
        return False
    known = (judged.since if judged else None, db.scalar(of_traffic), db.scalar(of_service))
    return month < min((one for one in known if one is not None), default=date.max).replace(day=1)


def close(db: Session, place: Place, month: date, now_ms: int) -> bool:
    """Freeze a month, unless its traffic must be added up first or somebody else did it; return whether we did."""
    regency, site = place
    if db.get(MonthDue, (regency, site, month)) is not None:
        return False
    return _write(db, place, month, 0, facts(db, place, month, now_ms)) == 1


def correct(db: Session, place: Place, month: date, now_ms: int) -> bool:
    """Note what is known now of a closed month, if it differs from what was said of it; return whether it does.

    The caller holds the month's row of ``months_due``: nobody else does the same at the same time.
    """
    said = frozen(db, place, month)
    if not said:
        return False
    now = facts(db, place, month, now_ms)
    return not same(said[-1], now) and _write(db, place, month, len(said), now) == 1


def _write(db: Session, place: Place, month: date, number: int, now: MonthFacts) -> int:
    row = {
        "regency": place[0], "site": place[1], "month": month, "number": number, "noted_ms": now.noted_ms,
        "facts": msgspec.msgpack.encode(now),
    }  # fmt: skip
    return insert_new(db, ServiceMonth, [row])


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
