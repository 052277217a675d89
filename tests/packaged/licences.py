"""Under which licence each package is, as SPDX says it, and whether that may be combined with AGPL-3.0-or-later."""

import re
from importlib.metadata import Distribution
from typing import Final

from tests.packaged.closure import canonical

COMPATIBLE: Final = {
    "0BSD", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "GPL-2.0-or-later",
    "GPL-3.0-only", "GPL-3.0-or-later", "ISC", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only",
    "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
}  # fmt: skip
"""What the Free Software Foundation's list of licences says of combining with version 3 of the GPL; the AGPL follows
it in its section 13. GPL-2.0-only and Apache-1.1 are missing on purpose."""
READ_BY_US: Final = {"pysnmp": "BSD-2-Clause", "jinja2": "BSD-3-Clause", "segno": "BSD-3-Clause"}
"""Whose metadata does not say it, from the text of the licence that comes with it."""
_SPELLINGS: Final = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "isc license (iscl)": "ISC",
    "lgpl-2.1": "LGPL-2.1-only",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}
_WORD: Final = re.compile(r"[A-Za-z0-9.+-]+|[()]")


def licence_of(package: Distribution) -> str:
    """Return the licence as an SPDX expression; empty when nobody says it."""
    said = package.metadata
    if known := READ_BY_US.get(canonical(said["Name"])):
        return known
    classified = [line.split(" :: ")[-1] for line in said.get_all("Classifier") or () if line.startswith("License ::")]
    given: list[str | None] = [said["License-Expression"], said["License"], *classified]
    for words in (one.strip() for one in given if one):
        found = _SPELLINGS.get(words.lower(), words)
        if is_expression(found):
            return found
    return ""


def is_expression(text: str) -> bool:
    """Tell whether a text is made of names as SPDX writes them, joined by AND and OR."""
    return bool(re.fullmatch(r"\(*[A-Za-z0-9.+-]+\)*( (AND|OR|WITH) \(*[A-Za-z0-9.+-]+\)*)*", text))


def is_compatible(expression: str) -> bool:
    """Tell whether one may use it together with our licence: one side of each OR is enough, all of each AND."""
    words = _WORD.findall(expression)
    found = _either(words)
    return found and not words


def _either(words: list[str]) -> bool:
    found = _both(words)
    while words[:1] == ["OR"]:
        del words[0]
        found = _both(words) or found
    return found


def _both(words: list[str]) -> bool:
    found = _one(words)
    while words[:1] == ["AND"]:
        del words[0]
        found = _one(words) and found
    return found


def _one(words: list[str]) -> bool:
    word = words.pop(0) if words else ""
    if word != "(":
        return word in COMPATIBLE
    found = _either(words)
    return words[:1] == [")"] and words.pop(0) == ")" and found
