"""Readings are judged one by one: a bad one is refused alone, a repeat changes nothing, a changed repeat is alarmed."""

import msgspec
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices.models import Agent, Device
from kampungnet.measurement.models import ReadingDay, YoungReading
from kampungnet.shared import wire
from kampungnet.upkeep import pack_all
from tests.support.contents import contents
from tests.support.server import NEIGHBOUR, VILLAGE, Box, Running, enrolled, ingested, router_body

HOUR_MS = 3_600_000
CHANGED = "known already with another content: was this box's card copied?"


def _stored(database: Database) -> list[int]:
    with database.reads() as db:
        return sorted(db.scalars(select(YoungReading.sequence)))


def test_bad_readings_are_refused_alone_and_named_by_their_place(database: Database, server: Running, box: Box) -> None:
    good = [msgspec.json.encode(box.reading()) for _ in range(3)]
    bad = {
        1: good[0].replace(b'"sequence":1', b'"sequence":0'),
        2: b"17",
        4: good[0].replace(b'"sequence":1', b'"sequence":104').replace(b'"outcome":"ok"', b'"outcome":"fine"'),
        5: good[0].replace(b'"sequence":1', b'"sequence":105').replace(b'"device":"router"', b'"device":"\xff"'),
        6: good[0].replace(b'"sequence":1', b'"sequence":106,"news":"' + b"x" * wire.MAX_READING_BYTES + b'"'),
        7: good[0].replace(b'"sequence":1', b'"sequence":107').replace(b'"outcome":"ok"', b'"outcome":"unreachable"'),
        8: b"{}",
        9: b"[" * 900 + b"]" * 900,
        10: good[0].replace(b'"sequence":1', b'"sequence":110').replace(b'"rx_bytes":1000', b'"rx_bytes":-1000'),
    }
    mixed = [good[0], bad[1], bad[2], good[1], *(bad[n] for n in range(4, 11)), good[2]]
    receipt = server.report(box, *mixed).receipt()
    assert receipt.accepted == [1, 2, 3]
    assert {one.position: one.sequence for one in receipt.refused} == {
        1: None, 2: None, 4: 104, 5: 105, 6: 106, 7: 107, 8: None, 9: None, 10: 110,
    }  # fmt: skip
    reasons = {one.position: one.reason for one in receipt.refused}
    assert all(reasons.values())
    assert "rx_bytes" in reasons[10]
    assert _stored(database) == [1, 2, 3]


def test_the_same_report_twice_is_receipted_twice_and_stored_once(
    database: Database, server: Running, box: Box
) -> None:
    readings = [box.reading(), box.reading(device="ont", outcome=wire.Outcome.UNREACHABLE)]
    first = server.report(box, *readings).receipt()
    before = contents(database)
    again = server.report(box, *readings).receipt()
    assert first.accepted == again.accepted == [1, 2]
    assert again.refused == []
    after = contents(database)
    assert {name for name in after if after[name] != before[name]} <= {"agents", "boots"}, (
        "only the box was heard again"
    )
    assert _conflicts(database, box) == 0


def test_a_replayed_report_does_not_make_a_village_look_alive(database: Database, box: Box) -> None:
    past = clock.now_ms() - HOUR_MS
    body = box.report(box.reading(taken_at_ms=past), sent_at_ms=past, boottime_ms=past - 1_600_000_000_000)
    ingested(database, box.request(body, past))
    (receipt,) = ingested(database, box.request(body))
    assert receipt.accepted == [1]
    with database.reads() as db:
        assert db.scalar(select(Device.last_reading_ms)) == past


def test_the_same_key_with_another_content_is_refused_and_counted(
    database: Database, server: Running, box: Box
) -> None:
    first = box.reading(sequence=7)
    server.report(box, first)
    receipt = server.report(box, msgspec.structs.replace(first, duration_ms=41), box.reading(sequence=8)).receipt()
    assert receipt.accepted == [8]
    assert receipt.refused == [wire.Refusal(0, CHANGED, 7)]
    assert _conflicts(database, box) == 1
    with database.reads() as db:
        payload = db.scalar(select(YoungReading.payload).where(YoungReading.sequence == 7))
    assert payload == msgspec.json.encode(first)
    page = server.send("GET", "/metrics").body.decode()
    assert f'kampungnet_agent_conflicts_total{{district="35.10.15",regency="35.10",village="{VILLAGE}"}} 1.0' in page


