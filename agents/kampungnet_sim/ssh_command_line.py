"""What a device's command line is to the terminal that shows it: lines in, lines out, and its manners."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one line. ``question`` waits for one more line before the prompt; ``end`` logs out."""

    lines: Sequence[str] = ()
    question: str = ""
    end: bool = False
    # The device never says anything again: some commands hang the session (facts/ont-snmp.md, 9.1).
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class Pager:
    """What stands under a full screen, and how it is wiped away before the next."""

    text: str
    wipe: str
    rows: int = 22


# ZTE and small OLTs go back over the word with backspaces; Huawei moves the cursor.
PLAIN_PAGER = Pager("--More--", "\b" * 8 + " " * 8 + "\b" * 8)
HUAWEI_PAGER = Pager("---- More ( Press 'Q' to break ) ----", "\x1b[37D" + " " * 37 + "\x1b[37D")


class CommandLine(Protocol):
    """One login. It lives in the event loop; the terminal asks from a thread of its own."""

    # Shown after the login, escape codes and all.
    greeting: str

    def prompt(self) -> str:
        """What stands before the cursor now."""

    def pager(self) -> Pager | None:
        """How long answers are stopped; None when that is switched off."""

    def execute(self, line: str) -> Reply:
        """Carry out one line."""

    def log_line(self) -> str:
        """A message that may appear in the middle of an answer; empty when it is switched off."""


def words(line: str) -> list[str]:
    """A line without extra blanks and the codes of arrow keys."""
    return line.replace("\x1b", "").split()
