"""An accessibility checker (axe) in the browser that a test drives."""

import fcntl
import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.sim.stage import needed
from tests.support.browser import Browser

AXE: Final = "axe-core@4.10.3"
CACHE: Final = Path(__file__).parents[2] / ".cache" / AXE
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS: Final = ["color-contrast", "link-in-text-block"]


@pytest.fixture(scope="session")
def axe() -> str:
    """The checker's script, taken from npm once."""
    mark = CACHE / ".complete"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers need it, perhaps at once
        if not mark.exists():
            install = [needed("npm", "npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix", ".", AXE]
            subprocess.run(install, cwd=CACHE, check=True, capture_output=True, timeout=280)
            mark.touch()
    return (CACHE / "node_modules/axe-core/axe.min.js").read_text("utf-8")


async def found_on(page: Browser, axe: str) -> list[str]:
    """What the checker says against the page that is open, by day; and against its colours by night."""
    await page.value(f"(() => {{ {axe}; return typeof window.axe }})()")
    found = []
    for scheme, only in (("light", {"type": "tag", "values": RULES}), ("dark", {"type": "rule", "values": COLOURS})):
        await page.call(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )  # fmt: skip
        asked = json.dumps({"runOnly": only, "resultTypes": ["violations"]})
        said: list[dict[str, Any]] = json.loads(
            await page.value(f"axe.run(document, {asked}).then(found => JSON.stringify(found.violations))")
        )
        found += [
            f"{one['id']}: {scheme} {node['html'][:150]} {node['failureSummary']}" for one in said
            for node in one["nodes"]
        ]  # fmt: skip
    return found
