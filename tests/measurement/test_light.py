"""Light: what a level is worth, the slow way it goes, and the sudden steps. Worked by hand, then by any numbers."""

import random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.light import (
    B_PLUS,
    C_PLUS,
    FARTHEST_DAYS,
    LEAST_DAYS,
    STEP_DB,
    Day,
    Level,
    Outlook,
    judge,
    outlook,
    slope,
    steps,
)

FIRST: Final = 739_000


def _days(*levels: float) -> list[Day]:
    return [(FIRST + number, level) for number, level in enumerate(levels)]


def _declining(days: int, start: float, month_db: float, weather: float = 0.0, seed: int = 1) -> list[Day]:
    chance = random.Random(seed)
    return _days(*(start + month_db * n / 30 + chance.gauss(0, weather) for n in range(days)))


@pytest.mark.parametrize(
    ("dbm", "b_plus", "c_plus"),
    [
        (-7.9, Level.BLINDING, Level.BLINDING), (-8.0, Level.GOOD, Level.GOOD), (-24.9, Level.GOOD, Level.GOOD),
        (-25.0, Level.WEAK, Level.GOOD), (-26.9, Level.WEAK, Level.GOOD), (-27.0, Level.CRITICAL, Level.GOOD),
        (-28.0, Level.CRITICAL, Level.WEAK), (-30.0, Level.CRITICAL, Level.CRITICAL), (None, None, None),
    ],
)  # fmt: skip
def test_a_level_is_judged_by_the_class_of_the_receiver(
    dbm: float | None, b_plus: Level | None, c_plus: Level | None
) -> None:
    assert judge(dbm) is b_plus
    assert judge(dbm, receiver=C_PLUS) is c_plus
    assert judge(dbm, no_light=True) is Level.DARK


def test_a_straight_line_is_found_to_the_digit() -> None:
    """30 days from -22.00, 0.02 dB less each day: -0.6 dB a month, at the end -22.58, 4.42 dB and 221 days from -27."""
    found = outlook(_days(*(-22.0 - 0.02 * n for n in range(30))))
    assert found.steps == ()
    assert found.trend is not None
    assert found.failing is not None
    assert (found.trend.days, found.trend.falls) == (30, True)
    assert found.trend.month_db == pytest.approx(-0.6)
    assert found.trend.lowest_month_db == pytest.approx(found.trend.highest_month_db)
    assert found.trend.level_dbm == pytest.approx(-22.58)
    assert (found.failing.earliest, found.failing.days, found.failing.latest) == (220, 221, 222), "rounded outwards"


def test_light_that_goes_up_and_down_from_day_to_day_has_no_trend() -> None:
    """Of 91 pairs 42 are level, and as many fall as rise within one: the median slope is 0, so is the level between."""
    found = slope(_days(*(-20.0 - (n % 2) for n in range(14))))
    assert found is not None
    assert found.month_db == pytest.approx(0.0)
    assert found.level_dbm == -20.5
    assert not found.falls


def test_the_class_decides_when_it_fails() -> None:
    days = _declining(60, -23.0, -1.5)
    b_plus, c_plus = outlook(days, B_PLUS).failing, outlook(days, C_PLUS).failing
    assert b_plus is not None
    assert c_plus is not None
    assert c_plus.days - b_plus.days == 60, "3 dB more at 1.5 dB a month"


def test_a_level_below_its_limit_is_not_foretold_to_reach_it() -> None:
    assert outlook(_declining(40, -27.2, -1.0)).failing is None


def test_a_fall_that_takes_years_is_not_foretold() -> None:
    found = outlook(_declining(90, -15.0, -0.2))
    assert found.trend is not None
    assert found.trend.falls
    assert found.failing is None


@pytest.mark.parametrize("number", range(LEAST_DAYS + 1))
def test_too_few_days_make_no_trend(number: int) -> None:
    assert (outlook(_declining(number, -22.0, -3.0)).trend is not None) == (number >= LEAST_DAYS)


def test_days_with_holes_between_them_count_by_their_date() -> None:
    days = [(FIRST + n, -20.0 - n * 0.05) for n in (0, 1, 2, 10, 11, 12, 13, 20, 21, 30, 31, 32, 40, 41, 50)]
    found = outlook(days)
    assert found.trend is not None
    assert found.trend.month_db == pytest.approx(-1.5)
    assert found.steps == ()


@pytest.mark.parametrize("change", [-3.5, -2.0, 2.0, 6.0])
def test_a_step_that_stays_is_told_with_its_day_and_is_no_trend(change: float) -> None:
    found = outlook(_days(*[-20.0] * 30, *[-20.0 + change] * 30))
    (step,) = found.steps
    assert step.day == FIRST + 30
    assert step.change_db == pytest.approx(change)
    assert found.trend is not None
    assert (found.trend.days, found.failing) == (30, None)
    assert found.trend.month_db == pytest.approx(0.0)


def test_soon_after_a_step_there_is_no_trend_yet() -> None:
    found = outlook(_days(*[-20.0] * 60, *[-24.0] * 5))
    assert (len(found.steps), found.trend) == (1, None)


