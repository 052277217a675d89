"""From outages in the database to messages that are out: each fact once, whoever dies in between."""

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, select

from kampungnet.alerts import outbox, pump, recipients, sender
from kampungnet.alerts.models import AlertMessage, AlertRecipient
from kampungnet.alerts.recipients import NewRecipient
from kampungnet.alerts.sender import Result
from kampungnet.alerts.words import Speaker
from kampungnet.core import clock, pages
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput
from kampungnet.devices.models import Site
from kampungnet.measurement import incident_log, topology
from kampungnet.measurement.outage_models import LoggedOutage, PlannedWork
from kampungnet.measurement.outage_words import Evidence, Finding
from kampungnet.villages import service as villages
from tests.alerts.far_ends import Chat, chat
from tests.support.server import REGENCY

MINUTE = 60_000
HOUR = 60 * MINUTE
NOW = clock.day_start_ms(clock.local_day(clock.now_ms(), clock.WIB), clock.WIB) + 12 * HOUR
"""Today at noon."""
SPEAKER = Speaker(pages.all_languages()["id"], "https://kn.example")
SECRET = "json://127.0.0.1:1/rahasia-9d41"


def _register(database: Database, number: int = 25) -> list[str]:
    with database.writes() as db:
        with villages.register_path("banyuwangi").open(encoding="utf-8") as lines:
            villages.import_register(db, lines)
        codes = sorted(villages.names(db, REGENCY))[:number]
        db.add_all(Site(regency=REGENCY, code=f"{code}-1", village=code, name="Balai desa") for code in codes)
        topology.import_places(db, REGENCY, ["kode,jalur,odp", *(f"{code},FO Selatan," for code in codes)])
    return codes


def _outages(database: Database, codes: Sequence[str], start_ms: int, now_ms: int, end_ms: int | None = None) -> None:
    """Let these villages, and no other, be dark since then, as judged at ``now_ms``."""
    with database.writes() as db:
        db.execute(delete(LoggedOutage))
        for n, code in enumerate(codes):
            seen = msgspec.json.encode([Evidence(start_ms + n, Finding.NO_LIGHT)]).decode()
            db.add(LoggedOutage(regency=REGENCY, site=f"{code}-1", start_ms=start_ms + n, end_ms=end_ms, cause="fiber",
                                confidence=0.8, evidence=seen, provisional=False))  # fmt: skip
        db.flush()
        incident_log.update(db, REGENCY, now_ms)


def _recipient(database: Database, name: str = "Teknisi", address: str = SECRET, **more: Any) -> str:
    with database.writes() as db:
        new = NewRecipient(name, address, more.pop("place", REGENCY), **more)
        return recipients.enter(db, REGENCY, "Ibu Sari", new, NOW - clock.DAY_MS).id


def _messages(database: Database) -> list[AlertMessage]:
    with database.reads() as db:
        asked = select(AlertMessage).where(AlertMessage.text != "")
        return list(db.scalars(asked.order_by(AlertMessage.recipient, AlertMessage.made_ms, AlertMessage.topic)))


def _told(database: Database, recipient: str) -> list[str]:
    return [one.text for one in _messages(database) if one.recipient == recipient]


def test_a_trunk_with_twenty_three_villages_is_one_message_to_each_who_may_know(database: Database) -> None:
    codes = _register(database)
    sari = _recipient(database, "Sari", digest="")
    camat = _recipient(database, "Kecamatan", place=codes[-1][:8])
    budi = _recipient(database, "Budi", place=codes[0], kind="operator")
    far = _recipient(database, "Jauh", place="35.10.20.2001")
    _outages(database, codes[:8], NOW - 10 * MINUTE, NOW)
    assert pump.decide(database, SPEAKER, NOW) == 2
    assert pump.decide(database, SPEAKER, NOW) == 0
    _outages(database, codes[:23], NOW - 10 * MINUTE, NOW + 30 * MINUTE)
    pump.decide(database, SPEAKER, NOW + 40 * MINUTE)
    _outages(database, codes[:23], NOW - 10 * MINUTE, NOW + HOUR, NOW + 50 * MINUTE)
    pump.decide(database, SPEAKER, NOW + HOUR)
    assert pump.decide(database, SPEAKER, NOW + HOUR) == 0
    begun, more, ended = _told(database, sari)
    assert begun.startswith("GANGGUAN: serat optik putus, Kabel FO Selatan\n8 dari 25 desa di sana: ")
    assert more.startswith("BERTAMBAH: serat optik putus, Kabel FO Selatan\n23 dari 25 desa di sana: ")
    assert ended.startswith("PULIH: serat optik putus, Kabel FO Selatan\n23 dari 25 desa di sana: ")
    assert [text.split(":")[0] for text in _told(database, camat)] == ["GANGGUAN", "PULIH"]
    own = _told(database, budi)
    with database.reads() as db:
        names = villages.names(db, REGENCY)
    others = {names[code] for code in codes[1:23]} - {names[codes[0]]}
    assert [text.split(":")[0] for text in own] == ["GANGGUAN", "PULIH"]
    assert not any(other in text.replace("Selatan", "") for other in others for text in own)
    assert _told(database, far) == []


