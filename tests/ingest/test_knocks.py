"""Boxes that knock and are not let in are counted, told apart, and cost little however often they come."""

import base64
from dataclasses import replace

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import credentials
from kampungnet.devices import knocks as kept
from kampungnet.devices import service as devices
from kampungnet.devices.knocks import Knock, Knocker
from kampungnet.devices.models import BoxKnock
from kampungnet.ingest import knocks as heard
from kampungnet.ingest import service as ingest
from kampungnet.ingest.key_door import change_key
from kampungnet.ingest.knocks import Knocks
from kampungnet.ingest.signatures import SignedRequest
from kampungnet.shared import wire
from kampungnet.shared.rotation import KEYS_PATH, KeyRequest, proof_bytes
from kampungnet.villages import service as villages
from tests.support.contents import contents
from tests.support.server import REGENCY, VILLAGE, Box, enrolled, enrolment, serving

STRANGER = "7XK2M9QDV4T8ZB31"
AT = "114.5.9.1"


def _knocked(database: Database, knocks: Knocks, box: Box, address: str = AT) -> None:
    request = msgspec.structs.replace(box.request(box.report(box.reading())), address=address)
    with database.writes() as db:
        (answer,) = ingest.accept(db, [ingest.Arrival(request)], ingest.Keys(), knocks)
    assert not isinstance(answer, wire.Receipt)


def _kept(database: Database) -> dict[tuple[str, str, str, str], int]:
    with database.reads() as db:
        return {(one.regency, one.knock, one.agent, one.network): one.count for one in db.scalars(select(BoxKnock))}


def _changed(database: Database, box: Box) -> Box:
    after = replace(box, key=Ed25519PrivateKey.generate())
    public = base64.b64encode(after.key.public_key().public_bytes_raw()).decode()
    proof = base64.b64encode(after.key.sign(proof_bytes(box.agent, public))).decode()
    body = msgspec.json.encode(KeyRequest(box.agent, public, proof))
    for one in (box, after):
        signature = one.headers(body, KEYS_PATH)[wire.SIGNATURE_HEADER]
        with database.writes() as db:
            change_key(db, SignedRequest(box.agent, signature, "", body, clock.now_ms()))
    return after


def test_each_kind_of_box_that_is_not_let_in_is_told_from_the_others(database: Database, box: Box) -> None:
    knocks, neighbour = Knocks(), enrolled(database, "35.10.15.2003")
    _changed(database, neighbour)
    replaced = box
    revoked = enrolled(database)
    with database.writes() as db:
        devices.revoke(db, villages.village(db, VILLAGE), clock.now_ms())
    nobody = Box(STRANGER, Ed25519PrivateKey.generate())
    for one in (nobody, nobody, replaced, revoked, neighbour, replace(neighbour, key=nobody.key)):
        _knocked(database, knocks, one)
    knocks.write(database)
    network = "114.5.9.0/24"
    assert _kept(database) == {
        ("", "unknown", STRANGER, network): 2,
        (REGENCY, "replaced", replaced.agent, network): 1,
        (REGENCY, "revoked", revoked.agent, network): 1,
        (REGENCY, "old_key", neighbour.agent, network): 1,
        ("", "unknown", neighbour.agent, network): 1,
    }, "a good signature proves whose key it is; the name alone proves nothing"


def test_what_has_not_the_form_of_a_box_is_no_knock(database: Database, box: Box) -> None:
    knocks = Knocks()
    with database.reads() as db:
        for agent, signature in (("x", "A" * 86 + "=="), (STRANGER, "short"), (STRANGER + "\n", "A" * 86 + "==")):
            knocks.of_box(db, SignedRequest(agent, signature, "", b"", 1), wire.REPORTS_PATH)
    knocks.write(database)
    assert _kept(database) == {}


def test_a_flood_is_bounded_in_memory_in_questions_and_in_the_table(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    knocks, asked = Knocks(), 0
    really = credentials.former_keys

    def counted(db: Session, agent: str) -> list[credentials.Former]:
        nonlocal asked
        asked += 1
        return really(db, agent)

    monkeypatch.setattr(credentials, "former_keys", counted)
    signature = "A" * 86 + "=="
    with database.reads() as db:
        for number in range(1_000):
            request = SignedRequest(f"{number:016}", signature, "", b"{}", 1_000_000 + number, f"10.0.{number % 200}.1")
            knocks.of_box(db, request, wire.REPORTS_PATH)
    assert asked == heard.LOOKS
    knocks.write(database)
    found = _kept(database)
    assert len(found) <= heard.MOST + 1
    assert sum(found.values()) == 1_000, "none is forgotten"


def test_the_table_keeps_the_newest(database: Database) -> None:
    now_ms = clock.now_ms()
    for part in range(3):
        with database.writes() as db:
            many = [(Knocker("", Knock.UNKNOWN, f"{part * 300 + n:016}", ""), 1, now_ms + part * 300 + n, 1)
                    for n in range(300)]  # fmt: skip
            kept.record(db, many)
    found = _kept(database)
    assert len(found) == kept.MOST
    assert ("", "unknown", f"{899:016}", "") in found
    with database.writes() as db:
        kept.record(db, [(kept.MANY, 1, now_ms + kept.KEEP_MS + 10_000, 1)])
    assert list(_kept(database)) == [("", "unknown", "", "")], "what is a month old goes"


def test_the_doors_note_who_knocks_and_write_it_at_the_latest_when_the_server_ends(
    database: Database, box: Box
) -> None:
    stranger = Box(STRANGER, Ed25519PrivateKey.generate())
    with serving(database) as server:
        before = contents(database)
        for path in (wire.REPORTS_PATH, KEYS_PATH, "/api/v1/wanted"):
            body = stranger.report(stranger.reading())
            assert server.send("POST", path, body, stranger.headers(body, path)).status == 401
        body, headers = enrolment("0000-0000-0000-0000", stranger.key)
        assert server.send("POST", wire.ENROLMENTS_PATH, body, headers).status == 404
        assert contents(database) == before
    assert _kept(database) == {("", "unknown", STRANGER, "127.0.0.0/24"): 3, ("", "code", "", "127.0.0.0/24"): 1}
