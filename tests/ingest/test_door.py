"""What comes while the event loop reads on is stored together, and none of it is forgotten."""

import asyncio

import msgspec
import pytest
from sqlalchemy.orm import Session

from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.ingest import routes, service
from kampungnet.ingest.routes import Answer, ReportDoor
from kampungnet.shared import wire
from tests.support.server import Box, enrolled, neighbours


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many reports each transaction gets."""
    found: list[int] = []
    really = service.accept

    def watched(db: Session, arrivals: list[service.Arrival], *more: object) -> list[object]:
        found.append(len(arrivals))
        return really(db, arrivals, *more)  # type: ignore[arg-type, return-value]  # as it was called

    monkeypatch.setattr(service, "accept", watched)
    return found


class Sender:
    """Puts reports before the door, and keeps what it answers."""

    def __init__(self, door: ReportDoor) -> None:
        self.answers: list[Answer] = []
        self._door = door

    def send(self, box: Box) -> None:
        body = box.report(box.reading())
        headers = {name.lower().encode(): value.encode() for name, value in box.headers(body).items()}
        self._door.take(headers, body, self.answers.append, "127.0.0.1")

    async def until(self, number: int) -> None:
        async with asyncio.timeout(60):
            while len(self.answers) < number:
                await asyncio.sleep(0.01)

    def accepted(self) -> int:
        good = [one for one in self.answers if one.status == 200]
        return sum(len(msgspec.json.decode(one.body, type=wire.Receipt).accepted) for one in good)


async def test_reports_of_rounds_that_follow_each_other_share_a_transaction(
    database: Database, groups: list[int]
) -> None:
    boxes = neighbours(database, 6)
    door = ReportDoor(database, Tally())
    sender = Sender(door)
    for box in boxes:
        sender.send(box)
        await asyncio.sleep(0)  # the next round of the loop
    assert not groups
    await sender.until(6)
    assert (groups, sender.accepted()) == ([6], 6)
    sender.send(boxes[0])
    await sender.until(7)
    assert (groups, sender.accepted()) == ([6, 1], 7), "one alone does not wait for others"
    door.close()


async def test_who_never_stops_coming_is_stored_all_the_same(
    database: Database, groups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    box = enrolled(database)
    door = ReportDoor(database, Tally())
    monkeypatch.setattr(door._group, "MAX_GROUP", 5)
    sender = Sender(door)
    async with asyncio.timeout(60):
        while not sender.answers:
            sender.send(box)
            await asyncio.sleep(0)
    assert sender.answers[0].status == 200
    door.close()
    assert max(groups) <= 5


async def test_what_came_last_is_stored_when_the_door_closes(database: Database, groups: list[int]) -> None:
    box = enrolled(database)
    door = ReportDoor(database, Tally())
    sender = Sender(door)
    sender.send(box)
    await asyncio.to_thread(door.close)
    await sender.until(1)
    assert (groups, sender.accepted()) == ([1], 1)


async def test_when_too_many_wait_the_rest_is_told_to_come_again_and_their_room_is_free(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = enrolled(database)
    tally = Tally()
    door = ReportDoor(database, tally)
    monkeypatch.setattr(door._group, "MAX_WAITING", 0)
    sender = Sender(door)
    for _ in range(3):
        sender.send(box)
    await sender.until(3)
    assert [one.status for one in sender.answers] == [503] * 3
    assert door._waiting_bytes == 0
    assert tally.counts()["reports", "failed"] == 3
    monkeypatch.setattr(routes, "WAITING_BYTES", 10)
    sender.send(box)
    assert (sender.answers[-1].status, door._waiting_bytes) == (503, 0)
    door.close()
