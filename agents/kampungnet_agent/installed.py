"""What is installed beside us: entry points and versions, as ``importlib.metadata`` would say.

That module brings zip files, CSV and e-mail along: 1.6 MB, a twentieth of all the agent uses, to
read one small text file. So the file is read here, and whoever is installed in a way not
seen here (inside a zip, by an import hook) is still found the long way.
"""

import sys
from collections.abc import Iterator
from pathlib import Path


def entry_points(group: str) -> dict[str, str]:
    """Return name → ``module:object`` of one entry point group, from the packages on ``sys.path``."""
    found: dict[str, str] = {}
    for folder in _installed():
        file = folder / "entry_points.txt"
        if file.is_file():
            for name, target in _of_group(file.read_text(encoding="utf-8"), group):
                found.setdefault(name, target)  # the first on the path wins, as for imports
    return found


def version_of(package: str) -> str:
    """Return the version of an installed package; empty when it is not installed."""
    for folder in _installed():
        name, _, version = folder.stem.partition("-")
        if name == package:
            return version
    return ""


def _installed() -> Iterator[Path]:
    for place in sys.path:
        yield from sorted(Path(place or ".").glob("*.dist-info"))


def _of_group(text: str, group: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == group and "=" in line:
            name, _, target = line.partition("=")
            yield name.strip(), target.partition("[")[0].strip()
