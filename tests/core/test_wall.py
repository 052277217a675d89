"""The second wall: what PostgreSQL shows and lets change when a handler forgets which village it is about."""

from datetime import date
from typing import Any, Final

import msgspec
import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    Table,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kampungnet import tables
from kampungnet.core import migrate, sight, wall
from kampungnet.core.database import Base, Database
from kampungnet.core.sight import EVERYTHING, NOBODY_YET, Sight
from tests.support import postgres
from tests.support.server import NEIGHBOUR, REGENCY, VILLAGE, serving, url_of

OF_A_PLACE: Final = {"village", "site", "unit", "place", "district"}
"""Columns with the code of a village, or of what lies in one."""
PARENTS: Final = {"villages", "districts", "sites"}
WITHOUT: Final = {
    "sign_in_failures": "counts wrong passwords of addresses and of names nobody has; no village is in it",
    "jobs": "when the server's own jobs succeeded; no village is in it",
}
"""Tables without a wall, and why."""
SHARED: Final = {
    "account_codes": "the regency's own chart of accounts", "districts": "names of kecamatan",
    "fund_stages": "when the regency's funds arrive", "holidays": "the same for all",
    "hotspot_garden": "free places, the same in each village", "hotspot_plans": "the same in each village",
    "incidents": "what went dark together: each village's page tells of the one it is part of",
    "planned_work": "announced to all", "providers": "who sells to offices of the regency",
    "regencies": "names of kabupaten",
}  # fmt: skip
"""Tables that are seen by all of a regency, and why nothing of one village alone is in them."""
OF_JOBS: Final = {"boots"}
"""What no page shows."""
VILLAGES: Final = {"A": VILLAGE, "B": NEIGHBOUR}


@pytest.fixture
def database(postgresql_database: Database) -> Database:
    return postgresql_database


@pytest.fixture
def filled(database: Database) -> Database:
    """A row of each of two villages in every table."""
    with database.writes() as db:
        for name, village in VILLAGES.items():
            for table in Base.metadata.sorted_tables:
                if table.name not in {"regencies", "districts", "villages"}:
                    db.execute(insert(table).values(_row(table, name, village)))
    return database


def _row(table: Table, name: str, village: str) -> dict[str, Any]:
    return {column.name: _value(table, column, name, village) for column in table.columns}


def _value(table: Table, column: Column[Any], name: str, village: str) -> Any:
    named = {
        "regency": REGENCY, "village": village, "unit": village, "place": village, "district": None,
        "line": f"{village}-2026-1", "contract": f"{village}-1", "agent": f"agent {name}",
        "recipient": f"recipient {name}", "username": f"operator {name}", "batch": f"batch {name}",
    }  # fmt: skip
    if column.name.endswith("site") or (table.name, column.name) == ("sites", "code"):
        return f"{village}-1"
    if column.name == "id":
        own = {"budget_lines": named["line"], "contracts": named["contract"], "agents": named["agent"]}
        return own.get(table.name, {"alert_recipients": named["recipient"], "voucher_batches": named["batch"]}.get(
            table.name, f"{table.name} {name}"))  # fmt: skip
    if column.name in named:
        return named[column.name]
    if column.name == "provider":
        return name
    if (table.name, column.name) == ("providers", "code"):
        return name
    return _plain(column, name)


def _plain(column: Column[Any], name: str) -> Any:
    number = ord(name)
    kinds = (
        (Boolean, True), (Date, date(2026, 10, 1 if column.name == "month" else number - 60)), (BigInteger, number),
        (Integer, number), (Float, 1.5), (LargeBinary, name.encode()),
    )  # fmt: skip
    return next((value for kind, value in kinds if isinstance(column.type, kind)), f"{column.name} {name}")


def _walled() -> list[Table]:
    """Every table of which a village's rows are its own."""
    tables.load()
    return [one for one in Base.metadata.sorted_tables if one.name not in WITHOUT | SHARED]


def _count(db: Session | Connection, table: Table) -> int:
    return db.scalar(select(func.count()).select_from(table)) or 0


