"""Seconds of a period by class: they sum exactly; the numbers of facts on billing 8.2 and 8.3."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.core.clock import WIB, WIT, WITA
from kampungnet.measurement.availability import (
    HOUSE_POLICY,
    Availability,
    Policy,
    Record,
    Treatment,
    Window,
    allowed_seconds,
    availability,
    percent,
)
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage, Span
from kampungnet.measurement.workdays import OfficeHours, month_of, office_hours

MINUTE = 60_000
JUNE = month_of(2026, 6, WIB)
OUT, UP, DOWN = Treatment.OUT, Treatment.UP, Treatment.DOWN


def _at(minute: float) -> int:
    return JUNE.start_ms + round(minute * MINUTE)


def _outage(
    first: float, last: float | None, cause: Cause = Cause.FIBER, finding: Finding = Finding.NO_LIGHT
) -> Outage:
    end_ms = None if last is None else _at(last)
    return Outage(_at(first), end_ms, cause, 0.9, (Evidence(_at(first), finding),), provisional=last is None)


def _window(first: float, last: float, entered: float | None = None) -> Window:
    return Window(_at(first), _at(last), _at(first if entered is None else entered))


def _june(record: Record, policy: Policy = HOUSE_POLICY) -> Availability:
    return availability([JUNE], record, policy)


def _share(share: Fraction | None) -> float:
    assert share is not None
    return round(float(share) * 100, 4)


def test_a_month_is_cut_at_midnight_of_its_own_zone() -> None:
    starts = [month_of(2026, 7, zone).start_ms // 1000 for zone in (WIB, WITA, WIT)]
    assert [datetime.fromtimestamp(at, UTC).isoformat()[:16] for at in starts] == [
        "2026-06-30T17:00", "2026-06-30T16:00", "2026-06-30T15:00",
    ]  # fmt: skip
    assert month_of(2026, 7, WIB).end_ms == month_of(2026, 8, WIB).start_ms
    assert month_of(2026, 12, WIB).end_ms == month_of(2027, 1, WIB).start_ms


@pytest.mark.parametrize(
    ("sla", "minutes"),
    [
        ("98", ("806.4", "835.2", "864", "892.8")),
        ("99", ("403.2", "417.6", "432", "446.4")),
        ("99.5", ("201.6", "208.8", "216", "223.2")),
        ("99.9", ("40.32", "41.76", "43.2", "44.64")),
    ],
)
def test_allowed_downtime_is_exact(sla: str, minutes: tuple[str, ...]) -> None:
    for days, allowed in zip((28, 29, 30, 31), minutes, strict=True):
        assert allowed_seconds(days * 86_400, Decimal(sla)) == Fraction(allowed) * 60


@pytest.mark.parametrize(("planned", "expected"), [(OUT, 97.7654), (UP, 97.7778), (DOWN, 97.2222)])
def test_planned_work_counts_as_the_contract_says(planned: Treatment, expected: float) -> None:
    record = Record([_outage(0, 960)], windows=[_window(2_000, 2_240)])
    found = _june(record, Policy(planned=planned))
    assert (found.seconds, found.down, found.planned) == (43_200 * 60, 960 * 60, 240 * 60)
    assert _share(found.share) == expected


def test_the_base_is_what_the_tolerance_is_taken_of() -> None:
    record = Record([_outage(0, 960)], windows=[_window(2_000, 2_240)])
    assert allowed_seconds(_june(record).base, Decimal(99)) == Fraction("429.6") * 60
    assert allowed_seconds(_june(record, Policy(planned=UP)).base, Decimal(99)) == 432 * 60


@pytest.mark.parametrize(("unknown", "expected"), [(UP, 97.7778), (DOWN, 97.5), (OUT, 97.7716)])
def test_unknown_time_counts_as_the_contract_says(unknown: Treatment, expected: float) -> None:
    record = Record([_outage(0, 960)], unseen=[Span(_at(5_000), _at(5_120))])
    found = _june(record, Policy(unknown=unknown))
    assert found.unknown == 120 * 60
    assert _share(found.share) == expected


def test_one_second_has_one_class_in_the_house_order() -> None:
    record = Record(
        [_outage(100, 300)], unseen=[Span(_at(200), _at(500))], windows=[_window(0, 150), _window(400, 450)]
    )
    found = _june(record)
    minutes = (found.planned // 60, found.down // 60, found.unknown // 60, found.up // 60)
    assert minutes == (200, 150, 150, 42_700)


def test_of_two_outages_at_once_the_one_that_began_first_names_the_cause() -> None:
    both = [_outage(150, 250), _outage(100, 200, Cause.LISTRIK)]
    assert _june(Record(both)).down_by_cause == {Cause.LISTRIK: 100 * 60, Cause.FIBER: 50 * 60}


def test_an_unknown_cause_is_down_and_silence_alone_is_unknown() -> None:
    assert _june(Record([_outage(0, 60, Cause.UNKNOWN)])).down_by_cause == {Cause.UNKNOWN: 3_600}
    silence = _june(Record([_outage(0, 60, Cause.UNKNOWN, Finding.SILENCE)]))
    assert (silence.down, silence.unknown) == (0, 3_600)


def test_an_outage_that_lasts_fills_the_rest_of_the_period() -> None:
    assert _june(Record([_outage(43_000, None)])).down == 200 * 60
    silent = _outage(43_000, None, Cause.UNKNOWN, Finding.SILENCE)
    assert _june(Record([silent])).unknown == 200 * 60


def test_an_outage_across_the_border_counts_within_it_only() -> None:
    assert _june(Record([_outage(-100, 50), _outage(43_190, 44_000)])).down == 60 * 60


def test_a_window_entered_afterwards_is_shown_and_does_not_count() -> None:
    record = Record([_outage(100, 200)], windows=[_window(90, 210, entered=91), _window(95, 100)])
    found = _june(record)
    assert (found.planned, found.late, found.down) == (5 * 60, 115 * 60, 100 * 60)
    agreed = _june(record, Policy(late_windows_count=True))
    assert (agreed.planned, agreed.late, agreed.down) == (120 * 60, 0, 0)


def test_planned_may_count_only_where_the_service_was_down() -> None:
    record = Record([_outage(100, 200)], windows=[_window(50, 150)])
    found = _june(record, Policy(planned_where_down_only=True))
    assert (found.planned, found.down, found.up) == (50 * 60, 50 * 60, (43_200 - 100) * 60)


def test_a_period_of_which_nothing_is_left_has_no_share() -> None:
    assert _june(Record(unseen=[JUNE])).share is None
    assert availability([], Record([_outage(0, 5)])).seconds == 0


def test_office_hours_leave_out_nights_weekends_and_holidays() -> None:
    holiday = OfficeHours(holidays=frozenset({date(2026, 6, 1), date(2026, 6, 7)}))
    assert len(office_hours(JUNE, WIB)) == 22
    found = office_hours(JUNE, WIB, holiday)
    assert sum(one.end_ms - one.start_ms for one in found) == 21 * 8 * 60 * MINUTE
    assert found[0].start_ms == _at(24 * 60 + 7 * 60)
    cut = office_hours(Span(_at(8 * 60), _at(10 * 60)), WIB)
    assert cut == (Span(_at(8 * 60), _at(10 * 60)),)


def test_only_office_hours_of_an_outage_count_in_office_hours() -> None:
    found = availability(office_hours(JUNE, WIB), Record([_outage(0, 2 * 24 * 60)]))
    assert (found.seconds, found.down) == (22 * 8 * 3_600, 2 * 8 * 3_600)


@pytest.mark.parametrize(
    ("share", "sla", "shown"),
    [
        ("0.989999", "99", "98.99"),
        ("0.99", "99", "99.00"),
        ("0.989949", "99", "98.99"),
        ("0.99004", "99", "99.00"),
        ("0.990041", "99.004", "99.01"),
        ("0.98999", None, "99.00"),
        ("0.989949", None, "98.99"),
        ("0.999999", "99.5", "100.00"),
        ("0.97765363", "99", "97.77"),
        ("0", "99", "0.00"),
        ("1", "100", "100.00"),
        ("0.999999", "100", "99.99"),
    ],
)
def test_a_percentage_never_crosses_the_sla(share: str, sla: str | None, shown: str) -> None:
    assert str(percent(Fraction(share), Decimal(sla) if sla else None)) == shown


@settings(max_examples=200)
@given(st.fractions(0, 1), st.decimals(90, 100, places=4))
def test_a_percentage_stands_on_its_side_of_the_sla_and_within_a_hundredth(share: Fraction, sla: Decimal) -> None:
    shown = percent(share, sla)
    assert (shown >= sla) == (share * 100 >= Fraction(sla))
    assert abs(Fraction(shown) - share * 100) < Fraction(1, 100)


instant = st.integers(JUNE.start_ms - 10**9, JUNE.end_ms + 10**9)
stretch = st.tuples(instant, st.integers(1, 10**9)).map(lambda one: (one[0], one[0] + one[1]))


@settings(max_examples=100)
@given(
    st.lists(st.tuples(stretch, st.sampled_from(list(Cause)), st.booleans(), st.booleans()), max_size=8),
    st.lists(stretch, max_size=5),
    st.lists(st.tuples(stretch, instant), max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_classes_sum_to_the_period_whatever_is_recorded(
    outages: list[tuple[tuple[int, int], Cause, bool, bool]],
    unseen: list[tuple[int, int]],
    windows: list[tuple[tuple[int, int], int]],
    down_only: bool,
    late: bool,
) -> None:
    known = [
        Outage(start, None if lasts else end, cause, 0.5,
               (Evidence(start, Finding.NO_LIGHT if proven else Finding.SILENCE),), provisional=lasts)
        for (start, end), cause, lasts, proven in outages
    ]  # fmt: skip
    record = Record(known, [Span(*one) for one in unseen], [Window(*span, entered) for span, entered in windows])
    for period in ([JUNE], office_hours(JUNE, WIB)):
        found = availability(period, record, Policy(down_only, late))
        assert found.up + found.planned + found.unknown + found.down == found.seconds
        assert min(found.up, found.planned, found.unknown, *found.down_by_cause.values(), found.late) >= 0
        assert found.seconds == sum(one.end_ms - one.start_ms for one in period) // 1000
        assert found == availability(
            period, Record(known[::-1], record.unseen[::-1], record.windows[::-1]), found.policy
        )
