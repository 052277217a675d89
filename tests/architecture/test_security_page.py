"""`docs/security.md` claims nothing without a test, and every test it names exists."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import ROOT, expect_none

ASKED = """1.2 1.3.6 1.3.7 3.3.1 3.3.2 3.3.3 3.3.4 3.4.1 3.4.3 3.4.6 3.5.1 3.5.3 3.7.2 5.2.1 5.2.2 5.2.3 6.1.1 6.2.1
6.2.5 6.2.9 6.2.10 6.2.11 6.2.12 6.3.2 6.3.3 6.4.1 6.5.1 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.5 8.2.2 8.2.3
8.3.2 8.4.1 13.4.5 14.2.1 14.3.2 15.3.2 15.3.3 15.3.4 16.2.1 16.3.1 16.4.1 16.4.2 16.4.3 16.5.3""".split()
"""What facts on operations, section 4.4, take from OWASP ASVS 5.0."""
_NAMED = re.compile(r"`(tests/[\w/]+[.]py)::(test_\w+)`")


def test_each_item_that_decides_the_design_has_a_row() -> None:
    rows = {item for items, _ in _rows() for item in items}
    expect_none(set(ASKED) - rows)


def test_a_row_names_its_tests_or_says_that_it_is_open() -> None:
    unproven = []
    for items, row in _rows():
        proof = row.rsplit("|", 1)[1]
        if not _NAMED.search(proof) and "**open**: " not in proof:
            unproven.append(", ".join(items))
    expect_none(unproven)


def test_every_test_that_is_named_exists() -> None:
    found = {place: _tests(place) for place, _ in _NAMED.findall(_page()) if (ROOT / place).is_file()}
    expect_none(f"{place}::{name}" for place, name in _NAMED.findall(_page()) if name not in found.get(place, set()))


def _tests(place: str) -> set[str]:
    tree = ast.parse((ROOT / place).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _rows() -> Iterator[tuple[list[str], str]]:
    for line in _page().splitlines():
        found = re.match(r"\| ([\d., ]+) \|", line)
        if found:
            yield found[1].split(", "), line.removesuffix(" |")


def _page() -> str:
    return (ROOT / "docs/security.md").read_text("utf-8")
