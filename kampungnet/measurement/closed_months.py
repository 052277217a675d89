"""Have closed months looked at again when something in them changed: readings, ruled causes, planned work."""

from collections.abc import Callable, Collection, Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.devices.models import Site
from kampungnet.measurement.days import mark_due
from kampungnet.measurement.outage_models import ServiceMonth
from kampungnet.measurement.outage_words import Span


def look_again(db: Session, place: tuple[str, str], days: Iterable[date], now_ms: int) -> None:
    """Mark the closed months of a site in which these local days lie."""
    months = {day.replace(day=1) for day in days}
    if months:
        of_site = (ServiceMonth.regency == place[0], ServiceMonth.site == place[1], ServiceMonth.number == 0)
        closed = db.scalars(select(ServiceMonth.month).where(*of_site, ServiceMonth.month.in_(months))).all()
        mark_due(db, place[0], {(place[1], month) for month in closed}, now_ms)


def look_again_at_all(db: Session, regency: str, span: Span, concerns: Callable[[str], bool], now_ms: int) -> None:
    """Mark the closed months, within a stretch of time, of all sites whose village it concerns."""
    months = {day.replace(day=1) for day in days_of(span, clock.zone_of(regency))}
    of_months = (ServiceMonth.regency == regency, ServiceMonth.number == 0, ServiceMonth.month.in_(months))
    closed = db.execute(
        select(ServiceMonth.site, ServiceMonth.month, Site.village)
        .join(Site, (Site.regency == ServiceMonth.regency) & (Site.code == ServiceMonth.site))
        .where(*of_months)
    )
    mark_due(db, regency, {(site, month) for site, month, village in closed if concerns(village)}, now_ms)


def days_of(span: Span, zone: str) -> Collection[date]:
    """Return the local days that a stretch touches."""
    last_ms = max(span.start_ms, span.end_ms - 1)
    return clock.days_between(clock.local_day(span.start_ms, zone), clock.local_day(last_ms, zone))
