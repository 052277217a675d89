"""A box changes its key and stays the same box; revoked is for good, replaced is not."""

import base64
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.shared import wire
from kampungnet.shared.rotation import KEYS_PATH, KeyAnswer, KeyRequest, proof_bytes
from kampungnet.shared.wanted import WANTED_PATH, WantedQuestion
from kampungnet.villages import service as villages
from kampungnet_agent import key_change
from kampungnet_agent.credential import Credential, write_credential
from kampungnet_agent.key_change import Identity, KeyChangeError
from kampungnet_agent.key_change import change_key as change
from kampungnet_agent.line import Answer as LineAnswer
from kampungnet_agent.line import Line, LineError
from kampungnet_agent.main import main
from tests.ingest.test_signatures import FOR_ANYTHING, SMALL_ORDER
from tests.support.contents import contents
from tests.support.server import REGENCY, VILLAGE, Answer, Box, Running, enrolled, enrolment, issued_code

NOW_MS = clock.now_ms()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _request(agent: str, key: Ed25519PrivateKey, prover: Ed25519PrivateKey | None = None) -> bytes:
    public = _text(key.public_key().public_bytes_raw())
    return msgspec.json.encode(KeyRequest(agent, public, _text((prover or key).sign(proof_bytes(agent, public)))))


def _sent(server: Running, box: Box, body: bytes) -> Answer:
    return server.send("POST", KEYS_PATH, body, box.headers(body, KEYS_PATH))


def _announced(server: Running, box: Box) -> Box:
    """Announce a key for a box; return the same box with that key."""
    key = Ed25519PrivateKey.generate()
    answer = _sent(server, box, _request(box.agent, key))
    assert answer.status == 200, answer.body
    assert not msgspec.json.decode(answer.body, type=KeyAnswer).in_use
    return replace(box, key=key)


def _revoke(database: Database) -> None:
    with database.writes() as db:
        devices.revoke(db, villages.village(db, VILLAGE), clock.now_ms())


def test_a_key_that_anybody_signs_for_cannot_be_announced(server: Running, box: Box) -> None:
    weak = KeyRequest(box.agent, _text(SMALL_ORDER[-1]), _text(FOR_ANYTHING))
    assert _sent(server, box, msgspec.json.encode(weak)).status == 400
    body = _request(box.agent, Ed25519PrivateKey.generate())
    forged = box.headers(body, KEYS_PATH) | {wire.SIGNATURE_HEADER: _text(FOR_ANYTHING)}
    assert server.send("POST", KEYS_PATH, body, forged).status == 401


def test_both_keys_are_accepted_until_the_new_one_is_used(server: Running, box: Box) -> None:
    after = _announced(server, box)
    assert server.report(box, box.reading()).status == 200
    assert server.report(box, box.reading()).status == 200, "the old one counts as long as nobody used the new one"
    assert server.report(after, after.reading()).status == 200
    assert server.report(box, box.reading()).status == 401
    assert server.report(after, after.reading()).status == 200


def test_the_new_key_is_used_at_any_door_and_then_the_old_one_opens_none(server: Running, box: Box) -> None:
    after = _announced(server, box)
    question = msgspec.json.encode(WantedQuestion(box.agent, NOW_MS))
    assert server.send("POST", WANTED_PATH, question, after.headers(question, WANTED_PATH)).status == 200
    assert server.send("POST", WANTED_PATH, question, box.headers(question, WANTED_PATH)).status == 401
    assert server.report(box, box.reading()).status == 401
    assert _sent(server, box, _request(box.agent, Ed25519PrivateKey.generate())).status == 401


def test_the_box_stays_who_it_is_and_the_key_before_is_remembered(
    database: Database, server: Running, box: Box
) -> None:
    with database.reads() as db:
        before = db.get_one(Agent, (REGENCY, box.agent)).public_key
    after = _announced(server, box)
    answer = _sent(server, after, _request(box.agent, after.key))
    assert msgspec.json.decode(answer.body, type=KeyAnswer).in_use
    with database.reads() as db:
        found = db.get_one(Agent, (REGENCY, box.agent))
        assert (found.public_key, found.previous_key) == (after.key.public_key().public_bytes_raw(), before)
        assert (found.next_key, found.revoked_ms, found.ended) == (None, None, None)
        assert found.key_since_ms