def test_a_day_or_two_of_bad_light_is_no_step() -> None:
    assert outlook(_days(*[-20.0] * 20, -26.0, -26.0, *[-20.0] * 20)).steps == ()


def test_a_step_that_is_mended_is_two() -> None:
    found = steps(_days(*[-20.0] * 10, *[-23.0] * 10, *[-20.0] * 10))
    assert [(step.day - FIRST, round(step.change_db)) for step in found] == [(10, -3), (20, 3)]


def test_a_slow_decline_over_a_month_without_readings_is_no_step() -> None:
    days = [(FIRST + n, -20.0 - 0.08 * n) for n in (*range(20), *range(60, 80))]
    found = outlook(days)
    assert found.steps == ()
    assert found.trend is not None
    assert found.trend.month_db == pytest.approx(-2.4)


def test_weather_that_lasts_for_days_makes_the_interval_wider() -> None:
    chance = random.Random(3)
    alike, drift = [], 0.0
    for n in range(60):
        drift = 0.8 * drift + chance.gauss(0, 0.1)
        alike.append((FIRST + n, -20.0 + drift))
    shuffled = [level for _, level in alike]
    chance.shuffle(shuffled)
    lasting, changing = slope(alike), slope(_days(*shuffled))
    assert lasting is not None
    assert changing is not None
    assert lasting.highest_month_db - lasting.lowest_month_db > 1.3 * (
        changing.highest_month_db - changing.lowest_month_db
    )


def test_of_a_thousand_steady_lights_few_are_foretold_to_fail() -> None:
    """95 % intervals and half a decibel at least: weather of 0.25 dB must not send technicians out."""
    alarms = sum(outlook(_declining(60, -24.0, 0.0, 0.25, seed)).failing is not None for seed in range(200))
    assert alarms <= 4


def test_of_real_declines_nearly_all_are_found_and_the_true_day_lies_in_the_interval() -> None:
    found: list[Outlook] = [outlook(_declining(60, -23.0, -1.0, 0.25, seed)) for seed in range(100)]
    told = [one.failing for one in found if one.failing]
    assert len(told) >= 98
    true_days = 4.0 * 30 - 59  # from -23 to -27 at 1 dB a month, seen from the last of 60 days
    assert sum(one.earliest <= true_days <= (one.latest or FARTHEST_DAYS) for one in told) >= 95


LEVELS = st.lists(st.floats(-32.0, -6.0), min_size=1, max_size=60)


@settings(max_examples=80)
@given(levels=LEVELS, seed=st.integers(0, 2**32), shift=st.floats(-5, 5), days=st.integers(-400, 400))
def test_order_does_not_matter_and_a_shift_moves_nothing_but_the_level(
    levels: list[float], seed: int, shift: float, days: int
) -> None:
    plain = _days(*(round(level, 2) for level in levels))
    shuffled = plain.copy()
    random.Random(seed).shuffle(shuffled)
    assert outlook(shuffled) == outlook(plain)
    trend, moved = slope(plain), slope([(day + days, level + shift) for day, level in plain])
    assert (trend is None) == (moved is None)
    if trend and moved:
        assert moved.month_db == pytest.approx(trend.month_db, abs=1e-6)
        assert moved.level_dbm == pytest.approx(trend.level_dbm + shift, abs=1e-6)


@settings(max_examples=80)
@given(levels=LEVELS)
def test_what_is_foretold_lies_within_its_own_interval(levels: list[float]) -> None:
    found = outlook(_days(*levels))
    if found.trend:
        assert found.trend.lowest_month_db <= found.trend.month_db <= found.trend.highest_month_db
    if found.failing:
        assert found.trend is not None
        assert found.trend.falls
        assert 0 <= found.failing.earliest <= found.failing.days <= (found.failing.latest or FARTHEST_DAYS)


@settings(max_examples=80)
@given(month=st.floats(-6, 6), wild=st.lists(st.tuples(st.integers(0, 59), st.floats(-40, 5)), max_size=10))
def test_a_few_wild_days_cannot_turn_the_trend(month: float, wild: list[tuple[int, float]]) -> None:
    days = dict(_declining(60, -20.0, month))
    for place, level in wild:
        days[FIRST + place] = level
    found = slope(sorted(days.items()))
    assert found is not None
    assert found.month_db == pytest.approx(month, abs=2.0)


@settings(max_examples=60)
@given(month=st.floats(-12, 12), number=st.integers(6, 90))
def test_no_slow_decline_is_called_a_step(month: float, number: int) -> None:
    assert steps(_declining(number, -20.0, month)) == ()


@settings(max_examples=60)
@given(change=st.floats(STEP_DB + 0.6, 12), place=st.integers(3, 37), seed=st.integers(0, 999), down=st.booleans())
def test_every_lasting_step_is_found_in_the_weather(change: float, place: int, seed: int, down: bool) -> None:
    signed = -change if down else change
    calm = _declining(40, -18.0, 0.0, 0.12, seed)
    found = steps([(day, level + (signed if n >= place else 0)) for n, (day, level) in enumerate(calm)])
    assert [step.day for step in found] == [FIRST + place]
    assert found[0].change_db == pytest.approx(signed, abs=0.6)
