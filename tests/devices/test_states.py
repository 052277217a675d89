"""The newest state of every device and village, and what it is called."""

import itertools
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.devices.models import Device, EnrolmentCode
from kampungnet.devices.service import NewState, VillageState
from kampungnet.devices.status import SILENT_AFTER_MS, Status, status_of
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.support.server import NEIGHBOUR, REGENCY, SITE, VILLAGE, Box, enrolled, router_body

NOW: Final = 1_785_462_000_000


def _record(database: Database, *readings: wire.Reading) -> None:
    with database.writes() as db:
        devices.record_state(db, [NewState(REGENCY, SITE, one.taken_at_ms, one) for one in readings])


def _device(database: Database, name: str = "router") -> Device:
    with database.reads() as db:
        return db.scalars(select(Device).where(Device.name == name)).one()


def _state(database: Database, code: str = VILLAGE, now_ms: int = NOW) -> VillageState:
    with database.reads() as db:
        return {one.village.code: one for one in devices.village_states(db, REGENCY, now_ms)}[code]


def test_the_newest_reading_is_the_state_in_whatever_order_they_come(database: Database, box: Box) -> None:
    readings = [
        box.reading(router_body(hotspot_sessions=1), taken_at_ms=NOW - 3000),
        box.reading(outcome=wire.Outcome.UNREACHABLE, taken_at_ms=NOW - 2000, detail="no answer"),
        box.reading(router_body(hotspot_sessions=3), taken_at_ms=NOW - 1000),
    ]
    for order in itertools.permutations(readings):
        _record(database, *order)
    for one in (readings[1], readings[0]):
        _record(database, one)
    device = _device(database)
    assert (device.outcome, device.detail, device.hotspot_sessions) == ("ok", "", 3)
    assert (device.last_reading_ms, device.last_ok_ms) == (NOW - 1000, NOW - 1000)


def test_the_body_of_the_newest_good_reading_can_be_read_again(database: Database, box: Box) -> None:
    body = router_body(identity="Balai Désa \0 – ²")
    _record(database, box.reading(body, taken_at_ms=NOW))
    with database.reads() as db:
        assert devices.body_of(db.scalars(select(Device)).one()) == body


def test_an_ont_shows_its_light(database: Database, box: Box) -> None:
    _record(database, box.reading(wire.OntBody(rx_power_dbm=-21.5), device="ont", taken_at_ms=NOW))
    assert (_device(database, "ont").kind, _state(database).rx_power_dbm) == ("ont", -21.5)
    _record(database, box.reading(wire.OntBody(no_light=True), device="ont", taken_at_ms=NOW + 1))
    assert (_state(database).rx_power_dbm, _state(database).no_light) == (None, True)


def test_a_village_nobody_heard_of_is_never_and_a_quiet_one_is_silent(database: Database, box: Box) -> None:
    assert _state(database).status is Status.NEVER
    _record(database, box.reading(taken_at_ms=NOW))
    assert _state(database).status is Status.UP
    assert _state(database, now_ms=NOW + SILENT_AFTER_MS).status is Status.UP
    assert _state(database, now_ms=NOW + SILENT_AFTER_MS + 1).status is Status.SILENT
    assert _state(database, NEIGHBOUR).status is Status.NEVER


def test_a_router_that_does_not_answer_or_has_no_internet_is_down(database: Database, box: Box) -> None:
    _record(database, box.reading(outcome=wire.Outcome.LOGIN_REFUSED, taken_at_ms=NOW))
    assert _state(database).status is Status.DOWN, "never a good reading, so its kind is not known yet"
    unreached = router_body(pings=[wire.Ping("internet", "", 3, 0)])
    _record(database, box.reading(unreached, taken_at_ms=NOW + 1))
    assert (_state(database).status, _state(database).internet_up) == (Status.DOWN, False)
    _record(database, box.reading(router_body(pings=[]), taken_at_ms=NOW + 2))
    assert (_state(database).status, _state(database).internet_up) == (Status.UP, None)


def test_one_village_alone_is_the_same_as_among_all(database: Database, box: Box) -> None:
    _record(database, box.reading(taken_at_ms=NOW))
    with database.reads() as db:
        (alone,) = devices.village_states(db, REGENCY, NOW, only=VILLAGE)
    among = _state(database)
    assert (alone.village.code, alone.status, alone.hotspot_sessions, len(alone.devices)) == (
        among.village.code,
        among.status,
        among.hotspot_sessions,
        len(among.devices),
    )
    with database.reads() as db:
        assert devices.village_states(db, REGENCY, NOW, only="35.10.99.2001") == []


def test_every_village_of_the_register_is_there_by_code(database: Database) -> None:
    with database.reads() as db:
        codes = [one.village.code for one in devices.village_states(db, REGENCY, NOW)]
    assert codes == ["35.10.01.2001", NEIGHBOUR, VILLAGE]


def test_the_box_of_a_village_is_the_newest_that_may_report(database: Database, box: Box) -> None:
    spare = enrolled(database)
    agent = _state(database).agent
    assert agent is not None
    assert agent.id == spare.agent
    with database.writes() as db:
        assert devices.revoke(db, villages.village(db, VILLAGE), NOW) == 1
        assert devices.revoke(db, villages.village(db, VILLAGE), NOW) == 0
    assert _state(database).agent is None


def test_revoking_takes_the_open_codes_too(database: Database) -> None:
    with database.writes() as db:
        village = villages.village(db, VILLAGE)
        code = devices.issue_code(db, village, clock.now_ms())
        devices.revoke(db, village, clock.now_ms())
        row = db.get_one(EnrolmentCode, (REGENCY, devices.code_hash(code)))
        assert row.used_ms is not None


@given(last=st.one_of(st.none(), st.integers(0, NOW)), ok=st.booleans(), internet=st.one_of(st.none(), st.booleans()))
def test_old_news_is_never_up(last: int | None, ok: bool, internet: bool | None) -> None:
    status = status_of(last, ok, internet, NOW)
    if status is Status.UP:
        assert last is not None
        assert NOW - last <= SILENT_AFTER_MS
        assert ok
    if last is None:
        assert status is Status.NEVER


@pytest.mark.parametrize("text", ["plain", "Balai Désa – ²", "كامبونغ", "e\u0301", "👩‍🌾"])
def test_a_devices_words_stay_readable(text: str) -> None:
    assert devices.clean(text).replace("\N{REPLACEMENT CHARACTER}", "") == text.replace("\u200d", "")


@given(st.text())
def test_a_devices_words_never_carry_control_characters(text: str) -> None:
    cleaned = devices.clean(text)
    assert len(cleaned) == len(text)
    assert cleaned.isprintable()
