"""Pure: what is known of a site in, thirty days as a strip out: a bar for each day, midnight at its top.

Colour is never the only sign: every cause has a pattern of its own, and the table below says the same in numbers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from kampungnet.core import clock
from kampungnet.core.languages import Language
from kampungnet.measurement.availability import Availability, Record, availability, percent
from kampungnet.measurement.outage_list import CAUSES
from kampungnet.measurement.outage_words import Cause, Span
from kampungnet.measurement.workdays import HOUSE_HOURS, OfficeHours, office_hours

DAYS: Final = 30
HEIGHT: Final = 72
"""Of a whole day, in px: 20 minutes each."""
LEAST_HEIGHT: Final = 6.0
"""One whole tile of a pattern: an hour can be told from others by its pattern alone."""
SLIGHT_MS: Final = 900_000
"""Unknown time shorter than this is not drawn; the sums have it."""
OF_DAY: Final = (0, 74)
"""Left edge and width of a day's bar, in per cent of its share of the strip."""
BESIDE: Final = (77, 20)
"""The same of planned work, which stands beside what was measured and never covers it."""
GOOD, UNSEEN = "good", "unseen"
MARKS: Final = {
    Cause.LISTRIK: "M-1 1l2-2M0 6l6-6M5 7l2-2",
    Cause.FIBER: "M0 3h6",
    Cause.PERANGKAT: "M3 0v6",
    Cause.PENYEDIA: "M0 3h6M3 0v6",
    Cause.TERENCANA: "M2 3h2",
    Cause.ORANG: "M-1 5l2 2M0 0l6 6M5-1l2 2",
    Cause.UNKNOWN: "M0 0l6 6M0 6l6-6",
}
"""What a pattern of 6 by 6 px draws on its colour."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a day: ``x`` and ``width`` in per cent of the strip, ``y`` and ``height`` in px."""

    style: str
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Strip:
    """Thirty days to look at, and the same in words."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    legend: tuple[tuple[str, str, str], ...]
    """Style, name, and the path of its mark; empty where colour alone is enough: good and unknown."""
    facts: tuple[tuple[str, str], ...]
    note: str
    rows: tuple[tuple[str, str, str], ...]
    """Of each day with a loss or unknown time: its name, time without service, time unknown."""
    summary: str


def period(now_ms: int, zone: str) -> Span:
    """Return the last thirty local days, today up to now included."""
    first = clock.local_day(now_ms, zone) - timedelta(days=DAYS - 1)
    return Span(clock.day_start_ms(first, zone), now_ms)


def strip(record: Record, whole: Span, language: Language, zone: str, hours: OfficeHours = HOUSE_HOURS) -> Strip:
    """Draw a period that begins at a local midnight, and say how available the site was."""
    known = measured_part(record, whole)
    shown = tuple(_bars(record, whole, known))
    proven = {one.cause for one in record.outages if one.is_proven}
    if record.windows:
        proven.add(Cause.TERENCANA)
    legend = [(GOOD, language.say("Service"), "")]
    legend += [(cause.value, language.say(CAUSES[cause]), MARKS[cause]) for cause in Cause if cause in proven]
    if any(bar.style == UNSEEN for bar in shown) or not all(one.is_proven for one in record.outages):
        legend.append((UNSEEN, language.say("Not known"), ""))
    total = availability([known], record)
    facts = _facts(total, availability(office_hours(known, zone, hours), record), hours, language)
    return Strip(
        shown, tuple(_ticks(whole, language, zone)), tuple(legend), facts, _note(record, language),
        tuple(_rows(record, known, language, zone)), _summary(total, language),
    )  # fmt: skip


def measured_part(record: Record, whole: Span) -> Span:
    """Return a period without the time before the first reading."""
    began = max((one.end_ms for one in record.unseen if one.start_ms <= whole.start_ms), default=whole.start_ms)
    # A site that was never heard of is unknown as a whole.
    return Span(min(began, whole.end_ms), whole.end_ms) if began < whole.end_ms else whole


def _bars(record: Record, whole: Span, known: Span) -> Iterator[Bar]:
    if not any(one.start_ms <= known.start_ms and known.end_ms <= one.end_ms for one in record.unseen):
        yield from _cut(GOOD, known, whole)
    silent = [Span(one.start_ms, one.end_ms or whole.end_ms) for one in record.outages if not one.is_proven]
    for one in [*record.unseen, *silent]:
        if one.end_ms - max(one.start_ms, whole.start_ms) >= SLIGHT_MS:
            yield from _cut(UNSEEN, one, whole)
    for outage in record.outages:
        if outage.is_proven:
            yield from _cut(outage.cause.value, Span(outage.start_ms, outage.end_ms or whole.end_ms), whole)
    for work in record.windows:
        yield from _cut(Cause.TERENCANA.value, Span(work.start_ms, work.end_ms), whole, BESIDE)


def _cut(style: str, span: Span, whole: Span, across: tuple[int, int] = OF_DAY) -> Iterator[Bar]:
    """Cut a span at midnight. No zone of Indonesia has daylight saving: every day is as long."""
    left, width = across
    at_ms, end_ms = max(span.start_ms, whole.start_ms), min(span.end_ms, whole.end_ms)
    while at_ms < end_ms:
        number, into_ms = divmod(at_ms - whole.start_ms, clock.DAY_MS)
        until_ms = min(end_ms, at_ms - into_ms + clock.DAY_MS)
        height = max(LEAST_HEIGHT, HEIGHT * (until_ms - at_ms) / clock.DAY_MS)
        y = min(HEIGHT * into_ms / clock.DAY_MS, HEIGHT - height)
        yield Bar(style, round((100 * number + left) / DAYS, 2), round(width / DAYS, 2), round(y, 1), round(height, 1))
        at_ms = until_ms


def _note(record: Record, language: Language) -> str:
    words = language.say("One bar for each day, midnight at its top.")
    if record.windows:
        words += " " + language.say("A narrow bar beside a day is planned work, whatever was measured in it.")
    return words


def _ticks(whole: Span, language: Language, zone: str) -> Iterator[tuple[float, str]]:
    first = clock.local_day(whole.start_ms, zone)
    for number in range(1, DAYS - 1, 7):
        yield round(100 * (number + 0.4) / DAYS, 2), language.day(first + timedelta(days=number))


def _facts(
    whole: Availability, office: Availability, hours: OfficeHours, language: Language
) -> tuple[tuple[str, str], ...]:
    say = language.say
    found = [
        (say("Available, day and night"), _percent(whole.share, language)),
        (_office_words(hours, language), _percent(office.share, language)),
        (say("Without service"), language.duration(whole.down) if whole.down else say("not at all")),
    ]
    by_cause = sorted(whole.down_by_cause.items(), key=lambda one: -one[1])
    found += [(f"– {say(CAUSES[cause])}", language.duration(seconds)) for cause, seconds in by_cause]
    share = (whole.seconds - whole.unknown) / whole.seconds if whole.seconds else 0.0
    # Rounded down: 99.9 % must not read as "complete".
    complete = say("data %(percent)s%% complete", percent=language.number(int(share * 100 + 1e-9)))
    found.append((say("Not known"), language.duration(whole.unknown) if whole.unknown else say("nothing")))
    return (*found, (say("Coverage"), complete))


def _office_words(hours: OfficeHours, language: Language) -> str:
    opens, closes = (f"{hour:02}{language.time_mark}00" for hour in (hours.opens, hours.closes))
    return language.say("Available in office hours, %(opens)s to %(closes)s", opens=opens, closes=closes)


def _percent(share: Fraction | None, language: Language) -> str:
    return language.say("not known") if share is None else f"{language.number(float(percent(share)), 2)}%"


def _rows(record: Record, known: Span, language: Language, zone: str) -> Iterator[tuple[str, str, str]]:
    for day in _days(known, zone):
        start_ms = clock.day_start_ms(day, zone)
        of_day = Span(max(start_ms, known.start_ms), min(start_ms + clock.DAY_MS, known.end_ms))
        found = availability([of_day], record)
        if found.down or found.unknown:
            lost, unknown = (language.duration(one) if one else "–" for one in (found.down, found.unknown))
            yield language.day(day), lost, unknown


def _days(known: Span, zone: str) -> Iterable[date]:
    return clock.days_between(clock.local_day(known.start_ms, zone), clock.local_day(known.end_ms - 1, zone))


def _summary(total: Availability, language: Language) -> str:
    if total.share is None:
        return language.say("Nothing was measured in this time.")
    lost = language.duration(total.down) if total.down else language.say("not at all")
    return language.say("Available %(percent)s of the time; without service: %(lost)s.",
                        percent=_percent(total.share, language), lost=lost)  # fmt: skip
