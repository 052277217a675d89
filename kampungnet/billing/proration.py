"""Pure: what a month costs when it is not served as a whole, and a contract's price as months (facts 9.1, 9.3, 12)."""

import calendar
from datetime import date
from fractions import Fraction

from kampungnet.billing.measured import Period
from kampungnet.billing.money import split
from kampungnet.billing.terms import Proration


def days(method: Proration, period: Period) -> tuple[int, int]:
    """Return the days charged and the days they are taken of; a whole month is charged in full by every method."""
    if period.is_whole:
        return 1, 1
    if method is Proration.ACTUAL:
        return period.served_days, period.days
    if method is Proration.ACTUAL_30:
        return period.served_days, 30  # never above the price: what is no whole month has 30 days at most
    return min(period.last_day.day, 30) - min(period.first_day.day, 30) + 1, 30


def ratio(method: Proration, period: Period) -> Fraction:
    """Return the share of a month's price that is due, 0 to 1."""
    return Fraction(*days(method, period))


def months(start: date, end: date) -> tuple[tuple[date, date], ...]:
    """Return the calendar months of a contract, each from its first to its last day (both included)."""
    found = []
    day = start
    while day <= end:
        last = min(end, day.replace(day=calendar.monthrange(day.year, day.month)[1]))
        found.append((day, last))
        day = date(last.year + last.month // 12, last.month % 12 + 1, 1)
    return tuple(found)


def parts(price: int, start: date, end: date) -> tuple[int, ...]:
    """Split the price of a whole contract over its months; they add up to it.

    Whole months share alike, the first ones take the remainder. A contract that begins or ends within a month is
    shared out by days, each month up to the exact sum of the days so far.
    """
    spans = months(start, end)
    if start.day == 1 and end.day == calendar.monthrange(end.year, end.month)[1]:
        return split(price, len(spans))
    total = (end - start).days + 1
    upto = [price * ((last - start).days + 1) // total for _, last in spans]
    return tuple(now - before for now, before in zip(upto, [0, *upto], strict=False))
