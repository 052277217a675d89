"""The router's log: each line of topics hotspot, critical and account once, no secret in it."""

import re
from typing import Final

from kampungnet.shared.wire import LogLine

from .fields import text
from .mikrotik_answers import Answers
from .routeros_sentences import Row

TOPICS: Final = frozenset({b"hotspot", b"critical", b"account"})
MOST_LINES: Final = 50
LONGEST_MESSAGE: Final = 500
_REBOOT_SLACK_SECONDS: Final = 10.0
_SECRET: Final = re.compile(
    r"((?:pass(?:word|wd|phrase)?|pwd|secret|sandi|psk|token)[\"']?\s*[=:]\s*)(\"[^\"]*\"|\S+)", re.IGNORECASE
)


class LogFollower:
    """Remembers the last row seen; ids grow within one boot of the router and start anew after it (facts 7.13).

    It outlives connections. At first sight it only learns where the log ends: what an agent
    before it reported is not reported again.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._last: int | None = None
        self._seen: set[bytes] = set()
        """Ids of the last look."""
        self._boot = 0.0

    def note_uptime(self, uptime_seconds: int | None, now: float) -> None:
        """See whether the router started anew; ``now`` is any clock in seconds that only goes forward."""
        if uptime_seconds is None:
            return
        boot = now - uptime_seconds
        if self._last is not None and boot > self._boot + _REBOOT_SLACK_SECONDS:
            self._last, self._seen = 0, set()
        self._boot = boot

    def new_lines(self, answers: Answers) -> list[LogLine]:
        """Return the newest lines not returned before, at most 50; more are named in ``missing``."""
        if "log" not in answers:
            return []
        rows = {row.get(b".id", b""): row for row in answers.rows("log")}
        # of hundreds of rows nearly all were there at the last look: only the others are worth a number
        fresh = [(number, rows[raw]) for raw in rows.keys() - self._seen if (number := _number(raw)) is not None]
        goes_on = not rows or not self._seen.isdisjoint(rows)
        last, self._seen = self._last, set(rows)
        self._last = max([last or 0 if goes_on else 0, *(number for number, _ in fresh)])
        if last is None:
            return []
        later = sorted((numbered for numbered in fresh if numbered[0] > last), key=_by_number)
        new = [row for _, row in later if _concerns_us(row)]
        if len(new) > MOST_LINES:
            answers.missing.append(f"log: {len(new)} new lines, the last {MOST_LINES} reported")
        return [self._line(row) for row in new[-MOST_LINES:]]

    def _line(self, row: Row) -> LogLine:
        return LogLine(
            time=text(row.get(b"time")),
            topics=text(row.get(b"topics")),
            message=masked(text(row.get(b"message"), 4 * LONGEST_MESSAGE), self._secret)[:LONGEST_MESSAGE],
        )


def masked(message: str, secret: str) -> str:
    """Return a message without ``secret`` and without what stands behind words like ``password=``."""
    if len(secret) > 2:  # shorter ones would blacken every second word
        message = message.replace(secret, "***")
    return _SECRET.sub(r"\1***", message)


def _by_number(numbered: tuple[int, Row]) -> int:
    return numbered[0]


def _number(raw: bytes) -> int | None:
    """Return a row's id, ``*1A``, as a number."""
    try:
        return int(raw[1:17], 16) if raw.startswith(b"*") and len(raw) <= 17 else None
    except ValueError:
        return None


def _concerns_us(row: Row) -> bool:
    return not TOPICS.isdisjoint(row.get(b"topics", b"").split(b","))
