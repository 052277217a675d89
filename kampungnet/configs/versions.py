"""Pure: versions of RouterOS as routers write them, and what is known against them.

The list (``bad_versions.csv`` beside this file) names public entries of the CVE register; an engineer may add rows.
What is not on the list is not thereby good.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

SEVERITIES: Final = ("danger", "warning", "note")
_FILE: Final = Path(__file__).with_name("bad_versions.csv")
_VERSION: Final = re.compile(r"\s*(\d+)\.(\d+)(?:\.(\d+))?")

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that is known against all versions from ``first`` on and before ``fixed``."""

    first: Version
    fixed: Version
    also_fixed: Version | None
    """From which release on an older line, kept for the long term, has it mended, too."""
    severity: str
    words: dict[str, str]
    """By language."""
    source: str


def version_of(written: str) -> Version | None:
    """Return a version as numbers: ``7.16.1 (stable)`` is (7, 16, 1); ``None`` for what is none."""
    found = _VERSION.match(written)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def known_against(written: str) -> list[Known]:
    """Return what is known against a version, the worst first; a test version counts as the release it leads to."""
    version = version_of(written)
    if version is None:
        return []
    hits = [one for one in _all() if one.first <= version < one.fixed and not _is_mended(one, version)]
    return sorted(hits, key=lambda one: SEVERITIES.index(one.severity))


def _is_mended(one: Known, version: Version) -> bool:
    return one.also_fixed is not None and version[:2] == one.also_fixed[:2] and version >= one.also_fixed


@cache
def _all() -> tuple[Known, ...]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_row(row) for row in csv.DictReader(file))


def _row(row: dict[str, str]) -> Known:
    first, fixed = version_of(row["first"]), version_of(row["fixed"])
    if first is None or fixed is None or not first < fixed or row["severity"] not in SEVERITIES:
        raise ValueError(f"{_FILE.name}: {row['source']} is not a row like the others")
    return Known(
        first, fixed, version_of(row["also_fixed"]), row["severity"], {"id": row["id"], "en": row["en"]}, row["source"]
    )
