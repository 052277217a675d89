"""Journey: the village's line to the centre is cut for two hours while its router goes on working.

The simulator answers over the real protocols for the moment the test sets; the agent's own poller, spool and
uplink work as on the box; the centre is a real server. Afterwards every minute is there, once, and the
five-minute slots in the database equal what the simulated village really moved.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kampungnet.core import clock
from kampungnet.devices import service as devices
from kampungnet.measurement import service as measurement
from kampungnet.measurement.models import YoungReading
from kampungnet.measurement.slots import SLOT_MS
from kampungnet.shared.wire import Outcome
from kampungnet.upkeep import pack_all
from kampungnet_agent.settings import Device
from kampungnet_sim.fleet import Fleet, FleetOptions
from kampungnet_sim.register import RegisteredVillage
from kampungnet_sim.village import Village, draw_profile
from tests.journeys.box import VillageBox
from tests.journeys.centre import Centre, centre

VILLAGE = "35.10.15.2012"
PLACE = measurement.Place("35.10", f"{VILLAGE}-1", "router")
HOURS_MS = 2 * 3_600_000


@dataclass
class Moment:
    """The simulator's clock, in seconds since 1970."""

    seconds: float

    def __call__(self) -> float:
        """Return the moment the test set."""
        return self.seconds


@pytest.mark.timeout(600)
async def test_two_hours_without_a_line_lose_nothing_and_double_nothing(database_url: str, tmp_path: Path) -> None:
    end_ms = clock.now_ms() - clock.now_ms() % SLOT_MS
    start_ms = end_ms - HOURS_MS
    moment = Moment(start_ms / 1000)
    fleet = Fleet(moment, FleetOptions(seed=_quiet_seed(start_ms / 1000, clock.now_ms() / 1000)))
    await fleet.start([RegisteredVillage(VILLAGE, "Kampunganyar", VILLAGE[:8])])
    with centre(database_url, tmp_path) as one:
        box = VillageBox(one, VILLAGE, _devices(fleet), tmp_path, start_ms - 3_600_000)
        try:
            # Past the last whole slot to the present minute, or the village would be silent once the line is back.
            minutes = range(start_ms, clock.now_ms(), 60_000)
            for at_ms in minutes:
                moment.seconds = at_ms / 1000
                for reading in await box.poll_all(at_ms):
                    assert reading.outcome is Outcome.OK, (at_ms - start_ms, reading.device, reading.detail)
            assert box.spool.state().readings == 2 * len(minutes)
            assert one.samples(VILLAGE).get('kampungnet_device_up{device="router"}') is None, "the line is cut"
            box.box.at_ms = clock.now_ms()  # the line is back
            await box.send_all()
            assert _stored(one) == 2 * len(minutes)
            _compare(one, fleet, start_ms, end_ms)
        finally:
            await box.close()
            await fleet.close()


def _quiet_seed(start: float, end: float) -> int:
    """Return a seed whose village has no reboot and no outage of its own in these two hours."""
    for seed in range(1, 100):
        village = Village(draw_profile(VILLAGE, "Kampunganyar", seed))
        if not village.events_between(start - 7200, end):
            return seed
    raise AssertionError("every simulated village has trouble now")


def _devices(fleet: Fleet) -> list[Device]:
    found = fleet.sites[VILLAGE]
    router, ont = found.router.users["kampungnet"], found.access
    wan = found.village.profile.router.wan_interface
    return [
        Device(
            "router",
            "mikrotik",
            f"127.0.0.1:{found.ports['api']}",
            router.name,
            router.password,
            wan,
            timeout_seconds=60,
        ),
        Device("ont", "ont-snmp", f"127.0.0.1:{found.ports['snmp']}", "", ont.community),
    ]


def _stored(one: Centre) -> int | None:
    with one.database.reads() as db:
        return db.scalar(select(func.count()).select_from(YoungReading))


def _compare(one: Centre, fleet: Fleet, start_ms: int, end_ms: int) -> None:
    with one.database.reads() as db:
        young = measurement.measured(db, PLACE, start_ms, end_ms)
        state = devices.village_states(db, "35.10", clock.now_ms(), VILLAGE)[0]
    assert state.status == "up", "the newest reading is fresh again"
    assert young.coverage() == 1.0
    pack_all(one.database)
    with one.database.reads() as db:
        packed = measurement.measured(db, PLACE, start_ms, end_ms)
    village = fleet.sites[VILLAGE].village
    wan = village.profile.router.wan_interface
    for name, field in ((f"rx_bytes/{wan}", "rx_bytes"), (f"tx_bytes/{wan}", "tx_bytes")):
        assert packed.points(name) == young.points(name), "packing changes nothing"
        first, last = (village.state_at(ms / 1000).interface(wan) for ms in (start_ms, end_ms))
        moved = sum(point.value or 0 for point in packed.points(name))
        assert moved == getattr(last, field) - getattr(first, field) > 0
