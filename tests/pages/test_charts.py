import pytest

from kampungnet.core import clock
from kampungnet.core.pages import all_languages
from kampungnet.measurement import charts, states, village_page
from kampungnet.measurement.charts import Scale, Span, nice_scale
from kampungnet.measurement.service import Measured

SPAN = Span(0, 1_000, 100)
SCALE = Scale(0, 10, (0, 5, 10))
NOW = 1_795_300_000_000
INDONESIAN = all_languages()["id"]


def test_a_line_never_crosses_a_gap() -> None:
    values = [(0, 0.0), (100, 5.0), (200, None), (300, 10.0), (400, 10.0)]
    assert charts.line(values, SPAN, SCALE) == "M50 150L150 75M350 0L450 0"
    assert charts.area(values, SPAN, SCALE) == "M50 150L150 75V150H50ZM350 0L450 0V150H350Z"
    assert charts.gaps(values, SPAN) == [(200.0, 100.0)]


def test_a_lonely_value_is_still_seen() -> None:
    assert charts.line([(0, None), (100, 5.0), (200, None)], SPAN, SCALE) == "M100 75H200"


def test_nothing_known_draws_nothing() -> None:
    assert charts.line([(0, None)], SPAN, SCALE) == ""
    assert charts.line([], SPAN, SCALE) == ""
    assert charts.gaps([(at, None) for at in range(0, 1_000, 100)], SPAN) == [(0.0, 1000.0)]


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (0.9, 1), (1, 1), (3.2, 4), (7, 7.5), (12, 15), (20.6, 30), (99, 100), (940, 1000)]
)
def test_an_axis_ends_at_a_round_number_above_every_value(highest: float, top: float) -> None:
    scale = nice_scale([highest], least_high=1)
    assert scale.high == pytest.approx(top)
    assert scale.ticks[0] == 0
    assert len(scale.ticks) <= 5


def test_people_are_counted_in_whole_steps() -> None:
    for most in range(1, 200):
        assert all(tick == int(tick) for tick in nice_scale([most], least_high=4, whole=True).ticks)


@pytest.mark.parametrize("value", [1e-9, 0.0, 1.0, 3.0, 1e6, 2.0**63])
def test_any_value_fits_below_the_top_of_its_axis(value: float) -> None:
    assert nice_scale([value], least_high=1).high >= value


def test_the_axis_of_light_always_shows_the_limits() -> None:
    assert charts.light_scale([-20.0]).ticks == (-30.0, -25.0, -20.0, -15.0)
    assert charts.light_scale([-33.2, -7.0]).low == -35
    assert charts.light_scale([-33.2, -7.0]).high == -5


def test_buckets_leave_out_what_is_unknown_and_keep_their_place() -> None:
    values = [(0, 1.0), (100, 3.0), (200, None), (300, None), (400, 8.0), (999, 9.0)]
    assert charts.buckets(values, [0, 200, 400, 600], charts.mean) == [(0, 2.0), (200, None), (400, 8.0)]


def test_days_begin_at_local_midnight() -> None:
    borders = charts.day_borders(NOW - clock.DAY_MS, NOW, clock.WIB)
    assert [INDONESIAN.time(at, clock.WIB) for at in borders] == ["00.00"] * 3
    assert borders[0] <= NOW - clock.DAY_MS
    assert borders[-1] >= NOW


@pytest.mark.parametrize(
    ("dbm", "grade"),
    [(-7.9, "blinding"), (-8.0, "good"), (-24.9, "good"), (-25.0, "weak"), (-26.9, "weak"), (-27.0, "critical"),
     (-40.0, "critical"), (None, "")],
)  # fmt: skip
def test_light_is_graded_by_the_limits_in_use(dbm: float | None, grade: str) -> None:
    assert states.light_grade(dbm) == grade


def test_no_light_is_dark_whatever_the_number() -> None:
    assert states.light_grade(None, no_light=True) == "dark"


def test_a_rate_is_the_bytes_of_five_minutes() -> None:
    """375,000,000 bytes in 300 s are 10 Mbps: worked out by hand."""
    view = village_page.last_day(INDONESIAN, clock.WIB, NOW)
    slot = view.span.last_ms - view.span.step_ms
    series = {"rx_bytes/wan": {slot: 375_000_000}, "tx_bytes/wan": {slot: 37_500_000}, "readings": {slot: 5}}
    measured = Measured(view.span.first_ms, NOW, series)
    chart = village_page.traffic(measured, "wan", view)
    assert chart.summary.startswith("Unduh rata-rata 10,0 Mbps, tertinggi 10,0 Mbps pukul 05.20.")
    assert chart.rows[-1][1:] == ("375 MB", "37,5 MB", "10,0")
    assert chart.rows[0][1:] == ("–", "–", "–")
    assert chart.gaps == ()


def test_no_data_is_shaded_after_the_first_reading_and_everywhere_where_there_is_none() -> None:
    view = village_page.last_day(INDONESIAN, clock.WIB, NOW)
    first, later = view.span.last_ms - 3 * 3_600_000, view.span.last_ms - 3_600_000
    series = {"rx_power_mdbm": {first: -20_000, later: -20_100}, "readings": {first: 1, later: 1}}
    chart = village_page.light(Measured(view.span.first_ms, NOW, series), view)
    assert [round(left) for left, _ in chart.gaps] == [878, 962]
    assert "diukur sejak" in chart.coverage
    nothing = village_page.light(Measured(view.span.first_ms, NOW, {}), view)
    assert nothing.gaps == ((0.0, 1000.0),)


def test_light_that_was_measured_for_the_first_time_just_now_has_no_chart_yet() -> None:
    view = village_page.last_day(INDONESIAN, clock.WIB, NOW)
    now, before = view.span.last_ms, view.span.last_ms - view.span.step_ms
    for slots, charted in (({}, False), ({now: -20_000}, False), ({before: -20_000, now: -20_000}, True)):
        measured = Measured(view.span.first_ms, NOW, {"rx_power_mdbm": slots})
        assert village_page.has_light(measured, view) == charted


def test_coverage_is_rounded_down_and_counts_from_the_first_reading() -> None:
    view = village_page.last_day(INDONESIAN, clock.WIB, NOW)
    slots = range(view.span.first_ms, view.span.last_ms, 300_000)
    nearly = Measured(view.span.first_ms, NOW, {"readings": dict.fromkeys(list(slots)[:-1], 5)})
    assert village_page.people(nearly, view).coverage == "data 99% lengkap"
    half_a_day = Measured(view.span.first_ms, NOW, {"readings": dict.fromkeys(list(slots)[144:], 5)})
    assert village_page.people(half_a_day, view).coverage == "data 100% lengkap (diukur sejak 21 Nov)"
    assert village_page.people(Measured(view.span.first_ms, NOW), view).coverage == "tidak ada data"
