"""``/user`` and ``/user/group`` as lists that may be changed: who may log in from where, and what they may do.

The logins of :class:`~kampungnet_sim.routeros_router.SimulatedRouter` stay the truth; these are the rows made of them.
Sources: facts/routeros.md, 7.13 and 11.
"""

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.routeros_user import RouterUser

if TYPE_CHECKING:
    from kampungnet_sim.routeros_router import SimulatedRouter

POLICIES = (
    "local", "telnet", "ssh", "ftp", "reboot", "read", "write", "policy", "test", "winbox", "password", "web", "sniff",
    "sensitive", "api", "romon", "rest-api",
)  # fmt: skip
USERS, GROUPS = "/user", "/user/group"
_OF_USER = frozenset({"name", "group", "password", "address", "disabled", "comment"})
_OF_GROUP = frozenset({"name", "policy", "skin", "comment"})


class Accounts:
    """Groups and users of one router, with ids that stay."""

    def __init__(self, router: "SimulatedRouter") -> None:
        self._router = router
        self._ids: dict[tuple[str, str], str] = {}
        # What a group or a user has beside what a login needs.
        self._groups: dict[str, Row] = {}
        self._more: dict[str, Row] = {}
        self.revision = 0

    # -- rows -------------------------------------------------------------------------

    def users(self) -> list[Row]:
        """Every login; the password is never shown."""
        return [
            {".id": self._id(USERS, one.name), "name": one.name, "group": one.group,
             "address": "", "expired": "false", "disabled": "false", **self._more.get(one.name, {})}
            for one in self._router.users.values()
        ]  # fmt: skip

    def groups(self) -> list[Row]:
        """Every group: those of the logins, and those made since."""
        own = {one.group: self._router.may(one.name) for one in self._router.users.values()}
        found = {name: {"name": name, "policy": _written(rights), "skin": "default"} for name, rights in own.items()}
        found = {**found, **self._groups}
        return [{".id": self._id(GROUPS, name), **row} for name, row in found.items()]

    def _id(self, menu: str, name: str) -> str:
        return self._ids.setdefault((menu, name), f"*{len(self._ids) + 1:X}")

    # -- who may come in ----------------------------------------------------------------

    def lets_in(self, user: str, peer: str) -> bool:
        """Tell whether a login is on and allowed from this address (11.6)."""
        more = self._more.get(user, {})
        return more.get("disabled", "false") != "true" and within(more.get("address", ""), peer)

    # -- change -------------------------------------------------------------------------

    def change(self, menu: str, verb: str, ids: str, values: Row) -> str | None:
        """Answer add, set and remove. Raises the trap of the router."""
        known = _OF_USER if menu == USERS else _OF_GROUP
        for name in values:
            if name not in known:
                raise RouterTrap(f"unknown parameter {name}")
        self.revision += 1
        change = self._user if menu == USERS else self._group
        if verb == "add":
            self._refuse_twins(menu, values.get("name", ""))
            change(values["name"], values)
            return self._id(menu, values["name"])
        for name in self._named(menu, ids):
            if verb == "set":
                change(name, values)
            elif verb == "remove":
                self._remove(menu, name)
            else:
                raise RouterTrap("no such command", 0)
        return None

    def _refuse_twins(self, menu: str, name: str) -> None:
        if not name:
            raise RouterTrap("missing value(s) of argument(s) name", 1)
        if any(row["name"] == name for row in self._rows(menu)):
            raise RouterTrap("failure: already have such name", 4)

    def _rows(self, menu: str) -> list[Row]:
        return self.users() if menu == USERS else self.groups()

    def _named(self, menu: str, ids: str) -> list[str]:
        rows = {row[".id"]: row["name"] for row in self._rows(menu)}
        names = [rows.get(one, one) for one in ids.split(",")]
        if not ids or not set(names) <= set(rows.values()):
            raise RouterTrap("no such item (4)", 0)
        return names

    def _group(self, name: str, values: Row) -> None:
        row = {"name": name, "skin": "default", **self._groups.get(name, {}), **values}
        row["policy"] = _written(_read(row.get("policy", "")))
        self._groups[name] = row
        for user in tuple(self._router.users.values()):
            if user.group == name:
                rights = _read(row["policy"])
                self._router.users[user.name] = RouterUser(user.name, user.password, rights, user.group)

    def _user(self, name: str, values: Row) -> None:
        old = self._router.users.get(name)
        group = values.get("group", old.group if old else "")
        rights = {row["name"]: row["policy"] for row in self.groups()}
        if group not in rights:
            raise RouterTrap("input does not match any value of group", 1)
        password = values.get("password", old.password if old else "")
        self._router.users[name] = RouterUser(name, password, _read(rights[group]), group)
        kept: Row = {one: values[one] for one in ("address", "disabled", "comment") if one in values}
        if "disabled" in kept:
            kept["disabled"] = {"yes": "true", "no": "false"}.get(kept["disabled"], kept["disabled"])
        if "address" in kept:
            kept["address"] = networks(kept["address"])
        self._more[name] = {**self._more.get(name, {}), **kept}

    def _remove(self, menu: str, name: str) -> None:
        if menu == GROUPS and any(user.group == name for user in self._router.users.values()):
            raise RouterTrap("failure: group is in use", 4)
        self._ids.pop((menu, name))
        if menu == GROUPS:
            self._groups.pop(name, None)
            return
        del self._router.users[name]
        self._more.pop(name, None)

    # -- a backup -----------------------------------------------------------------------

    def saved(self) -> Callable[[], None]:
        """Return what brings everything back as it is now."""
        users, ids = dict(self._router.users), dict(self._ids)
        groups = {name: dict(row) for name, row in self._groups.items()}
        more = {name: dict(row) for name, row in self._more.items()}

        def bring_back() -> None:
            self._router.users.clear()
            self._router.users.update(users)
            self._ids, self._groups, self._more = ids, groups, more
            self.revision += 1

        return bring_back


def within(allowed: str, peer: str) -> bool:
    """Tell whether an address is in one of the prefixes; none allows all."""
    return not allowed or any(ip_address(peer) in ip_network(one) for one in allowed.split(","))


def networks(text: str) -> str:
    """Return prefixes as the router writes them: an address alone is a prefix of its own."""
    try:
        return ",".join(str(ip_network(one.strip(), strict=False)) for one in text.split(",") if one.strip())
    except ValueError:
        raise RouterTrap("invalid value for argument address", 1) from None


def _read(policy: str) -> frozenset[str]:
    given = [one for one in policy.split(",") if one]
    if any(one.removeprefix("!") not in POLICIES for one in given):
        raise RouterTrap("input does not match any value of policy", 1)
    return frozenset(one for one in given if not one.startswith("!"))


def _written(rights: frozenset[str]) -> str:
    return ",".join(one if one in rights else f"!{one}" for one in POLICIES)
