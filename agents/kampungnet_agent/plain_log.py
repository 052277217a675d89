"""Log lines for people: plain text on standard error, and nothing a device sends can forge a line."""

import logging
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MOST_LINES = 400
"""Of all offices in the process together."""
MAX_LINE = 500

_whose: ContextVar[str | None] = ContextVar("whose", default=None)
"""The office at work; empty: the process itself; ``None``: nobody said so, as in a thread of a library."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return ``text`` with every control character shown as its escape."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class PlainFormatter(logging.Formatter):
    """``time level text``; control characters of the message are shown, a traceback keeps its lines."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Format one record on one line."""
        return printable(super().formatMessage(record))


class Recent(logging.Handler):
    """Keeps the newest lines in memory, for whoever helps."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[tuple[str | None, str]] = deque(maxlen=MOST_LINES)
        """Whose each line is, and the line."""
        self.setFormatter(PlainFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, a traceback too."""
        whose = _whose.get()
        self.lines.extend((whose, line[:MAX_LINE]) for line in self.format(record).splitlines())


@contextmanager
def lines_of(office: str) -> Iterator[None]:
    """Let what is logged in here, and in the tasks that are begun in here, be that office's; empty: the process's."""
    before = _whose.set(office)
    try:
        yield
    finally:
        _whose.reset(before)


def recent_lines(office: str = "") -> list[str]:
    """Return the newest lines that were logged, oldest first.

    With an ``office``, of several in this process, only its own lines and the process's: what nobody knows to be
    whose may be another office's.
    """
    kept = [one.lines for one in logging.getLogger().handlers if isinstance(one, Recent)]
    # Copied in one step: other threads log meanwhile.
    return [line for lines in kept for whose, line in list(lines) if not office or whose in {"", office}]


@contextmanager
def logged(*, verbose: bool = False) -> Iterator[None]:
    """Log to standard error while a command runs, then leave logging as it was; ``verbose``: what goes well, too."""
    root, to_people = logging.getLogger(), logging.StreamHandler()
    level, added = root.level, (to_people, Recent())
    to_people.setFormatter(PlainFormatter())
    for handler in added:
        root.addHandler(handler)
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in added:
            root.removeHandler(handler)
            handler.close()
