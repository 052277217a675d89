"""Pure: data and a template of ours in, PDF/UA out. Texts go to the typesetter as data, never as markup."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import segno
import typst

_SIGNS: Final = frozenset("–—…“”•×−·≤≥°\N{NO-BREAK SPACE}\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}")
_LATIN_ENDS: Final = 0x250
"""Beyond it the paper's font knows only ``_SIGNS``; a paper that must be readable aloud refuses what it cannot draw."""
_DARK: Final = re.compile(rb"\x01+")
_turn: Final = Lock()
"""A compiler refuses a second thread while it works ("Already borrowed"); pages are served by many."""


def typeset(template: Path, data: Mapping[str, Any]) -> bytes:
    """Return a paper; the same data always gives the same bytes."""
    text = _drawable(json.dumps(data, ensure_ascii=False, sort_keys=True))
    with _turn:
        found = _compiler(template).compile(format="pdf", sys_inputs={"data": text}, pdf_standards=["ua-1"])
    if not isinstance(found, bytes):
        raise TypeError("the typesetter returned pages instead of one file")
    return found


def qr_svg(text: str) -> str:
    """Return a QR code (a seventh of it may be lost) as a drawing."""
    return next(qr_svgs([text]))


def qr_svgs(texts: Iterable[str]) -> Iterator[str]:
    """Return the QR codes of texts that are much alike.

    Any of the eight masks can be read. To find the best one takes four fifths of the time, so the first text's best
    one serves all.
    """
    mask = None
    for text in texts:
        code = segno.make(text, error="m", micro=False, mask=mask)
        mask = code.mask
        yield _drawn(code.matrix)


def _drawn(rows: Sequence[bytearray]) -> str:
    """Return dark modules as one path, a stroke for each run of them, with a border of one module."""
    runs = (
        (run.start() + 1, number + 1.5, len(run[0])) for number, row in enumerate(rows) for run in _DARK.finditer(row)
    )
    size, path = len(rows) + 2, "".join(f"M{x} {y}h{length}" for x, y, length in runs)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><path stroke="#000" d="{path}"/></svg>'


@cache
def _compiler(template: Path) -> typst.Compiler:
    """Return the compiler: it keeps fonts and the template, which take longer than a paper."""
    return typst.Compiler(str(template), root=str(template.parent), ignore_system_fonts=True)


def _drawable(text: str) -> str:
    return "".join(sign if ord(sign) < _LATIN_ENDS or sign in _SIGNS else "?" for sign in text)