def test_who_sees_one_village_hears_that_it_is_back_while_others_are_still_dark(database: Database) -> None:
    codes = _register(database, 10)
    sari, budi = _recipient(database, "Sari"), _recipient(database, "Budi", place=codes[0])
    _outages(database, codes, NOW - 20 * MINUTE, NOW)
    pump.decide(database, SPEAKER, NOW)
    with database.writes() as db:
        db.get_one(LoggedOutage, (REGENCY, f"{codes[0]}-1", NOW - 20 * MINUTE)).end_ms = NOW
        db.flush()
        incident_log.update(db, REGENCY, NOW + 5 * MINUTE)
    pump.decide(database, SPEAKER, NOW + 10 * MINUTE)
    assert [text.split(":")[0] for text in _told(database, sari)] == ["GANGGUAN"]
    _, ended = _told(database, budi)
    assert ended.startswith("PULIH: serat optik putus, Kabel FO Selatan\n")
    assert "(20 menit)" in ended


def test_planned_work_is_announced_and_what_goes_dark_in_it_is_not_alarmed(database: Database) -> None:
    codes = _register(database)
    sari = _recipient(database)
    with database.writes() as db:
        db.add(PlannedWork(regency=REGENCY, id="w1", start_ms=NOW - HOUR, end_ms=NOW + HOUR, entered_ms=NOW - 2 * HOUR,
                           places=f'["{codes[0][:8]}"]', provider="", reason="Ganti tiang", entered_by="Sari",
                           withdrawn_ms=None))  # fmt: skip
    inside = [code for code in codes if code.startswith(codes[0][:8])]
    _outages(database, inside, NOW - 30 * MINUTE, NOW)
    pump.decide(database, SPEAKER, NOW)
    (text,) = _told(database, sari)
    assert text.startswith("PEKERJAAN TERENCANA: ")
    pump.decide(database, SPEAKER, NOW + HOUR + 20 * MINUTE)
    assert _told(database, sari)[1].startswith("GANGGUAN: ")


def test_a_digest_is_written_once_a_morning(database: Database) -> None:
    codes = _register(database)
    sari = _recipient(database, digest="06:30")
    morning = NOW - 5 * HOUR - 25 * MINUTE
    _outages(database, codes[:7], morning - 9 * HOUR, morning, morning - 8 * HOUR)
    assert pump.decide(database, SPEAKER, morning - 6 * MINUTE) == 0
    assert pump.decide(database, SPEAKER, morning) == 1
    assert pump.decide(database, SPEAKER, morning + HOUR) == 0
    (text,) = _told(database, sari)
    assert "Pulih sejak kemarin:\n- Kabel FO Selatan: serat optik putus (7 dari 25 desa di sana), kemarin" in text


def test_who_dies_between_writing_and_sending_loses_nothing_and_sends_nothing_twice(database: Database) -> None:
    codes = _register(database)
    _recipient(database)
    _outages(database, codes[:1], NOW - 20 * MINUTE, NOW)
    pump.decide(database, SPEAKER, NOW)  # killed here: the next one finds it written
    assert pump.decide(database, SPEAKER, NOW + MINUTE) == 0
    with database.writes() as db:
        (ticket,) = outbox.claim(db, NOW + MINUTE)  # killed here: nobody knows whether it went out
    with database.writes() as db:
        assert outbox.claim(db, NOW + 2 * MINUTE) == []
    with database.writes() as db:
        (again,) = outbox.claim(db, NOW + MINUTE + outbox.CLAIM_MS)
        outbox.settle(db, again, Result(sent=True), NOW + 7 * MINUTE)
        outbox.settle(db, ticket, Result(sent=False, problem="slow"), NOW + 8 * MINUTE)
    with database.writes() as db:
        assert outbox.claim(db, NOW + HOUR) == []
    (message,) = _messages(database)
    assert (message.sent_ms, message.next_ms, message.problem) == (NOW + 7 * MINUTE, None, "")


