"""A person's cause stands beside the judged one, whatever late readings do to the outage's edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.measurement.outage_models import Ruling
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage
from kampungnet.measurement.rulings import is_about, ruled, without_an_outage

HOUR = 3_600_000
START = 1_782_882_000_000


def _ruling(start_ms: int = START, hours: float = 2, *, lasted: bool = False, made_ms: int = 1) -> Ruling:
    return Ruling(
        regency="35.10", site="35.10.15.2012-1", made_ms=made_ms, start_ms=start_ms,
        end_ms=start_ms + int(hours * HOUR), lasted=lasted, cause="listrik", reason="PLN said so", made_by="Ibu Sari",
    )  # fmt: skip


def _outage(start_ms: int = START, hours: float | None = 2, finding: Finding = Finding.NO_LIGHT) -> Outage:
    end_ms = None if hours is None else start_ms + int(hours * HOUR)
    return Outage(start_ms, end_ms, Cause.FIBER, 0.7, (Evidence(start_ms, finding),), provisional=False)


def test_a_ruled_outage_has_the_persons_cause_and_keeps_what_was_judged() -> None:
    (seen,) = ruled([_outage()], [_ruling()])
    assert (seen.cause, seen.confidence) == (Cause.LISTRIK, 1.0)
    assert seen.ruled is not None
    assert (seen.ruled.judged, seen.ruled.confidence, seen.ruled.made_by) == (Cause.FIBER, 0.7, "Ibu Sari")
    assert Finding.NO_LIGHT in {one.what for one in seen.evidence}


@pytest.mark.parametrize(
    ("outage", "holds"),
    [
        (_outage(START - 300_000, 2.1), True),
        (_outage(START + HOUR, 1), True),
        (_outage(START, 0.9), False),
        (_outage(START, 4.1), False),
        (_outage(START - 26 * HOUR, 26 + 24), False),
        (_outage(START + 2 * HOUR, 2), False),
    ],
    ids=["edges moved", "half is left", "less than half is left", "joined to more than as much", "a day", "after it"],
)
def test_a_ruling_holds_while_at_least_half_of_each_lies_in_the_other(outage: Outage, holds: bool) -> None:
    assert is_about(_ruling(), outage) is holds
    assert bool(without_an_outage([_ruling()], [outage])) is not holds


def test_a_ruling_on_an_outage_that_lasted_holds_for_all_of_it_but_not_for_the_next_one() -> None:
    early = _ruling(hours=0.5, lasted=True)
    assert is_about(early, _outage(hours=9))
    assert is_about(early, _outage(hours=None))
    assert not is_about(early, _outage(START + 10 * HOUR, None))


def test_the_newest_ruling_counts() -> None:
    other = _ruling(made_ms=2)
    other.cause = "orang"
    (seen,) = ruled([_outage()], [other, _ruling()])
    assert seen.cause is Cause.ORANG


def test_a_persons_word_proves_what_only_silence_told() -> None:
    silent = _outage(finding=Finding.SILENCE)
    assert not silent.is_proven
    (seen,) = ruled([silent], [_ruling()])
    assert seen.is_proven


@given(st.integers(-5, 5), st.integers(1, 10), st.integers(-5, 5), st.integers(1, 10))
def test_a_ruling_is_about_at_most_one_of_outages_that_do_not_overlap(a: int, b: int, c: int, d: int) -> None:
    first = _outage(START + a * HOUR, b)
    second = _outage(START + (a + b + abs(c)) * HOUR, d)
    one = _ruling(START + c * HOUR, d)
    both = is_about(one, first) and is_about(one, second)
    shared = min(a + b, c + d) - max(a, c)
    assert not both or 2 * shared == d, "only halves that are exactly equal may share a ruling"
