"""Groups of rows go past SQLAlchemy to the driver; what fails there is SQLAlchemy's to whoever catches it."""

import pytest
from sqlalchemy.exc import SQLAlchemyError

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.rows import among, change, insert_new
from kampungnet.measurement.models import MonthDue
from kampungnet.villages.models import District, Regency


def test_what_the_driver_refuses_is_an_error_of_sqlalchemy(database: Database) -> None:
    nobodys = {"regency": "99.99", "code": "99.99.01", "name": "Nowhere"}
    with pytest.raises(SQLAlchemyError, match=r"(?i)foreign key"), database.writes() as db:
        insert_new(db, District, [nobodys])
    with pytest.raises(SQLAlchemyError, match=r"(?i)not.null"), database.writes() as db:
        change(db, Regency, [{"code": "35.10", "name": None}], ("code",))
    with pytest.raises(SQLAlchemyError), database.reads() as db:
        among(db, MonthDue, ("no_such_column",), ("regency",), [("35.10",)])


def test_rows_are_found_by_all_their_keys_together(database: Database) -> None:
    """And not by a key of one and a key of another, of which a group of many boxes has its square."""
    codes, names = ("35.10", "33.10"), ("Muncar", 'it\'s "Glagah"')
    with database.writes() as db:
        insert_new(db, Regency, [{"code": code, "name": code, "time_zone": clock.WIB} for code in codes])
        rows = [
            {"regency": code, "code": f"{code}.{number:02d}", "name": name}
            for code in codes for number, name in enumerate(names)
        ]  # fmt: skip
        insert_new(db, District, rows)
    wanted = {("35.10", "Muncar"), ("33.10", 'it\'s "Glagah"'), ("33.10", "unknown")}
    with database.reads() as db:
        found = among(db, District, ("code", "name"), ("regency", "name"), wanted)
        assert among(db, District, ("code",), ("regency", "name"), []) == []
    assert sorted(found) == [("33.10.01", 'it\'s "Glagah"'), ("35.10.00", "Muncar")]
