"""Everything the server lets people touch: found by walking its routes, and by reading its pages as they read them."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kampungnet.app import Server
from tests.faults.office import PEOPLE, Office

ENDLESS = "/segar"
"""A stream of changes without an end."""
MOST_PAGES = 120
PER_ROUTE = 3
MOST_FORMS = 12


@dataclass
class Door:
    """One route: its method, its address with places, what its query may name, and forms seen for it."""

    method: str
    path: str
    query: list[str]
    fields: list[str]
    forms: list[dict[str, str]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    person: str = "sari"

    def matches(self, path: str) -> bool:
        """Tell whether an address is one of this route."""
        return bool(re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.path)), path))

    def note(self, address: str, person: str) -> None:
        """Remember that somebody saw it on a page."""
        self.addresses.append(address)
        self.person = person


def doors(server: Server) -> list[Door]:
    """Return every route."""
    return list(_walk(list(server.pages.routes)))


def _walk(found: list[Any]) -> Iterator[Door]:
    for route in found:
        if hasattr(route, "methods") and hasattr(route, "path"):
            names = _names(route.dependant) if hasattr(route, "dependant") else (set(), set())
            for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
                yield Door(method, route.path, sorted(names[0]), sorted(names[1]))
        else:
            inner = getattr(route, "original_router", None) or getattr(route, "router", route)
            yield from _walk(list(inner.routes))


def _names(dependant: Any) -> tuple[set[str], set[str]]:
    query = {one.alias for one in dependant.query_params}
    body = {one.alias for one in dependant.body_params}
    for inner in dependant.dependencies:
        more = _names(inner)
        query, body = query | more[0], body | more[1]
    return query, body


def explore(office: Office, found: list[Door]) -> None:
    """Follow links as each of the people, and note addresses and forms at their doors."""
    for person in PEOPLE:
        _Walk(office, found, person).everywhere()


class _Walk:
    """One person who looks at everything that is linked, a few of each kind."""

    def __init__(self, office: Office, doors: list[Door], person: str) -> None:
        self._office, self._doors, self._person = office, doors, person
        self._waiting, self._seen = ["/"], {"/"}
        self._taken = defaultdict[str, int](int)

    def everywhere(self) -> None:
        while self._waiting and len(self._seen) < MOST_PAGES:
            address = self._waiting.pop(0)
            status, head, body = self._office.ask(self._person, "GET", address)
            if status == 303:
                self._note_link(head["location"])
            elif status == 200 and head.get("content-type", "").startswith("text/html"):
                self._note_page(address, _read(body.decode()))

    def _note_page(self, address: str, page: "_Page") -> None:
        for link in page.links:
            self._note_link(link)
        for method, action, fields in page.forms:
            door = self._door(method, action or address)
            if door and len(door.forms) < MOST_FORMS:
                door.note(action or address, self._person)
                door.forms.append(fields)

    def _note_link(self, link: str) -> None:
        door = self._door("GET", link)
        if door is None or door.path == ENDLESS or link in self._seen:
            return
        key = door.path + ",".join(name for name, _ in parse_qsl(urlsplit(link).query))
        if self._taken[key] < PER_ROUTE:
            self._taken[key] += 1
            self._seen.add(link)
            self._waiting.append(link)
            door.note(link, self._person)

    def _door(self, method: str, address: str) -> Door | None:
        path = urlsplit(address).path
        return next((one for one in self._doors if one.method == method and one.matches(path)), None)


@dataclass
class _Page:
    links: list[str]
    forms: list[tuple[str, str, dict[str, str]]]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = _Page([], [])
        self._form: dict[str, str] | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and said.get("href", "").startswith("/"):
            self.page.links.append(said["href"])
        elif tag == "form":
            self._form = {}
            self.page.forms.append((said.get("method", "get").upper(), said.get("action", ""), self._form))
        elif self._form is not None and said.get("name"):
            self._take(tag, said)
        elif tag == "option" and self._form is not None and self._select:
            chosen = said.get("value", "")
            self._form[self._select] = chosen if "selected" in said else self._form[self._select] or chosen

    def _take(self, tag: str, said: dict[str, str]) -> None:
        assert self._form is not None
        self._select = said["name"] if tag == "select" else ""
        if said.get("type") in {"radio", "checkbox"} and "checked" not in said and said["name"] in self._form:
            return
        self._form[said["name"]] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""


def _read(text: str) -> _Page:
    reader = _Reader()
    reader.feed(text)
    return reader.page