def test_a_service_that_is_down_is_asked_more_and_more_rarely_and_given_up_after_a_day(database: Database) -> None:
    codes = _register(database)
    _recipient(database)
    _outages(database, codes[:1], NOW - 20 * MINUTE, NOW)
    pump.decide(database, SPEAKER, NOW)
    tries: list[int] = []
    while (next_ms := _messages(database)[0].next_ms) is not None:
        assert len(tries) < 40
        with database.writes() as db:
            assert outbox.claim(db, next_ms - 1) == []
            (ticket,) = outbox.claim(db, next_ms)
            outbox.settle(db, ticket, Result(sent=False, problem="unreachable"), next_ms)
        tries.append((next_ms - NOW) // MINUTE)
    assert tries[:7] == [0, 1, 3, 7, 15, 31, 63]
    assert (len(tries), tries[-1]) == (30, 1443)
    (message,) = _messages(database)
    assert (message.sent_ms, message.next_ms, message.problem) == (None, None, "unreachable")


def test_a_test_message_waits_for_no_other(database: Database) -> None:
    codes = _register(database)
    one = _recipient(database)
    _outages(database, codes[:1], NOW - 20 * MINUTE, NOW)
    pump.decide(database, SPEAKER, NOW)
    with database.writes() as db:
        (ticket,) = outbox.claim(db, NOW)
        outbox.settle(db, ticket, Result(sent=False, problem="unreachable"), NOW)
        outbox.add_test(db, db.get_one(AlertRecipient, (REGENCY, one)), SPEAKER, NOW + 1)
        assert [one.key[2] for one in outbox.claim(db, NOW + 1)] == [f"test:{NOW + 1}"]


def test_messages_wait_through_quiet_hours_also_when_they_were_written_before(database: Database) -> None:
    codes = _register(database)
    _recipient(database, quiet_first="12:30", quiet_end="15:00")
    _outages(database, codes[:1], NOW - 20 * MINUTE, NOW)
    pump.decide(database, SPEAKER, NOW)
    for now_ms, number in ((NOW + 31 * MINUTE, 0), (NOW + 3 * HOUR, 1)):
        with database.writes() as db:
            assert len(outbox.claim(db, now_ms)) == number


def test_an_address_is_sealed_and_forgotten_with_its_recipient(database: Database, caplog: Any) -> None:
    one = _recipient(database)
    with database.writes() as db:
        row = db.get_one(AlertRecipient, (REGENCY, one))
        assert b"rahasia" not in row.address
        outbox.add_test(db, row, SPEAKER, NOW)
        (ticket,) = outbox.claim(db, NOW)
        assert ticket.parcel
        assert ticket.parcel.address == SECRET
        assert "rahasia" not in repr((ticket, row, NewRecipient("x", SECRET, REGENCY)))
        row.address = row.address[:-1] + bytes([row.address[-1] ^ 1])
        (spoilt,) = outbox.claim(db, NOW + HOUR)
        assert spoilt.parcel is None
        outbox.end(row, NOW)
        assert outbox.claim(db, NOW + 2 * HOUR) == []
        assert row.address == b""
    assert "rahasia" not in caplog.text


def test_a_bad_setting_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _recipient(database)
    monkeypatch.setenv(outbox.AFTER_MINUTES, "soon")
    with pytest.raises(BadInput, match="KAMPUNGNET_ALERT_AFTER_MINUTES=soon is no number"):
        pump.decide(database, SPEAKER, NOW)


def test_messages_really_leave_and_what_fails_is_logged_without_its_address(
    sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with chat() as far:
        _two_recipients(sqlite_database, far)
        assert pump.deliver(sqlite_database) == 1
        assert pump.deliver(sqlite_database) == 0
    (text,) = far.messages
    assert text.startswith("KampungNet: pesan percobaan\nBegini pesan sampai kepada Sampai. Tidak ada gangguan.")
    assert sorted((one.problem, one.sent_ms is None) for one in _messages(sqlite_database)) == [
        ("", False), ("unreachable", True),
    ]  # fmt: skip
    assert "rahasia" not in caplog.text


def _two_recipients(database: Database, far: Chat) -> None:
    for name, address in (("Sampai", far.address), ("Tidak", SECRET)):
        one = _recipient(database, name, address)
        with database.writes() as db:
            outbox.add_test(db, db.get_one(AlertRecipient, (REGENCY, one)), SPEAKER, clock.now_ms())


def test_a_pump_that_is_closed_ends_at_once(sqlite_database: Database) -> None:
    one = pump.Pump(sqlite_database, SPEAKER)
    one.close()
    assert not one._thread.is_alive()
    assert sender.SECONDS * 1000 < outbox.CLAIM_MS, "a round is over before its claims are"
