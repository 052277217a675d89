"""A new key for what is sealed in the database: every row is opened with the key it has and sealed with the newest.

In batches, each a transaction of its own, while the server works. What is left to do is seen from the rows themselves,
so that it may be cut off anywhere and begun again, and a row that somebody seals meanwhile is left as it is.
"""

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, inspect, select, tuple_, update
from sqlalchemy.orm import Session

from kampungnet.alerts.models import AlertRecipient
from kampungnet.alerts.outbox import PURPOSE
from kampungnet.core.database import Base, Database
from kampungnet.core.keys import NAME_BYTES, Keys, keys_of
from kampungnet.hotspot.models import HotspotAccount, HotspotBinding, Voucher
from kampungnet.hotspot.portals import ACCOUNT, MAC, VOUCHER
from kampungnet.staff.chain import KEYED
from kampungnet.staff.models import AuditEntry, StaffMember
from kampungnet.staff.second_factor import FACTOR

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """One column whose values are sealed."""

    model: type[Base]
    column: str
    purpose: str
    about: Callable[[Any], str]
    """What a row's value is sealed about."""
    mark: str = ""
    """Column with the mark by which the same content is found, if there is one."""

    @property
    def name(self) -> str:
        """Return table and column."""
        return f"{self.model.__tablename__}.{self.column}"

    @property
    def value(self) -> Any:
        """Return the column itself."""
        return getattr(self.model, self.column)

    @property
    def has_one(self) -> ColumnElement[bool]:
        """Return the condition that a row has a value; that of a recipient who ended was emptied."""
        found: ColumnElement[bool] = self.value.is_not(None) & (self.value != b"")
        return found


PLACES: Final = (
    Sealed(StaffMember, "factor", FACTOR, lambda row: str(row.username)),
    Sealed(Voucher, "code", VOUCHER, lambda row: str(row.id), mark="mark"),
    Sealed(HotspotAccount, "password", ACCOUNT, lambda row: str(row.id)),
    Sealed(HotspotBinding, "mac", MAC, lambda row: str(row.id)),
    Sealed(AlertRecipient, "address", PURPOSE, lambda row: f"{row.regency}/{row.id}"),
)
"""All there are."""


def reseal(database: Database, batch: int = BATCH) -> Generator[tuple[str, int, int], None, None]:
    """Seal everything with the newest key; yield table and column, rows looked at and rows sealed, after each batch.

    Raises ``Unavailable`` for a row whose key is not in the file: nothing of its batch is changed then.
    """
    for place in PLACES:
        after: tuple[Any, ...] | None = None
        seen = done = 0
        while True:
            with database.writes() as db:
                rows = _next(db, place, after, batch)
                done += sum(_reseal(db, place, row, keys_of(db)) for row in rows)
            seen += len(rows)
            yield place.name, seen, done
            if len(rows) < batch:
                break
            after = tuple(getattr(rows[-1], one.name) for one in _key(place))


def needed(db: Session) -> Mapping[str, Counter[str]]:
    """Return, for each key by its name, how many values of which column need it to be opened."""
    found: dict[str, Counter[str]] = {}
    for place in PLACES:
        name = func.substr(place.value, 1, NAME_BYTES)
        for key, number in db.execute(select(name, func.count()).where(place.has_one).group_by(name)):
            found.setdefault(bytes(key).hex(), Counter())[place.name] += number
    return found


def acts_sealed(db: Session) -> int:
    """Return how many acts of the log are sealed with a key; the keys of their time are needed to prove them."""
    asked = select(func.count()).select_from(AuditEntry).where(AuditEntry.hash.startswith(KEYED))
    return db.scalar(asked) or 0


def _next(db: Session, place: Sealed, after: tuple[Any, ...] | None, batch: int) -> list[Any]:
    key = [getattr(place.model, one.name) for one in _key(place)]
    asked = select(*key, place.value.label("sealed")).where(place.has_one).order_by(*key).limit(batch)
    return list(db.execute(asked if after is None else asked.where(tuple_(*key) > tuple_(*after))))


def _reseal(db: Session, place: Sealed, row: Any, keys: Keys) -> int:
    if keys.is_newest(row.sealed):
        return 0
    plain, about = keys.open(place.purpose, row.sealed, place.about(row)), place.about(row)
    values = {place.column: keys.seal(place.purpose, plain, about)}
    if place.mark:
        values[place.mark] = keys.mark(place.purpose, plain)
    same = [getattr(place.model, one.name) == getattr(row, one.name) for one in _key(place)]
    changed = update(place.model).where(*same, place.value == row.sealed).values(values).returning(_key(place)[0])
    return len(db.execute(changed.execution_options(synchronize_session=False)).all())


def _key(place: Sealed) -> list[Any]:
    return list(inspect(place.model).primary_key)
