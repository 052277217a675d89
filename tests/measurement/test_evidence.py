"""Readings to a timeline: few stretches, the same from any order, parts that join into the whole, odd devices."""

from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.evidence import (
    STALE_MS,
    TICKS_WRAP_MS,
    Life,
    Role,
    Row,
    Stretch,
    Timeline,
    began_anew,
    joined,
    timeline,
)
from kampungnet.measurement.sights import Seen, dim_levels, merge_levels, onu_sights, sight_of
from kampungnet.measurement.slots import Timed
from kampungnet.shared import wire
from tests.measurement.evidence_story import MINUTE, ONU, T0, Story

DAY = 24 * 60


def _reading(body: wire.Body | None = None, **more: object) -> wire.Reading:
    known: dict[str, object] = {
        "boot_id": "b", "sequence": 1, "device": "router", "taken_at_ms": T0, "boottime_ms": 1_000, "duration_ms": 5,
        "outcome": wire.Outcome.OK if body else wire.Outcome.UNREACHABLE, "body": body,
    }  # fmt: skip
    return msgspec.convert(known | more, wire.Reading, from_attributes=True)


def _router(*pings: tuple[str, int], **more: object) -> int:
    sent = [wire.Ping(target, "1.1.1.1", 2, received) for target, received in pings]
    return sight_of(_reading(wire.RouterBody(pings=sent, **more)))  # type: ignore[arg-type]  # any field of the body


def test_a_quiet_day_is_one_life_and_a_stretch_for_each_device() -> None:
    kept = Story(DAY, olt=True).timeline()
    assert [(row.device, row.role, len(row.stretches)) for row in kept.rows] == [
        ("ont", Role.ONT, 1), (ONU, Role.ONU, 1), ("router", Role.ROUTER, 1),
    ]  # fmt: skip
    assert kept.lives == (Life(T0, T0 + (DAY - 1) * MINUTE + 1_200, "boot-0", T0 - 5_000 * MINUTE, 1, 2 * DAY),)
    assert len(msgspec.msgpack.encode(kept)) < 300


def test_a_timeline_can_be_kept_and_read_again() -> None:
    kept = Story(300, olt=True).happens("power", 100, 150).happens("los", 100, 150).timeline()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Timeline) == kept


@settings(max_examples=60)
@given(st.data())
def test_parts_cut_in_time_join_into_the_whole_in_any_order(data: st.DataObject) -> None:
    story = Story(200, olt=True)
    for name in data.draw(st.lists(st.sampled_from("power box router hang fibre lost refuse stopped gasp".split()))):
        first = data.draw(st.integers(0, 190))
        story.happens(name, first, first + data.draw(st.integers(1, 60)))
    borders = [T0 + n * MINUTE for n in sorted(data.draw(st.sets(st.integers(1, 199), max_size=5)))]
    cuts = [0, *borders, T0 + 1_000 * MINUTE]
    parts = [_between(story, first, last) for first, last in pairwise(cuts)]
    data.draw(st.randoms(use_true_random=False)).shuffle(parts)
    assert joined(parts) == _between(story, 0, cuts[-1])


def _between(story: Story, first_ms: int, last_ms: int) -> Timeline:
    readings = [one for one in story.readings() if first_ms <= one.taken_ms < last_ms]
    seen = {device: [one for one in sights if first_ms <= one[0] < last_ms] for device, sights in story.onus().items()}
    return timeline(readings, {}, seen)


def test_a_reading_that_came_twice_counts_once_and_at_its_earlier_time() -> None:
    readings = Story(20).readings()
    late = [Timed(one.taken_ms + 700, one.reading) for one in readings]
    mixed = readings + late
    Random(4).shuffle(mixed)
    assert timeline(mixed) == timeline(readings)


def test_an_earlier_time_of_a_repeat_wins_whichever_came_first() -> None:
    one = Timed(T0, _reading(wire.RouterBody()))
    assert timeline([one, Timed(T0 + 9, one.reading)]) == timeline([Timed(T0 + 9, one.reading), one])


