"""Pure: how strong the light at a fibre modem is, and where it is going.

A module's level is right to 3 dB only (SFF-8472) but repeats to a few tenths: so the level is judged
against its class, and the way it goes against the unit's own past. Heat and rain move it within a day,
therefore a day is its median, and the slope is Theil and Sen's: the median of the slopes between all
pairs of days, with the confidence interval of Sen (1968), widened where one day resembles the next.
"""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median
from typing import Final

Day = tuple[int, float]
"""A day's number (``date.toordinal``) and the median of its light in dBm."""

MONTH_DAYS: Final = 30
LEAST_DAYS: Final = 14
"""Fewer days than that, since the last step, make no trend."""
LEAST_FALL_DB: Final = 0.5
"""A fall over all the days that weather could not have made (facts: some tenths)."""
STEP_DB: Final = 2.0
STEP_STAYS_DAYS: Final = 3
STEP_WINDOW_DAYS: Final = 14
"""Days before and after a step lie within so many: over a longer hole a slow decline looks like a step."""
FARTHEST_DAYS: Final = 730
"""Beyond two years nothing is foretold."""
SURE: Final = 1.96
"""Standard deviations of a 95 % interval."""
MOST_ALIKE: Final = 0.8
"""Where one day tells this much of the next, more is not believed: the interval stays finite."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """What a class of GPON receiver at the village needs, in dBm at 1490 nm."""

    name: str
    weakest_dbm: float
    """ITU-T G.984.2 and its amendments: weaker than this it need not work."""
    worrying_dbm: float
    """Two dB before that, where the projects seen in the field begin to warn (-25 for B+)."""
    blinding_dbm: float
    """Stronger than this blinds the receiver."""


B_PLUS: Final = Receiver("B+", weakest_dbm=-27.0, worrying_dbm=-25.0, blinding_dbm=-8.0)
C_PLUS: Final = Receiver("C+", weakest_dbm=-30.0, worrying_dbm=-28.0, blinding_dbm=-8.0)
"""With forward error correction."""
RECEIVERS: Final = {one.name: one for one in (B_PLUS, C_PLUS)}


class Level(enum.StrEnum):
    """What one level is worth."""

    GOOD = "good"
    WEAK = "weak"
    CRITICAL = "critical"
    BLINDING = "blinding"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Step:
    """A sudden change that stayed: a bend, a bad splice, a new splitter, or their repair."""

    day: int
    change_db: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The slow way of the light, in dB a month of 30 days, with its 95 % interval."""

    days: int
    level_dbm: float
    """Where the trend stands on the last day."""
    month_db: float
    lowest_month_db: float
    highest_month_db: float
    falls: bool
    """The fall is surely there, and larger than weather."""


@dataclass(frozen=True, slots=True)
class Failing:
    """When the level is expected to reach the weakest the class allows, in days from the last one."""

    days: int
    earliest: int
    latest: int | None
    """``None``: in more than two years."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that is known of the way of the light."""

    steps: tuple[Step, ...] = ()
    trend: Trend | None = None
    failing: Failing | None = None


def judge(dbm: float | None, *, no_light: bool = False, receiver: Receiver = B_PLUS) -> Level | None:
    """Return what a received level is worth; ``None`` when it is not known."""
    if no_light:
        return Level.DARK
    if dbm is None:
        return None
    if dbm > receiver.blinding_dbm:
        return Level.BLINDING
    if dbm <= receiver.weakest_dbm:
        return Level.CRITICAL
    return Level.WEAK if dbm <= receiver.worrying_dbm else Level.GOOD


def outlook(days: Sequence[Day], receiver: Receiver = B_PLUS) -> Outlook:
    """Return steps, trend and forecast of daily medians (any order, each day once)."""
    ordered = sorted(days)
    found = steps(ordered)
    since = found[-1].day if found else 0
    trend = slope([day for day in ordered if day[0] >= since])
    return Outlook(found, trend, failing(trend, ordered, receiver) if trend else None)


