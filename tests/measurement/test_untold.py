"""What drivers could not have is said in the reader's language: every sentence that one can write has its own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kampungnet_agent.drivers
from kampungnet.core.pages import all_languages
from kampungnet.measurement import untold

DRIVERS = Path(kampungnet_agent.drivers.__file__).parent
INDONESIAN, ENGLISH = all_languages()["id"], all_languages()["en"]
OWN_WORDS = {
    "{question.name}: {reason_of(reply)}{right}": "a router's own, and `no answer in time`",
    "{what}: {error}": "an OLT's: the sentences of SNMP, below",
    "backup: {error}": "what went wrong with SSH or FTP",
    "{asked.service.name}: {asked.problem}": "a camera's service, below",
}
"""Entries whose second half is told by others."""
REASONS = {
    "no answer: device off, wrong address, or SNMP not allowed from here", "not reachable: {error}",
    "SNMP access refused: {error}", "SNMP access refused: {name}",
    "answer not understood: {error or type(error).__name__}",
    "no answer within {SERVICE_SECONDS:g} s", "something answers that is not {name}", "no answer in time",
}  # fmt: skip
"""The second halves that are known."""
NO_ENTRIES = {
    "{menu}: {count}", "{what}: {reply.traps[0].message}", "{sentence}: {reason}", "connection lost: {exc}",
    "answer ended without !done: {shown}", "not SNMP 2c: {error}", "password: ?$",
}  # fmt: skip
"""Texts of the same shape that stand in settings, in the router's configuration, or before ``DeviceError``."""
_SHAPE = re.compile(r"[a-z0-9{][^:\n]{0,60}: \S")


def _text(node: ast.AST) -> str:
    """Return a string as it is written, with what is put in between braces."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(one) for one in node.values)
    if isinstance(node, ast.FormattedValue):
        form = f":{_text(node.format_spec)}" if node.format_spec else ""
        return f"{{{ast.unparse(node.value)}{form}}}"
    return ""


def _written() -> Iterator[str]:
    """Yield all texts of drivers that could be an entry: not what is raised, told to who installs, or explains code."""
    for file in sorted(DRIVERS.rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        apart = [node for node in ast.walk(tree) if isinstance(node, ast.Raise | ast.JoinedStr) or _is_finding(node)]
        inside = {id(part) for node in apart for part in ast.walk(node) if part is not node}
        inside |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        yield from (text for node in ast.walk(tree) if id(node) not in inside and _SHAPE.match(text := _text(node)))


def _is_finding(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"works", "fails"}


WRITTEN = sorted(set(_written()))


def _sample(text: str) -> str:
    return re.sub(r"\{[^}]*\}", "7", text)


def test_the_search_finds_what_drivers_write() -> None:
    assert {"interfaces: none answered", "ping {target}: no answer row", *OWN_WORDS} <= set(WRITTEN)
    assert len(WRITTEN) > 30
    known = OWN_WORDS.keys() | REASONS | NO_ENTRIES
    assert known - {*WRITTEN, *REASONS} == set(), "a driver no longer writes it"


@pytest.mark.parametrize("text", [one for one in WRITTEN if one not in OWN_WORDS.keys() | REASONS | NO_ENTRIES])
def test_every_entry_of_a_driver_is_said_in_both_languages(text: str) -> None:
    entry = _sample(text)
    said = untold.words(entry, INDONESIAN)
    assert not said.startswith("“"), f"nobody put it into words: {text}"
    assert said != untold.words(entry, ENGLISH)
    assert said.count("7") >= min(1, text.count("{"))


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_that_is_known_is_said_in_both_languages(reason: str) -> None:
    entry = f"light: {_sample(reason)}"
    assert untold.words(entry, INDONESIAN).startswith("light: ")
    assert untold.words(entry, INDONESIAN) != untold.words(entry, ENGLISH)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("capsman: no such menu on this router", "capsman: tidak ada di router ini"),
        ("wireless: no such command prefix", "wireless: tidak ada di router ini"),
        ("ping internet: not enough permissions (right: test)",
         "ping internet: pengguna kotak di router tidak punya hak test"),
        ("interfaces: 130 on the device, 100 reported", "interfaces: ada 130 di perangkat, 100 dikirim"),
        ("wan_interface: the router has no interface 'ether9'",
         "jalur internet: router tidak punya antarmuka 'ether9'; perbaiki wan_interface di kotak"),
        ("hotspot users: interrupted (6)", "“hotspot users: interrupted (6)”"),
        ("100%(s) %s {what}", "“100%(s) %s {what}”"),
    ],
)  # fmt: skip
def test_known_entries_are_translated_and_others_stand_in_quotes_as_they_came(entry: str, said: str) -> None:
    assert untold.words(entry, INDONESIAN) == said


def test_an_entry_that_is_told_twice_is_shown_once() -> None:
    assert untold.listed(["a: x", "a: x", "interfaces: none answered"], ENGLISH) == [
        "“a: x”", "interfaces: none answered"
    ]  # fmt: skip
