"""What an answer of the server means for the readings that were sent (operations 1.6, rule 6).

Pure: answer in, verdict out. When in doubt the readings are kept.
"""

import enum
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import msgspec

from kampungnet.shared import wire
from kampungnet_agent.line import Answer

MAX_RETRY_AFTER_SECONDS = 900.0


class Kind(enum.Enum):
    """Why there is no receipt."""

    FAILED = "failed"
    """Keep everything, try again soon."""
    REFUSED = "refused"
    """Something in this report will never be taken: find it."""
    DENIED = "denied"
    """The credential is not accepted: keep everything, try once an hour."""


class NoReceipt(NamedTuple):
    """A report that was not receipted."""

    kind: Kind
    sentence: str
    retry_after_seconds: float | None = None
    from_our_server: bool = False
    """The answer was one of our server's own problems, not a proxy's page."""


def judge(answer: Answer) -> wire.Receipt | NoReceipt:
    """Return the receipt, or what its absence means."""
    if 200 <= answer.status < 300:
        return _receipt(answer)
    problem = _problem(answer)
    sentence = f"the server answered {answer.status}{': ' + problem if problem else ''}"
    if answer.status in {400, 413, 422}:
        return NoReceipt(Kind.REFUSED, sentence, from_our_server=problem is not None)
    if answer.status in {401, 403}:
        return NoReceipt(Kind.DENIED, sentence)
    return NoReceipt(Kind.FAILED, sentence, retry_after(answer))


def retry_after(answer: Answer) -> float | None:
    """Return the seconds of ``Retry-After``, at most 15 minutes; a date counts from the answer's own ``Date``."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        if text.isdecimal():
            seconds = float(text[:9])
        else:
            # The box's clock may be wrong, the server's two dates are of one clock.
            now = parsedate_to_datetime(answer.headers["date"])
            seconds = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _receipt(answer: Answer) -> wire.Receipt | NoReceipt:
    if answer.is_json:
        try:
            return msgspec.json.decode(answer.body, type=wire.Receipt)
        except wire.UNREADABLE:
            pass  # as little a receipt as a portal's page
    return NoReceipt(Kind.FAILED, f"answer {answer.status} is not a receipt; does a login page or proxy stand between?")


def _problem(answer: Answer) -> str | None:
    """Return the sentence of our server's own error answer; ``None`` for anybody else's page."""
    if not answer.is_json:
        return None
    try:
        return msgspec.json.decode(answer.body, type=wire.Problem).detail[:300]
    except wire.UNREADABLE:
        return None
