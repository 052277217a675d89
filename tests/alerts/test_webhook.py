"""Alertmanager's door: who may come in, what is understood, and that one group becomes one message."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kampungnet.alerts import pump, recipients, webhook
from kampungnet.alerts.models import AlertToken
from kampungnet.alerts.recipients import NewRecipient
from kampungnet.alerts.words import Speaker
from kampungnet.core import clock, pages
from kampungnet.core.database import Database
from kampungnet.staff.service import Scope
from tests.support.server import NEIGHBOUR, REGENCY, VILLAGE, Answer, Running, prepared_database, serving

PATH = "/api/v1/alerts"
MINUTE = 60_000
SPEAKER = Speaker(pages.all_languages()["id"], "https://kn.example")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Database, str]]:
    """A real server, its database and a token."""
    database = prepared_database(f"sqlite:///{tmp_path_factory.mktemp('door') / 'kampungnet.db'}")
    with database.writes() as db:
        token = webhook.make_token(db, REGENCY, clock.now_ms())
    with serving(database) as running:
        yield running, database, token
    database.close()


def _alert(village: str = VILLAGE, name: str = "RouterHot", *, status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status, "labels": {"alertname": name, "severity": "warning", "village": village, **labels},
        "annotations": {"place": f"Desa {village}", "summary": "Router panas", "description": "75 °C"},
        "startsAt": "2026-11-29T04:00:00.123Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"{name}{village}",
        "generatorURL": "http://prometheus.example/graph",
    }  # fmt: skip


def _group(*alerts: dict[str, Any], status: str = "firing", **more: Any) -> dict[str, Any]:
    return {
        "version": "4", "groupKey": '{}:{alertname="RouterHot"}', "status": status, "receiver": "kampungnet",
        "truncatedAlerts": 0, "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example", "alerts": list(alerts or [_alert()]), **more,
    }  # fmt: skip


def _send(door: tuple[Running, Database, str], body: Any, token: str | None = None) -> Answer:
    running, _, known = door
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return running.send("POST", PATH, raw, {"Authorization": f"Bearer {known if token is None else token}"})


def test_who_has_no_token_is_refused_before_the_body_is_read(door: tuple[Running, Database, str]) -> None:
    for token in ("", "guess", "x" * 5000):
        assert "kampungnet alerts token" in _send(door, b"not even json", token).sentence()
        assert _send(door, _group(), token).status == 401
    with door[1].reads() as db:
        assert [one for one in db.query(AlertToken) if door[2].encode() in one.token_hash] == []


def test_a_group_is_stored_and_a_new_token_ends_the_old_one(door: tuple[Running, Database, str]) -> None:
    answer = _send(door, _group())
    assert (answer.status, json.loads(answer.body)) == (200, {"stored": True})
    assert door[0].send("GET", PATH).status == 405
    with door[1].writes() as db:
        other = webhook.make_token(db, REGENCY, clock.now_ms())
    assert _send(door, _group()).status == 401
    assert _send(door, _group(), other).status == 200
    with door[1].writes() as db:  # the other tests go on with the token of the fixture
        for one in db.query(AlertToken):
            one.ended_ms = None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"[" * 100_000, 422), (b"[]", 422), (b"{}", 422),
        (_group(version="3"), 422), (_group(status="maybe"), 422), (_group(alerts=[]), 422),
        (_group(alerts=[_alert()] * 401), 422), (_group(alerts=[{}]), 422), (_group(groupKey=""), 422),
        (_group({**_alert(), "startsAt": "yesterday"}), 422), (_group({**_alert(), "labels": {"a": 1}}), 422),
        (_group(truncatedAlerts=-1), 422), (b" " * 1_000_001, 413),
    ],
)  # fmt: skip
def test_what_is_no_webhook_is_refused_with_one_sentence(
    door: tuple[Running, Database, str], body: Any, status: int
) -> None:
    answer = _send(door, body)
    assert answer.status == status
    assert answer.sentence()


def _stored(database: Database, body: dict[str, Any], now_ms: int) -> None:
    with database.writes() as db:
        webhook.take_in(db, REGENCY, webhook.read(json.dumps(body).encode()), now_ms)


def _reader(database: Database, place: str = REGENCY, now_ms: int = 0) -> str:
    with database.writes() as db:
        return recipients.enter(db, REGENCY, "Sari", NewRecipient("Sari", "json://127.0.0.1:1/x", place), now_ms).id


def _texts(database: Database, recipient: str) -> list[str]:
    with database.reads() as db:
        found = recipients.lately(db, Scope(REGENCY), 50)
        return [one.text for one, _ in reversed(found) if one.recipient == recipient]


NOW = 1_795_932_000_000


def test_one_group_is_one_message_and_resolved_is_recovered(database: Database) -> None:
    whole, own = _reader(database), _reader(database, VILLAGE)
    fires = _group(_alert(), _alert(NEIGHBOUR), _alert("", "SpoolOld"))
    for n in range(3):  # Alertmanager repeats what lasts
        _stored(database, fires, NOW + n)
        pump.decide(database, SPEAKER, NOW + n)
    over = [_alert(status="resolved"), _alert(NEIGHBOUR, status="resolved")]
    for one in over:
        one["endsAt"] = "2026-11-29T06:30:00Z"
    _stored(database, _group(*over, status="resolved"), NOW + 60 * MINUTE)
    pump.decide(database, SPEAKER, NOW + 61 * MINUTE)
    begun, ended = _texts(database, whole)
    assert begun.startswith(f"PERINGATAN: Router panas\n3 laporan: Desa {VILLAGE}, Desa {NEIGHBOUR}, Desa\nSejak")
    assert ended.startswith(f"PULIH: Router panas\nDesa {VILLAGE}, Desa {NEIGHBOUR}\n")
    assert [NEIGHBOUR in text for text in _texts(database, own)] == [False, False]


def test_hostile_labels_and_clocks_in_the_future_harm_nothing(database: Database) -> None:
    whole = _reader(database)
    nasty = '<b>"\N{RIGHT-TO-LEFT OVERRIDE}\x00\n' + "\N{FACE WITH TEARS OF JOY}" * 200
    one = _alert(name=nasty) | {"startsAt": "2099-01-01T00:00:00Z", "fingerprint": nasty[:40]}
    one["annotations"] = {"summary": nasty, "description": nasty * 20, "place": nasty, "runbook_url": nasty}
    _stored(database, _group(one, groupKey=nasty), NOW)
    pump.decide(database, SPEAKER, NOW + 6 * MINUTE)
    (text,) = _texts(database, whole)
    assert text.startswith('PERINGATAN: <b>" \N{FACE WITH TEARS OF JOY}')
    assert len(text) < 1000
    assert "2099" not in text


def test_what_we_tell_by_ourselves_is_not_told_twice(database: Database) -> None:
    whole = _reader(database)
    _stored(database, _group(_alert(told_by="kampungnet")), NOW)
    assert pump.decide(database, SPEAKER, NOW + MINUTE) == 0
    assert _texts(database, whole) == []


def test_a_watchdog_that_stops_is_told_and_so_is_its_return(database: Database) -> None:
    whole = _reader(database)
    bark = _group(_alert("", "Watchdog", severity="none"), groupKey="watchdog")
    for n in range(4):
        _stored(database, bark, NOW + 5 * n * MINUTE)
        assert pump.decide(database, SPEAKER, NOW + 5 * n * MINUTE) == 0
    assert pump.decide(database, SPEAKER, NOW + 29 * MINUTE) == 0
    assert pump.decide(database, SPEAKER, NOW + 31 * MINUTE) == 1
    assert pump.decide(database, SPEAKER, NOW + 50 * MINUTE) == 0
    _stored(database, bark, NOW + 60 * MINUTE)
    assert pump.decide(database, SPEAKER, NOW + 60 * MINUTE) == 1
    silent, back = _texts(database, whole)
    assert silent.startswith("PERINGATAN: Prometheus tidak mengabari lagi")
    assert back.startswith("PULIH: Prometheus tidak mengabari lagi")
    assert "(45 menit)" in back
