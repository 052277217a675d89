"""Sequence numbers that are never given twice, whatever happens to the spool file.

A small file beside the spool reserves numbers in blocks, and spool and file both remember
which block and which start they last saw. A spool that remembers less than the file is an
old copy put back, and its successor starts above everything that was ever reserved.
"""

from pathlib import Path

import msgspec

from kampungnet.shared import wire
from kampungnet_agent.safe_file import replace_file

BLOCK = 1000


class Mark(msgspec.Struct, frozen=True):
    """What spool and side file each remember."""

    reserved: int = 0
    """Highest number that may have been given out."""
    opens: int = 0
    """How often a spool was opened here."""
    last: int = 0
    """Highest number certainly given out when this was written."""

    def is_older_than(self, other: "Mark") -> bool:
        """Tell whether ``other`` saw something that this one did not."""
        return self.reserved < other.reserved or self.opens < other.opens or self.last < other.last


class Numbers:
    """Gives out the numbers of one spool."""

    def __init__(self, path: Path, last: int, reserved: int, opens: int) -> None:
        self._path = path
        self.last = last
        self.reserved = reserved
        self.opens = opens

    def take(self) -> int:
        """Give out the next number; it must be inside the reserved block."""
        if self.used_up:
            raise AssertionError("a number above the reserved block would not survive a lost spool")
        self.last += 1
        return self.last

    @property
    def used_up(self) -> bool:
        """Tell whether :meth:`reserve` has to come before the next number."""
        return self.last >= self.reserved

    def next_block(self) -> int:
        """Return the end of the block to reserve next."""
        return max(self.reserved, self.last) + BLOCK

    def write(self, reserved: int) -> None:
        """Make ``reserved`` durable; only then numbers up to it may be given out."""
        replace_file(self._path, msgspec.json.encode(Mark(reserved, self.opens, self.last)))
        self.reserved = reserved


def read_mark(path: Path) -> Mark | None:
    """Read the side file; ``None`` when there is none or it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mark)
    except (OSError, *wire.UNREADABLE):
        return None


def first_number(spool: Mark | None, side: Mark | None, lowest: int) -> int:
    """Return the last number to regard as given out when a spool is opened.

    ``spool`` is what the spool remembers (``None``: it is new), ``side`` the side file;
    ``lowest`` is used when a spool was lost and nobody remembers anything.
    """
    if spool is None:
        return side.reserved if side is not None else lowest
    if side is None or not spool.is_older_than(side):
        return spool.last
    return max(side.reserved, spool.reserved, spool.last)
