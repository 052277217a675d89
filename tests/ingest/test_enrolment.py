"""Enrolment: a one-time code opens one door once, for whoever proves to hold the key it brings.

A code has 80 random bits. Guessing at 1,000 a second for its whole life of 24 hours, with 10,000 codes open at once,
finds one with a chance of 1 in 1.4 million million: no throttle is needed, and none could be used against us.
"""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import NotFound
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent, EnrolmentCode
from kampungnet.ingest import service as ingest
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from tests.ingest.test_signatures import FOR_ANYTHING, SMALL_ORDER
from tests.support.contents import contents
from tests.support.server import (
    NEIGHBOUR,
    REGENCY,
    SITE,
    VILLAGE,
    Answer,
    Box,
    Running,
    enrolment,
    issued_code,
    signed_headers,
)

NO_CODE = "This enrolment code is not known, was used already or is too old: ask for a new one."


def _asked(server: Running, code: str, key: Ed25519PrivateKey | None = None, **more: str) -> Answer:
    body, headers = enrolment(code, key or Ed25519PrivateKey.generate(), **more)
    return server.send("POST", wire.ENROLMENTS_PATH, body, headers)


def test_a_good_code_makes_an_agent_that_can_report(database: Database, server: Running) -> None:
    key = Ed25519PrivateKey.generate()
    answer = _asked(server, issued_code(database), key, board="Raspberry Pi 4\0")
    assert answer.status == 201
    enrolled = msgspec.json.decode(answer.body, type=wire.EnrolmentAnswer)
    assert (enrolled.village, enrolled.village_name) == (VILLAGE, "Kampunganyar")
    box = Box(enrolled.agent, key)
    assert server.report(box, box.reading()).receipt().accepted == [1]
    with database.reads() as db:
        agent = db.get_one(Agent, (REGENCY, enrolled.agent))
        assert (agent.site, agent.public_key) == (SITE, key.public_key().public_bytes_raw())
        assert agent.board == "", "a report says anew what the box is"


def test_a_key_that_anybody_signs_for_opens_nothing_and_uses_up_no_code(database: Database, server: Running) -> None:
    code = issued_code(database)
    asked = wire.EnrolmentRequest(code, base64.b64encode(SMALL_ORDER[0]).decode(), "Raspberry Pi 4", "0.1")
    headers = {wire.AGENT_HEADER: "-", wire.SIGNATURE_HEADER: base64.b64encode(FOR_ANYTHING).decode()}
    answer = server.send("POST", wire.ENROLMENTS_PATH, msgspec.json.encode(asked), headers)
    assert answer.status == 401
    assert _asked(server, code).status == 201


def test_the_server_keeps_neither_code_nor_private_key(database: Database, server: Running) -> None:
    code, key = issued_code(database), Ed25519PrivateKey.generate()
    _asked(server, code, key)
    kept = repr(contents(database))
    assert code not in kept
    assert code.replace("-", "") not in kept
    assert repr(key.private_bytes_raw())[2:-1] not in kept


def test_a_code_works_once(database: Database, server: Running) -> None:
    code = issued_code(database)
    assert _asked(server, code).status == 201
    before = contents(database)
    again = _asked(server, code)
    assert (again.status, again.sentence()) == (404, NO_CODE)
    assert contents(database) == before


def test_a_box_that_did_not_hear_the_answer_asks_again_with_its_key_and_is_told_the_same(
    database: Database, server: Running
) -> None:
    code, key = issued_code(database), Ed25519PrivateKey.generate()
    first = _asked(server, code, key)
    before = contents(database)
    again = _asked(server, code, key)
    assert (again.status, again.body) == (201, first.body)
    assert contents(database) == before, "nothing is made twice"
    assert _asked(server, issued_code(database, NEIGHBOUR), key).status == 201
    assert _asked(server, code, key).body == first.body, "each code has its own village"


@pytest.mark.parametrize("how", ["revoked", "replaced"])
def test_a_box_that_lost_its_right_does_not_get_it_back_by_asking_again(
    database: Database, server: Running, how: str
) -> None:
    code, key = issued_code(database), Ed25519PrivateKey.generate()
    assert _asked(server, code, key).status == 201
    if how == "revoked":
        with database.writes() as db:
            devices.revoke(db, villages.village(db, VILLAGE), clock.now_ms())
    else:
        assert _asked(server, issued_code(database)).status == 201
    before = contents(database)
    again = _asked(server, code, key)
    assert (again.status, again.sentence()) == (404, NO_CODE)
    assert contents(database) == before


def test_of_twenty_boxes_with_one_code_exactly_one_gets_in(database: Database, server: Running) -> None:
    code = issued_code(database)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: _asked(server, code).status, range(20)))
    assert sorted(answers) == [201, *[404] * 19]


@pytest.mark.parametrize("village", [VILLAGE, NEIGHBOUR])
def test_a_code_opens_the_village_it_was_made_for_and_no_other(
    database: Database, server: Running, village: str
) -> None:
    answer = _asked(server, issued_code(database, village), village="35.10.01.2001")
    assert msgspec.json.decode(answer.body, type=wire.EnrolmentAnswer).village == village


