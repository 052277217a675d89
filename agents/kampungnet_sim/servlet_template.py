"""The template language of RouterOS's hotspot servlet, as a pure function (facts/routeros.md, 9.2).

``$(name)`` is replaced as it stands: nothing in the manual says that a router escapes for HTML, so a page
must not put what a guest typed into its text. ``$(name-esc)`` is escaped for a link. Two conditions are none:
``$(if http-status == 302)Found$(endif)`` and ``$(if http-header == "Location")URL$(endif)`` set what they name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

# Quotes may hold brackets: $(if user-agent == "Mozilla/5.0 (Android)").
_TOKEN = re.compile(r"""\$\(((?:"[^"]*"|'[^']*'|[^()"'])*)\)""")
_CONDITION = re.compile(r"""([\w-]+)(?:\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|(.*?)))?\s*""", re.DOTALL)
_STATUS = re.compile(r"[1-9]\d\d")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")
_ESCAPED = "-esc"


@dataclass(slots=True)
class Rendered:
    """What became of a page: its text, and what it set of the answer's head."""

    body: str
    status: tuple[int, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Branch:
    """One open ``$(if)``. ``sets`` names what its text sets instead of being shown."""

    outer: bool
    shown: bool
    taken: bool
    sets: tuple[str, str] | None = None
    text: list[str] = field(default_factory=list)


def value_of(name: str, variables: Mapping[str, str]) -> str:
    """A variable's value; what nobody knows is empty. ``-esc`` at the end of any name escapes it for a link."""
    known = variables.get(name)
    if known is None and name.endswith(_ESCAPED):
        return quote_plus(variables.get(name.removesuffix(_ESCAPED), ""), errors="surrogateescape")
    return known or ""


def _holds(condition: str, variables: Mapping[str, str]) -> bool:
    found = _CONDITION.fullmatch(condition.strip())
    if found is None:
        return False
    name, sign, *quoted = found.groups()
    value = value_of(name, variables)
    if sign is None:
        return value != ""
    wanted = next((one for one in quoted if one is not None), "")
    return (value == wanted) is (sign == "==")


def _setting(condition: str) -> tuple[str, str] | None:
    found = _CONDITION.fullmatch(condition.strip())
    if found is None or found[1] not in ("http-status", "http-header") or found[2] != "==":
        return None
    return found[1], next((one for one in found.groups()[2:] if one is not None), "")


class _Page:
    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._open: list[_Branch] = []
        self._shown: list[str] = []
        self.done = Rendered("")

    def text(self, text: str) -> None:
        if not self._open:
            self._shown.append(text)
        elif self._open[-1].shown:
            setter = next((one for one in reversed(self._open) if one.sets), None)
            (self._shown if setter is None else setter.text).append(text)

    def token(self, inner: str) -> None:
        word, _, rest = inner.strip().partition(" ")
        if word == "if":
            self._if(rest)
        elif word in ("elif", "else"):
            self._other(rest if word == "elif" else None)
        elif word == "endif":
            self._end()
        else:
            self.text(value_of(inner.strip(), self._variables))

    def _if(self, condition: str) -> None:
        outer = not self._open or self._open[-1].shown
        sets = _setting(condition)
        holds = outer and (sets is not None or _holds(condition, self._variables))
        self._open.append(_Branch(outer, holds, holds, sets))

    def _other(self, condition: str | None) -> None:
        if not self._open:
            return
        branch = self._open[-1]
        holds = condition is None or _holds(condition, self._variables)
        branch.shown = branch.outer and not branch.taken and holds
        branch.taken = branch.taken or branch.shown

    def _end(self) -> None:
        branch = self._open.pop() if self._open else None
        if branch is None or branch.sets is None or not branch.outer:
            return
        kind, name = branch.sets
        # A guest's line break must not begin a header of its own.
        text = _UNPRINTABLE.sub(" ", "".join(branch.text)).strip()
        if kind == "http-header" and re.fullmatch(r"[\w-]+", name):
            self.done.headers[name] = text
        elif kind == "http-status" and _STATUS.fullmatch(name):
            self.done.status = int(name), text

    def finish(self) -> Rendered:
        while self._open:
            self._end()
        self.done.body = "".join(self._shown)
        return self.done


def render(page: str, variables: Mapping[str, str]) -> Rendered:
    """Fill in a page. What is no token (``$(`` without its end) stays as it is."""
    result, place = _Page(variables), 0
    for found in _TOKEN.finditer(page):
        result.text(page[place : found.start()])
        result.token(found[1])
        place = found.end()
    result.text(page[place:])
    return result.finish()
