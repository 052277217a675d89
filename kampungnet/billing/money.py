"""Pure: whole rupiah and exact fractions. How they are rounded, split, read as people write them, and written.

An amount is an ``int`` of whole rupiah; what is not whole yet is a ``Fraction``. A float is accepted at one place
only: a cell of a spreadsheet, and there only when it is a whole number (facts on billing 9.3, 9.4).
"""

import re
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from kampungnet.core.languages import N_

MOST: Final = 10**15
"""A thousand trillion: larger than any budget of a regency, small enough for every spreadsheet to hold exactly."""

_PREFIX: Final = re.compile(r"\A(?:rp\.?|idr)\s*", re.IGNORECASE)
_TAIL: Final = re.compile(r"(?:\s*[,.]?\s*(?:-{1,2}|–|=))\Z")
_PLAIN: Final = re.compile(r"\d+")
_INDONESIAN: Final = re.compile(r"(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?")
_ENGLISH: Final = re.compile(r"(\d{1,3}(?:,\d{3}){2,}|\d{1,3}(?:,\d{3})+(?=\.)|\d+)(?:\.(\d{1,2}))?")
_DOUBTFUL: Final = re.compile(r"\d{1,3},\d{3}|0\.\d{3}")


class Rounding(StrEnum):
    """How an exact amount becomes whole rupiah."""

    NONE = "none"
    """Whole already."""
    DOWN = "down"
    NEAREST = "nearest"
    """0,50 goes up."""


class AmountUnreadable(ValueError):
    """An amount that a person wrote and we will not guess. ``sentence`` is a text of the catalogue."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def rounded(exact: Fraction | int, how: Rounding) -> int:
    """Return whole rupiah. The sign is kept: what is taken off is rounded as what is added would be."""
    size, parts = abs(exact.numerator), exact.denominator
    if how is Rounding.NONE and parts != 1:
        raise ValueError(f"{exact} is not a whole number of rupiah")
    # In whole numbers: a page of 401 villages writes thousands of amounts, and adding a half as a fraction is slow.
    whole = (2 * size + parts) // (2 * parts) if how is Rounding.NEAREST else size // parts
    return whole if exact.numerator >= 0 else -whole


def down(exact: Fraction) -> int:
    """Return whole rupiah, rounded towards zero."""
    return rounded(exact, Rounding.DOWN)


def split(amount: int, parts: int) -> tuple[int, ...]:
    """Split an amount into parts that add up to it; the first ones take a rupiah of the remainder each."""
    share, rest = divmod(amount, parts)
    return tuple(share + (n < rest) for n in range(parts))


def shared_out(amount: int, weights: tuple[int, ...]) -> tuple[int, ...]:
    """Share an amount out by weights; the parts add up to it, each within a rupiah of its exact share."""
    total, done, seen, parts = sum(weights), 0, 0, []
    for weight in weights:
        seen += weight
        upto = amount * seen // total
        parts.append(upto - done)
        done = upto
    return tuple(parts)


def read(written: str | float | Decimal) -> int:
    """Return the whole rupiah that a person or a spreadsheet wrote. Raises :class:`AmountUnreadable`.

    ``Rp. 2.500.000,-``, ``2.500.000,00``, ``2500000``, ``(2.500)`` and ``-2.500`` are read. English separators are read
    where they can mean nothing else (``2,500,000.00``); ``2,500`` could be either, and is refused.
    """
    if isinstance(written, str):
        return _bounded(_signed(written.replace("\N{NO-BREAK SPACE}", " ").strip()))
    if isinstance(written, bool) or (not isinstance(written, int) and not Decimal(written).is_finite()):
        raise AmountUnreadable(N_("This is not a number. Write the amount in rupiah, like 2.500.000."))
    if written != int(written):
        raise AmountUnreadable(N_("Amounts are whole rupiah. Leave the cents out, like 2.500.000."))
    return _bounded(int(written))


def _signed(text: str) -> int:
    if not text:
        raise AmountUnreadable(N_("The amount is missing. Write it in rupiah, like 2.500.000."))
    if text[0] == "(" and text[-1] == ")":
        return -_unsigned(text[1:-1].strip())
    if text[0] in "-\N{MINUS SIGN}":
        return -_unsigned(text[1:].strip())
    bare = _PREFIX.sub("", text)
    if bare != text and bare[:1] == "-" and len(bare) > 1:
        return -_unsigned(bare[1:].strip())
    return _unsigned(text)


def _unsigned(text: str) -> int:
    text = _TAIL.sub("", _PREFIX.sub("", text))
    if not text.isascii():
        raise AmountUnreadable(N_("This is not a number. Write the amount in rupiah, like 2.500.000."))
    if _PLAIN.fullmatch(text):
        return _number(text)
    if _DOUBTFUL.fullmatch(text):
        raise AmountUnreadable(
            N_("This can be read in two ways. Put dots between thousands and no decimals, like 2.500.000.")
        )
    found = _INDONESIAN.fullmatch(text) or _ENGLISH.fullmatch(text)
    if not found:
        raise AmountUnreadable(N_("This is not a number. Write the amount in rupiah, like 2.500.000."))
    if found[2] and int(found[2]):
        raise AmountUnreadable(N_("Amounts are whole rupiah. Leave the cents out, like 2.500.000."))
    return _number(found[1].replace(".", "").replace(",", ""))


def _number(digits: str) -> int:
    if len(digits) > 30:  # before int(), which refuses thousands of digits with an error of its own
        raise AmountUnreadable(N_("This amount is too large to be true. Check the number of digits."))
    return int(digits)


def _bounded(amount: int) -> int:
    if abs(amount) > MOST:
        raise AmountUnreadable(N_("This amount is too large to be true. Check the number of digits."))
    return amount


def figures(amount: int | Fraction, decimals: int = 0, marks: str = ".,") -> str:
    """Return 1.500.000 or 1.532.258,06: to the nearest, with the marks of thousands and of decimals."""
    units = rounded(amount * 10**decimals, Rounding.NEAREST)
    whole, part = divmod(abs(units), 10**decimals)
    text = f"{whole:,}".replace(",", marks[0])
    if decimals:
        text += f"{marks[1]}{part:0{decimals}}"
    return f"-{text}" if units < 0 else text


def rupiah(amount: int | Fraction, decimals: int = 0, marks: str = ".,") -> str:
    """Return Rp1.500.000, no space between, and -Rp5 (facts on billing 9.4 and 12)."""
    text = figures(amount, decimals, marks)
    return f"-Rp{text[1:]}" if text[0] == "-" else f"Rp{text}"


def in_brackets(amount: int, marks: str = ".,") -> str:
    """Return 1.500 or (1.500) when negative: how reports write it under "Lebih/(Kurang)"."""
    text = figures(amount, marks=marks)
    return f"({text[1:]})" if text[0] == "-" else text
