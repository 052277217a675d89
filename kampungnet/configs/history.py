"""Pure: texts of settings, one command a line: what changed between two, and since when each line stands."""

import difflib
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from kampungnet.shared.config_body import MAX_TEXT_BYTES, ConfigBody

CONTEXT_LINES: Final = 2

Mark = Literal["+", "-", " ", "…"]


class Changed(NamedTuple):
    """How many lines came and went; a line that only moved counts as neither."""

    added: int
    removed: int


class DiffLine(NamedTuple):
    """One line of a difference; ``…`` stands for lines that are the same and not shown."""

    mark: Mark
    text: str


class Blamed(NamedTuple):
    """One line of the newest text, and the first of the texts since which it has stood."""

    text: str
    since: int


def unpacked(packed: bytes, digest: str) -> str:
    """Return a text that came from outside; raises ``ValueError`` when it is not what its digest says."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, MAX_TEXT_BYTES)
    except zlib.error as error:
        raise ValueError("the settings cannot be unpacked") from error
    if not unpacker.eof:
        raise ValueError(f"the settings are cut off, or longer than {MAX_TEXT_BYTES} bytes")
    if hashlib.sha256(plain).hexdigest() != digest:
        raise ValueError("the settings are not those of their digest")
    try:
        return plain.decode()
    except UnicodeDecodeError as error:
        raise ValueError("the settings are no UTF-8") from error


def refusal(body: ConfigBody) -> str:
    """Return why a body cannot be taken, or nothing."""
    try:
        if body.packed:
            unpacked(body.packed, body.digest)
    except ValueError as error:
        return str(error)
    return ""


def changed(before: str, after: str) -> Changed:
    """Return how many lines came and went between two texts."""
    old, new = Counter(before.splitlines()), Counter(after.splitlines())
    return Changed((new - old).total(), (old - new).total())


def diff(before: str, after: str) -> Iterator[DiffLine]:
    """Yield the difference of two texts, each change with the lines around it."""
    old, new = before.splitlines(), after.splitlines()
    groups = difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT_LINES)
    for group in groups:
        if group[0][1] > 0:
            yield DiffLine("…", "")
        for tag, first, last, new_first, new_last in group:
            if tag == "equal":
                yield from (DiffLine(" ", line) for line in old[first:last])
                continue
            yield from (DiffLine("-", line) for line in old[first:last])
            yield from (DiffLine("+", line) for line in new[new_first:new_last])


def blame(texts: Sequence[str]) -> list[Blamed]:
    """Return each line of the last text with the place in ``texts`` (oldest first) since which it stands unbroken."""
    known: list[Blamed] = []
    for place, text in enumerate(texts):
        lines = text.splitlines()
        fresh = [Blamed(line, place) for line in lines]
        matcher = difflib.SequenceMatcher(None, [one.text for one in known], lines, autojunk=False)
        for block in matcher.get_matching_blocks():
            fresh[block.b : block.b + block.size] = known[block.a : block.a + block.size]
        known = fresh
    return known


def found(text: str, words: str) -> list[str]:
    """Return the lines in which all of some words stand, in any order and case."""
    wanted = words.casefold().split()
    return [line for line in text.splitlines() if all(word in line.casefold() for word in wanted)] if wanted else []