def test_saying_it_again_changes_nothing(database: Database, server: Running, box: Box) -> None:
    key = Ed25519PrivateKey.generate()
    after, body = replace(box, key=key), _request(box.agent, key)
    assert [_sent(server, box, body).status for _ in range(3)] == [200] * 3
    assert _sent(server, after, body).status == 200
    stored = contents(database)
    assert msgspec.json.decode(_sent(server, after, body).body, type=KeyAnswer).in_use
    assert contents(database) == stored


def test_nobody_changes_the_key_of_another_or_announces_a_key_that_is_anothers(
    database: Database, server: Running, box: Box
) -> None:
    other, mine = enrolled(database, "35.10.01.2001"), Ed25519PrivateKey.generate()
    before = contents(database)
    attempts = {
        "signed by another box": (_sent(server, replace(other, agent=box.agent), _request(box.agent, mine)), 401),
        "signed by the new key alone": (_sent(server, replace(box, key=mine), _request(box.agent, mine)), 401),
        "the request of another": (_sent(server, other, _request(box.agent, mine)), 400),
        "without the key": (_sent(server, box, _request(box.agent, other.key, prover=box.key)), 400),
        "no key": (_sent(server, box, b"{}"), 400),
        "too long": (_sent(server, box, b" " * 3_000), 413),
    }
    assert {name: got.status for name, (got, _) in attempts.items()} == {
        name: status for name, (_, status) in attempts.items()
    }
    assert contents(database) == before


def test_a_key_that_was_changed_away_never_comes_back(server: Running, box: Box) -> None:
    after = _announced(server, box)
    assert server.report(after, after.reading()).status == 200
    assert _sent(server, after, _request(box.agent, box.key)).status == 400


def test_a_revoked_box_opens_no_door_with_any_key_it_had(database: Database, server: Running, box: Box) -> None:
    first = box
    box = _announced(server, box)
    assert server.report(box, box.reading()).status == 200
    coming = _announced(server, box)
    _revoke(database)
    another = enrolled(database)
    stored = contents(database)
    for one in (first, box, coming):
        for path in (wire.REPORTS_PATH, WANTED_PATH, KEYS_PATH):
            body = _request(box.agent, one.key) if path == KEYS_PATH else box.report(box.reading())
            assert server.send("POST", path, body, one.headers(body, path)).status == 401, path
        body, headers = enrolment(issued := issued_code(database), one.key)
        assert server.send("POST", wire.ENROLMENTS_PATH, body, headers).status == 404, "not even with a good code"
        assert _sent(server, another, _request(another.agent, one.key)).status == 400, "nor through another box"
    assert {name: rows for name, rows in contents(database).items() if name != "enrolment_codes"} == {
        name: rows for name, rows in stored.items() if name != "enrolment_codes"
    }
    body, headers = enrolment(issued, Ed25519PrivateKey.generate())
    assert server.send("POST", wire.ENROLMENTS_PATH, body, headers).status == 201, (
        "the code stayed good for another box"
    )


def test_a_box_that_was_replaced_may_be_enrolled_again_with_its_key(
    database: Database, server: Running, box: Box
) -> None:
    enrolled(database)
    assert server.report(box, box.reading()).status == 401
    body, headers = enrolment(issued_code(database), box.key)
    answer = server.send("POST", wire.ENROLMENTS_PATH, body, headers)
    again = replace(box, agent=msgspec.json.decode(answer.body, type=wire.EnrolmentAnswer).agent)
    assert server.report(again, again.reading()).status == 200
    with database.reads() as db:
        assert db.get_one(Agent, (REGENCY, box.agent)).ended == "replaced"


class _Cut(BaseException):
    """The power is gone: nothing of the process goes on."""


