"""Outages with a cause: the table of facts on ONTs 13.3 row by row, and what must never become an outage."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.causes import judge, told_by
from kampungnet.measurement.evidence import timeline
from kampungnet.measurement.outage_words import HOUSE, Cause, Evidence, Finding, Horizon, Outage, Span, Thresholds
from kampungnet.measurement.slots import Timed
from tests.measurement.evidence_story import MINUTE, T0, Story, told, what

HOURS = 60


# -- facts 13.3, row by row ---------------------------------------------------------------------------


def test_box_router_and_modem_started_anew_is_power() -> None:
    [outage] = Story(300).happens("power", 100, 256).judged().outages
    assert told([outage]) == [("listrik", 99.5, 256.0)]
    assert what(outage) == {"last_sign", "silence", "box_restarted", "router_restarted", "ont_restarted"}
    assert outage.confidence >= 0.95
    assert not outage.provisional


def test_no_light_while_both_count_on_is_fibre() -> None:
    [outage] = Story(300).happens("fibre", 100, 200).judged().outages
    assert told([outage]) == [("fiber", 100.0, 200.0)]
    assert {"no_light", "internet_dead", "router_lives", "ont_lives"} <= what(outage)
    assert "light_good" not in what(outage)


def test_a_link_that_is_not_up_is_fibre_where_no_level_is_told() -> None:
    [outage] = Story(300, light=False).happens("fibre", 100, 200).judged().outages
    assert told([outage]) == [("fiber", 100.0, 200.0)]


def test_light_and_gateway_without_internet_is_the_provider() -> None:
    [outage] = Story(300).happens("provider", 100, 200).judged().outages
    assert told([outage]) == [("penyedia", 100.0, 200.0)]
    assert {"light_good", "gateway_lives", "internet_dead"} <= what(outage)


def test_light_without_registration_is_the_provider() -> None:
    [outage] = Story(300).happens("knocking", 100, 200).judged().outages
    assert told([outage]) == [("penyedia", 100.0, 200.0)]
    assert "not_registered" in what(outage)


def test_a_modem_that_started_anew_alone_is_a_device() -> None:
    [outage] = Story(300).happens("ont", 100, 200).judged().outages
    assert told([outage]) == [("perangkat", 100.0, 200.0)]
    assert {"ont_silent", "ont_restarted", "cable_out", "router_lives"} <= what(outage)


def test_a_router_that_started_anew_alone_is_a_device() -> None:
    [outage] = Story(300).happens("hang", 100, 200).judged().outages
    assert told([outage]) == [("perangkat", 100.0, 200.0)]
    assert {"router_silent", "router_restarted", "ont_lives"} <= what(outage)


def test_light_far_below_its_past_is_fibre() -> None:
    [outage] = Story(300).happens("dim", 200, 290).judged().outages
    assert told([outage]) == [("fiber", 200.0, 290.0)]
    assert "light_low" in what(outage)


def test_silence_of_all_is_unknown_until_the_box_tells_its_start() -> None:
    story = Story(300).happens("power", 100, 400)
    judged = story.judged()
    [outage] = judged.outages
    assert (outage.cause, outage.end_ms, outage.provisional) == (Cause.UNKNOWN, None, True)
    assert what(outage) == {"last_sign", "silence"}
    assert not outage.is_proven
    assert Span(outage.start_ms, T0 + 300 * MINUTE) in judged.unseen
    story.minutes = 500
    assert told(story.judged().outages) == [("listrik", 99.5, 400.0)]


# -- what stands beside the table -----------------------------------------------------------------------


def test_a_cable_out_of_a_living_modem_is_a_person() -> None:
    [outage] = Story(300).happens("cable", 100, 200).judged().outages
    assert told([outage]) == [("orang", 100.0, 200.0)]
    assert {"cable_out", "ont_counted_on"} <= what(outage)


def test_a_box_that_sees_nothing_while_all_count_on_lost_its_cable() -> None:
    [outage] = Story(300).happens("lan", 100, 200).judged().outages
    assert told([outage]) == [("orang", 100.0, 200.0)]


def test_a_box_on_a_battery_sees_router_and_modem_start_anew() -> None:
    [outage] = Story(300).happens("router", 100, 200).happens("ont", 100, 200).judged().outages
    assert told([outage]) == [("listrik", 100.0, 200.0)]


def test_a_module_of_the_router_has_no_power_of_its_own() -> None:
    story = Story(300).happens("router", 100, 200).happens("ont", 100, 200)
    story.ont_serial = "HGX1"
    assert told(story.judged().outages) == [("perangkat", 100.0, 200.0)]


@pytest.mark.parametrize("kept", ["router", "ont"])
def test_power_is_told_by_two_where_a_battery_carried_the_third(kept: str) -> None:
    other = "ont" if kept == "router" else "router"
    [outage] = Story(300).happens("box", 100, 200).happens(other, 100, 200).judged().outages
    assert (outage.cause, outage.confidence) == (Cause.LISTRIK, 0.75)


def test_from_closing_to_opening_somebody_switched_it_off() -> None:
    story = Story(26 * HOURS).happens("power", 5 * HOURS, 21 * HOURS)
    [outage] = story.judged().outages
    assert told([outage]) == [("orang", 299.5, 1260.0)]
    assert "outside_office" in what(outage)
    neighbour = replace(outage, cause=Cause.LISTRIK)
    assert told_by(outage, [neighbour]).cause is Cause.LISTRIK


def test_a_gasp_tells_of_power_while_the_box_is_still_silent() -> None:
    [outage] = Story(300, olt=True).happens("power", 100, 400).happens("gasp", 100, 400).judged().outages
    assert told([outage]) == [("listrik", 100.0, None)]
    assert outage.is_proven
    assert outage.provisional
    assert {"olt_gasp", "last_sign", "silence"} <= what(outage)


def test_lost_light_at_the_olt_tells_of_fibre_while_no_report_comes() -> None:
    [outage] = Story(300, olt=True).happens("power", 100, 400).happens("los", 100, 400).judged().outages
    assert outage.cause is Cause.FIBER


def test_a_silent_olt_says_nothing_of_the_villages() -> None:
    story = Story(300, olt=True).happens("olt", 100, 300).happens("box", 0, 300)
    judged = story.judged()
    assert judged.outages == ()
    assert judged.unseen[-1].end_ms == T0 + 300 * MINUTE


def test_a_village_that_only_the_olt_sees_has_outages_too() -> None:
    story = Story(300, olt=True).happens("box", 0, 300).happens("los", 100, 150).happens("gasp", 200, 250)
    assert told(story.judged().outages) == [("fiber", 100.0, 150.0), ("listrik", 200.0, 250.0)]


def test_nothing_but_a_dead_internet_is_an_outage_of_unknown_cause() -> None:
    story = Story(300, ont=False).happens("dim", 100, 200)
    [outage] = story.judged().outages
    assert told([outage]) == [("unknown", 100.0, 200.0)]
    assert outage.is_proven


# -- what began first, and what is no outage -------------------------------------------------------------


def test_power_lost_during_a_fibre_cut_leaves_the_fibre_its_outage() -> None:
    story = Story(600).happens("fibre", 100, 400).happens("power", 200, 250)
    assert told(story.judged().outages) == [("fiber", 100.0, 400.0)]


def test_a_line_still_dark_after_a_power_cut_is_a_second_outage() -> None:
    story = Story(600).happens("power", 100, 200).happens("fibre", 150, 400)
    assert told(story.judged().outages) == [("listrik", 99.5, 200.0), ("fiber", 200.0, 400.0)]


def test_an_outage_that_lasts_has_no_end_and_may_change() -> None:
    [outage] = Story(300).happens("fibre", 100, 400).judged().outages
    assert told([outage]) == [("fiber", 100.0, None)]
    assert outage.provisional


def test_a_cut_line_lasts_while_nothing_is_heard_after_it() -> None:
    [outage] = Story(300).happens("fibre", 100, 400).happens("power", 150, 400).judged().outages
    assert told([outage]) == [("fiber", 100.0, None)]
    assert {"no_light", "silence", "last_sign"} <= what(outage)


def test_an_outage_is_final_when_the_spool_behind_it_has_come() -> None:
    story = Story(300).happens("fibre", 100, 200)
    assert [one.provisional for one in story.judged(settled=150).outages] == [True]
    assert [one.provisional for one in story.judged(settled=220).outages] == [False]


def test_a_silence_whose_readings_are_still_in_the_spool_waits_for_them() -> None:
    story = Story(300).happens("lost", 100, 200)
    [waiting] = story.judged(settled=100).outages
    assert (waiting.cause, waiting.provisional, waiting.is_proven) == (Cause.UNKNOWN, True, False)
    assert told([waiting]) == [("unknown", 99.5, 200.0)]
    off = Story(300).happens("stopped", 100, 200).judged(settled=100)
    assert off.outages == ()
    settled = story.judged(settled=300)
    assert settled.outages == ()
    assert settled.unseen[-1] == Span(T0 + 99 * MINUTE + 31_200, T0 + 200 * MINUTE)


NO_OUTAGE = {
    "nothing happened": (),
    "a router restarted": (("router", 100, 102),),
    "polls missing now and then": (("lost", 50, 51), ("lost", 100, 103), ("stopped", 200, 204)),
    "a box restarted for an update": (("box", 100, 103),),
    "a box was off for an hour": (("box", 100, 160),),
    "its program was": (("stopped", 100, 160),),
    "readings of an hour were lost": (("lost", 100, 160),),
    "the line was gone for four minutes": (("fibre", 100, 104),),
    "pings were lost": tuple(("provider", n, n + 1) for n in range(10, 290, 7)),
    "a line lost one ping of three for two hours": tuple(("provider", n, n + 1) for n in range(100, 220, 3)),
    "a password was changed": (("refuse", 100, 200),),
}


@pytest.mark.parametrize("happens", NO_OUTAGE.values(), ids=NO_OUTAGE.keys())
def test_what_is_no_outage_makes_none(happens: tuple[tuple[str, int, int], ...]) -> None:
    story = Story(300, olt=True)
    for one in happens:
        story.happens(*one)
    assert story.judged().outages == ()


def test_flapping_is_one_outage_and_ends_when_it_is_calm() -> None:
    story = Story(300)
    for n in range(100, 160, 5):
        story.happens("provider", n, n + 4)
    assert told(story.judged().outages) == [("penyedia", 100.0, 159.0)]
    story.happens("fibre", 180, 190).happens("fibre", 192, 200)
    assert told(story.judged().outages)[1:] == [("fiber", 180.0, 200.0)]


def test_an_unseen_hour_between_two_halves_of_one_outage_belongs_to_it() -> None:
    story = Story(500).happens("fibre", 100, 300).happens("stopped", 150, 200)
    assert told(story.judged().outages) == [("fiber", 100.0, 300.0)]
    longer = Story(500).happens("fibre", 100, 300).happens("stopped", 150, 220)
    assert told(longer.judged().outages) == [("fiber", 100.0, 149.5), ("fiber", 220.0, 300.0)]
    other = Story(500).happens("fibre", 100, 160).happens("provider", 170, 300).happens("stopped", 150, 200)
    assert told(other.judged().outages) == [("fiber", 100.0, 149.5), ("penyedia", 200.0, 300.0)]


def test_a_slow_start_of_the_box_after_a_power_cut_is_not_downtime() -> None:
    story = Story(300).happens("power", 100, 200).happens("box", 100, 230)
    judged = story.judged()
    assert told(judged.outages) == [("listrik", 99.5, 200.0)]
    assert judged.unseen[-1] == Span(T0 + 200 * MINUTE, T0 + 230 * MINUTE)


def test_before_the_first_reading_all_is_unseen() -> None:
    assert Story(300).judged().unseen == (Span(0, T0),)
    assert judge(timeline([]), Horizon(T0)).unseen == (Span(0, T0),)


def test_thresholds_are_settings() -> None:
    story = Story(300).happens("fibre", 100, 110)
    assert story.judged(Thresholds(shortest_ms=15 * MINUTE)).outages == ()


def test_a_box_switched_off_while_the_router_was_restarted_is_no_power_cut() -> None:
    story = Story(400).happens("box", 100, 300).happens("router", 200, 201)
    assert story.judged().outages == ()


def test_one_look_of_an_olt_at_an_onu_that_registers_is_no_outage() -> None:
    story = Story(400, olt=True).happens("box", 100, 300).happens("olt", 191, 200).happens("barred", 190, 191)
    assert story.judged().outages == ()
    assert story.happens("barred", 200, 206).judged().outages


def test_a_gasp_stands_while_the_olt_says_merely_offline() -> None:
    story = Story(400, ont=False, olt=True).happens("ont", 100, 160).happens("gasp", 100, 103)
    [outage] = story.happens("offline", 103, 160).judged().outages
    assert outage.cause is Cause.PERANGKAT


def test_readings_of_1970_and_of_tomorrow_change_nothing_of_today() -> None:
    story = Story(300).happens("fibre", 100, 200)
    first, second, *rest = story.readings()
    odd = [Timed(5_000, first.reading), Timed(T0 + 48 * HOURS * MINUTE, second.reading)]
    judged = judge(story.timeline([*rest, *odd]), Horizon(T0 + 300 * MINUTE))
    assert told(judged.outages) == [("fiber", 100.0, 200.0)]


# -- neighbours ---------------------------------------------------------------------------------------


def _outage(start: float, cause: Cause, finding: Finding = Finding.NO_LIGHT) -> Outage:
    at_ms = T0 + round(start * MINUTE)
    return Outage(at_ms, None, cause, 0.9, (Evidence(at_ms, finding),), provisional=True)


SILENT = _outage(100, Cause.UNKNOWN, Finding.SILENCE)


def test_a_silent_village_learns_its_cause_from_neighbours_of_the_same_minute() -> None:
    gasps = [_outage(n, Cause.LISTRIK, Finding.OLT_GASP) for n in (99, 101.5)]
    outage = told_by(SILENT, gasps)
    assert (outage.cause, outage.confidence) == (Cause.LISTRIK, 0.6)
    assert outage.evidence[-1] == Evidence(SILENT.start_ms, Finding.NEIGHBOURS, 2)
    assert not outage.is_proven
    assert told_by(SILENT, gasps[:1]).cause is Cause.UNKNOWN
    assert told_by(SILENT, [*gasps, _outage(100, Cause.FIBER), _outage(100, Cause.FIBER)]).cause is Cause.UNKNOWN
    assert told_by(SILENT, [_outage(n, Cause.LISTRIK) for n in (90, 110)]) == SILENT


def test_neighbours_never_overrule_what_the_village_told_itself() -> None:
    own = _outage(100, Cause.PENYEDIA)
    assert told_by(own, [_outage(100, Cause.LISTRIK)] * 5) == own


def test_neighbours_are_asked_by_judge_too() -> None:
    gasps = [_outage(n, Cause.LISTRIK, Finding.OLT_GASP) for n in (99, 100)]
    silent = Story(300).happens("power", 100, 400).timeline()
    [outage] = judge(silent, Horizon(T0 + 300 * MINUTE), neighbours=gasps).outages
    assert outage.cause is Cause.LISTRIK


# -- whatever happens -----------------------------------------------------------------------------------

HAPPENINGS = (
    "power box router ont hang fibre provider dim knocking cable lan refuse stopped lost gasp los olt"
).split()
happening = st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 240), st.integers(1, 90))


def _story(happens: list[tuple[str, int, int]], *, olt: bool) -> Story:
    story = Story(260, olt=olt)
    for name, first, lasting in happens:
        story.happens(name, first, first + lasting)
    return story


@settings(max_examples=60)
@given(st.lists(happening, max_size=6), st.booleans(), st.randoms(use_true_random=False))
def test_order_and_repeats_of_readings_change_nothing(
    happens: list[tuple[str, int, int]], olt: bool, dice: Random
) -> None:
    story = _story(happens, olt=olt)
    readings = story.readings()
    mixed = readings + dice.sample(readings, k=len(readings) // 3)
    dice.shuffle(mixed)
    horizon = Horizon(T0 + 260 * MINUTE)
    assert judge(story.timeline(mixed), horizon) == judge(story.timeline(readings), horizon)


@settings(max_examples=60)
@given(st.lists(happening, max_size=6), st.booleans())
def test_outages_stand_in_order_apart_and_with_their_evidence(happens: list[tuple[str, int, int]], olt: bool) -> None:
    judged = _story(happens, olt=olt).judged()
    now_ms = T0 + 260 * MINUTE
    for one, after in pairwise(judged.outages):
        assert one.end_ms is not None
        assert one.end_ms <= after.start_ms
    for outage in judged.outages:
        end_ms = now_ms if outage.end_ms is None else outage.end_ms
        assert T0 <= outage.start_ms < end_ms <= now_ms
        assert 0 < outage.confidence <= 1
        assert outage.evidence
        assert all(outage.start_ms - HOUSE.interval_ms <= one.at_ms <= now_ms for one in outage.evidence)
        inside = [one for one in outage.evidence if one.what not in {Finding.LAST_SIGN, *STARTS}]
        assert all(outage.start_ms <= one.at_ms <= end_ms for one in inside)


STARTS = {Finding.BOX_RESTARTED, Finding.ROUTER_RESTARTED, Finding.ONT_RESTARTED}
quiet = st.tuples(st.sampled_from(["lost", "stopped", "box", "refuse", "olt"]), st.integers(0, 240), st.integers(1, 90))
blink = st.tuples(st.sampled_from(["fibre", "provider", "dim"]), st.integers(0, 240), st.integers(1, 4))


@settings(max_examples=60)
@given(st.lists(quiet, max_size=5), blink)
def test_a_village_whose_polls_are_good_has_no_outage(
    happens: list[tuple[str, int, int]], blinks: tuple[str, int, int]
) -> None:
    story = _story([*happens, blinks], olt=True)
    proven = [one for one in story.judged().outages if one.is_proven]
    assert proven == []
