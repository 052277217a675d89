"""Recorded answers on the real protocols, exactly as they were captured."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from kampungnet_sim import snmp_ber as ber
from kampungnet_sim.replay_terminal import api_command, read_terminal
from kampungnet_sim.routeros_engine import Engine, encode_rows
from kampungnet_sim.routeros_menu import Menu
from kampungnet_sim.routeros_request import Frame, Request
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_tables import RouterTrap, Row
from kampungnet_sim.snmp_tree import Tree

Recorded = dict[str, list[Row]]


class RecordingError(ValueError):
    """A file is no recording."""


# -- RouterOS ---------------------------------------------------------------------------


def command_of(file_name: str) -> str:
    """``_system_resource_print.json`` and ``system_resource.json`` are ``/system/resource/print``."""
    path = file_name.removesuffix(".json").strip("_").replace("_", "/")
    if path == "ping" or path.endswith(("/print", "/monitor")):
        return f"/{path}"
    return f"/{path}/print"


def as_text(value: object) -> str:
    """A value as it was on the wire, before a client guessed its type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def read_rows(path: Path) -> list[Row]:
    """Rows of one file: a list, or a list under ``data``."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordingError(f"{path}: {error}") from error
    rows = found.get("data") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RecordingError(f"{path}: a list of rows is expected")
    return [{name: as_text(value) for name, value in row.items()} for row in rows]


def read_screen(path: Path) -> Recorded:
    """Rows that a terminal showed; of a menu the router did not have there are none."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    command = api_command(re.split(r"[.]", path.name)[0].replace("_", " "))
    found = read_terminal(text, command)
    if not found:
        raise RecordingError(f"{path}: no answer of a `print` is recognised in this text")
    return {command: rows for command, rows in found.items() if rows is not None}


def read_file(path: Path) -> Recorded:
    """The recordings of one file: rows as JSON, or the text of a terminal."""
    return {command_of(path.name): read_rows(path)} if path.suffix == ".json" else read_screen(path)


def read_folder(folder: Path) -> Recorded:
    """All recordings of one folder, by command: ``*.json``, and terminal texts with ``print`` in their name."""
    recorded: Recorded = {}
    for file in sorted(folder.glob("*")):
        if file.suffix == ".json" or (file.suffix in {"", ".raw"} and "print" in file.name and file.is_file()):
            recorded |= read_file(file)
    if not recorded:
        raise RecordingError(f"{folder}: no recordings (*.json, *print*) here")
    return recorded


def recorded_version(recorded: Recorded, otherwise: str) -> str:
    """The version the recording itself names."""
    resource = recorded.get("/system/resource/print", [])
    return resource[0].get("version", otherwise) if resource else otherwise


class ReplayEngine(Engine):
    """Answers from recordings and knows nothing else."""

    def __init__(self, router: SimulatedRouter, recorded: Recorded) -> None:
        super().__init__(router)
        self._recorded = recorded

    def menu_of(self, path: str) -> Menu | None:
        """A menu that was recorded."""
        rows = self._recorded.get(f"{path}/print")
        return None if rows is None else Menu(lambda _: [dict(row) for row in rows])

    def missing(self, _path: str) -> RouterTrap:
        """Nothing else was recorded."""
        return RouterTrap("no such command", 0)

    def recorded(self, request: Request, frame: Frame) -> bytes | None:
        """The recorded answer to a command that is no ``print``."""
        if request.verb == "listen":
            return None
        rows = self._recorded.get(request.command)
        if not rows:
            raise self.missing(request.menu)
        return frame.rows(encode_rows(rows, request.proplist)) + frame.done()


# -- SNMP -------------------------------------------------------------------------------


def _hex(text: str) -> bytes:
    return ber.octets(bytes.fromhex(text))


def _address(text: str) -> bytes:
    return ber.wrap(ber.IP_ADDRESS, bytes(int(part) for part in text.split(".")))


def _latin(text: str) -> bytes:
    return ber.octets(text.encode("utf-8", "surrogateescape"))


def _escaped(text: str) -> bytes:
    """Bytes written as ``\\x00`` among plain letters."""
    raw = text.encode("utf-8", "surrogateescape")
    return ber.octets(re.sub(rb"\\x([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), raw))


# Tags of snmpsim's format (facts/ont-snmp.md, 14.2).
_TAGS: dict[str, Callable[[str], bytes]] = {
    "2": lambda text: ber.integer(int(text)),
    "4": _latin,
    "4x": _hex,
    "4e": _escaped,
    "5": lambda _: ber.wrap(ber.NULL, b""),
    "6": lambda text: ber.object_id(ber.parse_oid(text)),
    "64": _address,
    "64x": lambda text: ber.wrap(ber.IP_ADDRESS, bytes.fromhex(text)),
    "65": lambda text: ber.counter32(int(text)),
    "66": lambda text: ber.gauge(int(text)),
    "67": lambda text: ber.integer(int(text) & 0xFFFFFFFF, ber.TIME_TICKS),
    "70": lambda text: ber.counter64(int(text)),
}


def read_snmprec(path: Path) -> Tree[None]:
    """All objects of a recorded walk. Of two lines with the same name the first counts."""
    objects: dict[ber.Oid, Callable[[None], bytes]] = {}
    with path.open(encoding="utf-8", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            name, bar, rest = line.rstrip("\r\n").partition("|")
            tag, second, text = rest.partition("|")
            encode = _TAGS.get(tag)
            if not bar or not second or encode is None:
                raise RecordingError(f"{path}:{number}: not a line of OID|tag|value with a known tag")
            try:
                value = encode(text)
                objects.setdefault(ber.parse_oid(name), _always(value))
            except ValueError as error:
                raise RecordingError(f"{path}:{number}: {error}") from error
    return Tree(objects)


def _always(value: bytes) -> Callable[[None], bytes]:
    return lambda _: value
