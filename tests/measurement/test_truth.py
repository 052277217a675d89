"""The classifier against the simulator's own truth, and the readings of that trial against the real protocols."""

import asyncio
from random import Random
from typing import Any

import msgspec
import pytest

from kampungnet.measurement.causes import judge
from kampungnet.measurement.evidence import joined, timeline
from kampungnet.measurement.outage_words import Horizon
from kampungnet.measurement.sights import sight_of
from kampungnet.measurement.slots import Timed
from kampungnet.shared import wire
from kampungnet_agent.agent import build_drivers
from kampungnet_agent.poller import Poller
from kampungnet_agent.settings import Device
from kampungnet_agent.tally import Tally
from kampungnet_sim.fleet import Fleet, FleetOptions
from kampungnet_sim.history import Past, Span
from kampungnet_sim.quarter import midnight_wib, story
from kampungnet_sim.register import made_up
from kampungnet_sim.village_events import Event, EventKind
from tests.journeys.box import SteppedBox
from tests.measurement.evidence_story import Story
from tests.measurement.score import NONE, Case, Claim, score
from tests.measurement.told_quarter import DAY, FIRST_DAY, STEP, Polls, case_of, judge_all, tell, villages

SEED, DAYS, VILLAGES = 11, 45, 32
CAUSES = ("listrik", "fiber", "penyedia", "perangkat", "orang", "terencana")
NOON = midnight_wib(FIRST_DAY) + 12 * 3_600
HOUR = (
    (EventKind.FIBRE_CUT, 300, 600), (EventKind.ONT_OFF, 900, 1_200), (EventKind.BEND, 1_500, 1_800),
    (EventKind.CABLE_OUT, 2_100, 2_400), (EventKind.PROVIDER_OUTAGE, 2_700, 3_000), (EventKind.REBOOT, 3_060, 3_100),
    (EventKind.SLOW, 3_300, 3_600),
)  # fmt: skip


def test_downtime_is_right_within_one_per_cent_and_its_cause_in_95_of_100_minutes_and_nothing_is_invented() -> None:
    told = [tell(found, place, SEED, DAYS) for place, found in villages(VILLAGES)]
    cases = [case_of(one, said, DAYS) for one, said in zip(told, judge_all(told, DAYS), strict=True)]
    total = score(cases)
    assert sum(one.story.calm for one in told) == VILLAGES // 8
    assert total.outages > 60
    assert abs(total.error_percent) < 1
    assert total.right_percent >= 95
    each = {
        cause: total.right_percent_of(cause) or 0 for cause in ("listrik", "fiber", "penyedia", "perangkat", "orang")
    }
    assert min(each.values(), default=0) >= 90, each
    assert (total.invented, total.invented_where_none) == (0, 0)
    assert total.off_p95_s <= 60


@pytest.mark.parametrize("place", [0, 79])
def test_bridged_stretches_fold_to_what_every_single_poll_folds_to(place: int) -> None:
    days = 2
    start = midnight_wib(FIRST_DAY)
    found = made_up(80)[place]
    every = Polls(story(found, place, SEED, start, days), Span(start, start + days * DAY, STEP)).every_poll()
    told = tell(found, place, SEED, days)
    shifts = {life.boot_id: life.boot_ms for day in told.days for life in day.lives}
    # The boot's own repaired clock: what a told reading's time is made of, too.
    timed = [Timed(shifts[one.boot_id] + one.boottime_ms, one) for one in every]
    kept = tuple(row for row in joined(told.days).rows if row.device != "ont@olt")
    whole = timeline(timed)
    assert joined(told.days).lives == whole.lives
    assert kept == whole.rows


async def test_the_trials_readings_are_what_the_agent_polls_over_the_real_protocols() -> None:
    now = [NOON]
    fleet = Fleet(lambda: now[0], FleetOptions(instant_ping=True))
    found = made_up(1)[0]
    await fleet.start([found])
    try:
        site = fleet.sites[found.code]
        site.village.set_extra_events(tuple(Event(NOON + a, NOON + b, kind) for kind, a, b in HOUR))
        box = SteppedBox(round(NOON * 1000))
        polls = [Poller(device, driver, box, Tally()) for device, driver in build_drivers(_devices(site.inventory()))]
        past = Past(site.village)
        for minute in range(0, 3_600, 180):
            now[0] = NOON + minute + 7
            await asyncio.sleep(0.15)  # the simulator opens and closes its ports ten times a second
            told = [msgspec.json.decode(text, type=wire.Reading) for text in past.poll(now[0])]
            polled = [await one.poll_once() for one in polls]
            assert [_core(one) for one in polled] == [_core(one) for one in told], minute
    finally:
        await fleet.close()


def _devices(inventory: dict[str, Any]) -> list[Device]:
    router, ont = inventory["router"], inventory["ont"]
    return [
        Device(name="router", driver="mikrotik", address=router["address"], username=router["username"],
               secret=router["password"], wan_interface=router["wan_interface"]),
        Device(name="ont", driver="ont-snmp", address=ont["address"], secret=ont["community"], timeout_seconds=1,
               wan_interface=ont["wan_interface"]),
    ]  # fmt: skip


def _core(reading: wire.Reading) -> tuple[object, ...]:
    """What classification looks at, and the light itself."""
    level = getattr(reading.body, "rx_power_dbm", None)
    return reading.device, reading.outcome, reading.device_uptime_seconds, sight_of(reading), level


def test_a_month_of_duplicates_with_absurd_uptimes_and_counters_changes_no_outage() -> None:
    story = Story(600).happens("power", 100, 160).happens("fibre", 300, 360)
    good = story.readings()
    odd = [_odd(one) for one in good[::7]]
    many = [*good, *odd * 30]
    Random(3).shuffle(many)
    horizon = Horizon(good[-1].taken_ms)
    outages = judge(timeline(many), horizon).outages
    assert [(one.start_ms, one.end_ms, one.cause) for one in outages] == [
        (one.start_ms, one.end_ms, one.cause) for one in judge(timeline(good), horizon).outages
    ]


def _odd(one: Timed) -> Timed:
    """A second router of the village that claims 2^64-1 of everything."""
    port = wire.CounterReading("ether1", kind="ether", running=True, rx_bytes=2**64 - 1, tx_bytes=2**64 - 1)
    reading = msgspec.structs.replace(
        one.reading, device="odd", sequence=one.reading.sequence + 10_000, device_uptime_seconds=2**53 - 1,
        body=wire.RouterBody(interfaces=[port], wan_interface="ether1"),
    )  # fmt: skip
    return Timed(one.taken_ms, reading)


def test_the_score_tells_missed_invented_wrong_and_late() -> None:
    minute = 60_000
    truth = [Claim(0, 10 * minute, "listrik"), Claim(10 * minute, 20 * minute, "fiber", evident=False)]
    said = [Claim(minute, 20 * minute, "listrik"), Claim(40 * minute, 50 * minute, "orang")]
    found = score([Case("ONT", truth, said), Case("ONT", [], [Claim(0, minute, "fiber")]), Case("ONT", truth, [])])
    assert found.minutes["listrik", "listrik"] == 9
    assert found.minutes["fiber", "listrik"] == 10
    assert found.minutes[NONE, "orang"] == 10
    assert (found.outages, found.missed, found.invented, found.invented_where_none) == (2, 1, 2, 1)
    assert found.right_percent == pytest.approx(45)
    assert found.error_percent == pytest.approx(-25)
    assert (found.off_median_s, found.off_p95_s) == (30, 60)
