"""Pure: data and one of our templates in, PDF/UA out. Texts go to the typesetter as data, never as markup."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import typst

FOLDER: Final = Path(__file__).parent / "paper"
_SIGNS: Final = frozenset("–—…“”•×−·≤≥°\N{NO-BREAK SPACE}\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}")
_LATIN_ENDS: Final = 0x250
"""Beyond it the paper's font knows only ``_SIGNS``; a paper that must be readable aloud refuses what it cannot draw."""
_turn: Final = Lock()
"""A compiler refuses a second thread while it works ("Already borrowed"); pages are served by many."""


def typeset(template: str, data: Mapping[str, Any]) -> bytes:
    """Return a paper; the same data always gives the same bytes."""
    text = _drawable(json.dumps(data, ensure_ascii=False, sort_keys=True))
    with _turn:
        found = _compiler(template).compile(format="pdf", sys_inputs={"data": text}, pdf_standards=["ua-1"])
    if not isinstance(found, bytes):
        raise TypeError("the typesetter returned pages instead of one file")
    return found


@cache
def _compiler(template: str) -> typst.Compiler:
    """Return the compiler: it keeps fonts and the template, which take longer than a paper."""
    return typst.Compiler(str(FOLDER / template), root=str(FOLDER), ignore_system_fonts=True)


def _drawable(text: str) -> str:
    return "".join(sign if ord(sign) < _LATIN_ENDS or sign in _SIGNS else "?" for sign in text)
