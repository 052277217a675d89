"""One sentence of a client, taken apart once; polls repeat, so the result is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kampungnet_sim.routeros_query import Step, parse_query
from kampungnet_sim.routeros_wire import encode_word, text_of


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for, without its tag."""

    command: str
    menu: str
    verb: str
    arguments: Mapping[str, str]
    proplist: tuple[str, ...]
    query: tuple[Step, ...]
    query_words: tuple[str, ...]

    def flag(self, name: str) -> bool:
        """Is a flag set? Any value but ``no`` and ``false`` sets it (section 3, item 6)."""
        return self.arguments.get(name, "no") not in ("no", "false")


def split_tag(words: list[bytes]) -> tuple[bytes | None, tuple[bytes, ...]]:
    """The tag, wherever it stands, and the other words."""
    for place, word in enumerate(words):
        if word.startswith(b".tag="):
            return word[5:], (*words[:place], *words[place + 1 :])
    return None, tuple(words)


@lru_cache(maxsize=4096)
def parse_request(words: tuple[bytes, ...]) -> Request:
    """Take a sentence apart. Raises QueryError when a query word cannot be read."""
    command = text_of(words[0])
    menu, _, verb = command.rpartition("/")
    arguments: dict[str, str] = {}
    queries: list[str] = []
    for raw in words[1:]:
        word = text_of(raw)
        if word.startswith("?"):
            queries.append(word[1:])
        elif word.startswith("="):
            name, _, value = word[1:].partition("=")
            arguments[name] = value
    proplist = tuple(name for name in arguments.get(".proplist", "").split(",") if name)
    return Request(command, menu, verb, arguments, proplist, tuple(parse_query(queries)), tuple(queries))


@lru_cache(maxsize=1 << 16)
def attribute(name: str, value: str) -> bytes:
    """The encoded word ``=name=value``; most values of a router repeat from poll to poll."""
    return encode_word(f"={name}={value}")


class Frame:
    """Reply words with the tag of the sentence they answer, in the place the version puts it."""

    __slots__ = ("_head_tag", "_tail", "tag")

    def __init__(self, tag: bytes | None, *, tag_last: bool) -> None:
        self.tag = tag
        word = b"" if tag is None else encode_word(b".tag=" + tag)
        self._head_tag = b"" if tag_last else word
        self._tail = (word if tag_last else b"") + b"\x00"

    def rows(self, bodies: list[bytes]) -> bytes:
        """``!re`` sentences."""
        head, tail = b"\x03!re" + self._head_tag, self._tail
        return b"".join([head + body + tail for body in bodies])

    def done(self, result: str | None = None) -> bytes:
        """``!done``, with ``=ret=`` when there is a result."""
        body = b"" if result is None else attribute("ret", result)
        return b"\x05!done" + self._head_tag + body + self._tail

    def empty(self) -> bytes:
        """``!empty``."""
        return b"\x06!empty" + self._head_tag + self._tail

    def trap(self, message: str, category: int | None = None) -> bytes:
        """``!trap``; the category is often missing, as on real routers."""
        kind = b"" if category is None else attribute("category", str(category))
        return b"\x05!trap" + self._head_tag + kind + attribute("message", message) + self._tail

    def fatal(self, reason: str) -> bytes:
        """``!fatal`` with its reason as a bare word."""
        return b"\x06!fatal" + self._head_tag + encode_word(reason) + self._tail
