"""Pure: which fields differ between readings of one text, and their numbers.

Readings of one text differ in digits only. The text is read once more with marks in the place of its digits: where a
mark turns up, there its digits belong.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from operator import add, neg, truediv
from typing import Any, Final

import msgspec

from kampungnet.measurement import packing
from kampungnet.measurement.packing import Shared

MOST_RUNS: Final = 99_999
MARK: Final = re.compile(r"1(\d{5})")
PLAIN: Final = re.compile(r"(-?)1(\d{5})\.1(\d{5})")
"""A number with one point: sign, whole part, fraction."""
THOUSANDTHS: Final = [int(f"{number}"[1:].ljust(3, "0") or 0) for number in range(2_000)]
"""Of up to three digits behind a point, with a 1 in front: 15 is 500."""
_TEXTS: Final = 16
"""So many texts are remembered: a device's are the same for weeks."""
_NUMBERS: Final = msgspec.json.Decoder(list[float])

Path = tuple[str | int, ...]


class Unforeseen(Exception):
    """Digits move where nobody expects it."""


class _Literal(str):
    """A number with a point or an exponent, as it stands."""

    __slots__ = ()


_TREE: Final = msgspec.json.Decoder(float_hook=_Literal)


def moving(shared: Shared) -> dict[Path, str]:
    """Return the fields whose digits are not the same in all readings, with marks in their place.

    Raises ``Unforeseen`` when digits move in a name, or in what a later field of the same name replaced.
    """
    left = set(shared.moving())
    found: dict[Path, str] = {}
    for path, text, runs in _marked(tuple(shared.parts)):
        if not left.isdisjoint(runs):
            found[path] = text
            left -= runs
    if left:
        raise Unforeseen
    return found


def numbers(shared: Shared, text: str) -> Sequence[float]:
    """Return what a field says in each reading, exactly the numbers that JSON has there."""
    mark = MARK.fullmatch(text)
    if mark:
        return shared.numbers(int(mark[1]))
    plain = PLAIN.fullmatch(text)
    if plain:
        fractions = shared.prefixed(int(plain[3]))
        if max(fractions) < len(THOUSANDTHS):
            whole = map((1000).__mul__, shared.numbers(int(plain[2])))
            thousandths = map(add, whole, map(THOUSANDTHS.__getitem__, fractions))
            found = map(truediv, thousandths, repeat(1000))  # rounded once, as the text would be
            return list(map(neg, found) if plain[1] else found)
    return read(text, shared.digits)


def read(text: str, digits: Any) -> list[float]:
    """Return the numbers that a text with marks becomes with each reading's ``digits(run)``."""
    texts, marks = MARK.split(text)[::2], [int(run) for run in MARK.findall(text)]
    pieces: list[Any] = [repeat(texts[0].encode())]
    for run, after in zip(marks, texts[1:], strict=True):
        pieces += (digits(run), repeat(after.encode()))
    return _NUMBERS.decode(b"[%b]" % b",".join(map(b"".join, zip(*pieces, strict=False))))


@lru_cache(maxsize=_TEXTS)
def _marked(parts: tuple[bytes, ...]) -> list[tuple[Path, str, frozenset[int]]]:
    """Return the fields of a text that have digits: with marks in their place, and which runs those are."""
    marked = packing.filled(parts, [b"1%05d" % run for run in range(len(parts) - 1)])
    leaves = [(path, text, frozenset(map(int, MARK.findall(text)))) for path, text in _leaves(_TREE.decode(marked), ())]
    return [leaf for leaf in leaves if leaf[2]]


def _leaves(tree: dict[str, Any] | list[Any], path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the numbers and words of a reading: what holds others is a step of its own, a leaf is none."""
    for name, one in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(one, dict | list):
            yield from _leaves(one, (*path, name))
        elif isinstance(one, int | str) and not isinstance(one, bool):
            yield (*path, name), str(one)
