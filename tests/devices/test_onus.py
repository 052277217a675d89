"""ONTs that only an OLT sees: by serial number they are one village's, and nobody else's."""

import threading
from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput
from kampungnet.devices import onus
from kampungnet.devices import service as devices
from kampungnet.devices.bodies import ONU_DEVICE, OnuSeen, spelled
from kampungnet.devices.models import AssignedOnu, Device, Site
from kampungnet.devices.service import NewState, VillageState
from kampungnet.devices.status import SILENT_AFTER_MS, Status
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.support.server import NEIGHBOUR, REGENCY, SITE, VILLAGE, Box, enrolled, ingested, router_body

NOW: Final = 1_785_462_000_000
HOUR: Final = 3_600_000
SERIAL: Final = "ZTEGC1234567"
OTHER: Final = "HWTC0A1B2C3D"
FAR: Final = "35.10.01.2001"


def _assign(database: Database, village: str = NEIGHBOUR, serial: str = SERIAL, now_ms: int = NOW) -> None:
    with database.writes() as db:
        onus.assign(db, villages.village(db, village), serial, "sari", now_ms)


def _olt(*found: wire.Onu, model: str = "C320") -> wire.OltBody:
    return wire.OltBody(model=model, grade=wire.Grade.FROM_MIB, onus=list(found))


def _onu(serial: str = SERIAL, state: wire.OnuState = wire.OnuState.ONLINE, **more: Any) -> wire.Onu:
    return wire.Onu(serial, state=state, **more)


def _record(database: Database, box: Box, body: wire.OltBody, at_ms: int = NOW, **where: str) -> None:
    reading = box.reading(body, device=where.get("device", "olt"), taken_at_ms=at_ms)
    with database.writes() as db:
        devices.record_state(db, [NewState(REGENCY, where.get("site", SITE), at_ms, reading)])


def _state(database: Database, code: str = NEIGHBOUR, now_ms: int = NOW) -> VillageState:
    with database.reads() as db:
        (found,) = devices.village_states(db, REGENCY, now_ms, only=code)
        return found


def _strays(database: Database, now_ms: int = NOW) -> Sequence[onus.Stray]:
    with database.reads() as db:
        return onus.strays(db, REGENCY, onus.olts(db, REGENCY, now_ms))


def _count(database: Database, model: Any) -> int:
    with database.reads() as db:
        return db.scalar(select(func.count()).select_from(model)) or 0


def test_an_onu_makes_the_state_of_a_village_without_a_box(database: Database, box: Box) -> None:
    _assign(database)
    _record(database, box, _olt(_onu(rx_power_dbm=-21.5), _onu(OTHER)))
    state = _state(database)
    (device,) = state.devices
    assert (device.name, device.kind, state.status) == (ONU_DEVICE, "ont", Status.UP)
    assert (state.rx_power_dbm, state.last_reading_ms, state.agent) == (-21.5, NOW, None)
    with database.reads() as db:
        body = devices.body_of(db.merge(device))
    assert isinstance(body, OnuSeen)
    assert (body.onu.serial, body.olt_model, body.grade) == (SERIAL, "C320", wire.Grade.FROM_MIB)
    _record(database, box, _olt(_onu(state=wire.OnuState.DYING_GASP, no_light=True)), NOW + 60_000)
    assert (_state(database).status, _state(database).no_light) == (Status.DOWN, True)
    assert _state(database, now_ms=NOW + 60_001 + SILENT_AFTER_MS).status is Status.SILENT


def test_an_unknown_serial_number_makes_nothing_and_is_listed_for_engineers(database: Database, box: Box) -> None:
    sites, before = _count(database, Site), _count(database, Device)
    _record(database, box, _olt(_onu(port="gpon-onu_1/2/1:5"), _onu("\u202e nonsense \0")))
    assert (_count(database, Site), _count(database, Device), _count(database, AssignedOnu)) == (sites, before + 1, 0)
    assert {(one.serial, one.port) for one in _strays(database)} >= {(SERIAL, "gpon-onu_1/2/1:5")}
    assert len(_strays(database)) == 2
    assert _strays(database, NOW + 25 * HOUR) == [], "an OLT that is gone is not quoted for ever"
    assert _state(database).status is Status.NEVER
    _assign(database)
    _record(database, box, _olt(_onu()), NOW + 1)
    assert _strays(database) == []


