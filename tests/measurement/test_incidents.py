"""What went dark together: one incident, at the place that explains it (facts on ONTs 13.2)."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.core.errors import BadInput
from kampungnet.measurement import installation
from kampungnet.measurement.incidents import Grouping, Incident, Member, Place, incidents
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage

SECOND = 1_000
T0 = 1_782_874_800_000
CODES = [f"33.17.{n // 20 + 1:02d}.{2001 + n % 20}" for n in range(60)]
BY_DISTRICT: dict[str, Place] = {code: (code[:8],) for code in CODES}
BY_CABLE: dict[str, Place] = {
    code: ("olt-1", f"card-{n // 40}", f"pon-{n // 20}", f"odp-{n // 8}") for n, code in enumerate(CODES)
}


def _member(
    place: int,
    start: float = 0,
    cause: Cause = Cause.FIBER,
    finding: Finding = Finding.NO_LIGHT,
    end: float | None = 600,
) -> Member:
    at_ms = T0 + round(start * SECOND)
    end_ms = None if end is None else T0 + round(end * SECOND)
    evidence = (Evidence(at_ms, finding),)
    return Member(CODES[place], Outage(at_ms, end_ms, cause, 0.9, evidence, provisional=end is None))


def _gasp(place: int, start: float = 0) -> Member:
    return _member(place, start, Cause.LISTRIK, Finding.OLT_GASP)


def _silent(place: int, start: float = 0) -> Member:
    return _member(place, start, Cause.UNKNOWN, Finding.SILENCE, end=None)


def _places(found: tuple[Incident, ...]) -> list[tuple[str, int]]:
    return [(one.place[-1], len(one.members)) for one in found]


def test_twenty_three_villages_dark_within_two_minutes_on_one_trunk_are_one_incident() -> None:
    trunk: dict[str, Place] = {code: ("north" if n < 23 else "south",) for n, code in enumerate(CODES)}
    found = incidents([_member(n, start=5 * n) for n in range(23)], trunk)
    assert _places(found) == [("north", 23)]
    [one] = found
    assert (one.cause, one.sites, one.is_whole, one.is_mixed) == (Cause.FIBER, 23, True, False)
    assert (one.start_ms, one.end_ms) == (T0, T0 + 600 * SECOND)


def test_what_begins_later_is_another_incident() -> None:
    first, later = [_member(n) for n in range(10)], [_member(n, start=121) for n in range(10, 20)]
    assert _places(incidents([*later, *first], BY_DISTRICT)) == [("33.17.01", 10), ("33.17.01", 10)]
    wider = Grouping(together_ms=180_000)
    assert _places(incidents([*later, *first], BY_DISTRICT, wider)) == [("33.17.01", 20)]


def test_districts_without_a_common_cable_have_incidents_of_their_own() -> None:
    found = incidents([_member(n) for n in range(8, 32)], BY_DISTRICT)
    assert _places(found) == [("33.17.01", 12), ("33.17.02", 12)]


def test_two_villages_of_twenty_are_chance() -> None:
    found = incidents([_member(0), _member(1)], BY_DISTRICT)
    assert _places(found) == [(CODES[0], 1), (CODES[1], 1)]
    assert [one.place for one in found] == [("33.17.01", CODES[0]), ("33.17.01", CODES[1])]
    assert _places(incidents([_member(n) for n in range(5)], BY_DISTRICT)) == [("33.17.01", 5)]


@pytest.mark.parametrize(
    ("dark", "place"),
    [
        (range(8), "odp-0"),
        (range(7), "odp-0"),
        (range(20), "pon-0"),
        (range(40), "card-0"),
        (range(60), "olt-1"),
    ],
)
def test_all_of_a_place_is_the_place(dark: range, place: str) -> None:
    assert _places(incidents([_member(n) for n in dark], BY_CABLE)) == [(place, len(dark))]


def test_two_legs_dark_by_themselves_are_two_incidents() -> None:
    assert _places(incidents([_member(n) for n in (*range(8), *range(40, 48))], BY_CABLE)) == [
        ("odp-0", 8), ("odp-5", 8),
    ]  # fmt: skip


def test_one_onu_alone_is_no_incident_of_its_pon() -> None:
    [one] = incidents([_member(3)], BY_CABLE)
    assert one.place == (*BY_CABLE[CODES[3]], CODES[3])
    assert one.is_whole


def test_gasps_of_a_whole_area_are_power() -> None:
    [one] = incidents([_gasp(n) for n in range(20)], BY_CABLE)
    assert (one.cause, one.is_mixed) == (Cause.LISTRIK, False)


@pytest.mark.parametrize(
    ("gasps", "cause"), [(12, Cause.LISTRIK), (11, Cause.FIBER), (10, Cause.FIBER), (1, Cause.FIBER)]
)
def test_a_mixed_set_is_power_if_three_fifths_gasped_else_the_cable(gasps: int, cause: Cause) -> None:
    mixed = [_gasp(n) for n in range(gasps)] + [_member(n, finding=Finding.OLT_LOS) for n in range(gasps, 20)]
    [one] = incidents(mixed, BY_CABLE)
    assert (one.cause, one.is_mixed, len(one.members)) == (cause, True, 20)
    assert one.confidence < 0.9


def test_silent_villages_belong_to_the_incident_that_others_explain() -> None:
    found = incidents([_silent(n) for n in range(15)] + [_gasp(n) for n in range(15, 20)], BY_CABLE)
    assert [(one.cause, len(one.members), one.end_ms) for one in found] == [(Cause.LISTRIK, 20, None)]


def test_silence_of_all_names_no_cause() -> None:
    [one] = incidents([_silent(n) for n in range(20)], BY_CABLE)
    assert (one.cause, one.end_ms, one.is_mixed) == (Cause.UNKNOWN, None, False)


def test_a_router_that_hangs_in_that_minute_is_its_villages_own() -> None:
    own = _member(3, cause=Cause.PERANGKAT, finding=Finding.ROUTER_SILENT)
    found = incidents([own, *(_member(n) for n in range(4, 20))], BY_DISTRICT)
    assert _places(found) == [("33.17.01", 16), (CODES[3], 1)]


def test_sites_of_which_no_place_is_known_stand_alone() -> None:
    assert _places(incidents([_member(n) for n in range(6)], {})) == [(CODES[n], 1) for n in range(6)]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 59), st.integers(0, 400), st.sampled_from(list(Cause))),
        max_size=60,
        unique_by=lambda o: o[0],
    ),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_every_outage_is_in_one_incident_and_order_does_not_matter(
    drawn: list[tuple[int, int, Cause]], by_cable: bool, dice: Random
) -> None:
    members = [_member(place, start, cause) for place, start, cause in drawn]
    place_of = BY_CABLE if by_cable else BY_DISTRICT
    found = incidents(members, place_of)
    assert sorted(one.site for incident in found for one in incident.members) == sorted(one.site for one in members)
    dice.shuffle(members)
    assert incidents(members, place_of) == found
    for one in found:
        starts = [member.outage.start_ms for member in one.members]
        assert one.start_ms == min(starts)
        assert max(starts) - min(starts) <= 120_000
        assert len(one.members) <= one.sites


def test_thresholds_are_settings_of_the_installation() -> None:
    told = {
        "KAMPUNGNET_OUTAGE_MINUTES": "10",
        "KAMPUNGNET_TOGETHER_SECONDS": "300",
        "KAMPUNGNET_INCIDENT_PERCENT": "80",
    }
    thresholds, grouping = installation.thresholds("Asia/Makassar", told), installation.grouping(told)
    assert (thresholds.shortest_ms, thresholds.calm_ms, thresholds.together_ms) == (600_000, 180_000, 300_000)
    assert thresholds.zone == "Asia/Makassar"
    assert (grouping.together_ms, grouping.most_percent) == (300_000, 80)
    assert installation.grouping({}) == Grouping()
    with pytest.raises(BadInput, match="KAMPUNGNET_CALM_MINUTES=soon is no number"):
        installation.thresholds("Asia/Jakarta", {"KAMPUNGNET_CALM_MINUTES": "soon"})
