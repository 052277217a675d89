"""Who passes without a login: bindings and the walled garden (facts/routeros.md, 7.6, item 15)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

Rules = Iterable[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a guest asks for on the internet."""

    host: str
    port: int
    path: str = "/"
    method: str = "GET"
    protocol: str = "tcp"


def binding_of(rows: Rules, mac: str, address: str) -> str:
    """``regular``, ``bypassed`` or ``blocked``: the first binding that fits, all of what it names."""
    for row in rows:
        names = [(row.get("mac-address"), mac), (row.get("address"), address)]
        given = [(wanted, real) for wanted, real in names if wanted]
        if row.get("disabled") != "true" and given and all(wanted == real for wanted, real in given):
            return row.get("type", "regular")
    return "regular"


def _text_fits(pattern: str, text: str) -> bool:
    """``*`` and ``?``, or a regular expression behind ``:``. Letters of hosts have no case."""
    if pattern.startswith(":"):
        try:
            return re.search(pattern[1:], text) is not None
        except re.error:
            return False
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def port_fits(pattern: str, port: int) -> bool:
    """``80``, ``80,443`` or ``64872-64875``."""
    spans = (one.partition("-") for one in pattern.split(","))
    return any(low.isdecimal() and int(low) <= port <= int(high or low) for low, _, high in spans)


def fits(row: Mapping[str, str], wanted: Wanted) -> bool:
    """Does a rule of either list concern this request? Of a TLS connection only host and port are seen."""
    checks: dict[str, Callable[[str], bool]] = {
        "dst-host": lambda pattern: _text_fits(pattern.lower(), wanted.host.lower()),
        "dst-address": lambda pattern: pattern == wanted.host,
        "dst-port": lambda pattern: port_fits(pattern, wanted.port),
        "path": lambda pattern: wanted.method != "CONNECT" and _text_fits(pattern, wanted.path),
        "method": lambda pattern: pattern.upper() == wanted.method,
        "protocol": lambda pattern: pattern in (wanted.protocol, "6"),
    }
    return row.get("disabled") != "true" and all(check(row[name]) for name, check in checks.items() if row.get(name))


def first_rule(rows: Rules, wanted: Wanted) -> Mapping[str, str] | None:
    """Rules are asked in their order; the first that fits decides."""
    return next((row for row in rows if fits(row, wanted)), None)


def is_foreign_mac(user: str, mac: str) -> bool:
    """Does a name look like a MAC address, and not like this device's own?"""
    bare = user.removeprefix("T-").upper()
    return re.fullmatch(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}", bare) is not None and bare != mac
