"""A connection that lasts: what is asked of the driver and of the session is one transaction, and a break heals."""

import time
from collections.abc import Sequence

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kampungnet.core.database import Database, GroupCommit, NotStored
from kampungnet.core.line import Line, driver_of
from kampungnet.core.rows import insert_new
from kampungnet.villages.models import District

REGENCY = "35.10"


def _districts(database: Database) -> set[str]:
    with database.reads() as db:
        return set(db.scalars(select(District.name).where(District.code.like("35.10.9%"))))


def _both_ways(db: Session, first: str, second: str) -> None:
    insert_new(db, District, [{"regency": REGENCY, "code": f"35.10.9{first}", "name": first}])
    db.add(District(regency=REGENCY, code=f"35.10.9{second}", name=second))


def _fail_after(db: Session) -> None:
    _both_ways(db, "3", "4")
    db.flush()
    raise ValueError("no")


def _break(line: Line) -> None:
    """Let the connection end as a database that is started anew ends it."""
    connection, _ = driver_of(line)
    connection.close()


def test_what_goes_to_the_driver_and_through_the_session_is_one_transaction(database: Database) -> None:
    line = database.line()
    with database.writes_on(line) as db:
        _both_ways(db, "1", "2")
        assert _districts(database) == set()
    assert _districts(database) == {"1", "2"}
    with pytest.raises(ValueError, match="no"), database.writes_on(line) as db:
        _fail_after(db)
    assert _districts(database) == {"1", "2"}
    with database.writes_on(line) as db:
        assert set(db.scalars(select(District.name).where(District.code.like("35.10.9%")))) == {"1", "2"}
        _both_ways(db, "5", "6")
    assert _districts(database) == {"1", "2", "5", "6"}
    line.hang_up()


def test_one_connection_lasts_and_is_given_up_after_a_failure(database: Database) -> None:
    line, used = database.line(), []
    for _ in range(2):
        with database.writes_on(line) as db:
            used.append(driver_of(db).connection)
    assert used[0] is used[1]
    with pytest.raises(ValueError, match="no"), database.writes_on(line):
        raise ValueError("no")
    with database.writes_on(line) as db:
        assert driver_of(db).connection is not used[0]
    line.hang_up()


def test_reports_are_stored_though_the_connection_broke_since_the_last_one(database: Database) -> None:
    lines: list[Line] = []
    told: list[tuple[str, str | NotStored]] = []

    def store(db: Session, names: list[str]) -> list[str]:
        assert isinstance(db, Line)
        lines.append(db)
        insert_new(db, District, [{"regency": REGENCY, "code": f"35.10.9{name}", "name": name} for name in names])
        return names

    group: GroupCommit[str, str] = GroupCommit(database, store, told.extend)
    try:
        group.submit("1", "first")
        _wait(told, 1)
        _break(lines[0])
        for place, name in enumerate("23", 2):
            group.submit(name, name)
            _wait(told, place)
    finally:
        group.close()
    results = dict(told)
    assert results["first"] == "1"
    assert results == {"first": "1", "2": "2", "3": "3"}
    assert _districts(database) == {"1", "2", "3"}


def _wait(told: Sequence[object], number: int) -> None:
    until = time.monotonic() + 30
    while len(told) < number:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_joined", [False, True], ids=["by the driver alone", "with the session"])
def test_a_backend_that_is_killed_in_the_middle_costs_nothing(database: Database, is_joined: bool) -> None:
    told: list[tuple[str, str | NotStored]] = []
    kills = ["2"]

    def store(db: Session, names: list[str]) -> list[str]:
        connection = driver_of(db).connection
        insert_new(db, District, [{"regency": REGENCY, "code": f"35.10.9{name}", "name": name} for name in names])
        if is_joined:
            db.scalars(select(District.name)).all()
        if names == kills:
            kills.clear()
            with database.writes() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": connection.info.backend_pid})
        return names

    group: GroupCommit[str, str] = GroupCommit(database, store, told.extend)
    try:
        for place, name in enumerate("123", 1):
            group.submit(name, name)
            _wait(told, place)
    finally:
        group.close()
    assert dict(told) == {"1": "1", "2": "2", "3": "3"}
    assert kills == []
    assert _districts(database) == {"1", "2", "3"}