def test_repeats_and_changed_repeats_are_known_after_packing_too(database: Database, server: Running, box: Box) -> None:
    past = clock.now_ms() - 6 * HOUR_MS
    readings = [box.reading(taken_at_ms=past + n * 60_000) for n in range(5)]
    server.report(box, *readings)
    assert pack_all(database) == 5
    assert _stored(database) == []
    before = contents(database)
    changed = msgspec.structs.replace(readings[2], duration_ms=41)
    receipt = server.report(box, readings[0], changed, readings[4]).receipt()
    assert receipt.accepted == [1, 5]
    assert receipt.refused == [wire.Refusal(1, CHANGED, 3)]
    after = contents(database)
    assert {name for name in after if after[name] != before[name]} <= {"agents", "boots"}
    assert _conflicts(database, box) == 1
    assert pack_all(database) == 0
    with database.reads() as db:
        assert db.scalars(select(ReadingDay.readings)).all() == [5]


def test_twice_in_one_report_is_once(database: Database, server: Running, box: Box) -> None:
    reading = box.reading()
    other = msgspec.structs.replace(reading, duration_ms=41)
    receipt = server.report(box, reading, reading, other).receipt()
    assert receipt.accepted == [1, 1]
    assert receipt.refused == [wire.Refusal(2, CHANGED, 1)]
    assert _stored(database) == [1]


def test_two_contents_of_one_key_in_one_group_are_told_apart_by_who_was_first(database: Database, box: Box) -> None:
    reading = box.reading()
    copied = msgspec.structs.replace(reading, duration_ms=41)
    first, second, third = ingested(database, *(box.request(box.report(one)) for one in (reading, copied, reading)))
    assert (first.accepted, first.refused) == ([1], [])
    assert (second.accepted, second.refused) == ([], [wire.Refusal(0, CHANGED, 1)])
    assert (third.accepted, third.refused) == ([1], [])
    assert _conflicts(database, box) == 1


def test_two_boxes_may_use_the_same_boot_id_and_sequence(database: Database, server: Running, box: Box) -> None:
    neighbour = enrolled(database, NEIGHBOUR)
    assert server.report(box, box.reading()).receipt().accepted == [1]
    assert server.report(neighbour, neighbour.reading()).receipt().accepted == [1]
    assert _stored(database) == [1, 1]


def test_a_box_whose_sequence_starts_anew_after_a_boot_is_taken(database: Database, server: Running, box: Box) -> None:
    past = clock.now_ms() - 6 * HOUR_MS
    server.report(box, *(box.reading(taken_at_ms=past + n) for n in range(3)))
    pack_all(database)
    fresh = box.reading(sequence=2, boot_id="another-boot")
    assert server.report(box, fresh).receipt().accepted == [2]
    assert _stored(database) == [2]


def test_an_empty_report_is_a_sign_of_life(database: Database, server: Running, box: Box) -> None:
    assert server.report(box, health=wire.AgentHealth(spool_readings=9, dropped_readings=3)).receipt().accepted == []
    with database.reads() as db:
        agent = db.scalars(select(Agent)).one()
        assert (agent.spool_readings, agent.dropped_readings) == (9, 3)
        assert abs(clock.now_ms() - (agent.last_report_ms or 0)) < 10_000


def test_text_with_nul_and_other_control_characters_is_stored_and_shown_clean(
    database: Database, server: Running, box: Box
) -> None:
    bad = "a\0b\x1b[31m\u202e"
    failed = box.reading(outcome=wire.Outcome.UNREADABLE, detail=bad)
    ok = box.reading(router_body(serial="x\0y", gateway="\0"), device="router2")
    receipt = server.report(box, failed, ok, health=wire.AgentHealth(version="1\0", board=bad)).receipt()
    assert receipt.accepted == [1, 2]
    with database.reads() as db:
        details = db.scalars(select(Device.detail).order_by(Device.name)).all()
        assert details == ["a\ufffdb\ufffd[31m\ufffd", ""]
        assert db.scalars(select(Agent.board)).one() == "a\ufffdb\ufffd[31m\ufffd"


def test_a_hundred_of_the_largest_readings_pass(database: Database, server: Running, box: Box) -> None:
    most = wire.CounterReading("x" * 100, rx_bytes=2**63 - 1, tx_bytes=2**63 - 1, rx_packets=2**63 - 1)
    body = router_body(interfaces=[most] * 150, hotspot_sessions=2**63 - 1, free_memory_bytes=2**63 - 1)
    readings = [box.reading(body, device_uptime_seconds=2**63 - 1) for _ in range(100)]
    assert len(server.report(box, *readings).receipt().accepted) == 100
    assert len(_stored(database)) == 100


def _conflicts(database: Database, box: Box) -> int:
    with database.reads() as db:
        return db.scalars(select(Agent.conflicts).where(Agent.id == box.agent)).one()
