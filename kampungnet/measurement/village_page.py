"""Pure: what was measured in one village in, the charts and tables of its page out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from kampungnet.core import clock
from kampungnet.core.languages import Language
from kampungnet.measurement import charts, outages, states
from kampungnet.measurement.charts import Scale, Span, Value
from kampungnet.measurement.light import B_PLUS
from kampungnet.measurement.service import Measured
from kampungnet.measurement.slots import SLOT_MS, SLOT_SECONDS

HOUR_MS: Final = 3_600_000
DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    style: str
    path: str
    area: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold across a chart, and the band of levels below it, down to the next one."""

    style: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a template draws of one chart, and the same in words and numbers."""

    title: str
    summary: str
    coverage: str
    lines: tuple[Line, ...]
    limits: tuple[Limit, ...]
    gaps: tuple[tuple[float, float], ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    unit: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class View:
    """How one stretch of time is shown: its axis, its steps and its table."""

    language: Language
    zone: str
    span: Span
    table: tuple[int, ...]
    is_day: bool

    def name(self, start_ms: int, end_ms: int) -> str:
        """Return the name of a row of the table."""
        if self.is_day:
            return f"{self.language.time(start_ms, self.zone)}–{self.language.time(end_ms, self.zone)}"
        return self.language.day(clock.local_day(start_ms, self.zone))

    def when(self, at_ms: int) -> str:
        """Return when a highest or lowest value was, as part of a sentence."""
        if self.is_day:
            return self.language.say("at %(time)s", time=self.language.time(at_ms, self.zone))
        day = self.language.day(clock.local_day(at_ms, self.zone))
        return self.language.say("on %(day)s at %(time)s", day=day, time=self.language.time(at_ms, self.zone))

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Return where the axis is labelled, in per cent, and with what: every six hours, or every week."""
        span = self.span
        if self.is_day:
            borders = charts.hour_borders(span.first_ms, span.last_ms, self.zone, 6)
            labels = [(at, self.language.time(at, self.zone)) for at in borders]
        else:
            borders = charts.day_borders(span.first_ms, span.last_ms, self.zone)[2::7]
            labels = [(at, self.language.day(clock.local_day(at, self.zone))) for at in borders]
        last = span.last_ms - (span.last_ms - span.first_ms) // 20
        # A label in the last twentieth would stick out of a phone.
        return tuple((round(span.x(at) / 10, 2), label) for at, label in labels if span.first_ms <= at < last)


def last_day(language: Language, zone: str, now_ms: int) -> View:
    """Return the view of the last 24 hours in five-minute steps."""
    end = now_ms - now_ms % SLOT_MS
    span = Span(end - 24 * HOUR_MS, end, SLOT_MS)
    return View(language, zone, span, tuple(charts.hour_borders(span.first_ms, end, zone, 3)), is_day=True)


def last_month(language: Language, zone: str, now_ms: int) -> View:
    """Return the view of the last 30 days in steps of an hour."""
    end = now_ms - now_ms % HOUR_MS + HOUR_MS
    span = Span(end - DAYS * 24 * HOUR_MS, end, HOUR_MS)
    return View(language, zone, span, tuple(charts.day_borders(span.first_ms, end, zone)), is_day=False)


def values_of(measured: Measured, name: str, factor: float, view: View) -> list[Value]:
    """Return one series within a view, in the unit shown."""
    values = measured.series.get(name, {})
    slots = range(view.span.first_ms, min(view.span.last_ms, measured.last_ms), SLOT_MS)
    return [(at, values[at] * factor if at in values else None) for at in slots]


