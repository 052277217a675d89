"""Log lines for people: plain text on standard error, and nothing a device sends can forge a line."""

import logging
import re
from collections import deque

MOST_LINES = 400
MAX_LINE = 500

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
        self.lines: deque[str] = deque(maxlen=MOST_LINES)
        self.setFormatter(PlainFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, a traceback too."""
        self.lines.extend(line[:MAX_LINE] for line in self.format(record).splitlines())


def recent_lines() -> list[str]:
    """Return the newest lines that were logged, oldest first."""
    return [line for one in logging.getLogger().handlers if isinstance(one, Recent) for line in one.lines]


def start_logging(*, verbose: bool = False) -> None:
    """Log to standard error; ``verbose`` shows what goes well, too."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter())
    logging.basicConfig(handlers=[handler, Recent()], level=logging.INFO if verbose else logging.WARNING, force=True)
