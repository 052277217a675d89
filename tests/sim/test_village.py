from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet_sim.models import ROUTER_MODELS, RosVersion
from kampungnet_sim.village import NO_LIGHT_DBM, Village, draw_profile
from kampungnet_sim.village_day import local_hour, office_weight
from kampungnet_sim.village_events import BOOTING, Event, EventKind
from kampungnet_sim.village_features import Wish
from tests.sim.stage import EVENING, SARONGAN, calm_from

DAY = 86_400
instants = st.floats(1_600_000_000, 2_000_000_000)


def village(code: str = SARONGAN.code, seed: int = 1, model: str | None = None) -> Village:
    return Village(draw_profile(code, "Sarongan", seed, model=model))


@given(instants)
@settings(max_examples=40)
def test_the_same_seed_and_instant_give_the_same_answer_whatever_was_asked_before(when: float) -> None:
    first, second = village(), village()
    second.state_at(when - 40 * DAY)
    second.state_at(when + 3 * DAY)
    assert first.state_at(when) == second.state_at(when)


def test_other_seeds_and_other_villages_are_other_villages() -> None:
    states = {village(code, seed).state_at(EVENING).interfaces for code in ("1", "2") for seed in (1, 2)}
    assert len(states) == 4


@given(instants, st.floats(0.01, 30 * DAY))
@settings(max_examples=60)
def test_counters_never_fall_unless_the_router_started_anew(when: float, later: float) -> None:
    one = village()
    before, after = one.state_at(when), one.state_at(when + later)
    if before.boot_time == after.boot_time:
        for old, new in zip(before.interfaces, after.interfaces, strict=True):
            assert (new.rx_bytes, new.tx_bytes) >= (old.rx_bytes, old.tx_bytes)
            assert new.tx_bytes >= old.tx_bytes
    else:
        assert any(e.kind in BOOTING for e in one.events_between(when, when + later))


def test_uptime_and_counters_start_at_zero_after_every_start() -> None:
    one = village()
    boots = [e for e in one.events_between(EVENING - 60 * DAY, EVENING) if e.kind in BOOTING]
    assert boots
    for event in boots:
        state = one.state_at(event.end + 1)
        if state.router_up:
            assert state.uptime_seconds <= 1
            assert max(port.rx_bytes for port in state.interfaces) < 100_000_000


def test_nothing_crosses_the_wan_port_while_the_fibre_is_cut() -> None:
    one = village()
    start = calm_from(one, EVENING)
    one.set_extra_events((Event(start, start + 3_600, EventKind.FIBRE_CUT),))
    early, late = one.state_at(start + 60), one.state_at(start + 3_500)
    assert late.interfaces[0].rx_bytes - early.interfaces[0].rx_bytes < 3_600 * 200
    assert (late.internet_up, late.rx_power_dbm, late.router_up) == (False, NO_LIGHT_DBM, True)
    assert late.internet_ping_ms is None
    assert one.state_at(start + 4_000).rx_power_dbm > NO_LIGHT_DBM


def test_a_power_cut_darkens_everything_and_starts_both_devices_anew() -> None:
    one = village(model="hex")
    start = calm_from(one, EVENING)
    one.set_extra_events((Event(start, start + 600, EventKind.POWER_CUT),))
    dark, back = one.state_at(start + 300), one.state_at(start + 660)
    assert (dark.power, dark.router_up, dark.ont_up) == (False, False, False)
    assert back.uptime_seconds == back.ont_uptime_seconds == 60


def test_the_line_never_carries_more_than_the_contract() -> None:
    one = village()
    full = one.profile.contract_mbps * 125_000
    start = calm_from(one, EVENING, 4 * 3_600)
    states = [one.state_at(start + 20 * n) for n in range(600)]
    for old, new in pairwise(states):
        assert 0 < (new.interfaces[0].rx_bytes - old.interfaces[0].rx_bytes) / 20 <= full


def test_a_day_has_a_quiet_night_office_hours_and_a_busy_evening() -> None:
    one = village()
    midnight = EVENING - 19.5 * 3_600
    mean = {}
    for hour in (3, 10, 20):
        guests = [one.state_at(midnight + (day * 24 + hour) * 3_600).hotspot_active for day in range(-20, 0)]
        mean[hour] = sum(guests) / len(guests)
    assert mean[3] < mean[10] < mean[20]


def test_the_office_rests_on_sundays_and_prays_on_fridays() -> None:
    midnight = EVENING - 19.5 * 3_600  # a Tuesday
    weights = {}
    for name, day, hour in (("tuesday", 0, 10), ("friday noon", 3, 12), ("sunday", 5, 10)):
        weights[name] = office_weight(*local_hour(midnight + (day * 24 + hour) * 3_600))
    assert weights["sunday"] < weights["tuesday"] > weights["friday noon"]


def test_a_router_has_eleven_ports_so_that_a_poll_carries_sixty_values() -> None:
    for model in ROUTER_MODELS:
        state = village(model=model).state_at(EVENING)
        assert len(state.interfaces) == 11
        assert len({port.name for port in state.interfaces}) == 11


def test_some_villages_lose_light_over_the_weeks_and_most_keep_it() -> None:
    many = [village(f"35.10.{n:02d}.2001") for n in range(40)]
    degrading = [one for one in many if one.profile.degrading]
    assert 5 <= len(degrading) <= 8
    for one in many:
        spread = [one.light_dbm(EVENING - n * DAY) for n in range(115)]
        assert (max(spread) - min(spread) > 5) == one.profile.degrading


def test_an_ageing_connector_takes_some_two_decibels_a_month_from_its_instant_on_and_other_villages_nothing() -> None:
    since = EVENING - 30 * DAY
    wish = Wish(ageing={SARONGAN.code: since})
    for seed in range(20):
        calm = Village(replace(draw_profile(SARONGAN.code, "Sarongan", seed), degrading=False))
        ageing = Village(draw_profile(SARONGAN.code, "Sarongan", seed, wish=wish))
        assert ageing.light_dbm(since - DAY) == calm.light_dbm(since - DAY)
        assert 1.75 < calm.light_dbm(EVENING) - ageing.light_dbm(EVENING) < 2.45
        assert calm.light_dbm(EVENING + 3_000 * DAY) - ageing.light_dbm(EVENING + 3_000 * DAY) <= 20.01
        assert ageing.profile.ont.kind in {"hsgq", "sfp-mikrotik"}
    assert draw_profile("35.10.01.2002", "Kampung", 1, wish=wish) == draw_profile("35.10.01.2002", "Kampung", 1)


def test_counters_stand_just_below_the_wrap_and_then_fall() -> None:
    one = village(model="hex")
    start = calm_from(one, EVENING)
    one.set_extra_events((Event(start, start + 3_600, EventKind.COUNTER_WRAP),))
    near, past = one.state_at(start + 0.01), one.state_at(start + 600)
    assert near.interfaces[0].rx_bytes > 2**64 - 10_000_000
    assert past.interfaces[0].rx_bytes < 2**40


def test_odd_names_are_among_the_guests() -> None:
    one = village()
    seen = [v for hour in range(72) for v in one.visits(EVENING - hour * 3_600)]
    assert {"true", "00712"} & {v.user for v in seen}
    assert any("\udce9" in v.host_name for v in seen)
    assert any(v.host_name == "123" for v in seen)


def test_versions_are_compared_as_numbers() -> None:
    assert RosVersion.parse("7.9 (stable)") < RosVersion.parse("7.18rc1 (testing)")
    assert RosVersion.parse("6.49.10 (long-term)") > RosVersion.parse("6.49.9")
