"""Pure: values over time in, geometry of a chart out. A gap stays a gap: no line crosses it.

The plot is ``WIDTH`` by ``HEIGHT`` units and stretched to the page's width, so its lines get no
thicker; texts are placed in per cent beside it and keep their size on a phone.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from kampungnet.core import clock

WIDTH: Final = 1000
HEIGHT: Final = 150

Value = tuple[int, float | None]
"""An instant in milliseconds and what was measured in the time that starts there."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical axis."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """Return the height of a value, from the top."""
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT * (1 - min(1.0, max(0.0, share))), 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The horizontal axis: from when to when, one value each ``step_ms``."""

    first_ms: int
    last_ms: int
    step_ms: int

    def x(self, at_ms: float) -> float:
        """Return where an instant stands, from the left."""
        return round(WIDTH * (at_ms - self.first_ms) / (self.last_ms - self.first_ms), 1)


def nice_scale(values: Iterable[float], least_high: float, *, whole: bool = False) -> Scale:
    """Return an axis from 0 to a round number above every value; ``whole`` for things that are counted."""
    highest = max([least_high, *values])
    unit = 10 ** math.floor(math.log10(highest / 2))
    factors = (1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)
    step = unit * next(factor for factor in factors if highest / (unit * factor) <= 3)
    count = math.ceil(highest / step - 1e-9)
    return Scale(0, step * count, tuple(step * n for n in range(count + 1)))


def light_scale(values: Sequence[float]) -> Scale:
    """Return an axis for dBm that always shows the limits, in steps of five."""
    low = min([-30.0, *(math.floor(value / 5) * 5 for value in values)])
    high = max([-15.0, *(math.ceil(value / 5) * 5 for value in values)])
    return Scale(low, high, tuple(float(tick) for tick in range(int(low), int(high) + 1, 5)))


def runs(values: Sequence[Value]) -> list[list[tuple[int, float]]]:
    """Split values into stretches without a gap."""
    found: list[list[tuple[int, float]]] = []
    open_run = False
    for at_ms, value in values:
        if value is None:
            open_run = False
            continue
        if not open_run:
            found.append([])
        found[-1].append((at_ms, value))
        open_run = True
    return found


def line(values: Sequence[Value], span: Span, scale: Scale) -> str:
    """Return the path of a line with its gaps. A lonely value becomes a dot as wide as its time."""
    return "".join(_open_path(run, span, scale) for run in runs(values))


def area(values: Sequence[Value], span: Span, scale: Scale) -> str:
    """Return the path of the area under a line."""
    path = ""
    for run in runs(values):
        left, right = _middle(run[0][0], span), _middle(run[-1][0], span)
        if left != right:
            path += f"{_open_path(run, span, scale)}V{HEIGHT}H{left:g}Z"
    return path


def gaps(values: Sequence[Value], span: Span) -> list[tuple[float, float]]:
    """Return left edge and width of every stretch in which nothing is known."""
    found: list[tuple[int, int]] = []
    for at_ms, value in values:
        if value is not None:
            continue
        if found and found[-1][1] == at_ms:
            found[-1] = (found[-1][0], at_ms + span.step_ms)
        else:
            found.append((at_ms, at_ms + span.step_ms))
    return [(span.x(start), round(span.x(end) - span.x(start), 1)) for start, end in found]


def gather(values: Sequence[Value], borders_ms: Sequence[int]) -> list[list[float]]:
    """Return what is known between each border and the next; values come in order of time."""
    times = [at_ms for at_ms, _ in values]
    places = [bisect_left(times, border) for border in borders_ms]
    return [[value for _, value in values[first:end] if value is not None] for first, end in pairwise(places)]


def buckets(values: Sequence[Value], borders_ms: Sequence[int], how: Callable[[list[float]], float]) -> list[Value]:
    """Gather values between borders into one each; a bucket in which nothing is known has none."""
    found = gather(values, borders_ms)
    return [(start, how(known) if known else None) for start, known in zip(borders_ms, found, strict=False)]


def mean(values: list[float]) -> float:
    """Return the mean: for a rate."""
    return sum(values) / len(values)


def middle(values: list[float]) -> float:
    """Return the median: for light, where a single spike says nothing."""
    return float(median(values))


def hour_borders(first_ms: int, last_ms: int, zone: str, hours: int) -> list[int]:
    """Return the local full hours (each ``hours``) that lie around a stretch of time."""
    moment = clock.local(first_ms, zone).replace(minute=0, second=0, microsecond=0)
    moment -= timedelta(hours=moment.hour % hours)
    borders = [_ms(moment)]
    while borders[-1] < last_ms:
        moment += timedelta(hours=hours)
        borders.append(_ms(moment))
    return borders


def day_borders(first_ms: int, last_ms: int, zone: str) -> list[int]:
    """Return the local midnights around a stretch of time."""
    return hour_borders(first_ms, last_ms, zone, 24)


def _open_path(run: Sequence[tuple[int, float]], span: Span, scale: Scale) -> str:
    if len(run) == 1:
        at_ms, value = run[0]
        return f"M{span.x(at_ms):g} {scale.y(value):g}H{span.x(at_ms + span.step_ms):g}"
    return "M" + "L".join(f"{_middle(at_ms, span):g} {scale.y(value):g}" for at_ms, value in run)


def _middle(at_ms: int, span: Span) -> float:
    return span.x(at_ms + span.step_ms / 2)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