@dataclass
class _Power:
    """Ends the process at its n-th step; each request and each write has a moment before it and one after it."""

    last: int
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.last:
            raise _Cut


class _Wire(Line):
    def __init__(self, server: Running, power: _Power) -> None:
        super().__init__(f"http://127.0.0.1:{server.port}")
        self._power = power

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> LineAnswer:
        self._power.step()
        answer = super().request(method, path, body, headers)
        self._power.step()
        return answer


@pytest.fixture
def place(box: Box, server: Running, tmp_path: Path) -> Path:
    """The credential file of the enrolled box."""
    path = tmp_path / "box" / "credential"
    seed = _text(box.key.private_bytes_raw())
    write_credential(path, Credential(box.agent, VILLAGE, f"http://127.0.0.1:{server.port}", seed))
    return path


def _reports(server: Running, identity: Identity, box: Box) -> int:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(identity.credential.private_key))
    return server.report(replace(box, key=key), box.reading()).status


def test_a_power_cut_at_any_step_leaves_a_box_that_goes_on(
    place: Path, server: Running, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = 0
    for last in range(1, 100):
        power = _Power(last)

        def write(path: Path, credential: Credential, power: _Power = power) -> None:
            power.step()
            write_credential(path, credential)
            power.step()

        monkeypatch.setattr(key_change, "write_credential", write)
        before = Identity(place).credential.private_key
        cut_off = _Wire(server, power)
        try:
            change(Identity(place), cut_off, NOW_MS)
        except _Cut:
            cuts += 1
        cut_off.close()
        monkeypatch.setattr(key_change, "write_credential", write_credential)
        line = Line(f"http://127.0.0.1:{server.port}")
        if Identity(place).is_changing:
            change(Identity(place), line, NOW_MS)  # what a started agent does first
        identity = Identity(place)
        assert not identity.is_changing
        assert _reports(server, identity, box) == 200, f"cut at step {last}"
        assert identity.credential.agent == box.agent
        assert identity.credential.private_key != before or last <= 1, f"cut at step {last}"
        line.close()
        if power.steps < last:
            break
    assert cuts == 8, "two requests and two writes, before and after each"


def test_a_running_agent_goes_on_when_the_command_changed_its_key(
    place: Path, server: Running, box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = Identity(place)
    settings = tmp_path / "agent.toml"
    settings.write_text(f'[server]\nurl = "http://127.0.0.1:{server.port}"\ncredential_file = "{place}"\n')
    assert main(["rotate", "--config", str(settings)]) == 0
    assert capsys.readouterr().out.startswith(f"Kotak {box.agent} punya kunci baru")
    body = box.report(box.reading())
    text = wire.signing_bytes("POST", wire.REPORTS_PATH, box.agent, body)

    def status() -> int:
        headers = box.headers(body) | {wire.SIGNATURE_HEADER: _text(running.sign(text))}
        return server.send("POST", wire.REPORTS_PATH, body, headers).status

    assert status() == 401
    assert running.read_again(), "a refusal may have been of the old key"
    assert status() == 200
    assert not running.read_again(), "another refusal would be of this one"


def test_a_revoked_box_cannot_change_its_key_and_says_so(place: Path, server: Running, database: Database) -> None:
    _revoke(database)
    line = Line(f"http://127.0.0.1:{server.port}")
    with pytest.raises(KeyChangeError, match="not accepted"):
        change(Identity(place), line, NOW_MS)
    line.close()


def test_without_a_line_the_box_keeps_its_key_and_tries_with_the_same_next_one(
    place: Path, server: Running, box: Box
) -> None:
    with pytest.raises(LineError):
        change(Identity(place), Line("http://127.0.0.1:9"), NOW_MS)
    waiting = Identity(place)
    assert waiting.is_changing
    assert _reports(server, waiting, box) == 200
    line = Line(f"http://127.0.0.1:{server.port}")
    change(Identity(place), line, NOW_MS)
    line.close()
    assert Identity(place).credential.private_key == waiting.credential.next_key
