"""Send samples to a store: whatever it will never take is found by halving, set aside and counted; all else arrives."""

import enum
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kampungnet.metrics import series
from kampungnet.metrics.series import Part, Taken
from kampungnet.metrics.store import Answer, Said

log = logging.getLogger(__name__)

AHEAD_MS: Final = 300_000
"""One sample further ahead blinds Prometheus 2.42 until its log is deleted."""
MARGIN_MS: Final = 3_600_000
"""What is this close to the end of the window is not sent: it would be too old when it arrives."""
BLIND_MS: Final = 1_800_000
"""A store that calls a sample this fresh too old has taken one from the future, and takes nothing any more."""
MOST_CULPRITS: Final = 200
"""Of one request; what is still refused then is set aside together."""


class Reason(enum.StrEnum):
    """Why a sample is in no store."""

    FUTURE = "future"
    TOO_OLD = "too_old"
    REFUSED = "refused"


class When(NamedTuple):
    """Now, and how far back the store takes samples; in ms."""

    now_ms: int
    window_ms: int


class Away(Exception):
    """The store takes nothing now. Nothing is lost: ask it again."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


@dataclass
class Dropped:
    """How many samples were set aside for one reason, and the last of them."""

    samples: int = 0
    example: str = ""
    written: int = 0
    """How many of them stand in the database."""


@dataclass
class Sender:
    """Sends requests, and keeps count; several threads may deliver at once."""

    send: Callable[[bytes], Answer]
    taken: int = 0
    dropped: dict[Reason, Dropped] = field(default_factory=dict)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def drop(self, reason: Reason, samples: int, example: str) -> None:
        """Count samples that no store gets; the first of each reason is told in the log."""
        with self._counting:
            known = self.dropped.setdefault(reason, Dropped())
            if not known.samples:
                log.warning("samples are dropped (%s), counted, kept in the database; the first: %s", reason, example)
            known.samples += samples
            known.example = example

    def deliver(self, parts: list[Part], now_ms: int) -> None:
        """Send a request, in halves where the store refuses something in it. Raises ``Away``."""
        waiting, culprits = [parts], 0
        while waiting:
            part = waiting.pop()
            answer = self.send(series.request(part))
            number = series.number_of(part)
            if answer.said is Said.TAKEN:
                with self._counting:
                    self.taken += number
            elif answer.said is Said.LATER:
                raise Away(answer)
            elif number > 1 and culprits < MOST_CULPRITS:
                first, second = series.halves(part)
                waiting += [second, first]
            else:
                culprits += 1
                self._set_aside(part, answer, now_ms)

    def _set_aside(self, parts: list[Part], answer: Answer, now_ms: int) -> None:
        part = parts[0]
        at_ms, value = series.instant_of(part.samples), series.value_of(part.samples)
        if answer.is_window and now_ms - at_ms < BLIND_MS:
            text = f"the store calls samples of now too old: it took one from the future and is blind ({answer.text})"
            raise Away(Answer(Said.LATER, text))
        reason = Reason.TOO_OLD if answer.is_window else Reason.REFUSED
        self.drop(reason, series.number_of(parts), f"{part.of} {value} at {at_ms} ms: {answer.text}")


def in_time(sender: Sender, polls: Iterable[Taken], when: When) -> Iterator[Taken]:
    """Yield polls, but not those whose time would harm the store: they are counted."""
    for taken in polls:
        reason = time_problem(taken.times[0], when)
        if reason is None:
            yield taken
        else:
            example = f"{taken.labels['village']} {taken.labels['device']} at {taken.times[0]} ms"
            sender.drop(reason, series.count(taken), example)


def time_problem(taken_ms: int, when: When) -> Reason | None:
    """Return why a poll of this time is not sent, if so."""
    if taken_ms > when.now_ms + AHEAD_MS:
        return Reason.FUTURE
    return Reason.TOO_OLD if taken_ms < when.now_ms - when.window_ms + MARGIN_MS else None
