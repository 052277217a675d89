"""Who may report: only a box with a key that is known and not revoked, and nobody else learns anything."""

import http.client

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.metrics import discovery
from kampungnet.shared import wire
from kampungnet.shared.rotation import KEYS_PATH
from kampungnet.shared.wanted import WANTED_PATH
from kampungnet.villages import service as villages
from tests.support.contents import contents
from tests.support.server import (
    NEIGHBOUR,
    SITE,
    VILLAGE,
    Answer,
    Box,
    Running,
    ask,
    enrolled,
    enrolment,
    issued_code,
    kampungnet,
    signed_headers,
    where,
)

GONE = "can no longer report, nor be enrolled again with any key they had."


def test_unknown_revoked_and_foreign_get_the_same_bytes_and_change_nothing(
    database: Database, server: Running, box: Box
) -> None:
    revoked, neighbour = enrolled(database, NEIGHBOUR), enrolled(database, "35.10.01.2001")
    with database.writes() as db:
        assert devices.revoke(db, villages.village(db, NEIGHBOUR), clock.now_ms()) == 1
    before = contents(database)
    body, other = box.report(box.reading()), box.report(box.reading())
    neighbours = neighbour.report(neighbour.reading())
    good = box.headers(body)[wire.SIGNATURE_HEADER]
    attempts = {
        "an agent nobody enrolled": (body, signed_headers(box.key, "7XK2M9QDV4T8ZB31", wire.REPORTS_PATH, body)),
        "a village's code as agent": (body, signed_headers(box.key, VILLAGE, wire.REPORTS_PATH, body)),
        "an empty agent": (body, signed_headers(box.key, "", wire.REPORTS_PATH, body)),
        "no headers at all": (body, {}),
        "a revoked box": (revoked.report(revoked.reading()), {}),
        "another box's key": (body, signed_headers(neighbour.key, box.agent, wire.REPORTS_PATH, body)),
        "another box's report": (neighbours, neighbour.headers(neighbours) | {wire.AGENT_HEADER: box.agent}),
        "a new key": (body, signed_headers(Ed25519PrivateKey.generate(), box.agent, wire.REPORTS_PATH, body)),
        "the signature of another body": (other, box.headers(other) | {wire.SIGNATURE_HEADER: good}),
        "the signature of another path": (body, signed_headers(box.key, box.agent, wire.ENROLMENTS_PATH, body)),
        "garbage": (body, box.headers(body) | {wire.SIGNATURE_HEADER: "%%%"}),
        "an agent in other letters": (body, box.headers(body) | {wire.AGENT_HEADER: box.agent.lower() + " "}),
    }
    attempts["a revoked box"] = (attempts["a revoked box"][0], revoked.headers(attempts["a revoked box"][0]))
    answers = {name: _seen(server.send("POST", wire.REPORTS_PATH, *attempt)) for name, attempt in attempts.items()}
    assert {name: seen for name, seen in answers.items() if seen != answers["an agent nobody enrolled"]} == {}
    assert answers["a revoked box"][0] == 401
    assert contents(database) == before


def test_the_sentence_for_strangers_names_no_village(server: Running, box: Box) -> None:
    sentence = server.send("POST", wire.REPORTS_PATH, b"{}", {}).sentence()
    assert sentence == "This agent may not report here: enrol it again."


def test_a_box_cannot_report_for_another_even_with_a_good_signature(
    database: Database, server: Running, box: Box
) -> None:
    neighbour = enrolled(database, NEIGHBOUR)
    body = neighbour.report(neighbour.reading())
    before = contents(database)
    answer = server.send("POST", wire.REPORTS_PATH, body, box.headers(body))
    assert (answer.status, answer.sentence()) == (400, "The report names another agent than the request.")
    after = contents(database)
    assert [(row[1], row[4]) for row in after.pop("oddities")] == [(SITE, "claimed")], "listed for staff"
    assert after == {name: rows for name, rows in before.items() if name != "oddities"}


def test_revoking_works_at_once_on_a_connection_that_is_open(database: Database, server: Running, box: Box) -> None:
    neighbour = enrolled(database, NEIGHBOUR)
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    assert _sent(line, box).receipt().accepted == [1]
    done = kampungnet("revoke", "--village", VILLAGE, *where(database))
    assert (done.returncode, done.stdout) == (0, f"1 box(es) of {VILLAGE} {GONE}\n")
    before = contents(database)
    assert _sent(line, box).status == 401
    assert contents(database) == before
    assert _sent(line, neighbour).status == 200
    line.close()


def test_a_box_enrolled_again_after_revoking_is_a_new_agent(database: Database, server: Running, box: Box) -> None:
    with database.writes() as db:
        devices.revoke(db, villages.village(db, VILLAGE), clock.now_ms())
    again = enrolled(database)
    assert again.agent != box.agent
    assert server.report(again, again.reading()).receipt().accepted == [1]
    assert server.report(box, box.reading()).status == 401


def test_nothing_revoked_can_do_anything_at_any_door(database: Database, server: Running, box: Box) -> None:
    unused = issued_code(database)
    with database.writes() as db:
        devices.revoke(db, villages.village(db, VILLAGE), clock.now_ms())
    page = msgspec.json.decode(server.send("GET", "/api/openapi.json").body)
    doors = {path for path, of in page["paths"].items() if "agents" in of.get("post", {}).get("tags", [])}
    assert {wire.REPORTS_PATH, wire.ENROLMENTS_PATH, WANTED_PATH, KEYS_PATH} <= doors
    before = contents(database)
    for path in sorted(doors - {wire.ENROLMENTS_PATH}):
        body = box.report(box.reading())
        assert server.send("POST", path, body, box.headers(body, path)).status == 401, path
    body, headers = enrolment(unused, box.key)
    assert server.send("POST", wire.ENROLMENTS_PATH, body, headers).status == 404, "a code from before opens nothing"
    assert contents(database) == before
    with database.reads() as db:
        told = discovery.agents(db, {discovery.TARGETS: "{village}.boxes.example.id:9464"})
    assert told == []


def _sent(line: http.client.HTTPConnection, box: Box) -> Answer:
    body = box.report(box.reading())
    return ask(line, "POST", wire.REPORTS_PATH, body, box.headers(body))


def _seen(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    return answer.status, answer.body, {name: value for name, value in answer.headers.items() if name != "date"}
