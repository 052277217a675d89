"""Pure: find a village by its name as somebody types it: spaces, old spelling and slips allowed for."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

MOST: Final = 30
ALIKE: Final = 0.72
"""From this likeness (0 to 1) on a name is offered; "rejosri" and "rejosari" have 0.93, two other names rarely 0.7."""
MAX_TYPED: Final = 80
_OLD: Final = (("oe", "u"), ("dj", "j"), ("tj", "c"), ("sj", "sy"), ("nj", "ny"))
"""The spelling before 1972, which people and signs still use."""
_KINDS: Final = re.compile(r"^(desa|kelurahan|kel|ds)\b\.?\s*")


@dataclass(frozen=True, slots=True)
class Named:
    """A village and the kecamatan it lies in."""

    code: str
    name: str
    district: str


@dataclass(frozen=True, slots=True)
class Found:
    """What fits, the best first. ``is_guess``: no name has the typed letters, these are merely like them."""

    villages: tuple[Named, ...]
    is_guess: bool


def search(villages: Iterable[Named], typed: str) -> Found:
    """Return the villages whose name or code begins with or contains what was typed, else those that are like it."""
    wanted = plain(typed[:MAX_TYPED])
    if not wanted:
        return Found((), is_guess=False)
    names = [(plain(one.name), one) for one in villages]
    exact = [(not name.startswith(wanted), name, one) for name, one in names if wanted in name or _is_code(one, typed)]
    if exact:
        best_first = sorted(exact, key=lambda row: (row[0], row[1], row[2].code))
        return Found(tuple(one for *_, one in best_first[:MOST]), is_guess=False)
    likeness = [(SequenceMatcher(None, name, wanted, autojunk=False).ratio(), one) for name, one in names]
    near = sorted((row for row in likeness if row[0] >= ALIKE), key=lambda row: (-row[0], row[1].name, row[1].code))
    return Found(tuple(one for _, one in near[:MOST]), is_guess=True)


def plain(name: str) -> str:
    """Return a name without what people write differently: capitals, accents, spaces, "Desa", the old spelling."""
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().strip()
    text = re.sub(r"[^a-z0-9]", "", _KINDS.sub("", text))
    for old, new in _OLD:
        text = text.replace(old, new)
    return text


def _is_code(one: Named, typed: str) -> bool:
    digits = typed.replace(".", "").strip()
    return len(digits) >= 4 and digits.isdecimal() and one.code.replace(".", "").startswith(digits)
