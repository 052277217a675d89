"""Pure: what ``/export terse`` printed, as lines that change only when the settings do.

Sources: facts on RouterOS, 12.3 to 12.6 (what an export shows, its first lines, what makes it incomplete).
"""

import re
from typing import Final, NamedTuple

from kampungnet_agent.named_rows import without_names

PEOPLE: Final = (
    "/ip hotspot user",
    "/ip hotspot ip-binding",
    "/ip dhcp-server lease",
    "/interface wireless access-list",
    "/interface wifi access-list",
    "/caps-man access-list",
    "/tool user-manager",
    "/user-manager user",
)
"""Menus whose rows are vouchers, phones and people: they change by themselves and are nobody's business elsewhere."""
_VERSION: Final = re.compile(r"^# .* by RouterOS (\d+\.\d+\S*)")
_FACT: Final = re.compile(r"^# (model|serial number) = (.+)$")
_BROKEN: Final = re.compile(r'#\s*error exporting "?([^"]*)"?')
_CONTINUED: Final = re.compile(r"\\\n\s*")


class Export(NamedTuple):
    """An export that is whole."""

    version: str
    model: str
    serial: str
    text: str
    left_out: list[str]


def export_of(printed: str) -> Export:
    """Return the settings in what was printed; raises ``ValueError`` with one sentence when they are not whole."""
    lines = _CONTINUED.sub("", printed.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    version = next((found[1] for line in lines[:5] if (found := _VERSION.match(line))), "")
    if not version:
        raise ValueError(f"no export: {' '.join(printed.split())[:150] or 'nothing was printed'}")
    facts: dict[str, str] = {}
    kept: list[str] = []
    left_out: dict[str, int] = {}
    for line in lines:
        if line.startswith("#"):
            if broken := _BROKEN.match(line):
                raise ValueError(f"the export is not whole: {broken[1][:80]} did not answer")
            if found := _FACT.match(line):
                facts[found[1]] = found[2].strip()
        elif menu := _menu_of_people(line):
            left_out[menu] = left_out.get(menu, 0) + 1
        elif line.strip():
            kept.append(without_names(line.rstrip()))
    return Export(
        version, facts.get("model", ""), facts.get("serial number", ""), "".join(f"{line}\n" for line in kept),
        [f"{menu}: {count}" for menu, count in left_out.items()],
    )  # fmt: skip


def export_command(version: str) -> str:
    """Return what prints the settings without secrets; RouterOS 7 hides them unless told otherwise."""
    return "/export terse" if _major(version) >= 7 else "/export terse hide-sensitive"


def _major(version: str) -> int:
    """Return the first number of a version; raises ``ValueError``."""
    found = re.match(r"\s*(\d{1,2})\.", version)
    if found is None:
        raise ValueError(f"no version: {' '.join(version.split())[:150] or 'nothing was printed'}")
    return int(found[1])


def _menu_of_people(line: str) -> str:
    for menu in PEOPLE:
        if line.startswith(menu) and line[len(menu) :].lstrip().startswith(("add ", "set ")):
            return menu
        if menu in {"/tool user-manager", "/user-manager user"} and line.startswith(menu):
            return menu
    return ""
