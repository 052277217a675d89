"""From what a router's tables hold to what they have to hold: the fewest commands, and only in rows of ours. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from .fields import seconds, text
from .portal_guard import FILTER, is_unsound, same_limit
from .portal_target import MARK, PREFIX, PROFILES, TABLES, Properties
from .routeros_sentences import Row

DURATIONS: Final = frozenset(
    {"limit-uptime", "idle-timeout", "session-timeout", "trial-uptime-limit", "trial-uptime-reset"}
)
UNREAD: Final = frozenset({"password"})
"""Not given back to who may not see secrets: whether it is right is known from what was sent last."""
_SAME: Final = {"yes": "true", "no": "false"}


class Change(NamedTuple):
    """One command: ``add``, ``set`` or ``remove``."""

    menu: str
    verb: str
    key: str
    id: str = ""
    properties: Properties = {}  # noqa: RUF012 -- a tuple's default is never changed

    def words(self) -> list[str]:
        """Return the command as it is sent."""
        return [
            f"{self.menu}/{self.verb}",
            *([f"=.id={self.id}"] if self.id else []),
            *(f"={name}={value}" for name, value in self.properties.items()),
        ]


def changes(target: Mapping[str, Mapping[str, Properties]], found: Mapping[str, Sequence[Row]]) -> list[Change]:
    """Return what has to be done: additions and settings first, plans before users; then removals, the other way.

    The firewall comes last.
    """
    puts = [one for menu in TABLES for one in _puts(menu, target.get(menu, {}), found.get(menu, ()))]
    removals = [one for menu in reversed(TABLES) for one in _removals(menu, target.get(menu, {}), found.get(menu, ()))]
    return puts + removals + _guard(target.get(FILTER, {}), found.get(FILTER, ()))


def ours(menu: str, row: Row) -> str:
    """Return our key of a row, or nothing when the row is somebody else's."""
    if menu == PROFILES:
        name = text(row.get(b"name"))
        return name if name.startswith(PREFIX) else ""
    comment = text(row.get(b"comment"))
    return comment if comment.startswith(MARK) else ""


def differing(wanted: Properties, row: Row) -> Properties:
    """Return the properties that a row has otherwise."""
    return {
        name: value
        for name, value in wanted.items()
        if name not in UNREAD and not _same(name, value, row.get(name.encode()))
    }


def _guard(wanted: Mapping[str, Properties], rows: Sequence[Row]) -> list[Change]:
    """Return what the firewall needs. The way in is closed first and opened last, so nobody is held in between."""
    if is_unsound(rows):
        return _removals(FILTER, {}, rows)[::-1] + _puts(FILTER, wanted, ())
    return _puts(FILTER, wanted, rows) + _removals(FILTER, wanted, rows)[::-1]


def _puts(menu: str, wanted: Mapping[str, Properties], rows: Sequence[Row]) -> list[Change]:
    there = {ours(menu, row): row for row in reversed(rows)}
    found = []
    for key, properties in wanted.items():
        row = there.get(key)
        if row is None:
            name = {"name": key} if menu == PROFILES else {"comment": key}
            found.append(Change(menu, "add", key, "", properties | name))
        elif other := differing(properties, row):
            found.append(Change(menu, "set", key, text(row.get(b".id")), other))
    return found


def _removals(menu: str, wanted: Mapping[str, Properties], rows: Sequence[Row]) -> list[Change]:
    seen: set[str] = set()
    found = []
    for row in rows:
        key = ours(menu, row)
        if key and (key not in wanted or key in seen):
            found.append(Change(menu, "remove", key, text(row.get(b".id"))))
        seen.add(key)
    return found


def _same(name: str, value: str, raw: bytes | None) -> bool:
    if name in DURATIONS:
        return (seconds(raw) or 0) == (seconds(value.encode()) or 0)
    if name in {"rate-limit", "max-limit"}:
        return _rate(value) == _rate(text(raw))
    if name == "dst-limit":
        return same_limit(value, text(raw))
    if name == "login-by":
        return set(value.split(",")) == set(text(raw).split(","))
    if name == "target":
        return value.removesuffix("/32") == text(raw).removesuffix("/32")
    there = text(raw)
    return _SAME.get(value, value) == _SAME.get(there, there)


def _rate(value: str) -> list[str]:
    """Return a rate with its numbers written out: routers print ``2M/5M`` for ``2000k/5000k``."""
    return ["/".join(_number(part) for part in word.split("/")) for word in value.split()]


def _number(value: str) -> str:
    for unit, zeros in (("k", "000"), ("M", "000000"), ("G", "000000000")):
        if value.endswith(unit) and value[:-1].isdigit():
            return value[:-1] + zeros
    return value
