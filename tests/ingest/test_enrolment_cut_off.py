"""A box that loses its power, or the answer, while it is being enrolled: the next try makes it the same box."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet_agent import enrolment
from kampungnet_agent.box import Box
from kampungnet_agent.credential import read_credential
from kampungnet_agent.enrolment import CodeRefusedError, enrol
from kampungnet_agent.line import Answer, Line
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
    if place.exists():  # nothing is left to do
        agent = read_credential(place).agent
    else:
        agent = _enrol(server, code, place)
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith("cred")] == ["credential"]
    assert _agents(database) == [agent]
    assert read_credential(place).village == VILLAGE


def test_the_key_is_kept_to_its_owner_for_its_code_alone_and_not_after_a_refusal(
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
    assert not beside.exists()
