"""What staff decide is kept for ever, and a changed row is found."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, update

from kampungnet.core.database import Database
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn

SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope("35.10"))


def _record(database: Database, number: int) -> None:
    with database.writes() as db:
        audit.record(db, SARI, Act("test.act", f"thing {number}", "because", None, {"number": number}), 1_000 + number)


def _broken(database: Database) -> int | None:
    with database.reads() as db:
        return audit.first_broken(db, "35.10")


def test_acts_form_a_chain_whose_head_proves_all_of_it(database: Database) -> None:
    with database.reads() as db:
        assert audit.head(db, "35.10") == (0, audit.START)
    for number in range(3):
        _record(database, number)
    with database.reads() as db:
        assert audit.head(db, "35.10")[0] == 3
        newest = audit.entries(db, "35.10")[0]
        assert (newest.about, newest.name, newest.after) == ("thing 2", "Ibu Sari", '{"number":2}')
        assert [one.sequence for one in audit.entries(db, "35.10", before=3)] == [2, 1]
        assert audit.entries(db, "33.10") == []
    assert _broken(database) is None


@pytest.mark.parametrize("column", ["reason", "name", "after", "at_ms", "hash"])
def test_a_changed_act_breaks_the_chain_where_it_stands(database: Database, column: str) -> None:
    for number in range(3):
        _record(database, number)
    value = 7 if column == "at_ms" else "something else"
    with database.writes() as db:
        db.execute(update(AuditEntry).where(AuditEntry.sequence == 2).values({column: value}))
    assert _broken(database) == 2


def test_an_act_that_was_taken_out_leaves_a_hole(database: Database) -> None:
    for number in range(3):
        _record(database, number)
    with database.writes() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.sequence == 2))
    assert _broken(database) == 2


def test_many_who_decide_at_once_never_part_the_chain(database: Database) -> None:
    with ThreadPoolExecutor(8) as crew:
        list(crew.map(lambda number: _record(database, number), range(40)))
    with database.reads() as db:
        assert audit.head(db, "35.10")[0] == 40
    assert _broken(database) is None


def test_an_act_that_is_rolled_back_leaves_no_trace_and_no_hole(database: Database) -> None:
    _record(database, 0)
    with pytest.raises(ZeroDivisionError):
        _record_and_fail(database)
    _record(database, 1)
    assert _broken(database) is None


def _record_and_fail(database: Database) -> None:
    with database.writes() as db:
        audit.record(db, SARI, Act("test.act", "never"), 5_000)
        raise ZeroDivisionError
