"""Requests to every page and form: what a browser would send, with one to three things in it as nobody should."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from urllib.parse import parse_qsl, quote, urlsplit

from tests.faults.office import PEOPLE
from tests.faults.surface import Door

TEXTS = (
    "", "0", "-1", "1", "9" * 5, "9" * 19, "9" * 25, "1e309", "nan", "inf", "-0", "0x10", "1_000", "1,5", "1.5", " 7 ",
    "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "٣", "²", "½", "٢٢٢٦-٢٢",
    "\x00", "a\x00b", "\ud800", "\u202egnp", "☃" * 90, "a" * 101, "x" * 5000, "\n", "\r\nX: y", "-", "null", "true",
    "'; DROP TABLE--", "<script>", "../../etc/passwd", "%", "%00", "{}", "[]", "{{7*7}}", "${7}", "=1+1",
    "1970-01-01", "0001-01-01", "0001-01", "0000-00", "2026-02-30", "2026-13", "9999-12", "9999-12-31", "10000-01",
    "2026-W10", "20261003", "2026-10-03T25:61", "2026-10-03T10:00:00+07:00", "31/02/2026", "12:00", "24:00",
    "35.10", "35.10.15.2012", "35.10.15.2012-1",
)  # fmt: skip
"""What has broken programs before: numbers that are none, days that are none, letters that are none."""
LEFT_ALONE = {"/keluar"}


@dataclass(frozen=True)
class Request:
    """One request of one person."""

    person: str
    method: str
    address: str
    form: dict[str, str] | None


def known_values(doors: list[Door]) -> dict[str, list[str]]:
    """Return what stood at each place of an address and in each query, on the pages that were seen."""
    found: dict[str, set[str]] = defaultdict(set)
    for door in doors:
        pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(door.path)))
        for address in door.addresses:
            parts = urlsplit(address)
            if match := pattern.fullmatch(parts.path):
                for name, value in match.groupdict().items():
                    found[name].add(value)
            for name, value in parse_qsl(parts.query):
                found[name].add(value)
    return {name: sorted(values) for name, values in found.items()}


def requests(doors: list[Door], known: dict[str, list[str]], dice: Random) -> Iterator[Request]:
    """Yield hostile requests without an end, to each door in turn."""
    while True:
        for door in doors:
            if door.path not in LEFT_ALONE:
                yield _request(door, known, dice)


def _request(door: Door, known: dict[str, list[str]], dice: Random) -> Request:
    def value(name: str, usual: float) -> str:
        return dice.choice(known[name]) if known.get(name) and dice.random() < usual else _text(dice)

    usual = 0.85 if door.method == "POST" else 0.6
    address = re.sub(r"{(\w+)}", lambda place: _quoted(value(place[1], usual)), door.path)
    if door.addresses and dice.random() < 0.5:
        address = urlsplit(dice.choice(door.addresses)).path
    query = [(name, value(name, 0.4)) for name in door.query if dice.random() < 0.6]
    if query:
        address += "?" + "&".join(f"{_quoted(name)}={_quoted(word)}" for name, word in query)
    person = door.person if dice.random() < 0.8 else dice.choice(PEOPLE)
    return Request(person, door.method, address, _form(door, dice) if door.method == "POST" else None)


def _form(door: Door, dice: Random) -> dict[str, str]:
    form = dict(dice.choice(door.forms)) if door.forms else {}
    for name in door.fields:
        form.setdefault(name, _text(dice))
    for name in dice.sample(sorted(form), min(len(form), dice.choice([0, 1, 1, 1, 2, 3]))):
        form[name] = _text(dice)
    return form


def _text(dice: Random) -> str:
    if dice.random() < 0.85:
        return dice.choice(TEXTS)
    return "".join(chr(dice.randrange(dice.choice([127, 0x250, 0x110000]))) for _ in range(dice.randrange(1, 12)))


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
