"""A router's own command line over SSH, as far as backups need it: version, export, binary backup, remove.

Sources: facts/routeros.md, 12. What ``/system backup save`` writes cannot be read without the router; here it is
bytes made of password and settings, so that another password or other settings give another file.
"""

import hashlib
import re
from collections.abc import Callable

from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_user import RouterUser
from kampungnet_sim.routeros_values import stamp
from kampungnet_sim.ssh_command_line import Pager, Reply

_SECRETS = frozenset({"password", "secret"})
_PLAIN = re.compile(r"[\w.:/,@*<>-]+")
_NO_RIGHT = "not enough permissions (9)"
_BACKUP_BYTES = 40_000


class RouterOsLine:
    """One login. Every command of an ``exec`` channel is one line to it."""

    greeting = ""

    def __init__(self, router: SimulatedRouter, user: RouterUser) -> None:
        self._router, self._user = router, user
        self._commands: dict[str, tuple[str, Callable[[str], list[str]]]] = {
            ":put [/system resource get version]": ("read", self._version),
            "/export terse": ("read", self._export),
            "/system backup save": ("write", self._save),
            "/file remove": ("write", self._remove),
        }

    def prompt(self) -> str:
        """What stands before the cursor."""
        return f"[{self._user.name}@MikroTik] > "

    def pager(self) -> Pager | None:
        """None: it shows everything."""

    def log_line(self) -> str:
        """None."""
        return ""

    def execute(self, line: str) -> Reply:
        """Carry out one command."""
        for command, (policy, act) in self._commands.items():
            if line == command or line.startswith(command + " "):
                if policy not in self._router.may(self._user.name):
                    return Reply([_NO_RIGHT])
                return Reply(act(line[len(command) :].strip()))
        return Reply([f"bad command name {line.split(' ', maxsplit=1)[0].lstrip('/')[:40]} (line 1 column 2)"])

    # -- commands -------------------------------------------------------------------------------

    def _version(self, _: str) -> list[str]:
        return [f"{self._router.profile.version} (stable)"]

    def _export(self, words: str) -> list[str]:
        version = self._router.version
        if words not in {"", "show-sensitive" if version.major >= 7 else "hide-sensitive"}:
            return ["expected end of command (line 1 column 15)"]
        shows = (words == "show-sensitive") if version.major >= 7 else not words
        now = self._router.moment().wall
        model = self._router.profile.router.board_name
        lines = [
            f"# {stamp(now, version)} by RouterOS {self._router.profile.version}", "# software id = 9EER-511K", "#",
            f"# model = {model}", "# serial number = HC10823ABCD",
        ]  # fmt: skip
        for path, table in self._router.tables.items():
            for row in table.exported():
                lines.append(f"{path.replace('/', ' ').replace(' ', '/', 1)} add {_words(row, shows=shows)}".rstrip())
        if "export_incomplete" in self._router.faults():
            lines.insert(8, '#error exporting "/ip/hotspot" (timeout)')
        return lines

    def _save(self, words: str) -> list[str]:
        given = dict(word.partition("=")[::2] for word in words.split())
        if "encryption" in given and self._router.version < RosVersion(6, 43):
            return ["expected end of command (line 1 column 40)"]
        if self._router.flash.free(_BACKUP_BYTES * 4) < _BACKUP_BYTES:
            return ["failure: not enough space on disk"]
        seed = hashlib.sha256(f"{given.get('password', '')}{self._router.revision()}".encode()).digest()
        name = given.get("name", "MikroTik") + ".backup"
        self._router.flash.write(name, (b"\xef\xa8\x91\x72" + seed * (_BACKUP_BYTES // 32))[:_BACKUP_BYTES])
        return ["Saving system configuration", "Configuration backup saved"]

    def _remove(self, words: str) -> list[str]:
        if words not in self._router.flash.files:
            return ["no such item"]
        self._router.flash.remove(words)
        return []

    def file(self, name: str) -> bytes | None:
        """What the disk holds under a name, for SFTP."""
        found = self._router.flash.files.get(name.lstrip("/"))
        allowed = {"ftp", "read"} <= self._router.may(self._user.name)
        return found.data if found is not None and allowed else None


def _words(row: Row, *, shows: bool) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in row.items() if shows or name not in _SECRETS)


def _value(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = (
        value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n").replace("\r", "\\r")
    )
    return f'"{escaped}"'