def test_an_onu_is_never_that_of_another_regency(database: Database, box: Box) -> None:
    with database.writes() as db:
        row = "33.10.01.2001,Ceper,desa,33.10.01,Ceper,33.10,Kabupaten Klaten,,,\n"
        villages.import_register(db, [",".join(villages.COLUMNS) + "\n", row])
        onus.assign(db, villages.village(db, "33.10.01.2001"), SERIAL, "klaten", NOW)
    _record(database, box, _olt(_onu()))
    with database.reads() as db:
        assert db.scalars(select(Device.regency)).all() == [REGENCY], "the OLT itself"
    assert [one.assigned for one in _strays(database)] == [None]


def test_what_stands_in_the_village_says_how_it_is_and_the_olt_adds_its_light(database: Database, box: Box) -> None:
    home = enrolled(database, NEIGHBOUR)
    _assign(database)
    ingested(database, home.request(home.report(home.reading(router_body(), taken_at_ms=clock.now_ms() - 1000))))
    now = clock.now_ms()
    _record(database, box, _olt(_onu(state=wire.OnuState.LOS, rx_power_dbm=-24.0)), now)
    state = _state(database, now_ms=now)
    assert (state.status, state.rx_power_dbm) == (Status.UP, -24.0), "the router reached the internet"
    assert [device.name for device in state.devices] == ["router", ONU_DEVICE]
    assert _state(database, now_ms=now + SILENT_AFTER_MS).status is Status.SILENT, "an OLT cannot speak for a box"


def test_the_light_of_now_goes_before_an_old_one_and_the_villages_own_before_the_olts(
    database: Database, box: Box
) -> None:
    _assign(database, VILLAGE)
    _record(database, box, _olt(_onu(rx_power_dbm=-24.0)), NOW)
    own = box.reading(wire.OntBody(rx_power_dbm=-21.0), device="ont", taken_at_ms=NOW)
    sfp = router_body(lights=[wire.Light("ether1", rx_power_dbm=-19.0)])
    with database.writes() as db:
        devices.record_state(db, [NewState(REGENCY, SITE, NOW, own)])
    assert _state(database, VILLAGE).rx_power_dbm == -21.0
    with database.writes() as db:
        devices.record_state(db, [NewState(REGENCY, SITE, NOW + HOUR, box.reading(sfp, taken_at_ms=NOW + HOUR))])
    assert _state(database, VILLAGE, NOW + HOUR).rx_power_dbm == -19.0, "the ONT has been silent for an hour"
    mute = box.reading(wire.OntBody(), device="ont", taken_at_ms=NOW + HOUR)
    with database.writes() as db:
        devices.record_state(db, [NewState(REGENCY, SITE, NOW + HOUR, mute)])
    assert _state(database, VILLAGE, NOW + HOUR).rx_power_dbm == -19.0, "an ONT that tells nothing hides nothing"


def test_of_two_olts_the_first_stays_and_the_second_is_shown_to_engineers(database: Database, box: Box) -> None:
    liar = enrolled(database, FAR)
    _assign(database)
    _record(database, box, _olt(_onu(rx_power_dbm=-21.0)))
    _record(database, liar, _olt(_onu(rx_power_dbm=-9.0)), NOW + 60_000, site=f"{FAR}-1", device="olt9")
    assert _state(database, now_ms=NOW + 60_000).rx_power_dbm == -21.0
    (stray,) = _strays(database)
    assert stray.assigned is not None
    assert (stray.serial, stray.olt_site, stray.olt_device) == (SERIAL, f"{FAR}-1", "olt9")
    _assign(database, now_ms=NOW + 61_000)
    _record(database, liar, _olt(_onu(rx_power_dbm=-9.0)), NOW + 62_000, site=f"{FAR}-1", device="olt9")
    assert _state(database, now_ms=NOW + 62_000).rx_power_dbm == -9.0, "assigned anew, it is open who reports it"