def test_a_code_lives_a_day(database: Database) -> None:
    now = clock.now_ms()
    with database.writes() as db:
        village = villages.village(db, VILLAGE)
        old = devices.issue_code(db, village, now - devices.CODE_LIFE_MS)
        young = devices.issue_code(db, village, now - devices.CODE_LIFE_MS + 1)
    for code, opens in ((old, False), (young, True)):
        body, headers = enrolment(code, Ed25519PrivateKey.generate())
        with database.writes() as db:
            if opens:
                assert ingest.enrol(db, body, headers[wire.SIGNATURE_HEADER], now).village == VILLAGE
            else:
                with pytest.raises(NotFound):
                    ingest.enrol(db, body, headers[wire.SIGNATURE_HEADER], now)


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " "),
        lambda code: f"  {code.lower()}  ",
        lambda code: code.replace("0", "O").replace("1", "I"),
        lambda code: code.lower().replace("0", "o").replace("1", "l"),
        lambda code: code.replace("-", "\N{EN DASH}") + "\r\n",
        lambda code: ".".join(code.replace("-", "")),
    ],
)
def test_a_code_typed_sloppily_is_the_same_code(typed: Callable[[str], str]) -> None:
    for code in ("0123-4567-89AB-CDEF", "GHJK-MNPQ-RSTV-WXYZ", "O0I1-L010-OIL0-1001"):
        assert devices.code_hash(typed(code)) == devices.code_hash(code)


def test_codes_are_eighty_bits_without_letters_that_look_alike(database: Database) -> None:
    codes = {issued_code(database).replace("-", "") for _ in range(50)}
    assert len(codes) == 50
    assert {len(code) for code in codes} == {16}
    assert not set("ILOU") & set("".join(codes))
    assert len(set("".join(codes))) == 32, "each of the 32 letters turns up among 800"


def test_a_wrong_used_old_or_revoked_code_gets_the_same_bytes(database: Database, server: Running) -> None:
    used, revoked, old = issued_code(database), issued_code(database, NEIGHBOUR), issued_code(database)
    _asked(server, used)
    with database.writes() as db:
        devices.revoke(db, villages.village(db, NEIGHBOUR), clock.now_ms())
        db.get_one(EnrolmentCode, (REGENCY, devices.code_hash(old))).expires_ms = clock.now_ms() - 1
    before = contents(database)
    codes = (used, revoked, old, "0000-0000-0000-0000", VILLAGE, "x" * 64, "a\0b     ", "é" * 16)
    answers = [_asked(server, code) for code in codes]
    assert {(answer.status, answer.body) for answer in answers} == {(404, answers[0].body)}
    assert answers[0].sentence() == NO_CODE
    assert contents(database) == before


def test_a_request_not_signed_with_the_key_it_brings_is_refused_and_the_code_stays_good(
    database: Database, server: Running
) -> None:
    code, mine, theirs = issued_code(database), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    body, headers = enrolment(code, mine)
    wrong = {
        "signed by another key": signed_headers(theirs, "-", wire.ENROLMENTS_PATH, body),
        "signed for the other door": signed_headers(mine, "-", wire.REPORTS_PATH, body),
        "signed for an agent": signed_headers(mine, "A", wire.ENROLMENTS_PATH, body),
        "signed for another body": signed_headers(mine, "-", wire.ENROLMENTS_PATH, body + b" "),
        "not signed": {},
        "garbage": headers | {wire.SIGNATURE_HEADER: "\xff"},
    }
    before = contents(database)
    for name, bad in wrong.items():
        answer = server.send("POST", wire.ENROLMENTS_PATH, body, bad)
        assert (answer.status, answer.sentence()[:21]) == (401, "The enrolment is not "), name
    assert contents(database) == before
    assert server.send("POST", wire.ENROLMENTS_PATH, body, headers).status == 201


def test_malformed_enrolments_are_4xx_with_one_sentence(database: Database, server: Running) -> None:
    key = Ed25519PrivateKey.generate()
    good, _ = enrolment(issued_code(database), key)
    public = base64.b64encode(key.public_key().public_bytes_raw())
    bodies = {
        b"": 400, b"{": 400, b"null": 400, b"[]": 400, b"{}": 400, b"\xff\xfe": 400, b"[" * 3000: 400,
        b'{"a":' * 600 + b"}" * 600: 400, good.replace(b'"code":"', b'"code":"\xff'): 400,
        good.replace(b'"code":"', b'"code":"\\ud800'): 400, good.replace(b'"code":"', b'"x":"'): 400,
        good.replace(public, b"A" * 43): 400, good.replace(public, b"!" * 44): 400,
        good.replace(public, "é".encode() * 44): 400, good.replace(public, b"A" * 44): 401,
        good.replace(public, b"A" * 40 + b"===="): 401, good + b" " * 5000: 413,
    }  # fmt: skip
    before = contents(database)
    for body, status in bodies.items():
        answer = server.send("POST", wire.ENROLMENTS_PATH, body, signed_headers(key, "-", wire.ENROLMENTS_PATH, body))
        assert (answer.status, bool(answer.sentence())) == (status, True), body[:80]
    assert contents(database) == before


def test_a_second_box_in_a_village_takes_over_its_site(database: Database, server: Running) -> None:
    for _ in range(2):
        assert _asked(server, issued_code(database)).status == 201
    with database.reads() as db:
        agents = db.scalars(select(Agent).order_by(Agent.enrolled_ms, Agent.revoked_ms.is_(None))).all()
    assert [agent.site for agent in agents] == [SITE, SITE]
    assert [agent.revoked_ms is None for agent in agents] == [False, True], "the box before lost its right"
