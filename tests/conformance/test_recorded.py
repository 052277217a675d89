"""Our own recordings: a folder that `kampungnet-agent record` wrote becomes a test by lying in ``recorded/``.

A driver may learn to read more than it did when the folder was written; what it read then, it must still read.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from tests.agent.record_circle import read_again

RECORDED: Final = Path(__file__).parent / "recorded"
FOLDERS: Final = sorted(path for path in RECORDED.iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
async def test_a_recorded_device_is_read_as_it_was_when_it_was_recorded(folder: Path) -> None:
    told = json.loads((folder / "expected.json").read_text())
    polled = await read_again(folder)
    assert polled.uptime_seconds == told["uptime_seconds"]
    assert list(_lost(told["body"], msgspec.to_builtins(polled.body), "body")) == []


def _lost(expected: Any, found: Any, place: str) -> Iterator[str]:
    """Yield what was read once and is not any more, or is something else now."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            yield from _lost(value, found.get(name), f"{place}.{name}")
    elif isinstance(expected, list) and isinstance(found, list) and place.endswith(".missing"):
        yield from (f"{place}: {entry}" for entry in expected if entry not in found)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _lost(one, other, f"{place}[{number}]")
    elif expected != found:
        yield f"{place}: {found!r}, once {expected!r}"