def traffic(measured: Measured, wan: str, view: View) -> Chart:
    """Draw download and upload of the village. ``rx`` of its WAN port is what it downloads."""
    say, factor = view.language.say, 8 / SLOT_SECONDS / 1e6
    down = values_of(measured, f"rx_bytes/{wan}", factor, view)
    up = values_of(measured, f"tx_bytes/{wan}", factor, view)
    shown = [_steps(series, view, charts.mean) for series in (down, up)]
    scale = charts.nice_scale(_known(shown[0] + shown[1]), least_high=1)
    volume = 1e6 / 8 * SLOT_SECONDS
    rows = _table(
        view,
        (down, lambda known: view.language.size(sum(known) * volume)),
        (up, lambda known: view.language.size(sum(known) * volume)),
        (down, lambda known: view.language.short(max(known))),
    )
    return Chart(
        title=say("Internet traffic"), summary=_traffic_summary(shown, view), coverage=_coverage(measured, view),
        lines=(_line("down", shown[0], view, scale, filled=True), _line("up", shown[1], view, scale)),
        limits=(), gaps=_gaps(shown[0], measured, view), x_ticks=view.ticks(),
        y_ticks=_y_ticks(scale, view.language), unit="Mbps",
        columns=(_first_column(view), say("Download"), say("Upload"), say("Highest (Mbps)")), rows=rows,
    )  # fmt: skip


def people(measured: Measured, view: View) -> Chart:
    """Draw how many devices were online at the hotspot."""
    say = view.language.say
    known = values_of(measured, "hotspot_sessions", 1, view)
    shown = _steps(known, view, max)
    scale = charts.nice_scale(_known(shown), least_high=4, whole=True)
    rows = _table(
        view,
        (known, lambda found: view.language.number(charts.mean(found))),
        (known, lambda found: view.language.number(max(found))),
    )
    return Chart(
        title=say("People online"), summary=_people_summary(shown, view), coverage=_coverage(measured, view),
        lines=(_line("people", shown, view, scale, filled=True),), limits=(),
        gaps=_gaps(shown, measured, view), x_ticks=view.ticks(),
        y_ticks=_y_ticks(scale, view.language), unit=say("people"),
        columns=(_first_column(view), say("Average"), say("Most")), rows=rows,
    )  # fmt: skip


def has_light(measured: Measured, day: View) -> bool:
    """Tell whether light was ever measured before the five minutes that are not over: no chart of the day has those."""
    return any(slot < day.span.last_ms for slot in measured.series.get("rx_power_mdbm", ()))


def light(measured: Measured, view: View) -> Chart:
    """Draw the light the ONT receives, with the two limits."""
    say = view.language.say
    known = values_of(measured, "rx_power_mdbm", 0.001, view)
    shown = _steps(known, view, charts.middle)
    scale = charts.light_scale(_known(shown))

    def in_words(dbm: float) -> str:
        return states.decibels(view.language, dbm)

    rows = _table(
        view,
        (known, lambda found: in_words(charts.middle(found))),
        (known, lambda found: in_words(min(found))),
    )
    weak, critical = scale.y(B_PLUS.worrying_dbm), scale.y(B_PLUS.weakest_dbm)
    return Chart(
        title=say("Light in the fibre"), summary=_light_summary(shown, view), coverage=_coverage(measured, view),
        lines=(_line("light", shown, view, scale),),
        limits=(Limit("weak", weak, critical - weak), Limit("critical", critical, charts.HEIGHT - critical)),
        gaps=_gaps(shown, measured, view), x_ticks=view.ticks(),
        y_ticks=_y_ticks(scale, view.language), unit="dBm",
        columns=(_first_column(view), say("Usual"), say("Lowest")), rows=rows,
    )  # fmt: skip


def coverage_of(measured: Measured, first_ms: int, last_ms: int) -> tuple[float | None, int]:
    """Return the share of slots with a reading and since when it counts: not before the first one known."""
    readings = measured.series.get("readings", {})
    inside = [slot for slot in readings if first_ms <= slot < last_ms]
    since = min(inside, default=first_ms)
    return outages.coverage(inside, since, last_ms), since


def _covered(measured: Measured, view: View) -> tuple[float | None, int]:
    end = min(view.span.last_ms, measured.last_ms - measured.last_ms % SLOT_MS)
    return coverage_of(measured, view.span.first_ms, end)