def steps(days: Sequence[Day]) -> tuple[Step, ...]:
    """Return the sudden changes of ``STEP_DB`` or more that stayed, oldest first."""
    found: list[tuple[int, Step, float]] = []
    stay = STEP_STAYS_DAYS
    for place in range(stay, len(days) - stay + 1):
        around = days[place - stay : place + stay]
        change = _change([level for _, level in around[:stay]], [level for _, level in around[stay:]])
        if not change or around[-1][0] - around[0][0] >= STEP_WINDOW_DAYS:
            continue
        jump = abs(days[place][1] - days[place - 1][1])
        candidate = (place, Step(days[place][0], change), jump)
        # The windows next to a step see it too: of neighbours the one where the level itself jumps is the day.
        if found and place - found[-1][0] < stay and (change > 0) == (found[-1][1].change_db > 0):
            if jump > found[-1][2]:
                found[-1] = candidate
        else:
            found.append(candidate)
    return tuple(step for _, step, _ in found)


def slope(days: Sequence[Day]) -> Trend | None:
    """Return the trend of ordered days, or ``None`` when they are too few."""
    if len(days) < LEAST_DAYS or days[-1][0] - days[0][0] + 1 < LEAST_DAYS:
        return None
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(days, 2))
    middle = median(slopes)
    levels = [level - middle * (day - days[-1][0]) for day, level in days]
    now = median(levels)
    low, high = _interval(slopes, len(days), _alike([level - now for level in levels]))
    fall = -middle * (days[-1][0] - days[0][0])
    falls = high < 0 and fall >= LEAST_FALL_DB
    return Trend(len(days), now, MONTH_DAYS * middle, MONTH_DAYS * low, MONTH_DAYS * high, falls)


def failing(trend: Trend, days: Sequence[Day], receiver: Receiver = B_PLUS) -> Failing | None:
    """Return when a falling level reaches the weakest the class allows; nothing for one that is there already."""
    room = trend.level_dbm - receiver.weakest_dbm
    if not trend.falls or room <= 0:
        return None
    scatter = _scatter(trend, days)
    middle = _days_to(room, trend.month_db)
    if middle > FARTHEST_DAYS:
        return None
    earliest = _days_to(max(0.0, room - scatter), trend.lowest_month_db)
    latest = _days_to(room + scatter, trend.highest_month_db)
    return Failing(round(middle), math.floor(earliest), math.ceil(latest) if latest <= FARTHEST_DAYS else None)


def _change(before: Sequence[float], after: Sequence[float]) -> float:
    """Return by how much a level changed for good, or 0: no day of one side may look like the other side."""
    was, became = median(before), median(after)
    far = min(*(abs(level - became) for level in before), *(abs(level - was) for level in after))
    return became - was if abs(became - was) >= STEP_DB and far >= STEP_DB / 2 else 0.0


def _days_to(room_db: float, month_db: float) -> float:
    return room_db / -month_db * MONTH_DAYS


def _scatter(trend: Trend, days: Sequence[Day]) -> float:
    """Return how far single days lie from the trend: the usual deviation, from its median."""
    used, daily = days[-trend.days :], trend.month_db / MONTH_DAYS
    return 1.4826 * median(abs(level - trend.level_dbm - daily * (day - used[-1][0])) for day, level in used)


def _interval(slopes: Sequence[float], days: int, alike: float) -> tuple[float, float]:
    """Return the 95 % interval of a Theil-Sen slope: the ranks come from the variance of Kendall's S."""
    spread = SURE * math.sqrt(days * (days - 1) * (2 * days + 5) / 18 * (1 + alike) / (1 - alike))
    low = math.floor((len(slopes) - spread) / 2) - 1
    high = math.ceil((len(slopes) + spread) / 2)
    return slopes[max(0, low)], slopes[min(len(slopes) - 1, high)]


def _alike(rest: Sequence[float]) -> float:
    """Return how much one day's distance from the trend tells of the next day's, 0 to ``MOST_ALIKE``."""
    whole = sum(value * value for value in rest)
    # The rounding of a perfect line is no weather.
    if whole < 1e-12:
        return 0.0
    return min(MOST_ALIKE, max(0.0, sum(a * b for a, b in pairwise(rest)) / whole))
