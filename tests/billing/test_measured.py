"""What the measurement knows becomes facts of a statement: cut to the contract's days, and nothing else changed."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.billing import measured, words
from kampungnet.billing.credit import credit
from kampungnet.billing.document import ContractFact
from kampungnet.billing.measured import HotspotFact, Period
from kampungnet.billing.months import hotspot_fact
from kampungnet.billing.statement import classified
from kampungnet.billing.terms import CreditFormula
from kampungnet.core.clock import WIB
from kampungnet.core.pages import all_languages
from kampungnet.hotspot.use import DayUse
from kampungnet.measurement.availability import Record, Window, availability
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage, Span
from kampungnet.measurement.workdays import HOUSE_HOURS, OfficeHours
from tests.billing import months
from tests.billing.months import JULY, LATE_JULY, MINUTE, terms

CONTRACT = ContractFact(id="1", number="1", terms=terms())


def _outage(first: int, last: int | None, cause: Cause = Cause.FIBER, what: Finding = Finding.NO_LIGHT) -> Outage:
    start_ms = JULY.start_ms + first * MINUTE
    end_ms = None if last is None else JULY.start_ms + last * MINUTE
    return Outage(start_ms, end_ms, cause, 0.875, (Evidence(start_ms, what, 3),), provisional=False)


def _span(first: int, last: int) -> Span:
    return Span(JULY.start_ms + first * MINUTE, JULY.start_ms + last * MINUTE)


_STRETCH = st.tuples(st.integers(-5_000, 45_000), st.integers(1, 9_000)).map(lambda one: (one[0], sum(one)))


@settings(max_examples=150)
@given(
    st.lists(st.tuples(_STRETCH, st.sampled_from(Cause), st.sampled_from([Finding.NO_LIGHT, Finding.SILENCE]))),
    st.lists(_STRETCH, max_size=4),
    st.lists(_STRETCH, max_size=3),
    st.sampled_from([JULY, LATE_JULY]),
)
def test_the_facts_come_to_the_same_seconds_as_what_they_were_made_of(
    lost: list[tuple[tuple[int, int], Cause, Finding]],
    unseen: list[tuple[int, int]],
    planned: list[tuple[int, int]],
    period: Period,
) -> None:
    windows = tuple(Window(one.start_ms, one.end_ms, one.start_ms) for one in (_span(*each) for each in planned))
    outages = tuple(_outage(*both, cause, what) for both, cause, what in lost)
    record = Record(outages, tuple(_span(*each) for each in unseen), windows)
    facts = classified(measured.measured(period, record, months.traffic(period), HOUSE_HOURS), CONTRACT)
    assert facts.classes == measured.classes_of(availability([period.span], record))
    assert facts.office is not None
    assert facts.office.classes == measured.classes_of(
        availability(measured.office_spans(period, facts.office), record)
    )


def test_an_outage_keeps_its_beginning_and_evidence_and_ends_with_the_month() -> None:
    record = Record((_outage(-600, None), _outage(-900, -700), _outage(44_640, None)))
    (one,) = measured.measured(JULY, record, months.traffic(JULY)).outages
    assert (one.start_ms, one.end_ms, one.confidence_percent) == (JULY.start_ms - 600 * MINUTE, JULY.end_ms, 88)
    assert [(seen.what, seen.number) for seen in one.evidence] == [(Finding.NO_LIGHT, 3)]


def test_r5_counts_only_the_days_of_this_month() -> None:
    facts = measured.measured(JULY, Record((_outage(-5_000, 100),)), months.traffic(JULY))
    found = credit(months.credit(CreditFormula.R5), 3_100_000, classified(facts, CONTRACT))
    assert found is not None
    assert found.inputs["begun"] == 1


def test_days_that_are_not_over_are_unknown_and_not_up() -> None:
    facts = measured.measured(JULY, Record(), months.traffic(JULY), known_ms=JULY.start_ms + 86_400_000)
    classes = classified(facts, CONTRACT).classes
    assert (classes.up, classes.unknown) == (86_400, 30 * 86_400)


def test_only_the_holidays_of_the_month_are_named() -> None:
    hours = OfficeHours(holidays=frozenset({date(2026, 7, 1), date(2026, 8, 17)}))
    office = measured.measured(JULY, Record(), months.traffic(JULY), hours).office
    assert office is not None
    assert office.holidays == (date(2026, 7, 1),)


@pytest.mark.parametrize(
    "days",
    [(date(2026, 7, 1), date(2026, 8, 1)), (date(2026, 7, 3), date(2026, 7, 2))],
)
def test_a_period_lies_in_one_month_and_in_order(days: tuple[date, date]) -> None:
    with pytest.raises(ValueError, match="in order"):
        Period.of(*days, WIB)


def _used(people: int, seconds: int = 3600, office_seconds: int = 600) -> DayUse:
    return DayUse(people, people, seconds, office_seconds, 1, 1, people, 0, 0)


def test_wifi_is_counted_on_the_contracts_days_only() -> None:
    days = {date(2026, 7, 12): _used(90), date(2026, 7, 13): _used(7), date(2026, 7, 31): _used(9)}
    found = hotspot_fact(days, LATE_JULY)
    assert found == HotspotFact(people=16, seconds=7_200, outside_office_seconds=6_000, most=9, days=2)


def test_wifi_that_nobody_measured_is_no_zero_and_a_small_group_is_not_told() -> None:
    assert hotspot_fact({}, JULY) is None
    assert hotspot_fact({date(2026, 7, 13): _used(0, 0, 0)}, JULY) is None
    small = hotspot_fact({date(2026, 7, day): _used(4) for day in range(1, 20)}, JULY)
    assert small == HotspotFact(people=0, seconds=0, outside_office_seconds=0, few=True)
    indonesian = all_languages()["id"]
    assert words.wifi(indonesian, None) == ["tidak diukur"]
    assert "lima perangkat" in words.wifi(indonesian, small)[0]