def _gaps(shown: Sequence[Value], measured: Measured, view: View) -> tuple[tuple[float, float], ...]:
    """Return what is shaded as unknown: not the time before the first reading, which the words below name."""
    share, since = _covered(measured, view)
    begun = [(at, value) for at, value in shown if at + view.span.step_ms > since]
    return tuple(charts.gaps(begun if share else shown, view.span))


def _coverage(measured: Measured, view: View) -> str:
    share, since = _covered(measured, view)
    if not share:
        return view.language.say("no data")
    # Rounded down: 99.9 % must not read as "complete".
    words = view.language.say("data %(percent)s%% complete", percent=view.language.number(int(share * 100 + 1e-9)))
    if since - view.span.first_ms > HOUR_MS:
        day = view.language.day(clock.local_day(since, view.zone))
        words += " " + view.language.say("(measured since %(day)s)", day=day)
    return words


def _steps(values: Sequence[Value], view: View, how: Callable[[list[float]], float]) -> list[Value]:
    if view.is_day:
        return list(values)
    span = view.span
    borders = [*range(span.first_ms, span.last_ms, span.step_ms), span.last_ms]
    stepped = charts.buckets(values, borders, how)
    newest = max((at for at, value in values), default=span.first_ms)
    return [(at, value) for at, value in stepped if at <= newest]


def _known(values: Sequence[Value]) -> list[float]:
    return [value for _, value in values if value is not None]


def _highest(values: Sequence[Value]) -> tuple[int, float]:
    return max(((at, value) for at, value in values if value is not None), key=lambda found: found[1])


def _line(style: str, values: Sequence[Value], view: View, scale: Scale, *, filled: bool = False) -> Line:
    return Line(style, charts.line(values, view.span, scale), charts.area(values, view.span, scale) if filled else "")


def _y_ticks(scale: Scale, language: Language) -> tuple[tuple[float, str], ...]:
    decimals = 0 if all(tick == int(tick) for tick in scale.ticks) else 1
    labels = [language.number(tick, decimals).replace("-", "\N{MINUS SIGN}") for tick in scale.ticks]
    return tuple(zip(map(scale.y, scale.ticks), labels, strict=True))


def _first_column(view: View) -> str:
    return view.language.say("Hours") if view.is_day else view.language.say("Day")


def _table(view: View, *columns: tuple[Sequence[Value], Callable[[list[float]], str]]) -> tuple[tuple[str, ...], ...]:
    names = [view.name(start, end) for start, end in pairwise(view.table)]
    cells = [
        [words(known) if known else "–" for known in charts.gather(values, view.table)] for values, words in columns
    ]
    return tuple(zip(names, *cells, strict=True))


def _traffic_summary(shown: Sequence[Sequence[Value]], view: View) -> str:
    if not _known(shown[0]) or not _known(shown[1]):
        return view.language.say("Nothing was measured in this time.")
    at, most = _highest(shown[0])
    short = view.language.short
    return view.language.say(
        "Download %(down)s Mbps on average, at most %(most)s Mbps %(when)s. Upload %(up)s Mbps on average.",
        down=short(charts.mean(_known(shown[0]))), most=short(most), when=view.when(at),
        up=short(charts.mean(_known(shown[1]))),
    )  # fmt: skip


def _people_summary(shown: Sequence[Value], view: View) -> str:
    if not _known(shown):
        return view.language.say("Nothing was measured in this time.")
    at, most = _highest(shown)
    return view.language.say_many(
        "At most %(n)s person at once, %(when)s.", "At most %(n)s people at once, %(when)s.", int(most),
        when=view.when(at),
    )  # fmt: skip


def _light_summary(shown: Sequence[Value], view: View) -> str:
    known = _known(shown)
    if not known:
        return view.language.say("Nothing was measured in this time.")
    usual = charts.middle(known)
    return view.language.say(
        "Usually %(usual)s (%(grade)s), lowest %(lowest)s.",
        usual=states.decibels(view.language, usual),
        grade=view.language.say(states.LIGHT_WORDS[states.light_grade(usual)]),
        lowest=states.decibels(view.language, min(known)),
    )
