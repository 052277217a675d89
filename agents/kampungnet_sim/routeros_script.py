"""``/import``: a file of commands as a technician lets a router read in, line by line, until one is refused.

As far as such files mostly go: ``add``, ``set`` and ``remove`` with values, and ``[find name="…"]`` for which rows.
Menus: users and their groups, services, the time client, and every list that the API changes, too. What a router of
this version does not know stops the script there, as on a real one; what was done before stays done.
"""

import re
from collections.abc import Callable
from typing import Final

from kampungnet_sim.routeros_hotspot_commands import checked
from kampungnet_sim.routeros_router import RouterUser, SimulatedRouter
from kampungnet_sim.routeros_tables import RouterTrap, Row, Table
from kampungnet_sim.routeros_values import within

_WORD = re.compile(r'\s*((?:\[[^\]]*\]|"(?:\\.|[^"\\])*"|[^\s"\[])+)')
_LINE = re.compile(rf"(?:{_WORD.pattern})+\s*")
_FIND = re.compile(r'\[find ([a-z-]+)=(".*"|\S+)\]')
_VERBS: Final = frozenset({"add", "set", "remove"})
_POLICIES: Final = frozenset(
    "local telnet ssh ftp reboot read write policy test winbox password web sniff sensitive api romon rest-api".split()
)
_SERVICES: Final = frozenset("telnet ftp www www-ssl ssh api api-ssl winbox".split())


class ScriptError(Exception):
    """A line that the router refused; those before it are done."""


def run_script(router: SimulatedRouter, text: str) -> int:
    """Carry out a script; how many commands it had. ScriptError names the line that was refused."""
    number = 0
    for place, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            _Command(router, line).run()
        except (RouterTrap, ValueError) as error:
            raise ScriptError(f"{error} (line {place}: {line.split(' password=')[0][:60]})") from error
        number += 1
    return number


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


class _Command:
    """One line."""

    def __init__(self, router: SimulatedRouter, line: str) -> None:
        if _LINE.fullmatch(line) is None:
            raise RouterTrap("expected end of command")
        words = _WORD.findall(line)
        at = next((place for place, word in enumerate(words) if word in _VERBS), 0)
        if not at or not words[0].startswith("/"):
            raise RouterTrap("bad command name")
        self._router, self._verb = router, words[at]
        self._menu = "/" + "/".join("/".join(words[:at]).strip("/").split("/"))
        pairs = [word.partition("=") for word in words[at + 1 :] if not word.startswith("[")]
        self._values = {name: _plain(value) for name, equal, value in pairs if equal}
        self._which = [name for name, equal, _ in pairs if not equal]
        self._find = next((found for word in words[at + 1 :] if (found := _FIND.fullmatch(word))), None)
        if self._find is None and "[" in line:
            raise RouterTrap("expected end of command")

    def run(self) -> None:
        """Carry it out."""
        special: dict[str, Callable[[], None]] = {
            "/user": self._user, "/user/group": self._group, "/ip/service": self._service,
            "/system/ntp/client": self._time,
        }  # fmt: skip
        table = self._router.tables.get(self._menu)
        if self._menu in special:
            special[self._menu]()
        elif table is not None:
            self._change(table)
        else:
            raise RouterTrap("bad command name")
        self._router.hotspot_revision += 1

    def _only(self, names: str) -> None:
        for name in self._values:
            if name not in names.split():
                raise RouterTrap(f"expected end of command: unknown parameter {name}")

    def _chosen(self) -> str:
        """What ``[find name=…]`` says."""
        if self._find is None or self._find[1] != "name":
            raise RouterTrap("no such item")
        return _plain(self._find[2])

    def _user(self) -> None:
        self._only("name group address password comment disabled")
        users, given = self._router.users, self._values
        if self._verb == "remove":
            users.pop(self._chosen(), None)
            return
        name, group = given.get("name", ""), given.get("group", "")
        if self._verb != "add" or not name or "*" in name:
            raise RouterTrap("invalid value for argument name")
        if name in users:
            raise RouterTrap("failure: user with the same name already exists")
        if group not in self._router.groups:
            raise RouterTrap("input does not match any value of group")
        within("127.0.0.1", given.get("address", ""))
        rights = self._router.groups[group]
        users[name] = RouterUser(name, given.get("password", ""), rights, group, given.get("address", ""))

    def _group(self) -> None:
        self._only("name policy skin")
        groups, given = self._router.groups, self._values
        if self._verb == "remove":
            name = self._chosen()
            if any(user.group == name for user in self._router.users.values()):
                raise RouterTrap("failure: group is in use")
            groups.pop(name, None)
            return
        policies = frozenset(given.get("policy", "").split(","))
        if self._verb != "add" or not policies <= _POLICIES:
            raise RouterTrap("input does not match any value of policy")
        if given["name"] in groups:
            raise RouterTrap("failure: group with the same name already exists")
        groups[given["name"]] = policies

    def _service(self) -> None:
        self._only("address disabled port certificate max-sessions")
        if self._verb != "set" or len(self._which) != 1 or self._which[0] not in _SERVICES:
            raise RouterTrap("no such item")
        within("127.0.0.1", self._values.get("address", ""))
        self._keep(f"/ip/service {self._which[0]}")

    def _time(self) -> None:
        seven = self._router.version.major >= 7
        self._only("enabled servers mode vrf" if seven else "enabled primary-ntp secondary-ntp server-dns-names")
        if self._verb != "set":
            raise RouterTrap("bad command name")
        self._keep(self._menu)

    def _keep(self, where: str) -> None:
        truth = {"yes": "true", "no": "false"}
        values: Row = {name: truth.get(value, value) for name, value in self._values.items()}
        self._router.settings[where] = self._router.settings.get(where, {}) | values

    def _change(self, table: Table) -> None:
        if self._verb == "add":
            table.add(checked(self._router, self._menu, self._values))
            return
        if self._find is None:
            raise RouterTrap("no such item")
        name, wanted = self._find[1], _plain(self._find[2])
        ids = [row[".id"] for row in table.rows() if row.get(name) == wanted]
        if ids and self._verb == "remove":
            table.remove(",".join(ids))
        elif ids:
            table.set(",".join(ids), checked(self._router, self._menu, self._values))
