"""The tape of ``kampungnet-agent record``: what a device really answered, before anybody made sense of it.

The session classes of the drivers put their answers on the tape that ``TAPE`` holds. Everywhere but in that one
command it holds none, and a poll pays one look at it for each round of questions.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

Oid = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One RouterOS command and all that answered it."""

    command: bytes
    """As sent, without tag: words with their lengths."""
    rows: Sequence[Mapping[bytes, bytes]]
    traps: Sequence[tuple[str, int | None]]
    """Message and category."""
    ret: bytes | None


@dataclass(slots=True)
class Tape:
    """What one poll heard, in the order in which it came."""

    exchanges: list[Exchange] = field(default_factory=list)
    objects: dict[Oid, int | bytes | str] = field(default_factory=dict)
    """SNMP: what the device had, by name; a number, raw text, or a dotted OID."""
    transcript: list[tuple[str, str]] = field(default_factory=list)
    """SSH: command and answer, both as text; first, without a command, the greeting up to the prompt."""


TAPE: Final[ContextVar[Tape | None]] = ContextVar("TAPE", default=None)
