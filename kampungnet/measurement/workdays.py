"""Pure: months and office hours in a site's own zone, as spans of instants."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from kampungnet.core import clock
from kampungnet.measurement.outage_words import Span

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When an office is open: hours of the local day, weekdays (Monday is 0), and the days it is not (setting)."""

    opens: int = 7
    closes: int = 15
    weekdays: frozenset[int] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()

    def is_open_on(self, day: date) -> bool:
        """Tell whether the office opens on a local day."""
        return day.weekday() in self.weekdays and day not in self.holidays


HOUSE_HOURS: Final = OfficeHours()


def month_of(year: int, month: int, zone: str) -> Span:
    """Return a calendar month of a zone: its first midnight included, the next month's excluded."""
    after = date(year + month // 12, month % 12 + 1, 1)
    return Span(clock.day_start_ms(date(year, month, 1), zone), clock.day_start_ms(after, zone))


def office_hours(period: Span, zone: str, hours: OfficeHours = HOUSE_HOURS) -> tuple[Span, ...]:
    """Return the office hours within a period, a span for each day."""
    return tuple(_open(period, zone, hours))


def _open(period: Span, zone: str, hours: OfficeHours) -> Iterator[Span]:
    day = clock.local_day(period.start_ms, zone)
    while (midnight_ms := clock.day_start_ms(day, zone)) < period.end_ms:
        start_ms = max(period.start_ms, midnight_ms + hours.opens * HOUR_MS)
        end_ms = min(period.end_ms, midnight_ms + hours.closes * HOUR_MS)
        if hours.is_open_on(day) and start_ms < end_ms:
            yield Span(start_ms, end_ms)
        day += timedelta(days=1)
