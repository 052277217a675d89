"""How RouterOS writes values (facts/routeros.md, section 4)."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from kampungnet_sim.models import RosVersion
from kampungnet_sim.village_day import WIB_SECONDS

_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_SIZES = {"h": 3_600.0, "m": 60.0, "s": 1.0, "": 1.0, "ms": 1e-3, "us": 1e-6}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def boolean(value: bool) -> str:
    """``true`` or ``false``."""
    return "true" if value else "false"


def duration(seconds: float) -> str:
    """Whole seconds as ``1w4d23h26m9s``; nothing at all is ``0s``."""
    return _duration(int(seconds))


@lru_cache(maxsize=1 << 15)
def _duration(left: int) -> str:
    parts = []
    for letter, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"


def read_seconds(text: str, otherwise: float) -> float:
    """``1m30s``, ``200ms`` or a bare number of seconds, as clients give it."""
    if not re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ms|us|[hms])?)+", text):
        return otherwise
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|us|[hms])?", text)
    return sum(float(number) * _SIZES[size] for number, size in parts)


_SPAN = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_CLOCK = re.compile(r"(?:(?:(\d+)w)?(\d+)d)?\s?(\d+):(\d\d):(\d\d)")


def read_duration(text: str) -> int | None:
    """Whole seconds of ``1w4d23h26m9s``, ``1d02:03:04`` or ``3600``; 0 for ``none``; None when it is no duration."""
    if text in ("none", "never"):
        return 0
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return ((weeks * 7 + days) * 24 + hours) * 3_600 + minutes * 60 + seconds
    span = _SPAN.fullmatch(text)
    if span is None or not text:
        return None
    return sum(int(part or 0) * size for part, (_, size) in zip(span.groups(), _UNITS, strict=True))


def short_duration(milliseconds: float, version: RosVersion) -> str:
    """A ping time: ``9ms445us`` in v7, whole ``9ms`` in v6."""
    whole = int(milliseconds)
    micros = round((milliseconds - whole) * 1000)
    if version.major < 7:
        return f"{whole}ms"
    return f"{whole}ms{micros}us" if micros else f"{whole}ms"


def bits_per_second(rate: str) -> str:
    """The first pair of a ``rate-limit`` (``512k/4M 1M/8M ...``) as a queue prints it: up/down, 0 for no limit."""
    up, _, down = rate.split(" ", 1)[0].partition("/")
    found = [re.fullmatch(r"(\d+)([kM]?)", one) for one in (up, down or up)]
    plain = [int(one[1]) * {"": 1, "k": 1_000, "M": 1_000_000}[one[2]] if one else 0 for one in found]
    return f"{plain[0]}/{plain[1]}"


def local(when: float) -> datetime:
    """The router's own wall clock, WIB, without a zone as it prints it."""
    return datetime.fromtimestamp(when + WIB_SECONDS, tz=UTC)


def date_text(when: float, version: RosVersion) -> str:
    """``2026-08-01`` from 7.10, ``aug/01/2026`` before."""
    moment = local(when)
    if version.iso_dates:
        return f"{moment:%Y-%m-%d}"
    return f"{_MONTHS[moment.month - 1]}/{moment:%d/%Y}"


def time_text(when: float) -> str:
    """``14:03:11``, local."""
    return f"{local(when):%H:%M:%S}"


def stamp(when: float, version: RosVersion) -> str:
    """Date and time as in ``last-link-up-time``."""
    return f"{date_text(when, version)} {time_text(when)}"


def log_time(when: float, now: float, version: RosVersion) -> str:
    """Log rows before 7.10: the time alone today, month and day this year."""
    if version.iso_dates:
        return stamp(when, version)
    then, today = local(when), local(now)
    if then.date() == today.date():
        return f"{then:%H:%M:%S}"
    return f"{_MONTHS[then.month - 1]}/{then:%d %H:%M:%S}"
