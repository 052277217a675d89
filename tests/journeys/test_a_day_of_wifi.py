"""Journey: a village's wifi for a whole local day, with two power cuts, from the router's rows to the desk's sums.

The simulated village lives its own day (dozens of people come and go), and three phones of the test log in by the
three ways in. The driver looks once a minute, the readings go to a real database; what the server says of the day is
compared with what really happened, to one look for each session.
"""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hotspot import sessions
from kampungnet.hotspot.models import HotspotSession
from kampungnet.hotspot.use import DayUse
from kampungnet.shared import wire
from kampungnet_agent.driver import DeviceError
from kampungnet_agent.drivers.mikrotik_portal import MikrotikPortalDriver
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.hotspot_guest import Way as LoginWay
from kampungnet_sim.hotspot_session import Truth
from kampungnet_sim.village import Village, draw_profile
from kampungnet_sim.village_guests import Visit
from tests.agent.drivers.portal.portal_stage import CODE, MB, StageBox, code_of, made, wanted
from tests.sim.stage import SARONGAN, Stage, on_stage
from tests.support.server import REGENCY, VILLAGE, Box, enrolled, ingested

ZONE = "Asia/Jakarta"
PLACE = (REGENCY, f"{VILLAGE}-1")
LOOK_SECONDS = 60
CUTS = {13 * 60: 300, 19 * 60 + 30: 120}
"""Minute of the day, and for how many seconds the power is gone."""
LOGINS: tuple[tuple[str, str, LoginWay], ...] = ((CODE, "", "pap"), ("kades", "rahasia desa", "pap"), ("", "", "trial"))
PHONES = [f"D6:00:00:00:00:{number:02}" for number in range(len(LOGINS))]
AT_ONCE = 100


@pytest.mark.timeout(400)
async def test_the_use_of_a_day_is_what_really_happened_with_two_power_cuts_in_it(
    sqlite_database: Database, postgresql_database: Database, tmp_path: Path
) -> None:
    day = clock.local_day(clock.now_ms(), ZONE) - timedelta(days=1)
    start, end = (clock.day_start_ms(one, ZONE) / 1000 for one in (day, day + timedelta(days=1)))
    boxes = [(database, enrolled(database)) for database in (sqlite_database, postgresql_database)]
    async with on_stage(FleetOptions(model="hex", seed=_quiet_seed(start, end)), start=start) as stage:
        driver = made(stage, StageBox(stage.clock), tmp_path)
        await driver.follow(wanted())
        readings = await _live(stage, driver, boxes[0][1], start)
        truth, own = _truth(stage, start, end)
        phones = [driver.pseudonym_of(mac) for mac in PHONES]
        await driver.close()
    for database, box in boxes:
        for some in range(0, len(readings), AT_ONCE):
            (receipt,) = ingested(database, box.request(box.report(*readings[some : some + AT_ONCE])))
            assert receipt.refused == []
        with database.reads() as db:
            told = sessions.days_of(db, PLACE, day, day)[day]
            rows = db.scalars(select(HotspotSession).where(HotspotSession.guest.in_(phones))).all()
        _compare(told, truth)
        _compare_phones(told, rows, own)


def _quiet_seed(start: float, end: float) -> int:
    """Return a seed whose village has no reboot and no outage but ours on this day."""
    for seed in range(1, 500):
        if not Village(draw_profile(SARONGAN.code, SARONGAN.name, seed)).events_between(start - 86_400, end):
            return seed
    raise AssertionError("every simulated village has trouble on this day")


async def _live(stage: Stage, driver: MikrotikPortalDriver, box: Box, start: float) -> list[wire.Reading]:
    """Live through the day minute by minute, and return the readings."""
    phones = [await stage.site.hotspot.join(mac) for mac in PHONES]
    dice, readings = random.Random(7), []
    for minute in range(24 * 60):
        stage.clock.forward(start + minute * LOOK_SECONDS - stage.clock())
        if minute in CUTS:
            stage.fleet.faults.add("power_cut", code_of(stage), CUTS[minute])
        try:
            polled = await driver.poll()
        except DeviceError:
            continue
        taken_ms = round(stage.clock() * 1000)
        readings.append(box.reading(polled.body, device="portal", taken_at_ms=taken_ms))
        for phone, login in zip(phones, LOGINS, strict=True):
            if not await phone.online() and dice.random() < 0.02:
                await phone.log_in(*login)
            phone.traffic(dice.randrange(5 * MB), dice.randrange(MB))
    return readings


class _Day:
    """What really happened: who was online, and for how many seconds at least and at most a minute's look can tell."""

    def __init__(self) -> None:
        self.macs: set[str] = set()
        self.seconds = 0.0
        self.pieces = 0

    def add(self, mac: str, start: float, end: float) -> None:
        """Add one session."""
        if end > start:
            if math.ceil(start / LOOK_SECONDS) * LOOK_SECONDS < end:  # who came and went between two looks is not seen
                self.macs.add(mac)
            self.seconds += end - start
            self.pieces += 1


def _truth(stage: Stage, start: float, end: float) -> tuple[_Day, list[Truth]]:
    """Return the village's own day, and the sessions of the test's phones."""
    village = stage.site.village
    own = [one for one in stage.site.router.portal.truth(end) if one.mac in PHONES]
    found = _Day()
    for one in own:
        found.add(one.mac, one.start, min(one.end or end, end))
    visits = {
        (visit.start, visit.number): visit for when in _minutes(start, end) for visit in village.guests.present(when)
    }
    for visit in visits.values():
        for piece in _pieces(stage, visit, start, end):
            found.add(visit.mac, *piece)
    return found, own


def _minutes(start: float, end: float) -> Iterator[float]:
    for minute in range(int((end - start) / LOOK_SECONDS)):
        yield start + minute * LOOK_SECONDS


def _pieces(stage: Stage, visit: Visit, start: float, end: float) -> Iterator[tuple[float, float]]:
    """Cut a visit at the power cuts: the router forgets who was online, and people log in again."""
    if not visit.logged_in:
        return
    since = max(visit.start, start)
    for minute, seconds in CUTS.items():
        at = start + minute * LOOK_SECONDS
        if since < at < visit.end:
            yield since, at
        if since < at + seconds and at < visit.end:  # also who came while the power was gone
            since = visit.session_start(at + seconds)
    yield since, min(visit.end, end)


def _compare(told: DayUse, truth: _Day) -> None:
    assert told.people == len(truth.macs)
    assert 0 <= truth.seconds - told.seconds <= LOOK_SECONDS * truth.pieces, "the rest after the last look, no more"


def _compare_phones(told: DayUse, rows: Sequence[HotspotSession], own: Sequence[Truth]) -> None:
    clicks = sum(one.login_by == "trial" for one in own)
    assert (told.clicks, told.vouchers + told.accounts) == (clicks, len(own) - clicks)
    assert len(rows) == len(own) > 3
    assert sum(one.reason == "power cut" for one in own) >= 2, "somebody was online when the power went"
    # No counter of the router keeps the rest of these after the last look; of vouchers and accounts one does.
    open_ends = [one for one in own if one.reason == "power cut" or one.login_by == "trial" or one.end is None]
    assert len(open_ends) < len(own)
    for true, found in ((one.bytes_out for one in own), "down_bytes"), ((one.bytes_in for one in own), "up_bytes"):
        lost = sum(true) - sum(getattr(row, found) for row in rows)
        assert 0 <= lost <= 5 * MB * len(open_ends), "at most what passed between the last look and such an end"
