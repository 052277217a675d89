"""Folders that ``kampungnet-agent record`` wrote: every question of that poll gets the answer it got then.

Drivers grow: a question that asks for other properties than then gets what was answered then. A question that was
not asked then gets what a device says to a command it does not know.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kampungnet_sim.replay import RecordingError, read_snmprec
from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_request import Frame, Request, attribute, parse_request
from kampungnet_sim.routeros_router import Moment, SimulatedRouter
from kampungnet_sim.routeros_tables import RouterTrap
from kampungnet_sim.routeros_user import RouterUser
from kampungnet_sim.snmp_tree import Tree
from kampungnet_sim.ssh_command_line import Pager, Reply

Sentences = list[list[str]]
Key = tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]

ROUTEROS_FILE, SNMP_FILE, SSH_FILE = "answers.json", "answers.snmprec", "answers.ssh.json"
ANY_PROMPT = "#"


@dataclass(frozen=True)
class RecordedDevice:
    """What one folder holds; a part is None when the device does not speak that protocol."""

    name: str
    sentences: dict[Key, Sentences] | None = None
    objects: Tree[None] | None = None
    said: dict[str, str] | None = None
    version: str = "6.49.10 (long-term)"


def read_recording(folder: Path) -> RecordedDevice:
    """Read a folder; RecordingError when it is none of ours."""
    routeros, snmp, ssh = (folder / name for name in (ROUTEROS_FILE, SNMP_FILE, SSH_FILE))
    if not any(file.is_file() for file in (routeros, snmp, ssh)):
        raise RecordingError(f"{folder}: no answers.* here; kampungnet-agent record writes such folders")
    sentences = _sentences(routeros) if routeros.is_file() else None
    return RecordedDevice(
        folder.name,
        sentences,
        read_snmprec(snmp) if snmp.is_file() else None,
        _said(ssh) if ssh.is_file() else None,
        _version(sentences) or RecordedDevice.version,
    )


def _load(path: Path, kind: str, part: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordingError(f"{path}: {error}") from error
    if not isinstance(found, dict) or found.get("kind") != kind or not isinstance(found.get(part), list):
        raise RecordingError(f"{path}: not a recording of {kind}")
    return list(found[part])


def _sentences(path: Path) -> dict[Key, Sentences]:
    found: dict[Key, Sentences] = {}
    for number, one in enumerate(_load(path, "routeros", "exchanges"), 1):
        try:
            request = parse_request(tuple(word.encode("utf-8", "surrogateescape") for word in one["ask"]))
            answer = [list(map(str, words)) for words in one["answer"]]
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise RecordingError(f"{path}: exchange {number} is not one of ask and answer") from error
        found[_key(request, exact=True)] = answer
        found.setdefault(_key(request), answer)
    return found


def _said(path: Path) -> dict[str, str]:
    try:
        return {str(one["ask"]): str(one["answer"]) for one in _load(path, "ssh", "answers")}
    except (KeyError, TypeError) as error:
        raise RecordingError(f"{path}: an entry is not one of ask and answer") from error


def _version(sentences: dict[Key, Sentences] | None) -> str:
    answers = (answer for key, answer in (sentences or {}).items() if key[0] == "/system/resource/print")
    words = (word for answer in answers for sentence in answer for word in sentence)
    return next((word.removeprefix("=version=") for word in words if word.startswith("=version=")), "")


def _key(request: Request, *, exact: bool = False) -> Key:
    """What makes a question another one: if not ``exact``, not which properties it wants."""
    arguments = {name: value for name, value in request.arguments.items() if exact or name != ".proplist"}
    return request.command, tuple(sorted(arguments.items())), request.query_words


class RecordedEngine(Engine):
    """Answers each question as it was answered then."""

    def __init__(self, router: SimulatedRouter, sentences: dict[Key, Sentences]) -> None:
        super().__init__(router)
        self._sentences = sentences

    def print(self, _user: RouterUser, request: Request, frame: Frame, _moment: Moment) -> bytes:
        """Answer ``print`` from the recording."""
        return self._answer(request, frame)

    def recorded(self, request: Request, frame: Frame) -> bytes | None:
        """Answer anything else from the recording, too."""
        return self._answer(request, frame)

    def check_rights(self, _user: RouterUser, _request: Request) -> None:
        """What was refused then is refused in the recording."""

    def _answer(self, request: Request, frame: Frame) -> bytes:
        answer = self._sentences.get(_key(request, exact=True)) or self._sentences.get(_key(request))
        if answer is None:
            raise RouterTrap("no such command", 0)
        return b"".join(_framed(sentence, frame) for sentence in answer)


def _framed(sentence: Sequence[str], frame: Frame) -> bytes:
    """Put the tag of the one who asks into a recorded sentence."""
    attributes = dict(word[1:].partition("=")[::2] for word in sentence[1:])
    if sentence[0] == "!re":
        return frame.rows([b"".join(attribute(name, value) for name, value in attributes.items())])
    if sentence[0] == "!trap":
        category = attributes.get("category")
        return frame.trap(attributes.get("message", ""), None if category is None else int(category))
    return frame.done(attributes.get("ret"))


@dataclass
class RecordedCommandLine:
    """A login on a device that was recorded."""

    said: dict[str, str]
    greeting: str = ""

    def __post_init__(self) -> None:
        """Greet as the device did, up to its prompt."""
        self.greeting = "".join(f"{line}\r\n" for line in self.said.get("", "").split("\n")[:-1])

    def prompt(self) -> str:
        """What stands before the cursor."""
        return self.said.get("", "").split("\n")[-1] or ANY_PROMPT

    def pager(self) -> Pager | None:
        """The pager's screens were put together when it was recorded."""
        return None

    def log_line(self) -> str:
        """Nothing happens in a recording."""
        return ""

    def execute(self, line: str) -> Reply:
        """Answer one line; a logout ends it."""
        command = line.strip()
        if command in {"quit", "exit", "logout"}:
            return Reply(end=True)
        answer = self.said.get(command)
        return Reply(("ERROR::Command is not existed",) if answer is None else answer.split("\n"))