def _belongs_to_places(table: Table, seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether a table names a place, or stands by a foreign key on one that does."""
    if table.name in PARENTS or {one.name for one in table.columns} & OF_A_PLACE:
        return True
    parents = {one.referred_table for one in table.foreign_key_constraints} - {table}
    return any(_belongs_to_places(one, seen | {table.name}) for one in parents if one.name not in seen)


def test_every_table_that_names_a_place_has_its_wall_or_says_why_not(database: Database) -> None:
    asked = text(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, array_agg(p.polname::text) FROM pg_class c"
        " LEFT JOIN pg_policy p ON p.polrelid = c.oid WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        " GROUP BY 1, 2"
    )
    with database.reads() as db:
        found = {name: forced and wall.NAME in policies for name, forced, policies in db.execute(asked)}
    open_ones = {name for name, has in found.items() if not has} - {"alembic_version"}
    unsaid = open_ones - set(WITHOUT)
    assert unsaid == set(), f"one line in the migration: wall.of({sorted(unsaid)[:1]}, the column with the code)"
    assert set(WITHOUT) == open_ones, "these have a wall now"
    places = {one.name for one in Base.metadata.sorted_tables if _belongs_to_places(one)}
    assert len(places) > 50
    assert not places & set(WITHOUT)
    assert places & set(SHARED) == {"districts", "incidents"}, "a table of places that all of a regency see"


def test_an_operator_without_a_where_sees_nothing_of_another_village(filled: Database) -> None:
    with filled.reads() as db:
        both = {one.name: _count(db, one) for one in _walled()}
    with filled.seen_by(Sight(VILLAGE)).reads() as db:
        for table in _walled():
            seen = [repr(tuple(row)) for row in db.execute(select(table))]
            own = 0 if table.name in _OF_THE_KABUPATEN | OF_JOBS else 1
            assert len(seen) == own, (table.name, seen)
            assert not [row for row in seen if NEIGHBOUR in row or " B'" in row], table.name
            assert both[table.name] >= 2, f"{table.name} holds rows of both villages"


_OF_THE_KABUPATEN: Final = {
    "audit_log", "alert_groups", "alert_tokens", "push_cursors", "push_dropped", "box_knocks",
}  # fmt: skip
"""Seen by who sees the whole regency, and by nobody of a village."""


def test_an_operator_without_a_where_changes_and_deletes_nothing_of_another_village(filled: Database) -> None:
    with filled.writes() as db:  # they stand on agents, and are not the operator's to delete
        for name in OF_JOBS:
            db.execute(delete(Base.metadata.tables[name]))
    before = _rows_of(filled, "B")
    with filled.seen_by(Sight(VILLAGE)).writes() as db:
        for table in reversed(_walled()):
            column = next((one for one in table.columns if not one.primary_key and not one.foreign_keys), None)
            if column is not None:
                db.execute(update(table).values({column.name: column}))
            if table.name != "villages":
                db.execute(delete(table))
    assert _rows_of(filled, "B") == before
    with filled.reads() as db:
        left = {one.name for one in _walled() if _count(db, one) > 1} - _OF_THE_KABUPATEN - OF_JOBS
    assert left == {"villages"}, "those of the operator's own village are gone"


def _rows_of(database: Database, name: str) -> dict[str, list[str]]:
    with database.reads() as db:
        rows = {one.name: [repr(tuple(row)) for row in db.execute(select(one))] for one in _walled()}
    return {
        table: [row for row in found if VILLAGES[name] in row or f" {name}'" in row] for table, found in rows.items()
    }


@pytest.mark.parametrize("name", [one.name for one in _walled()])
def test_an_operator_puts_no_row_into_another_village(database: Database, name: str) -> None:
    table = Base.metadata.tables[name]
    row = _row(table, "B", NEIGHBOUR)
    if name == "villages":
        row |= {"district": NEIGHBOUR[:8], "code": f"{NEIGHBOUR[:9]}2099"}
    with (
        pytest.raises(DBAPIError, match="row-level security"),
        database.seen_by(Sight(VILLAGE)).writes() as db,
    ):
        db.execute(insert(table).values(row))


def test_an_operator_moves_no_row_of_theirs_into_another_village(filled: Database) -> None:
    for name, column in (("sites", "code"), ("hotspot_notices", "site"), ("budget_lines", "unit")):
        table = Base.metadata.tables[name]
        with (
            pytest.raises(DBAPIError, match="row-level security"),
            filled.seen_by(Sight(VILLAGE)).writes() as db,
        ):
            db.execute(update(table).values({column: f"{NEIGHBOUR}-7"}))


def test_who_says_nothing_sees_nothing(filled: Database) -> None:
    with filled.engine.begin() as db:
        assert {one.name for one in Base.metadata.sorted_tables if _count(db, one)} == set(WITHOUT)


def test_before_it_is_known_who_asks_only_staff_and_tokens_are_seen(filled: Database) -> None:
    with filled.seen_by(Sight(NOBODY_YET)).reads() as db:
        seen = {one.name for one in Base.metadata.sorted_tables if _count(db, one)}
    assert seen == {*WITHOUT, "staff", "staff_sessions", "staff_spare_codes", "alert_tokens"}


def test_a_kabupaten_sees_all_its_villages_and_nothing_of_another(filled: Database) -> None:
    with filled.seen_by(Sight(REGENCY)).reads() as db:
        assert {one.name for one in _walled() if _count(db, one) < 2} == OF_JOBS
    with filled.seen_by(Sight("33.10")).reads() as db:
        assert {one.name for one in Base.metadata.sorted_tables if _count(db, one)} == set(WITHOUT)


def test_a_kecamatan_sees_its_own_villages(filled: Database) -> None:
    with filled.seen_by(Sight(VILLAGE[:8])).reads() as db:
        assert _count(db, Base.metadata.tables["villages"]) == 2
        assert _count(db, Base.metadata.tables["traffic_days"]) == 2
    with filled.seen_by(Sight("35.10.01")).reads() as db:
        assert _count(db, Base.metadata.tables["villages"]) == 1
        assert _count(db, Base.metadata.tables["traffic_days"]) == 0


def test_nothing_of_one_transaction_is_left_for_the_next_on_the_same_connection(filled: Database) -> None:
    villages, pids = Base.metadata.tables["villages"], set()
    for place, number in ((EVERYTHING, 3), (VILLAGE, 1), (NEIGHBOUR, 1), (NOBODY_YET, 0), (REGENCY, 3)):
        with filled.seen_by(Sight(place)).reads() as db:
            pids.add(db.scalar(text("SELECT pg_backend_pid()")))
            assert _count(db, villages) == number, place
        with filled.engine.begin() as plain:
            pids.add(plain.scalar(text("SELECT pg_backend_pid()")))
            assert _count(plain, villages) == 0
    with pytest.raises(DBAPIError), filled.seen_by(Sight(REGENCY)).writes() as db:
        db.execute(text("SELECT 1 / 0"))
    with filled.engine.begin() as plain:
        assert _count(plain, villages) == 0, "after a failure, too"
    assert len(pids) == 1, "it was one connection all the time"


def test_a_transaction_that_has_begun_is_told_when_it_is_known_who_asks(filled: Database) -> None:
    villages, who = Base.metadata.tables["villages"], Sight(NOBODY_YET)
    with filled.seen_by(who).reads() as db:
        assert _count(db, villages) == 0
        who.see(VILLAGE)
        assert _count(db, villages) == 1
    with pytest.raises(TypeError):
        sight.WHOLE.see(VILLAGE)
    with pytest.raises(ValueError, match="no place"):
        who.see("35.10'; DROP TABLE villages; --")


def test_one_question_may_see_more_and_only_that_one(filled: Database) -> None:
    villages = Base.metadata.tables["villages"]
    with filled.seen_by(Sight(VILLAGE)).reads() as db:
        with sight.seeing(db):
            assert _count(db, villages) == 3
        assert _count(db, villages) == 1


def test_a_role_that_policies_are_not_asked_for_is_named(filled: Database) -> None:
    with filled.reads() as db:
        assert sight.bypassed_by(db) is None
    superuser = Database(url_of(filled).replace("kampungnet@", "postgres@", 1))
    with superuser.seen_by(Sight(VILLAGE)).reads() as db:
        assert sight.bypassed_by(db) == "postgres"
        assert _count(db, Base.metadata.tables["villages"]) == 3, "as PostgreSQL says of superusers"
    superuser.close()


def test_a_server_that_walks_through_the_wall_says_so_where_it_is_looked_at(database: Database) -> None:
    with serving(database) as behind:
        assert msgspec.json.decode(behind.send("GET", "/readyz").body) == {"status": "ready"}
    superuser = Database(url_of(database).replace("kampungnet@", "postgres@", 1))
    with serving(superuser) as through:
        told = msgspec.json.decode(through.send("GET", "/readyz").body)
    superuser.close()
    assert told == {"status": "ready", "warning": sight.bypass_sentence("postgres")}


def test_the_walls_fall_and_rise_with_the_version(postgresql_url: str) -> None:
    walls = text("SELECT count(*) FROM pg_policy")
    flags = text("SELECT count(*) FROM pg_class WHERE relrowsecurity OR relforcerowsecurity")
    with postgres.database(postgresql_url, "test_walls") as url:
        database = Database(url)
        migrate.migrate(database)
        with database.reads() as db:
            number = db.scalar(walls)
        migrate.migrate(database, "0031")
        with database.reads() as db:
            assert (db.scalar(walls), db.scalar(flags)) == (0, 0)
        migrate.migrate(database)
        with database.reads() as db:
            assert db.scalar(walls) == number
        database.close()