def test_two_boxes_at_one_site_live_side_by_side() -> None:
    first = Story(60).readings()
    other = [Timed(one.taken_ms + 500, msgspec.structs.replace(one.reading, boot_id="other")) for one in first]
    assert len(timeline([*first, *other]).lives) == 2


def test_a_device_that_never_answered_is_known_by_its_name() -> None:
    failed = [Timed(T0, _reading(device="router")), Timed(T0, _reading(device="camera-1", sequence=2))]
    kept = timeline(failed)
    assert [(row.device, row.role) for row in kept.rows] == [("camera-1", Role.OTHER), ("router", Role.ROUTER)]
    answered = timeline([Timed(T0 + DAY * MINUTE, _reading(wire.RouterBody(), device="camera-1", sequence=9))])
    assert [row.role for row in joined([kept, answered]).rows] == [Role.ROUTER, Role.ROUTER]


def test_of_two_routers_the_one_called_so_speaks() -> None:
    stretch = Stretch(T0, T0, Seen.ANSWERS)
    rows = tuple(Row(device, Role.ROUTER, (), (stretch,)) for device in ("backup", "router"))
    found = Timeline(rows=rows).row(Role.ROUTER)
    assert found is not None
    assert found.device == "router"
    assert Timeline().row(Role.ONT) is None


def _looks(uptimes: tuple[int | None, int | None], minutes: int) -> tuple[Stretch, Stretch]:
    return tuple(  # type: ignore[return-value]  # there are two
        Stretch(at, at, Seen.ANSWERS, boot, boot)
        for at, uptime in zip((T0, T0 + minutes * MINUTE), uptimes, strict=True)
        for boot in [None if uptime is None else at - uptime * 1000]
    )


@pytest.mark.parametrize(
    ("uptimes", "anew"),
    [
        ((1_000, 1_600), False),
        ((1_000, 1_591), False),  # clocks differ
        ((1_000, 300), True),
        ((1_000, 0), True),
        ((5, 590), True),
        ((1_000, 1_200), False),  # the box's time was repaired in between: it started before it was seen last
        ((42_949_672, 599), False),  # 2^32 hundredths: 497 days
        ((None, 300), None),
        ((1_000, None), None),
    ],
)
def test_a_restart_is_told_from_drift_a_repaired_clock_and_a_wrap(
    uptimes: tuple[int | None, int | None], anew: bool | None
) -> None:
    assert began_anew(*_looks(uptimes, 10)) is anew
    assert TICKS_WRAP_MS == 42_949_672_960


def test_a_restart_that_nobody_noticed_parts_a_stretch() -> None:
    kept = Story(60).happens("router", 20, 20).timeline()
    router = kept.row(Role.ROUTER)
    assert router is not None
    assert [one.first_ms for one in router.stretches] == [T0, T0 + 20 * MINUTE]


def test_a_look_is_not_stretched_over_a_long_silence() -> None:
    kept = Story(100).happens("stopped", 20, 60).timeline()
    router = kept.row(Role.ROUTER)
    assert router is not None
    assert len(router.stretches) == 2
    assert 40 * MINUTE > STALE_MS


def test_one_answer_from_beyond_the_gateway_is_internet() -> None:
    assert _router(("internet", 0), ("internet2", 1), ("gateway", 0)) & (Seen.INTERNET | Seen.NO_INTERNET) == (
        Seen.INTERNET
    )
    assert _router(("internet", 0), ("gateway", 2)) == Seen.ANSWERS | Seen.NO_INTERNET | Seen.GATEWAY
    assert _router(("server", 2)) == Seen.ANSWERS | Seen.INTERNET
    assert _router() == Seen.ANSWERS


@pytest.mark.parametrize(
    ("port", "sight"),
    [
        (wire.CounterReading("ether1", kind="ether", running=True), Seen.LINK),
        (wire.CounterReading("ether1", kind="ether", running=False), Seen.NO_LINK),
        (wire.CounterReading("ether1", kind="ether", running=False, disabled=True), Seen.PORT_OFF),
        (wire.CounterReading("ether1", kind="ether"), 0),
        (wire.CounterReading("ether1", kind="pppoe-out", running=False), 0),
        (wire.CounterReading("ether2", kind="ether", running=False), 0),
    ],
)
def test_only_the_wan_port_has_a_carrier(port: wire.CounterReading, sight: int) -> None:
    assert _router(wan_interface="ether1", interfaces=[port]) == Seen.ANSWERS | sight