def test_two_olts_that_report_at_the_same_moment_do_not_share_an_onu(database: Database, box: Box) -> None:
    """Two server processes on PostgreSQL: whoever comes second finds the ONU taken, and writes nothing of it."""
    far = enrolled(database, FAR)
    serials = [f"ZTEG{n:08X}" for n in range(20)]
    for serial in serials:
        _assign(database, serial=serial)
    start = threading.Barrier(2)

    def report(who: Box, site: str, rx: float) -> None:
        start.wait(10)
        _record(database, who, _olt(*(_onu(serial, rx_power_dbm=rx) for serial in serials)), site=site)

    threads = [threading.Thread(target=report, args=told) for told in ((box, SITE, -21.0), (far, f"{FAR}-1", -9.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with database.reads() as db:
        owners = set(db.scalars(select(AssignedOnu.olt_site)))
        levels = set(db.scalars(select(Device.rx_power_dbm).where(Device.name.startswith("ont@"))))
    assert (owners, levels) in (({SITE}, {-21.0}), ({f"{FAR}-1"}, {-9.0}))


def test_an_olt_that_was_silent_for_a_day_gives_way(database: Database, box: Box) -> None:
    _assign(database)
    _record(database, box, _olt(_onu(rx_power_dbm=-21.0)))
    for at_ms, rx in ((NOW + 23 * HOUR, -21.0), (NOW + 25 * HOUR, -22.0)):
        _record(database, box, _olt(_onu(rx_power_dbm=-22.0)), at_ms, device="renamed")
        assert _state(database, now_ms=at_ms).rx_power_dbm == rx
    with database.reads() as db:
        assert db.get_one(AssignedOnu, (REGENCY, SERIAL)).since_ms == NOW + 25 * HOUR


def test_late_readings_of_an_olt_do_not_move_an_onu_back(database: Database, box: Box) -> None:
    _assign(database)
    _record(database, box, _olt(_onu(rx_power_dbm=-21.0)))
    _record(database, box, _olt(_onu(state=wire.OnuState.LOS)), NOW - 60_000)
    assert (_state(database).status, _state(database).rx_power_dbm) == (Status.UP, -21.0)


def test_an_onu_that_moves_to_another_village_leaves_nothing_of_now_behind(database: Database, box: Box) -> None:
    _assign(database)
    _record(database, box, _olt(_onu()))
    _assign(database, FAR, now_ms=NOW + 1000)
    assert _state(database).devices == ()
    _record(database, box, _olt(_onu()), NOW + 2000)
    assert (_state(database).devices, len(_state(database, FAR).devices)) == ((), 1)


def test_two_onus_of_one_village_have_two_names_and_a_removed_one_frees_its_own(database: Database, box: Box) -> None:
    _assign(database)
    _assign(database, serial=OTHER)
    _record(database, box, _olt(_onu(), _onu(OTHER)))
    assert [device.name for device in _state(database).devices] == [ONU_DEVICE, f"{ONU_DEVICE}-2"]
    with database.writes() as db:
        assert onus.remove(db, REGENCY, SERIAL)
        assert not onus.remove(db, REGENCY, SERIAL)
    assert [device.name for device in _state(database).devices] == [f"{ONU_DEVICE}-2"]
    _assign(database)
    with database.reads() as db:
        assert db.get_one(AssignedOnu, (REGENCY, SERIAL)).device == ONU_DEVICE


def test_a_list_is_taken_row_by_row_and_bad_rows_are_named(database: Database) -> None:
    lines = ["serial,kode\n", f"{SERIAL},{NEIGHBOUR}\n", f"zteg-c123-4567,{VILLAGE}\n", f"{OTHER},35.10.99.2001\n",
             f"x,{VILLAGE}\n", f"AA:BB:CC:00:11:22,{VILLAGE}\n", "\n", f",{VILLAGE}\n", "only\n"]  # fmt: skip
    with database.writes() as db:
        done = onus.import_list(db, lines, "sari", NOW)
    assert done.taken_in == {REGENCY: 2}
    assert [row.line for row in done.bad] == [3, 4, 5, 8, 9]
    assert "stands twice" in done.bad[0].reason
    assert "register of villages" in done.bad[1].reason
    with database.reads() as db:
        rows = {row.serial: row.site for row in db.scalars(select(AssignedOnu))}
    assert rows == {SERIAL: f"{NEIGHBOUR}-1", "AABBCC001122": SITE}


@pytest.mark.parametrize("lines", [["kode\n"], ["\x89PNG\0"], []])
def test_what_is_no_list_is_refused_whole(database: Database, lines: list[str]) -> None:
    with database.writes() as db, pytest.raises(BadInput, match="no list of ONUs"):
        onus.import_list(db, lines, "sari", NOW)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("ZTEGC1234567", "ZTEGC1234567"), ("zteg c1234567", "ZTEGC1234567"), ("5A544547C1234567", "ZTEGC1234567"),
        ("4857544300112233", "HWTC00112233"), ("aabb.ccdd.eeff", "AABBCCDDEEFF"), ("aa-bb-cc-dd-ee-ff", "AABBCCDDEEFF"),
        ("0000000000112233", ""), ("ZTEG", ""), ("", ""), ("ZTEGC123456Z", ""),
        ("ÄTEGC1234567", ""), ("ZTEGC12345678", ""),
    ],
)  # fmt: skip
def test_a_serial_number_has_one_spelling(written: str, plain: str) -> None:
    assert spelled(written) == plain


@given(st.text(max_size=40))
def test_any_text_is_a_serial_number_in_its_one_spelling_or_none(text: str) -> None:
    plain = spelled(text)
    assert plain == "" or (len(plain) == 12 and plain.isascii() and spelled(plain) == plain)
