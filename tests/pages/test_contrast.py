"""Every text colour can be read on every ground it stands on (WCAG 2.2, 1.4.3: 4.5 to 1), by day and by night."""

import re

import pytest

from kampungnet.core.pages import PACKAGE

TEXTS = ("ink", "soft", "link", "up", "down", "silent", "weak")
GROUNDS = ("card", "ground")
DAY, NIGHT = re.findall(r":root \{(.*?)color-scheme", (PACKAGE / "static/style.css").read_text("utf-8"), re.DOTALL)[:2]


def _colours(block: str) -> dict[str, str]:
    return {name: "".join(c * (2 if len(value) == 3 else 1) for c in value)
            for name, value in re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", block)}  # fmt: skip


def _brightness(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("block", [DAY, NIGHT], ids=["day", "night"])
def test_text_can_be_read_on_its_ground(block: str, text: str, ground: str) -> None:
    colours = _colours(DAY) | _colours(block)
    lighter, darker = sorted((_brightness(colours[text]), _brightness(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