@pytest.mark.parametrize(
    ("told", "sight"),
    [
        ({"rx_power_dbm": -19.0}, Seen.LIGHT),
        ({"rx_power_dbm": -24.0}, Seen.DIM),
        ({"no_light": True}, Seen.DARK),
        ({"registration": "O1"}, Seen.DARK),
        ({"registration": "O1", "rx_power_dbm": -19.0}, Seen.LIGHT),
        ({"registration": "O3", "rx_power_dbm": -19.0}, Seen.LIGHT | Seen.BARRED),
        ({"registration": "O5", "link_up": True}, Seen.LINK),
        ({}, 0),
    ],
)
def test_light_and_registration_of_a_modem(told: dict[str, object], sight: int) -> None:
    body = msgspec.convert(told, wire.OntBody)
    assert sight_of(_reading(body), dim_below_dbm=-22.0) == Seen.ANSWERS | sight


def test_light_in_the_routers_cage_counts_as_the_lines() -> None:
    light = wire.Light("sfp1", no_light=True)
    assert _router(wan_interface="sfp1", lights=[light]) == Seen.ANSWERS | Seen.DARK


def test_how_a_poll_failed_is_kept_apart() -> None:
    assert sight_of(_reading()) == Seen.SILENT
    assert sight_of(_reading(outcome=wire.Outcome.LOGIN_REFUSED)) == Seen.ALIVE
    assert sight_of(_reading(outcome=wire.Outcome.UNREADABLE)) == Seen.ALIVE
    assert sight_of(_reading(wire.RouterBody(), device_uptime_seconds=2**63 - 1)) == Seen.ANSWERS
    assert sight_of(_reading(wire.RouterBody(), device_uptime_seconds=7)) == Seen.ANSWERS | Seen.UPTIME


def test_a_level_is_far_below_its_own_past_three_decibels_under_its_median() -> None:
    levels = [-19.0, -19.2, -18.8, -25.0]
    readings = [Timed(T0 + n, _reading(wire.OntBody(rx_power_dbm=dbm), device="ont")) for n, dbm in enumerate(levels)]
    cage = wire.RouterBody(wan_interface="sfp1", lights=[wire.Light("sfp1", rx_power_dbm=-17.0)])
    assert dim_levels([*readings, Timed(T0, _reading(cage))]) == {"ont": pytest.approx(-22.1), "router": -20.0}
    assert dim_levels([Timed(T0, _reading(wire.OntBody(rx_power_dbm=-28.0), device="ont"))]) == {"ont": -27.0}
    assert sight_of(_reading(wire.OntBody(rx_power_dbm=-27.5))) == Seen.ANSWERS | Seen.DIM
    assert merge_levels({"ont": -23.0}, {"ont": -25.0, "router": -20.0}) == {"ont": -23.0, "router": -20.0}


def test_an_olt_speaks_of_the_onu_with_the_villages_serial_only() -> None:
    states = [wire.OnuState.ONLINE, wire.OnuState.UNKNOWN, wire.OnuState.DYING_GASP, wire.OnuState.DISABLED]
    readings = [
        Timed(T0 + n, _reading(wire.OltBody(onus=[wire.Onu("HWTC-0000-0001", state=state), wire.Onu("HWTC00000002")])))
        for n, state in enumerate(states)
    ]
    failed = Timed(T0 + 9, _reading(device="olt"))
    assert onu_sights([*readings, failed], "HWTC00000001") == [
        (T0, Seen.ONLINE), (T0 + 2, Seen.GASP), (T0 + 3, Seen.BARRED),
    ]  # fmt: skip


def test_a_module_of_the_router_is_known_by_its_serial_number() -> None:
    story = Story(10)
    assert not story.timeline().is_one_box
    story.ont_serial = "HGX1"
    assert story.timeline().is_one_box
