"""Device bytes to values, one field at a time: no guessing of types, nothing raises.

Formats of RouterOS values: facts on RouterOS, section 4 (recorded by napalm-ros and Home
Assistant). What cannot be read is ``None``, which is not 0. Every result fits the limits of
``kampungnet.shared.wire``, because msgspec checks a value when it arrives, not when it is made.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, cast

LARGEST_COUNT: Final = 2**63 - 1
_LONGEST_COUNT: Final = len(str(LARGEST_COUNT))
_EXCERPT_LENGTH: Final = 120
_NUMBER: Final = re.compile(rb"\s*([+-]?\d{1,15}(?:\.\d{1,15})?)\s*([A-Za-z%]{0,10})\s*")
_LONGEST_NUMBER: Final = 60
_PING_TIME: Final = re.compile(rb"(?:(\d{1,9})ms)?(?:(\d{1,9})us)?")
_DURATION: Final = re.compile(
    rb"(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?(?:(\d{1,9})us)?"
)
_OLD_DURATION: Final = re.compile(rb"(?:(\d{1,9})w)?(?:(\d{1,9})d)?(\d{1,9}):(\d\d):(\d\d)")
_LONGEST_DURATION: Final = 60
_MILLISECONDS: Final = (604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1, 0.001)


def text(raw: bytes | None, longest: int = 200) -> str:
    """Return what a person typed: UTF-8, else Latin-1, which never fails; no NUL, at most ``longest`` characters.

    NUL is dropped because devices pad with it and PostgreSQL refuses it in text.
    """
    if not raw:
        return ""
    try:
        decoded = raw.decode()
    except UnicodeDecodeError:
        decoded = raw.decode("latin-1")
    if "\0" in decoded:
        decoded = decoded.replace("\0", "")
    return decoded[:longest]


def count(raw: bytes | None) -> int | None:
    """Return a 64-bit counter, ``None`` when missing, not digits or too large."""
    if raw == b"0":  # most errors, drops and counters of idle ports
        return 0
    if raw is None or len(raw) > _LONGEST_COUNT or not raw.isdigit():
        return None
    value = int(raw)
    return value if value <= LARGEST_COUNT else None


def counts(raws: Sequence[bytes | None]) -> list[int | None]:
    """Return several counters of one row; where all are there, or none is, with one look at all of them."""
    if not any(raws):
        return [None] * len(raws)
    if all(raws):
        there = cast(Sequence[bytes], raws)
        if b"".join(there).isdigit() and max(map(len, there)) < _LONGEST_COUNT:
            return [*map(int, there)]
    return [*map(count, raws)]


def percent(raw: bytes | None) -> int | None:
    """Return 0 to 100, with or without the sign."""
    value = count(raw.removesuffix(b"%")) if raw is not None else None
    return value if value is not None and value <= 100 else None


def boolean(raw: bytes | None) -> bool | None:
    """Return a RouterOS boolean; very old versions say ``yes`` and ``no``."""
    if raw in {b"true", b"yes"}:
        return True
    if raw in {b"false", b"no"}:
        return False
    return None


def number_and_unit(raw: bytes | None) -> tuple[float, str] | None:
    """Return ``12.1V`` as ``(12.1, "V")``; the unit is often missing."""
    return _number_and_unit(raw) if raw and len(raw) <= _LONGEST_NUMBER else None


@lru_cache(maxsize=256)  # voltages, temperatures and levels of light come back again and again
def _number_and_unit(raw: bytes) -> tuple[float, str] | None:
    found = _NUMBER.fullmatch(raw)
    return (float(found[1]), found[2].decode()) if found else None


def number_within(raw: bytes | None, low: float, high: float) -> float | None:
    """Return ``-22.5dBm`` as -22.5, ``None`` outside ``low`` to ``high``: devices mark "no value" by absurd numbers."""
    found = number_and_unit(raw)
    return found[0] if found and low <= found[0] <= high else None


def pair(raw: bytes | None, separator: bytes) -> tuple[int | None, int | None]:
    """Return ``123/456`` or ``123,456`` as two counters."""
    if not raw:
        return None, None
    first, _, second = raw.partition(separator)
    return count(first), count(second)


def milliseconds(raw: bytes | None) -> float | None:
    """Return a duration such as ``1w4d23h26m9s``, ``9ms445us`` or ``1d02:03:04`` in milliseconds."""
    return _duration(raw) if raw and len(raw) <= _LONGEST_DURATION else None


def seconds(raw: bytes | None) -> int | None:
    """Return a duration in whole seconds, as uptime is printed."""
    return _whole_seconds(raw) if raw and len(raw) <= _LONGEST_DURATION else None


# Tables repeat the same few durations hundreds of times, "0s" above all.
@lru_cache(maxsize=512)
def _whole_seconds(raw: bytes) -> int | None:
    value = _duration(raw)
    return None if value is None else int(value / 1000)


@lru_cache(maxsize=512)
def _duration(raw: bytes) -> float | None:
    found = _PING_TIME.fullmatch(raw)
    if found:  # three new ones at every poll
        return int(found[1] or 0) + int(found[2] or 0) * 0.001
    found = _DURATION.fullmatch(raw)
    if found:
        return sum(int(part) * unit for part, unit in zip(found.groups(), _MILLISECONDS, strict=True) if part)
    found = _OLD_DURATION.fullmatch(raw)
    if found:
        return sum(int(part) * unit for part, unit in zip(found.groups(), _MILLISECONDS, strict=False) if part)
    return None


def excerpt(raw: bytes) -> str:
    """Return the start of bytes nobody understood: printable, at most 120 characters, no secret.

    A port that echoes (or a proxy that does) sends our own login back; nothing after the word
    that carries a password is shown.
    """
    for marker in (b"=password=", b"=response="):
        raw = raw.partition(marker)[0]
    shown = raw[: _EXCERPT_LENGTH * 2].decode("latin-1")
    return "".join(character if character.isprintable() else "." for character in shown)[:_EXCERPT_LENGTH]
