"""One moment at a time: was there service, and if not, why."""

import pytest

from kampungnet.measurement.outage_words import Cause, Evidence, Finding
from kampungnet.measurement.sights import Seen
from kampungnet.measurement.tracks import Crossing, Fate, Moment
from kampungnet.measurement.verdicts import (
    Fates,
    findings,
    power,
    starts_together,
    why,
    why_by_olt,
    works,
    works_by_olt,
)

OK = Seen.ANSWERS | Seen.INTERNET
DEAD = Seen.ANSWERS | Seen.NO_INTERNET
UP = Seen.ANSWERS | Seen.LINK | Seen.LIGHT
NOBODY = Fates(Crossing(Fate.ABSENT), Crossing(Fate.ABSENT), Crossing(Fate.ABSENT))


def _met(router: Fate = Fate.ABSENT, ont: Fate = Fate.ABSENT, box: Fate = Fate.ABSENT) -> Fates:
    return Fates(Crossing(router, 1), Crossing(ont, 2), Crossing(box, 3))


@pytest.mark.parametrize(
    ("router", "ont", "onu", "expected"),
    [
        (OK, UP, 0, True),
        (OK, Seen.ANSWERS | Seen.DARK, Seen.LOS, True),  # a second way out carries it
        (OK | Seen.NO_GATEWAY, 0, 0, True),  # a gateway need not answer pings
        (DEAD, UP, Seen.ONLINE, False),
        (Seen.ANSWERS | Seen.NO_GATEWAY, 0, 0, False),
        (Seen.ANSWERS | Seen.GATEWAY, 0, 0, True),
        (Seen.ANSWERS, 0, 0, True),  # nobody could ask: what answers is up, as on the overview
        (Seen.ANSWERS, Seen.ANSWERS | Seen.NO_LINK, 0, False),
        (Seen.ANSWERS | Seen.PORT_OFF, 0, 0, False),
        (Seen.SILENT, UP, Seen.ONLINE, False),
        (Seen.ALIVE, UP, 0, True),
        (Seen.ALIVE, Seen.ANSWERS | Seen.DARK, 0, False),
        (Seen.ALIVE, Seen.SILENT, 0, None),
        (Seen.ALIVE, 0, Seen.ONLINE, None),
        (Seen.ALIVE, 0, Seen.LOS, False),
        (0, UP, 0, True),
        (0, Seen.SILENT, 0, False),
        (0, 0, Seen.ONLINE, None),
        (0, 0, 0, None),
    ],
)
def test_service_is_what_the_router_says_then_the_modem_then_the_olt(
    router: int, ont: int, onu: int, expected: bool | None
) -> None:
    assert works(Moment(router, ont, onu)) is expected


@pytest.mark.parametrize(("onu", "expected"), [(Seen.ONLINE, True), (Seen.BARRED, False), (0, None)])
def test_where_nothing_of_ours_stands_the_olt_speaks(onu: int, expected: bool | None) -> None:
    assert works_by_olt(Moment(0, 0, onu)) is expected


@pytest.mark.parametrize(
    ("router", "ont", "onu", "cause"),
    [
        (DEAD | Seen.PORT_OFF, Seen.ANSWERS | Seen.DARK, 0, Cause.ORANG),
        (DEAD | Seen.NO_LINK, Seen.ANSWERS | Seen.DARK, 0, Cause.FIBER),
        (DEAD | Seen.DARK, 0, 0, Cause.FIBER),
        (DEAD, Seen.ANSWERS | Seen.DIM, 0, Cause.FIBER),
        (DEAD, Seen.ANSWERS | Seen.LIGHT | Seen.BARRED, 0, Cause.PENYEDIA),
        (DEAD, UP, 0, Cause.PENYEDIA),
        (DEAD, Seen.ANSWERS | Seen.NO_LINK, 0, Cause.FIBER),
        (DEAD, Seen.ANSWERS | Seen.LINK, 0, Cause.PENYEDIA),
        (DEAD | Seen.GATEWAY, 0, 0, Cause.PENYEDIA),
        (DEAD | Seen.NO_GATEWAY, 0, Seen.LOS, Cause.FIBER),
        (DEAD | Seen.NO_GATEWAY, 0, Seen.GASP, Cause.PERANGKAT),  # the router lives: the modem's adapter
        (DEAD | Seen.NO_GATEWAY, 0, Seen.BARRED, Cause.PENYEDIA),
        (DEAD | Seen.NO_GATEWAY, 0, Seen.ONLINE, Cause.PENYEDIA),
        (DEAD | Seen.NO_LINK, 0, 0, Cause.PERANGKAT),
        (DEAD | Seen.NO_GATEWAY, 0, 0, Cause.UNKNOWN),
        (Seen.SILENT, UP, Seen.GASP, Cause.LISTRIK),
    ],
)
def test_causes_that_one_moment_tells(router: int, ont: int, onu: int, cause: Cause) -> None:
    assert why(Moment(router, ont, onu), NOBODY).cause is cause


