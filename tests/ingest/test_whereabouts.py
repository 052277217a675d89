"""A stolen or copied box shows itself: it speaks from elsewhere, or two boxes speak in turn with one key."""

from datetime import timedelta
from typing import Final

import msgspec
import pytest

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.devices.whereabouts import MOST_NETWORKS, came_from, heard, network_of
from kampungnet.measurement import oddities
from kampungnet.shared import wire
from tests.support.server import BOOT, REGENCY, Box, Running, ingested

HOME: Final = "36.80.1.20"
NEXT_DOOR: Final = "36.80.77.3"
FAR: Final = "114.5.9.1"
OTHER_BOOT: Final = "b00700c0-0000-4000-8000-00000000000f"


def _spoke(database: Database, box: Box, address: str, boot_id: str = BOOT) -> None:
    reading = box.reading(boot_id=boot_id)
    request = box.request(box.report(reading, boot_id=boot_id))
    (receipt,) = ingested(database, msgspec.structs.replace(request, address=address))
    assert isinstance(receipt, wire.Receipt)
    assert receipt.accepted == [reading.sequence], "whatever is odd about it, what it measured is taken"


def _odd(database: Database) -> dict[str, int]:
    today = clock.local_day(clock.now_ms(), clock.WIB)
    with database.reads() as db:
        found = oddities.devices(db, REGENCY, today - timedelta(days=1), today + timedelta(days=1))
    return {one.what.value: one.count for one in found}


def _agent(database: Database, box: Box) -> Agent:
    with database.reads() as db:
        return db.get_one(Agent, (REGENCY, box.agent))


def test_a_box_that_stays_is_never_odd_whatever_address_its_line_gets_from_day_to_day(
    database: Database, box: Box
) -> None:
    for address in (HOME, "36.80.1.21", "36.80.1.200", HOME):
        _spoke(database, box, address)
    assert _odd(database) == {}
    found = _agent(database, box)
    assert (found.networks, found.moved_ms) == ("36.80.1.0/24", None)


def test_a_new_address_near_by_is_listed_and_another_network_is_a_move(database: Database, box: Box) -> None:
    _spoke(database, box, HOME)
    _spoke(database, box, NEXT_DOOR)
    assert _odd(database) == {"address": 1}
    assert _agent(database, box).moved_ms is None
    _spoke(database, box, FAR)
    assert _odd(database) == {"address": 1, "moved": 1}
    moved_ms = _agent(database, box).moved_ms
    assert moved_ms
    for address in (HOME, FAR, NEXT_DOOR):
        _spoke(database, box, address)
    assert _odd(database) == {"address": 1, "moved": 1}, "where it was before is known"
    assert _agent(database, box).moved_ms == moved_ms


def test_a_box_that_starts_anew_is_one_box_and_two_that_speak_in_turn_are_two(database: Database, box: Box) -> None:
    _spoke(database, box, HOME)
    _spoke(database, box, HOME, OTHER_BOOT)
    _spoke(database, box, HOME, OTHER_BOOT)
    assert _odd(database) == {}, "a power cut"
    _spoke(database, box, FAR, BOOT)
    assert _odd(database) == {"moved": 1, "twice": 1}
    assert _agent(database, box).twice_ms
    _spoke(database, box, HOME, OTHER_BOOT)
    assert _odd(database)["twice"] == 2


def test_two_in_one_group_are_seen_too(database: Database, box: Box) -> None:
    requests = [
        msgspec.structs.replace(box.request(box.report(box.reading(boot_id=boot), boot_id=boot)), address=address)
        for boot, address in ((BOOT, HOME), (OTHER_BOOT, HOME), (BOOT, FAR))
    ]
    ingested(database, *requests)
    assert _odd(database) == {"moved": 1, "twice": 1}


def test_the_door_sees_where_a_report_comes_from_also_behind_the_proxy_of_this_machine(
    database: Database, server: Running, box: Box
) -> None:
    assert server.report(box, box.reading()).status == 200
    assert _agent(database, box).networks == "127.0.0.0/24"
    body = box.report(box.reading())
    told = box.headers(body) | {"X-Forwarded-For": f"6.6.6.6, {HOME}"}
    assert server.send("POST", wire.REPORTS_PATH, body, told).status == 200
    assert _agent(database, box).networks == "36.80.1.0/24 127.0.0.0/24"


def test_what_somebody_claims_about_the_way_is_believed_from_the_proxy_of_this_machine_alone() -> None:
    claim = {b"x-forwarded-for": b"1.2.3.4"}
    assert came_from("127.0.0.1", claim) == "1.2.3.4"
    assert came_from(FAR, claim) == FAR
    assert came_from("127.0.0.1", {}) == "127.0.0.1"
    assert came_from(None, claim) == ""


@pytest.mark.parametrize(
    ("address", "network"),
    [(HOME, "36.80.1.0/24"), ("2001:448a:2020:1::7", "2001:448a:2020::/48"), ("::ffff:36.80.1.20", "36.80.1.0/24"),
     ("", ""), ("unknown", ""), ("36.80.1.20/8", ""), ("1.2.3.4\nX", ""), ("9" * 60, ""), ("fe80::1%eth0", "")],
)  # fmt: skip
def test_a_network_is_made_of_an_address_and_of_nothing_else(address: str, network: str) -> None:
    assert network_of(address) == network


def test_what_is_remembered_is_bounded() -> None:
    networks: str | None = None
    boots: str | None = None
    for number in range(200):
        found = heard(networks, boots, f"10.{number}.0.1", f"boot-{number}")
        networks, boots = found.networks, found.boots
    assert len((networks or "").split()) == MOST_NETWORKS
    assert (networks or "").startswith("10.199.0.0/24 10.198.0.0/24")
    assert (boots or "").split() == ["boot-199", "boot-198", "boot-197", "boot-196"]
