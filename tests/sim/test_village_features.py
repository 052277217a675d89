"""What villages have and others have not, and villages of a chosen size."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet_sim.register import made_up
from kampungnet_sim.village import Village, draw_profile
from kampungnet_sim.village_events import Event, EventKind
from kampungnet_sim.village_features import FEATURES, Scale, Wish, draw_features
from kampungnet_sim.village_guests import LEASE_TAIL_SECONDS
from kampungnet_sim.village_interfaces import DIALLED
from kampungnet_sim.village_steady import OFFICE_LEASES
from tests.sim.stage import EVENING, SARONGAN, calm_from

instants = st.floats(1_600_000_000, 2_000_000_000)


def village(*features: str, scale: Scale | None = None, model: str = "hex") -> Village:
    wish = Wish(frozenset(features), scale or Scale())
    return Village(draw_profile(SARONGAN.code, SARONGAN.name, 1, model=model, wish=wish))


def test_each_feature_is_drawn_by_about_its_share_of_villages_and_the_rest_only_when_asked_for() -> None:
    drawn = [draw_features(1, one.code) for one in made_up(600)]
    for name, feature in FEATURES.items():
        share = sum(name in features for features in drawn) / len(drawn)
        assert share == pytest.approx(feature.share, abs=0.08 if feature.share else 0), name


def test_a_wish_replaces_what_would_be_drawn() -> None:
    plain = draw_profile(SARONGAN.code, SARONGAN.name, 1)
    wished = draw_profile(SARONGAN.code, SARONGAN.name, 1, wish=Wish(frozenset({"pppoe"})))
    assert plain.features
    assert wished.features == {"pppoe"}
    assert (wished.router, wished.contract_mbps, wished.ont_serial) == (
        plain.router, plain.contract_mbps, plain.ont_serial,
    )  # fmt: skip


def test_a_silent_ont_is_the_providers_and_never_a_stick_of_which_the_router_tells() -> None:
    for one in made_up(60):
        plain = draw_profile(one.code, one.name, 1)
        silent = draw_profile(one.code, one.name, 1, wish=Wish(silent_onts=frozenset({one.code})))
        assert (silent.ont.kind, silent.router.has_sfp) == ("silent", False)
        assert (silent.ont_serial, silent.base_rx_dbm) == (plain.ont_serial, plain.base_rx_dbm)


@given(instants, st.integers(0, 60), st.integers(0, 400))
@settings(max_examples=40)
def test_a_chosen_size_holds_at_every_instant(when: float, guests: int, leases: int) -> None:
    one = village(scale=Scale(guests=guests, leases=leases))
    here, holding = one.visits(when), one.guests.present(when, LEASE_TAIL_SECONDS)
    assert sum(visit.logged_in for visit in here) == one.guests.count("login", when) == guests
    assert len(here) == one.guests.count("all", when)
    assert len(holding) == max(leases - OFFICE_LEASES, len(here))
    assert all(visit.start <= when < visit.end for visit in here)
    assert all(visit.end + LEASE_TAIL_SECONDS > when for visit in holding)
    for part in ("mac", "address", "number"):
        assert len({getattr(visit, part) for visit in holding}) == len(holding)


def test_guests_of_a_steady_village_come_and_go() -> None:
    one = village(scale=Scale(guests=40))
    macs = {visit.mac for hour in range(8) for visit in one.visits(EVENING + hour * 3_600)}
    assert 80 < len(macs) < 250


@given(st.floats(0, 1_800), st.floats(0.01, 1_800))
@settings(max_examples=30)
def test_a_dialled_line_counts_from_its_own_beginning(first: float, later: float) -> None:
    one = village("pppoe")
    start = calm_from(one, EVENING)
    redial = Event(start + 900, start + 905, EventKind.REDIAL)
    one.set_extra_events((redial,))
    before, after = one.state_at(start + first), one.state_at(start + first + later)
    for name in (DIALLED, "ether1"):
        old, new = before.interface(name), after.interface(name)
        dialled_between = before.time < redial.end <= after.time and name == DIALLED
        if not dialled_between:
            assert (new.rx_bytes >= old.rx_bytes, new.tx_bytes >= old.tx_bytes) == (True, True)
        else:
            assert new.rx_bytes <= one.profile.contract_mbps * 125_000 * (after.time - redial.end + 1)
    assert after.uptime_seconds > before.uptime_seconds - 1


def test_a_redial_matters_only_where_the_line_is_dialled() -> None:
    for features, silent in ((("pppoe",), True), ((), False)):
        one = village(*features)
        start = calm_from(one, EVENING)
        one.set_extra_events((Event(start, start + 5, EventKind.REDIAL),))
        assert one.state_at(start + 2).internet_up is not silent
        assert one.state_at(start + 6).internet_up


def test_reset_counters_start_at_zero_and_the_wrap_after_it_is_another_story() -> None:
    one = village()
    start = calm_from(one, EVENING)
    one.set_extra_events((Event(start, start + 60, EventKind.COUNTER_RESET),))
    assert max(port.rx_bytes for port in one.state_at(start).interfaces) == 0
    assert one.state_at(start + 300).interfaces[0].rx_bytes > 0
    later = Event(start + 600, start + 700, EventKind.COUNTER_WRAP)
    one.set_extra_events((Event(start, start + 60, EventKind.COUNTER_RESET), later))
    assert one.state_at(start + 600.01).interfaces[0].rx_bytes > 2**64 - 10_000_000


def test_a_level_3_licence_lets_one_guest_in() -> None:
    one = village("level-3")
    assert {one.state_at(EVENING + hour * 3_600).hotspot_active for hour in range(24)} == {1}
