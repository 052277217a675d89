"""Answers of one poll by question name, and how refused ones are told. Pure."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from .fields import count, text
from .mikrotik_questions import Question
from .routeros_sentences import MOST_REMEMBERED, Row
from .routeros_wire import Reply

Value = TypeVar("Value")
LONGEST_ENTRY: Final = 200
_MISUNDERSTOOD: Final = (
    "unknown parameter",
    "expected end of command",
    "invalid value",
    "ambiguous value",
    "input does not match",
    "missing value",
)
"""How RouterOS begins to speak of arguments a version does not know (facts 5)."""


@dataclass(frozen=True, slots=True)
class Answers:
    """All that is known when a poll ends."""

    replies: Mapping[str, Reply]
    missing: list[str] = field(default_factory=list)
    """What could not be had, by name; grows while the reading is made."""

    def __contains__(self, name: str) -> bool:
        """Tell whether it was asked and answered without a refusal."""
        reply = self.replies.get(name)
        return reply is not None and not reply.traps

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a list, empty when it could not be had."""
        reply = self.replies.get(name)
        return reply.rows if reply else []

    def row(self, name: str) -> Row:
        """Return the only row of a one-row menu."""
        rows = self.rows(name)
        return rows[0] if rows else {}

    def number(self, name: str) -> int | None:
        """Return the answer to a ``count-only`` question."""
        reply = self.replies.get(name)
        return count(reply.ret) if reply else None

    def total(self, questions: Iterable[Question]) -> int | None:
        """Return the sum of those counts that exist, ``None`` without any."""
        known = [number for one in questions if (number := self.number(one.name)) is not None]
        return sum(known) if known else None

    def limited(self, name: str, rows: list[Row], most: int) -> list[Row]:
        """Return at most ``most`` rows, and name it in ``missing`` when there are more."""
        reply = self.replies.get(name)
        there = len(rows) + (reply.left_out if reply else 0)
        if there > most:
            self.missing.append(f"{name}: {there} on the router, {most} reported")
        return rows[:most]


def is_missing_menu(reply: Reply) -> bool:
    """Tell whether this router has no such menu: a version, a package or a board without it."""
    return bool(reply.traps) and any(str(trap).startswith("no such command") for trap in reply.traps)


def is_forbidden(reply: Reply) -> bool:
    """Tell whether the API user lacks a right for it."""
    return any("permission" in str(trap) for trap in reply.traps)


def is_unresolved(reply: Reply) -> bool:
    """Tell whether the router looked for a name and found none.

    A missing right, or a version that does not understand the question, says nothing about the resolver.
    """
    if not reply.traps:
        return not reply.ret
    understood = not any(str(trap).startswith(_MISUNDERSTOOD) for trap in reply.traps)
    return understood and not is_forbidden(reply)


def reason_of(reply: Reply) -> str:
    """Return why a command was refused, without the number RouterOS puts behind some texts."""
    if reply.late:
        return "no answer in time"
    return "; ".join(re.sub(r" \(\d+\)$", "", str(trap)) for trap in reply.traps)


def refusal(question: Question, reply: Reply) -> str:
    """Return the ``missing`` entry of a refused command, with the right it lacks."""
    right = f" (right: {question.right})" if is_forbidden(reply) else ""
    return f"{question.name}: {reason_of(reply)}{right}"[:LONGEST_ENTRY]


def refusals(asked: Iterable[Question], replies: Mapping[str, Reply]) -> Iterator[str]:
    """Name every command that was refused, or broke off after some rows.

    A name that did not resolve is an answer, not a refusal.
    """
    for question in asked:
        reply = replies.get(question.name)
        if reply is None or not reply.traps:
            continue
        if not question.name.startswith("lookup ") or not is_unresolved(reply):
            yield refusal(question, reply)


def absences(gone: Collection[Question], left: Collection[Question], replies: Mapping[str, Reply]) -> Iterator[str]:
    """Name the menus this router does not have; of a group only when it has none of them."""
    present = {question.group for question in left}
    told: set[str] = set()
    for question in gone:
        if not question.group:
            yield refusal(question, replies[question.name])
        elif question.group not in present | told:
            told.add(question.group)
            yield f"{question.group}: no such menu on this router"


Made = dict[int, tuple[Row, Value]]
"""Values by the ``id`` of the row they were made of; it holds the row, so that no other can have that ``id``."""


def made_of(rows: Sequence[Row], make: Callable[[Row], Value], made: Made[Value]) -> list[Value]:
    """Return a value of each row, made anew unless the row is the very object it was at the last look (``made``)."""
    look = {id(row): made.get(id(row)) or (row, make(row)) for row in rows}
    made.clear()
    if sum(map(len, rows)) <= MOST_REMEMBERED:
        made.update(look)
    return [look[id(row)][1] for row in rows]


def name_of(row: Row, key: bytes = b"name") -> str:
    """Return a name as the wire takes it: 1 to 100 characters."""
    return text(row.get(key), 100) or "?"
