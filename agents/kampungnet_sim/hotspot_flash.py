"""Files of one router (``/file``), the pages of its portal among them.

Pages are best pushed over the API: ``/file/add`` and ``/file/set`` take ``contents`` of up to 60 KB in version 7
(the maker's page "Files"), which no village page reaches. Version 6 has no ``add``, and what it takes in ``set``
ends at 4 KB (unconfirmed): there the router has to get pages itself (``/tool/fetch``). Boards of 16 MB keep only
what lies under ``flash/`` (facts/routeros.md, 12.8). Boards with NAND write some 40 s later: a power cut before
leaves a file of that name without a byte in it ("Files").
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.routeros_values import stamp
from kampungnet_sim.servlet_pages import default_files
from kampungnet_sim.village_events import EventKind

if TYPE_CHECKING:
    from kampungnet_sim.routeros_router import SimulatedRouter

_MOST_V7, _MOST_V6 = 60 * 1024, 4_095
_CHUNK = 32_768
# A file just written cannot be read for a moment (6.13).
_UNREADABLE_SECONDS = 0.2
_WRITE_BACK_SECONDS = 40.0
_FULL = "flash_full"
# What the trap of a full disk says is (unconfirmed).
NO_ROOM = "failure: not enough space on disk"


@dataclass(slots=True)
class File:
    """One file or directory; ``made`` is when it was written last, 0 for what was always there."""

    number: int
    data: bytes | None
    made: float = 0.0

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data or b"")


def bytes_of(text: str) -> bytes:
    """API text as it came over the wire."""
    return text.encode("utf-8", "surrogateescape")


class Flash:
    """The disk of one router."""

    def __init__(self, router: "SimulatedRouter") -> None:
        self.files: dict[str, File] = {}
        self.revision = 0
        self._router = router
        self._count = 0
        self.install("hotspot")
        self._at_first = self._used()

    @property
    def prefix(self) -> str:
        """Under which all lies that lasts."""
        return "flash/" if self._router.profile.router.has_flash_folder else ""

    def install(self, folder: str) -> None:
        """What a new hotspot profile finds in its directory."""
        if self.prefix:
            self._put("flash", None)
        self._put(self.prefix + folder, None)
        pages = default_files(with_api=self._router.version >= RosVersion(6, 48))
        for name, data in pages.items():
            self._put(f"{self.prefix}{folder}/{name}", data)

    def _put(self, name: str, data: bytes | None, made: float = 0.0) -> File:
        known = self.files.get(name)
        self._count += known is None
        self.files[name] = File(self._count if known is None else known.number, data, made)
        self.revision += 1
        return self.files[name]

    # -- room -------------------------------------------------------------------------------------------

    def _used(self) -> int:
        return sum(one.size for one in self.files.values())

    def taken(self) -> int:
        """Bytes more than a new router holds."""
        return self._used() - self._at_first

    def free(self, before: int) -> int:
        """Room left, given what a router without files of ours has."""
        return 0 if _FULL in self._router.faults() else max(before - self.taken(), 0)

    def _check_room(self, more: int, before: int) -> None:
        if more > 0 and more > self.free(before):
            raise RouterTrap(NO_ROOM)

    # -- the portal's directory -------------------------------------------------------------------------

    def folder(self, settings: Row) -> str:
        """Where the pages are: the override, while there is anything in it, or the directory itself."""
        wanted = settings.get("html-directory-override", "")
        if wanted and any(name.startswith(wanted.strip("/") + "/") for name in self.files):
            return wanted.strip("/")
        return settings.get("html-directory", "hotspot").strip("/")

    def page(self, folder: str, name: str) -> bytes | None:
        """A page's bytes. A directory that is missing or empty gives the router's own pages."""
        inside = folder + "/"
        if not any(one.startswith(inside) for one in self.files):
            return default_files(with_api=self._router.version >= RosVersion(6, 48)).get(name)
        found = self.files.get(inside + name)
        return None if found is None else found.data

    # -- /file ------------------------------------------------------------------------------------------

    def _most(self) -> int:
        return _MOST_V7 if self._router.version.major >= 7 else _MOST_V6

    def rows(self, now: float) -> list[Row]:
        """The list, in the order of names."""
        version = self._router.version
        when = "last-modified" if version >= RosVersion(7, 10) else "creation-time"
        rows = []
        for name, file in sorted(self.files.items()):
            row = {".id": f"*{file.number:X}", "name": name, "type": self._type(name, file)}
            if file.data is not None:
                row["size"] = str(file.size)
                if file.size <= self._most() and now - file.made >= _UNREADABLE_SECONDS:
                    row["contents"] = file.data.decode("utf-8", "surrogateescape")
            row[when] = stamp(file.made or self._router.village.calendar.segment(now).power_back, version)
            rows.append(row)
        return rows

    @staticmethod
    def _type(name: str, file: File) -> str:
        if file.data is None:
            return "disk" if name == "flash" else "directory"
        ending = name.rpartition("/")[2].rpartition(".")
        return f".{ending[2]} file" if ending[1] else "file"

    def _found(self, key: str) -> str:
        names = (name for name, file in self.files.items() if key.strip("/") == name or key == f"*{file.number:X}")
        name = next(names, None)
        if name is None:
            raise RouterTrap("no such item (4)", 0)
        return name

    def add(self, values: Row, now: float, before: int) -> str | None:
        """Make a file or a directory, give back its id (none before 7.13)."""
        if self._router.version.major < 7:
            raise RouterTrap("no such command", 0)
        name, data = values.get("name", "").strip("/"), bytes_of(values.get("contents", ""))
        folder = name.rpartition("/")[0]
        if not name:
            raise RouterTrap("missing value(s) of argument(s) name", 1)
        if name in self.files:
            raise RouterTrap("failure: file already exists")
        if folder and (folder not in self.files or self.files[folder].data is not None):
            # That a directory is not made by the way is (unconfirmed); add it first.
            raise RouterTrap("failure: can not create file")
        self._check(data, len(data), before)
        made = self._put(name, None if values.get("type") == "directory" else data, now)
        return f"*{made.number:X}" if self._router.version >= RosVersion(7, 13) else None

    def store(self, name: str, data: bytes, now: float, before: int) -> None:
        """A file of any size the router got by itself, in place of the one of this name; folders come with it."""
        known = self.files.get(name)
        self._check_room(len(data) - (0 if known is None else known.size), before)
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in self.files:
                self._put(folder, None, now)
        self._put(name, data, now)

    def _check(self, data: bytes, more: int, before: int) -> None:
        if len(data) > self._most():
            raise RouterTrap("failure: new contents too long", 1)
        self._check_room(more, before)

    def set(self, key: str, values: Row, now: float, before: int) -> None:
        """Write into a file that is there, or rename it (7.14 and later)."""
        name = self._found(key)
        file = self.files[name]
        if "contents" in values:
            data = bytes_of(values["contents"])
            if file.data is None:
                raise RouterTrap("failure: not a file")
            self._check(data, len(data) - file.size, before)
            self._put(name, data, now)
        if "name" in values:
            if self._router.version < RosVersion(7, 14):
                raise RouterTrap("unknown parameter name")
            self.files[values["name"].strip("/")] = self.files.pop(name)
            self.revision += 1

    def write(self, name: str, data: bytes) -> None:
        """The router's own file, such as a backup."""
        self._put(name, data, self._router.clock())

    def remove(self, keys: str) -> None:
        """Take files away; a directory goes with all that is in it."""
        for name in [self._found(key) for key in keys.split(",")]:
            for one in [one for one in self.files if one == name or one.startswith(name + "/")]:
                del self.files[one]
        self.revision += 1

    def read(self, values: Row, now: float) -> Row:
        """One piece of a file of any size (7.13 and later)."""
        if self._router.version < RosVersion(7, 13):
            raise RouterTrap("no such command", 0)
        file = self.files[self._found(values.get("file", ""))]
        if file.data is None or now - file.made < _UNREADABLE_SECONDS:
            raise RouterTrap("failure: can not read file")
        start = int(values.get("offset", "0"))
        piece = file.data[start : start + min(int(values.get("chunk-size", str(_CHUNK))), _CHUNK)]
        return {"data": piece.decode("utf-8", "surrogateescape"), "offset": str(start)}

    # -- restarts ---------------------------------------------------------------------------------------

    def restart(self, when: float, kind: EventKind) -> None:
        """What a restart at this instant leaves of the files."""
        router = self._router.profile.router
        if self.prefix:
            self.files = {name: one for name, one in self.files.items() if name.startswith("flash")}
        elif kind is EventKind.POWER_CUT and router.cpu_count > 1:
            for file in self.files.values():
                if file.data is not None and file.made and when - file.made < _WRITE_BACK_SECONDS:
                    file.data = b""
        self.revision += 1
