"""What a village's page says when the provider's OLT knows more than the village itself."""

from typing import Final

import pytest

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.pages import all_languages
from kampungnet.devices import onus
from kampungnet.devices.bodies import ONU_DEVICE
from kampungnet.devices.service import VillageState, body_of, village_states
from kampungnet.devices.status import SILENT_AFTER_MS, Status
from kampungnet.measurement import states
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.support.server import NEIGHBOUR, REGENCY, Box, enrolled, ingested

SERIAL: Final = "ZTEGC1234567"
INDONESIAN: Final = all_languages()["id"]


@pytest.fixture
def assigned(sqlite_database: Database) -> Database:
    with sqlite_database.writes() as db:
        onus.assign(db, villages.village(db, NEIGHBOUR), SERIAL, "sari", 0)
    return sqlite_database


@pytest.fixture
def head_end(assigned: Database) -> Box:
    return enrolled(assigned)


def _olt(database: Database, box: Box, state: wire.OnuState, taken_ms: int, **more: bool) -> None:
    body = wire.OltBody(onus=[wire.Onu(SERIAL, state=state, no_light=more.get("no_light", False))])
    reading = box.reading(body, device="olt", taken_at_ms=taken_ms)
    (receipt,) = ingested(database, box.request(box.report(reading)))
    assert receipt.refused == []


def _said(database: Database, now_ms: int) -> tuple[VillageState, str, str]:
    """Return the state, the sentence at the top, and what the OLT adds."""
    with database.reads() as db:
        (state,) = village_states(db, REGENCY, now_ms, only=NEIGHBOUR)
        onu = next((device for device in state.devices if device.name == ONU_DEVICE), None)
        body = body_of(onu) if onu else None
    added = states.word_of_olt(state, body, INDONESIAN, now_ms)
    return state, states.sentence(state, INDONESIAN, clock.WIB, now_ms), added


def test_a_modem_at_work_is_all_that_is_said_of_a_village_without_a_box(assigned: Database, head_end: Box) -> None:
    now = clock.now_ms()
    _olt(assigned, head_end, wire.OnuState.ONLINE, now)
    assert _said(assigned, now)[1:] == ("Terhubung, sejauh terlihat oleh OLT penyedia.", "")


def test_a_modem_without_power_is_trouble_and_the_olt_says_why(assigned: Database, head_end: Box) -> None:
    now = clock.now_ms()
    _olt(assigned, head_end, wire.OnuState.DYING_GASP, now)
    _, sentence, added = _said(assigned, now)
    assert sentence == "Gangguan: menurut OLT penyedia, modem desa tidak bekerja."
    assert added == "Menurut OLT penyedia: modem kehilangan listrik (dying gasp)."


def test_an_olt_that_is_silent_itself_is_named_and_adds_nothing(assigned: Database, head_end: Box) -> None:
    now = clock.now_ms()
    _olt(assigned, head_end, wire.OnuState.ONLINE, now)
    state, sentence, added = _said(assigned, now + SILENT_AFTER_MS + 1)
    assert (state.status, added) == (Status.SILENT, "")
    assert sentence.startswith("OLT penyedia tidak melaporkan desa ini sejak ")


def test_beside_a_silent_box_stands_what_the_olt_sees_while_it_is_fresh(assigned: Database, head_end: Box) -> None:
    now = clock.now_ms()
    home = enrolled(assigned, NEIGHBOUR)
    ingested(assigned, home.request(home.report(home.reading(taken_at_ms=now - SILENT_AFTER_MS - 60_000))))
    _olt(assigned, head_end, wire.OnuState.LOS, now)
    state, sentence, added = _said(assigned, now)
    assert state.status is Status.SILENT
    assert sentence.startswith("Tidak ada kabar sejak ")
    assert added.startswith("Menurut OLT penyedia: tidak ada cahaya dari modem")
    assert _said(assigned, now + SILENT_AFTER_MS + 1)[2] == ""


def test_beside_a_connected_village_the_olt_is_not_quoted(assigned: Database, head_end: Box) -> None:
    now = clock.now_ms()
    home = enrolled(assigned, NEIGHBOUR)
    ingested(assigned, home.request(home.report(home.reading(taken_at_ms=now))))
    _olt(assigned, head_end, wire.OnuState.LOS, now)
    assert _said(assigned, now)[2] == ""
