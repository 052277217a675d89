"""Groups of rows go past SQLAlchemy to the driver; what fails there is SQLAlchemy's to whoever catches it."""

import pytest
from sqlalchemy.exc import SQLAlchemyError

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
        among(db, MonthDue, ("no_such_column",), {"regency": ["35.10"]})
