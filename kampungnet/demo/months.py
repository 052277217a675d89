"""Pure: months before the demo's measured one, as they would have been closed: their outages and what passed the line.

Three months of readings would take minutes to make; statements need no more than a month's closed facts.
"""

import calendar
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

from kampungnet.core import clock
from kampungnet.measurement.month_facts import LineTraffic, MonthFacts
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage, Span

NUMBER: Final = 3
CLOSED_AFTER: Final = timedelta(days=5)
_SLOTS_A_DAY: Final = 288
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_SEEN: Final = {
    Cause.LISTRIK: Finding.ROUTER_RESTARTED,
    Cause.PENYEDIA: Finding.INTERNET_DEAD,
    Cause.FIBER: Finding.NO_LIGHT,
}
_OFTEN: Final = ((Cause.LISTRIK, 2, 20, 110), (Cause.PENYEDIA, 1, 7, 160))
"""Cause, how often at most in a month, and how long in minutes, as in the simulator."""
_BAD_MINUTES: Final = (840, 1_000)
"""The cut fibre of a bad month."""


class Use(NamedTuple):
    """How much a line is used: bits a second of its 95th percentile, and bytes received in a month."""

    p95_bps: int
    rx_bytes: int


def months_before(instant_ms: int, zone: str) -> list[date]:
    """Return the first days of the last months that were over at an instant, the oldest first."""
    first = clock.local_day(instant_ms, zone).replace(day=1)
    found: list[date] = []
    for _ in range(NUMBER):
        first = (first - timedelta(days=1)).replace(day=1)
        found.append(first)
    return found[::-1]


def closed_ms(month: date, zone: str) -> int:
    """Return when a month is closed."""
    return clock.day_start_ms(_after(month) + CLOSED_AFTER, zone)


def facts(site: str, month: date, use: Use, zone: str, *, is_bad: bool) -> MonthFacts:
    """Return a month that was measured without a hole; in a bad one the fibre was cut for most of a day."""
    chance = Random(f"{site} {month}")  # noqa: S311 -- made-up months, the same ones at every start
    start = clock.day_start_ms(month, zone)
    period = Span(start, clock.day_start_ms(_after(month), zone))
    lost = [
        _outage(chance, month, cause, (shortest, longest), zone)
        for cause, most, shortest, longest in _OFTEN
        for _ in range(chance.randint(0, most))
    ]
    if is_bad:
        lost.append(_outage(chance, month, Cause.FIBER, _BAD_MINUTES, zone))
    slots = (_after(month) - month).days * _SLOTS_A_DAY
    p95, rx = (int(one * chance.uniform(0.9, 1.05)) for one in use)
    line = LineTraffic(
        lines=("router/ether1",), rx_bytes=rx, tx_bytes=rx // 8, lower_bound=False, samples=slots, expected=slots,
        rx_p95_bps=p95, tx_p95_bps=p95 // 6, rx_p95_zero_bps=p95, tx_p95_zero_bps=p95 // 6,
        busiest_hour_ms=start + 9 * clock.DAY_MS + 20 * _HOUR_MS, busiest_bytes=p95 // 8 * 3_600,
    )  # fmt: skip
    return MonthFacts(
        noted_ms=closed_ms(month, zone), period=period, judged=True,
        outages=tuple(sorted(lost, key=lambda one: one.start_ms)), unseen=(), windows=(), traffic=line,
    )  # fmt: skip


def _outage(chance: Random, month: date, cause: Cause, minutes: tuple[int, int], zone: str) -> Outage:
    """Return an outage that ends within the month."""
    day = month.replace(day=chance.randint(1, calendar.monthrange(month.year, month.month)[1] - 1))
    start = clock.day_start_ms(day, zone) + chance.randint(7 * 60, 20 * 60) * _MINUTE_MS
    end = start + chance.randint(*minutes) * _MINUTE_MS
    seen = (Evidence(start if cause is not Cause.LISTRIK else end, _SEEN[cause]),)
    return Outage(start, end, cause, 0.9, seen, provisional=False)


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
