"""``/import``: a file of commands as a technician lets a router read in, line by line, until one is refused.

As far as such files mostly go: ``add``, ``set`` and ``remove`` with values, and ``[find name="…"]`` for which rows.
Menus: every list that the API changes, too. What a router of this version does not know stops the script there, as on a
real one; what was done before stays done.
"""

import re
from typing import Final

from kampungnet_sim.routeros_hotspot_commands import checked
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_tables import RouterTrap, Table

_WORD = re.compile(r'\s*((?:\[[^\]]*\]|"(?:\\.|[^"\\])*"|[^\s"\[])+)')
_LINE = re.compile(rf"(?:{_WORD.pattern})+\s*")
_FIND = re.compile(r'\[find ([a-z-]+)=(".*"|\S+)\]')
_VERBS: Final = frozenset({"add", "set", "remove"})


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
        own = self._router.own
        table = self._router.tables.get(self._menu)
        if own.handles(self._menu):
            self._change_own()
        elif table is not None:
            self._change(table)
        else:
            raise RouterTrap("bad command name")
        self._router.hotspot_revision += 1

    def _change_own(self) -> None:
        """Change what the router has for itself."""
        own = self._router.own
        if self._verb == "add":
            own.change(self._menu, "add", "", self._values)
        elif self._find is not None:
            name, wanted = self._find[1], _plain(self._find[2])
            ids = [row[".id"] for row in own.rows(self._menu) if row.get(name) == wanted]
            if ids:
                own.change(self._menu, self._verb, ",".join(ids), self._values)
        else:
            own.change(self._menu, self._verb, ",".join(self._which), self._values)

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
