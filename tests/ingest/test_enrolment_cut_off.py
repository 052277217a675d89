"""A box that loses its power, or the answer, while it is being enrolled: the next try makes it the same box."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.shared.one_time_code import NO_CODE
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent import enrolment
from kampungnet_agent.box import Box
from kampungnet_agent.credential import read_credential
from kampungnet_agent.enrolment import CodeRefusedError, enrol, make_room_for_credential
from kampungnet_agent.line import Answer, Line
from kampungnet_agent.safe_file import DiskError
from tests.support.server import NEIGHBOUR, VILLAGE, Running, issued_code


class PowerCut(BaseException):
    """Nothing that comes after it happens, not even the handling of errors."""


def _cut(call: Callable[..., Any], *, before: bool) -> Callable[..., None]:
    """Return what lets a call happen, or not, and then ends everything."""

    def cut(*words: Any, **more: Any) -> None:
        if not before:
            call(*words, **more)
        raise PowerCut

    return cut


def _enrol(server: Running, code: str, place: Path) -> str:
    url = f"http://127.0.0.1:{server.port}"
    line = Line(url)
    try:
        return enrol(line, url, code, Box(), place).agent
    finally:
        line.close()


def _agents(database: Database) -> list[str]:
    with database.reads() as db:
        return list(db.scalars(select(Agent.id)))


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("step", ["replace_file", "request", "write_credential", "unlink"])
def test_wherever_it_is_cut_off_the_same_code_makes_it_one_box(
    database: Database, server: Running, tmp_path: Path, step: str, before: bool
) -> None:
    code, place = issued_code(database), tmp_path / "credential"
    owner: Any = {"request": Line, "unlink": Path}.get(step, enrolment)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, step, _cut(getattr(owner, step), before=before))
        with pytest.raises(PowerCut):
            _enrol(server, code, place)
    if place.exists():
        with pytest.raises(SettingsError, match="enrolled already"):
            make_room_for_credential(place, replace=False)
        agent = read_credential(place).agent
    else:
        agent = _enrol(server, f" {code.lower().replace('-', ' ')}", place)  # somebody types it again
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("cred")] == ["credential"]
    assert _agents(database) == [agent]
    assert read_credential(place).village == VILLAGE


def test_the_key_is_kept_to_its_owner_for_its_code_alone(
    database: Database, server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, beside = tmp_path / "credential", tmp_path / "credential.begun"
    keys = []

    def lost(_: Line, _method: str, _path: str, body: bytes = b"", _headers: Any = None) -> Answer:
        keys.append(body)
        return Answer(502, {}, b"")

    monkeypatch.setattr(Line, "request", lost)
    first, second = issued_code(database), issued_code(database, NEIGHBOUR)
    for code in (first, first, second):
        with pytest.raises(enrolment.EnrolmentError, match="502"):
            _enrol(server, code, place)
        assert stat.S_IMODE(beside.stat().st_mode) == 0o600
        assert code.encode() not in beside.read_bytes()
    assert keys[0] == keys[1] != keys[2]
    beside.write_bytes(b"\0" * 40)  # what a card may make of a file
    monkeypatch.undo()
    _enrol(server, second, place)
    place.unlink()
    with pytest.raises(CodeRefusedError, match="ask for a new one"):
        _enrol(server, second, place)


def _failing(number: int) -> Callable[..., None]:
    def fail(*_words: Any, **_more: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("said", [NO_CODE, "Not Found"])
def test_a_404_costs_no_key_and_only_the_servers_own_sentence_refuses_the_code(
    database: Database, server: Running, tmp_path: Path, said: str
) -> None:
    code, place, ask = issued_code(database), tmp_path / "credential", Line.request

    def misled(line: Line, *words: Any) -> Answer:
        ask(line, *words)
        return Answer(404, {"content-type": "application/json"}, msgspec.json.encode({"detail": said}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Line, "request", misled)
        with pytest.raises(enrolment.EnrolmentError) as refused:
            _enrol(server, code, place)
    assert isinstance(refused.value, CodeRefusedError) == (said == NO_CODE)
    assert [_enrol(server, code, place)] == _agents(database)


def test_a_disk_that_does_not_work_is_one_sentence_and_the_code_is_good_for_the_next_try(
    database: Database, server: Running, tmp_path: Path
) -> None:
    code, place = issued_code(database), tmp_path / "credential"
    for owner, name, number, sentence in (
        (enrolment, "write_credential", errno.ENOSPC, "No space left.*; free some room and repeat: the same code"),
        (Path, "read_bytes", errno.EIO, "credential.begun cannot be read"),
        (Path, "unlink", errno.EIO, "credential.begun cannot be taken away"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, _failing(number))
            with pytest.raises(DiskError, match=sentence):
                _enrol(server, code, place)
    assert [read_credential(place).agent] == _agents(database)


def test_what_was_begun_anew_is_not_taken_for_a_remainder(database: Database, server: Running, tmp_path: Path) -> None:
    place = tmp_path / "credential"
    old, code = _enrol(server, issued_code(database), place), issued_code(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enrolment, "write_credential", _failing(errno.ENOSPC))
        with pytest.raises(DiskError):
            _enrol(server, code, place)
    with pytest.raises(SettingsError, match="enrolled already"):
        make_room_for_credential(place, replace=False)
    assert _enrol(server, code, place) in {*_agents(database)} - {old}
