"""What the driver asks for exists: checked against what consoles of several RouterOS versions list."""

import json
from typing import Final

import pytest

from kampungnet_agent.drivers.mikrotik_questions import HEALTH_V6, STANDING, TABLES, Question
from tests.conformance.shelf import Kind, Recording

QUESTIONS: Final = (*STANDING, *(table.question for table in TABLES))
OLDER: Final = {
    "/ip/route": {"routing-mark", "gateway-status"},
    "/system/health": {"name", "value", "type", *(name.decode() for name in HEALTH_V6)},
    "/system/license": {"nlevel"},
    "/system/device-mode": {"mode", "hotspot"},
}
"""Properties of version 6 or of real boards, which a virtual router of version 7 does not list (facts 7.2, 7.14)."""


def words_of(question: Question) -> list[str]:
    """Return a question's words; none is longer than 16,383 bytes."""
    words, rest = [], question.command
    while rest:
        size, start = (rest[0], 1) if rest[0] < 128 else ((rest[0] & 63) << 8 | rest[1], 2)
        words.append(rest[start : start + size].decode())
        rest = rest[start + size :]
    return words


@pytest.mark.of(Kind.ROUTEROS_CONSOLE)
def test_every_property_we_ask_for_is_one_that_the_console_lists(recording: Recording) -> None:
    menus = json.loads(recording.path.read_text())["paths"]
    checked = 0
    unknown: list[str] = []
    for question in QUESTIONS:
        command, *words = words_of(question)
        menu = command.removesuffix("/print")
        listed = set(menus.get(menu, {}).get("get-value-names", {})) | OLDER.get(menu, set())
        asked = next((word.removeprefix("=.proplist=") for word in words if word.startswith("=.proplist=")), "")
        if asked and menus.get(menu, {}).get("get-value-names"):
            checked += 1
            unknown += [f"{menu} {name}" for name in asked.split(",") if name not in {*listed, ".id"}]
    assert unknown == []
    assert checked > 5 or "get-value-names" not in recording.path.read_text()


@pytest.mark.of(Kind.ROUTEROS_CONSOLE)
def test_every_menu_we_print_could_be_printed_in_every_version_that_has_it(recording: Recording) -> None:
    menus = json.loads(recording.path.read_text())["paths"]
    for question in QUESTIONS:
        menu = words_of(question)[0].removesuffix("/print")
        for version, told in menus.get(menu, {}).items():
            if isinstance(told, dict) and "commands" in told:
                assert "print" in told["commands"], (menu, version)