@pytest.mark.parametrize(
    ("router", "ont", "met", "cause", "confidence"),
    [
        (Seen.SILENT, UP, _met(Fate.RESTARTED), Cause.PERANGKAT, 0.8),
        (Seen.SILENT, UP, _met(Fate.LIVED), Cause.PERANGKAT, 0.4),
        (Seen.SILENT, UP, _met(Fate.OPEN), Cause.PERANGKAT, 0.4),
        (Seen.SILENT, 0, _met(Fate.LIVED), Cause.ORANG, 0.5),
        (Seen.SILENT, Seen.SILENT, _met(Fate.RESTARTED, Fate.RESTARTED), Cause.LISTRIK, 0.85),
        (Seen.SILENT, Seen.SILENT, _met(Fate.RESTARTED, Fate.LIVED), Cause.PERANGKAT, 0.7),
        (Seen.SILENT, Seen.SILENT, _met(Fate.LIVED, Fate.LIVED), Cause.ORANG, 0.5),
        (DEAD | Seen.NO_LINK, Seen.SILENT, _met(ont=Fate.RESTARTED), Cause.PERANGKAT, 0.9),
        (DEAD | Seen.NO_LINK, Seen.SILENT, _met(ont=Fate.LIVED), Cause.ORANG, 0.8),
        (DEAD | Seen.NO_LINK, Seen.SILENT, _met(ont=Fate.OPEN), Cause.PERANGKAT, 0.6),
        (DEAD | Seen.GATEWAY | Seen.LINK, Seen.SILENT, _met(ont=Fate.LIVED), Cause.PENYEDIA, 0.8),
        (DEAD | Seen.GATEWAY, Seen.SILENT, _met(ont=Fate.ABSENT), Cause.PENYEDIA, 0.8),  # it never answered anybody
    ],
)
def test_causes_that_the_return_tells(router: int, ont: int, met: Fates, cause: Cause, confidence: float) -> None:
    verdict = why(Moment(router, ont, 0), met)
    assert (verdict.cause, verdict.confidence) == (cause, confidence)


def test_an_olt_that_still_sees_the_modem_tells_of_the_cable_behind_it() -> None:
    moment = Moment(DEAD | Seen.NO_LINK, Seen.SILENT, Seen.ONLINE)
    assert why(moment, _met(ont=Fate.OPEN)).cause is Cause.ORANG


@pytest.mark.parametrize(
    ("onu", "cause"),
    [
        (Seen.GASP, Cause.LISTRIK),
        (Seen.LOS, Cause.FIBER),
        (Seen.BARRED, Cause.PENYEDIA),
        (Seen.OFFLINE, Cause.UNKNOWN),
    ],
)
def test_causes_that_the_olt_tells_alone(onu: int, cause: Cause) -> None:
    assert why_by_olt(Moment(0, 0, onu)).cause is cause


@pytest.mark.parametrize(
    ("met", "gasped", "confidence"),
    [
        (_met(Fate.RESTARTED, Fate.RESTARTED, Fate.RESTARTED), False, 0.97),
        (_met(Fate.RESTARTED, Fate.ABSENT, Fate.RESTARTED), False, 0.9),
        (_met(Fate.RESTARTED, Fate.UNTOLD, Fate.RESTARTED), True, 0.97),
        (_met(Fate.LIVED, Fate.RESTARTED, Fate.RESTARTED), False, 0.75),
        (_met(Fate.LIVED, Fate.ABSENT, Fate.RESTARTED), True, 0.75),
        (_met(Fate.LIVED, Fate.LIVED, Fate.RESTARTED), False, None),
        (_met(Fate.OPEN, Fate.OPEN, Fate.RESTARTED), False, None),
        (_met(Fate.LIVED, Fate.LIVED, Fate.LIVED), True, None),
    ],
)
def test_power_takes_two_witnesses(met: Fates, gasped: bool, confidence: float | None) -> None:
    verdict = power(met, starts_together(met, 120_000), gasped=gasped)
    assert (verdict and verdict.confidence) == confidence


def test_a_router_that_started_hours_before_the_box_is_no_witness_of_a_power_cut() -> None:
    apart = Fates(Crossing(Fate.RESTARTED, 1_000), Crossing(Fate.LIVED), Crossing(Fate.RESTARTED, 9_000_000))
    assert starts_together(apart, 120_000) == [1_000]
    assert power(apart, starts_together(apart, 120_000), gasped=False) is None


def test_what_was_seen_is_listed_device_by_device() -> None:
    found = findings(Moment(DEAD | Seen.NO_LINK, Seen.ANSWERS | Seen.DARK, Seen.LOS), 7)
    assert list(found) == [
        Evidence(7, what)
        for what in (
            Finding.ROUTER_LIVES, Finding.CABLE_OUT, Finding.INTERNET_DEAD,
            Finding.ONT_LIVES, Finding.NO_LIGHT, Finding.OLT_LOS,
        )
    ]  # fmt: skip
    assert list(_met(Fate.RESTARTED, Fate.LIVED).evidence(9)) == [
        Evidence(1, Finding.ROUTER_RESTARTED), Evidence(9, Finding.ONT_COUNTED_ON),
    ]  # fmt: skip
