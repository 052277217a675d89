"""The current and the previous month of a village as a small table: availability, and how fresh and final that is."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.languages import Language
from kampungnet.measurement import holidays, outage_log, service_months
from kampungnet.measurement.availability import Availability, Record, availability, percent
from kampungnet.measurement.outage_models import JudgedSite
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.workdays import month_of, office_hours


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month in words."""

    name: str
    whole: str
    office: str
    lost: str
    unknown: str
    state: str


@dataclass(frozen=True, slots=True)
class Months:
    """Two months, and when the site was judged last."""

    rows: tuple[MonthRow, ...]
    judged: str


def months(db: Session, place: tuple[str, str], language: Language, now_ms: int) -> Months | None:
    """Return the current and the previous month, the newer first; ``None`` for a site that was never judged."""
    judged = db.get(JudgedSite, place)
    if judged is None:
        return None
    today = clock.local_day(now_ms, clock.zone_of(place[0]))
    this = today.replace(day=1)
    wanted = [this, (this - timedelta(days=1)).replace(day=1)]
    known = [first for first in wanted if judged.since < _next(first)]
    rows = tuple(row for row in (_row(db, place, first, language, now_ms) for first in known) if row)
    return Months(rows, language.say("Judged %(age)s.", age=language.age(judged.judged_ms, now_ms)))


def _row(db: Session, place: tuple[str, str], first: date, language: Language, now_ms: int) -> MonthRow | None:
    zone = clock.zone_of(place[0])
    whole = month_of(first.year, first.month, zone)
    frozen = service_months.frozen(db, place, first)
    period = Span(whole.start_ms, min(whole.end_ms, now_ms))
    record: Record | None = frozen[-1].record if frozen else outage_log.record(db, place, period)
    if record is None or period.start_ms >= period.end_ms:
        return None
    hours = holidays.office_hours_of(db, place[0], first, _next(first) - timedelta(days=1))
    found, office = availability([period], record), availability(office_hours(period, zone, hours), record)
    if frozen:
        state = language.say_many("closed, %(n)s correction", "closed, %(n)s corrections", len(frozen) - 1)
        state = state if len(frozen) > 1 else language.say("closed")
    elif period.end_ms < whole.end_ms:
        state = language.say("provisional: the month is not over")
    else:
        state = language.say("provisional: late readings may come")
    return MonthRow(
        language.month(first), _percent(found, language), _percent(office, language),
        language.duration(found.down) if found.down else language.say("not at all"),
        language.duration(found.unknown) if found.unknown else language.say("nothing"), state,
    )  # fmt: skip


def _percent(found: Availability, language: Language) -> str:
    share: Fraction | None = found.share
    if share is not None and 2 * found.unknown > found.seconds:
        # A share of a few hours reads like one of the month.
        return language.say("too little measured")
    return language.say("not known") if share is None else f"{language.number(float(percent(share)), 2)}%"


def _next(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
