"""What ``print`` showed in a RouterOS terminal, turned back into the rows that the API would have sent."""

import re
from collections.abc import Iterator
from typing import Final

Row = dict[str, str]

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[A-Z<=>])")
_PROMPT: Final = re.compile(r"^\[[^\]\n]*\] ?(?P<menu>/[a-z0-9 -]*)?> ?(?P<typed>.*)$")
_REFUSED: Final = re.compile(r"^(?:bad command name|no such command|expected command name|syntax error)")
_LEGEND: Final = re.compile(r"([A-Za-z*+])\s+-\s+([a-z0-9-]+)")
_PAIR: Final = re.compile(r"^\s*([a-z][a-z0-9.-]*):(?: (.*)|)$")
_ENTRY: Final = re.compile(r"^ {0,3}(\d+)(?:\s+|$)(.*)$")
_NAMED: Final = re.compile(r"(?:^|(?<=\s))(\.?[A-Za-z][A-Za-z0-9.-]*)=(\"(?:[^\"\\]|\\.)*\"(?=\s|$)|)")
_HEADINGS: Final = re.compile(r"[A-Z][A-Z0-9/-]*(?: [A-Z][A-Z0-9/-]*)*")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)")
_UNITS: Final = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_WITH_UNIT: Final = re.compile(r"(\d+)(?:%|MHz)")
_PLAIN: Final = {"yes": "true", "no": "false"}


def read_terminal(text: str, command: str) -> dict[str, list[Row] | None]:
    """Return the rows of every ``print`` in ``text`` by API command; ``None`` where the router had no such menu.

    ``command`` is what was typed when the text is an answer alone, without prompts.
    """
    found: dict[str, list[Row] | None] = {}
    for typed, lines in _answers(_ESCAPES.sub("", text).replace("\r", ""), command):
        if any(_REFUSED.match(line) for line in lines):
            found[typed] = None
        elif rows := _rows(lines):
            found[typed] = rows
    return found


def api_command(typed: str) -> str:
    """Return ``/system/resource/print`` for ``/system resource print without-paging``."""
    words = typed.replace("/", " ").split()
    end = next((place for place, word in enumerate(words) if word in {"print", "monitor", "ping"}), len(words) - 1)
    return "/" + "/".join(words[: end + 1])


def _answers(text: str, command: str) -> Iterator[tuple[str, list[str]]]:
    """Cut a session at its prompts; the router repeats a line while it is typed, the last one counts."""
    typed, lines = command, list[str]()
    for line in text.splitlines():
        prompt = _PROMPT.match(line)
        if prompt is None:
            lines.append(line.rstrip())
            continue
        if lines:
            yield typed, lines
        lines = []
        said = f"{prompt['menu'] or ''} {prompt['typed'].strip()}"
        typed = api_command(said) if prompt["typed"].strip() else ""
    yield typed, lines


def _rows(lines: list[str]) -> list[Row]:
    legend, rest = _legend(lines)
    headings = next((line for line in rest if line.lstrip().startswith("#") and _HEADINGS.search(line)), None)
    if headings is not None:
        return list(_columns(headings, rest[rest.index(headings) + 1 :], legend))
    if any(_ENTRY.match(line) for line in rest):
        return [_entry(block, legend) for block in _blocks(rest)]
    pairs = [found for line in rest if (found := _PAIR.match(line))]
    return [{found[1]: _as_api(found[2] or "") for found in pairs}] if pairs else []


def _legend(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return which letter means which property, and the other lines."""
    start = next((place for place, line in enumerate(lines) if line.startswith("Flags:")), None)
    if start is None:
        return {}, lines
    end = start + 1
    while end < len(lines) and lines[end - 1].rstrip().endswith((",", ";")):
        end += 1
    return dict(_LEGEND.findall("\n".join(lines[start:end]))), lines[:start] + lines[end:]


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each numbered entry: what follows its number, and its further lines."""
    head, more = "", list[str]()
    begun = False
    for line in lines:
        found = _ENTRY.match(line)
        if found:
            if begun:
                yield head, more
            head, more, begun = found[2], [], True
        elif begun:
            more.append(line)
    if begun:
        yield head, more


def _entry(block: tuple[str, list[str]], legend: dict[str, str]) -> Row:
    head, more = block
    row: Row = {}
    first = _NAMED.search(head)
    before, _, comment = head[: first.start() if first else None].partition(";;;")
    if comment.strip():
        row["comment"] = comment.strip()
    row |= _flags(before, legend)
    text = " ".join([head[first.start() :] if first else "", *(line.strip() for line in more)])
    names = list(_NAMED.finditer(text))
    ends = [*(found.start() for found in names[1:]), len(text)][: len(names)]
    for found, end in zip(names, ends, strict=True):
        quoted = found[2]
        row[found[1]] = _unquoted(quoted) if quoted else _as_api(text[found.end() : end].strip())
    return row


def _columns(headings: str, lines: list[str], legend: dict[str, str]) -> Iterator[Row]:
    """Read a table by the places where its headings start."""
    found = list(_HEADINGS.finditer(headings, headings.index("#") + 1))
    starts = [one.start() for one in found]
    for line in lines if starts else ():
        number = _ENTRY.match(line)
        if not number:
            continue
        row = _flags(line[number.start(2) : starts[0]], legend)
        for one, end in zip(found, [*starts[1:], None], strict=True):
            value = line[one.start() : end].strip()
            if value:
                row[one[0].lower().replace(" ", "-")] = _as_api(value)
        yield row


def _flags(letters: str, legend: dict[str, str]) -> Row:
    return {name: "true" if letter in letters else "false" for letter, name in legend.items()}


def _unquoted(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])


def _as_api(value: str) -> str:
    """Return a value as the API has it: bytes without unit, booleans as words, no quotes, no percent sign."""
    if value.startswith('"') and value.endswith('"') and len(value) > 1:
        return _unquoted(value)
    size = _SIZE.fullmatch(value)
    if size:
        return str(int(float(size[1]) * _UNITS[size[2]]))
    number = _WITH_UNIT.fullmatch(value)
    return number[1] if number else _PLAIN.get(value, value)
