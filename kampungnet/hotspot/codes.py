"""Codes on paper: 9 letters of chance and one that catches typing errors. Pure.

31 letters that no one takes for another (no 0, 1, i, l, o): 9 of them are 44.6 bits, so that ten guesses a second
among 10,000 codes that are open would take eight years for the first hit even if nobody stopped them (facts on
hotspots 10). 31 is prime: the last letter finds every single wrong letter and every two that were swapped.
"""

import secrets
from typing import Final

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
CHANCE_LETTERS: Final = 9
LETTERS: Final = CHANCE_LETTERS + 1
_PLACE: Final = {letter: place for place, letter in enumerate(ALPHABET)}


def new_code() -> str:
    """Return a new code."""
    chance = "".join(secrets.choice(ALPHABET) for _ in range(CHANCE_LETTERS))
    return chance + _check(chance)


def read(typed: str) -> str | None:
    """Return a code as somebody typed it, with capitals, blanks or dashes; ``None`` when it cannot be one."""
    code = "".join(letter for letter in typed.lower() if letter not in " -.\t\n")
    right = len(code) == LETTERS and all(letter in _PLACE for letter in code)
    return code if right and _check(code[:-1]) == code[-1] else None


def shown(code: str) -> str:
    """Return a code in two groups, as it is printed."""
    return f"{code[:5]} {code[5:]}"


def _check(chance: str) -> str:
    return ALPHABET[sum(weight * _PLACE[letter] for weight, letter in enumerate(chance, start=1)) % len(ALPHABET)]
