"""Lists an API user may change: rows in memory with ids, defaults and known properties."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Row = dict[str, str]


class RouterTrap(Exception):
    """The router refuses a command: ``!trap`` with a text and sometimes a category."""

    def __init__(self, message: str, category: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.category = category


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What a list knows: its properties, what a new row starts with, what must be unique."""

    properties: frozenset[str]
    defaults: Mapping[str, str]
    unique: str = "name"
    required: tuple[str, ...] = ()
    choices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # What becomes of a value, given its property and itself; RouterTrap refuses it.
    readers: Mapping[str, Callable[[str, str], str]] = field(default_factory=dict)
    # What follows from the rest of a row.
    follows: Callable[[Row], Row] = field(default=dict)
    twin: str = "failure: already have such name"
    # Its rows are asked in their order: they may be put before others.
    ordered: bool = False


_BOOLEANS = frozenset({"disabled", "add-mac-cookie", "open-status-page", "transparent-proxy"})
_TRUTH = {"yes": "true", "no": "false"}


class Table:
    """One list. Ids are ``*`` and hex digits and are never used twice."""

    def __init__(self, spec: TableSpec, rows: Iterable[Mapping[str, str]] = ()) -> None:
        self._spec = spec
        self._rows: dict[str, Row] = {}
        # By their unique name: lists of ten thousand vouchers are added to row by row.
        self._names: dict[str, str] = {}
        self._next = 1
        self.revision = 0
        for row in rows:
            self._store({**spec.defaults, **row})

    def rows(self) -> list[Row]:
        """All rows with their ids, oldest first."""
        return [{".id": key, **row} for key, row in self._rows.items()]

    def _store(self, row: Row) -> str:
        key = f"*{self._next:X}"
        self._next += 1
        self._put(key, row)
        self.revision += 1
        return key

    def _put(self, key: str, row: Row) -> None:
        self._forget(key)
        self._rows[key] = {**row, **self._spec.follows(row)}
        if name := row.get(self._spec.unique):
            self._names.setdefault(name, key)

    def _forget(self, key: str) -> None:
        name = self._rows.get(key, {}).get(self._spec.unique, "")
        if self._names.get(name) == key:
            del self._names[name]

    def _checked(self, values: Mapping[str, str]) -> Row:
        clean: Row = {}
        for name, value in values.items():
            if name not in self._spec.properties:
                raise RouterTrap(f"unknown parameter {name}")
            allowed = self._spec.choices.get(name)
            if allowed is not None and value not in allowed:
                raise RouterTrap(f"input does not match any value of {name}", 1)
            plain = _TRUTH.get(value, value) if name in _BOOLEANS else value
            reader = self._spec.readers.get(name)
            clean[name] = plain if reader is None else reader(name, plain)
        return clean

    def _refuse_twins(self, row: Row, own: str = "") -> None:
        if self._names.get(row.get(self._spec.unique, ""), own) != own:
            raise RouterTrap(self._spec.twin, 4)

    def add(self, values: Mapping[str, str]) -> str:
        """Make a row, give back its id. ``place-before`` names the row it comes before in an ordered list."""
        before = values.get("place-before", "") if self._spec.ordered else ""
        given = {name: value for name, value in values.items() if not before or name != "place-before"}
        row = {**self._spec.defaults, **self._checked(given)}
        for name in self._spec.required:
            if not row.get(name):
                raise RouterTrap(f"missing value(s) of argument(s) {name}", 1)
        self._refuse_twins(row)
        key = self._store(row)
        if before:
            self.move(key, before)
        return key

    def move(self, ids: str, before: str) -> None:
        """Put rows before another one, or at the end when none is named."""
        if not self._spec.ordered:
            raise RouterTrap("no such command", 0)
        keys = self._found(ids)
        place = self._found(before)[0] if before else ""
        order = [key for key in self._rows if key not in keys]
        at = order.index(place) if place in order else len(order)
        self._rows = {key: self._rows[key] for key in (*order[:at], *keys, *order[at:])}
        self.revision += 1

    def _found(self, ids: str) -> list[str]:
        keys = []
        for one in ids.split(","):
            key = one if one in self._rows else self._by_name(one)
            if key is None:
                raise RouterTrap("no such item (4)", 0)
            keys.append(key)
        return keys

    def _by_name(self, name: str) -> str | None:
        return self._names.get(name)

    def set(self, ids: str, values: Mapping[str, str]) -> None:
        """Change rows; an empty text clears a property as ``set comment=""`` does."""
        clean = self._checked(values)
        for key in self._found(ids):
            row = {**self._rows[key], **clean}
            self._refuse_twins(row, key)
            self._put(key, row)
        self.revision += 1

    def unset(self, ids: str, name: str) -> None:
        """Take a property away from rows."""
        for key in self._found(ids):
            self._put(key, {one: value for one, value in self._rows[key].items() if one != name})
        self.revision += 1

    def remove(self, ids: str) -> None:
        """Take rows away; the built-in ones stay."""
        keys = self._found(ids)
        if any(self._rows[key].get("default") == "true" for key in keys):
            raise RouterTrap("failure: can not remove default", 4)
        for key in keys:
            self._forget(key)
            del self._rows[key]
        self.revision += 1

    def change(self, name: str, values: Mapping[str, str]) -> None:
        """The router's own change of a row (counters), unchecked; unknown names do nothing."""
        key = self._by_name(name)
        if key is not None:
            self._put(key, {**self._rows[key], **values})
            self.revision += 1

    def count(self, key: str, name: str) -> None:
        """One more of a property that the router counts."""
        row = self._rows[key]
        self._rows[key] = {**row, name: str(int(row.get(name, "0")) + 1)}
        self.revision += 1

    def get(self, name: str) -> Row | None:
        """The row with this unique name."""
        key = self._by_name(name)
        return None if key is None else self._rows[key]

    def exported(self) -> list[Row]:
        """What ``/export`` shows of each row: what somebody set, and no default."""
        spec = self._spec
        return [
            {
                name: row[name]
                for name in sorted(spec.properties & row.keys())
                if row[name] != spec.defaults.get(name, "")
            }
            for row in self._rows.values()
            if row.get("dynamic") != "true" and row.get("default") != "true"
        ]

    def ids(self) -> list[str]:
        """The ids, in order."""
        return list(self._rows)

    def saved(self) -> tuple[dict[str, Row], dict[str, str]]:
        """What a backup keeps of it."""
        return {key: dict(row) for key, row in self._rows.items()}, dict(self._names)

    def bring_back(self, saved: tuple[dict[str, Row], dict[str, str]]) -> None:
        """Put back what a backup kept."""
        rows, names = saved
        self._rows, self._names = {key: dict(row) for key, row in rows.items()}, dict(names)
        self.revision += 1
