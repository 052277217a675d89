"""What an installation pulls in, from the metadata of what is installed here: exact, and without a network."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution

from packaging.requirements import Requirement

OURS = "kampungnet"


def canonical(name: str) -> str:
    """Return a name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(*extras: str) -> dict[str, Distribution]:
    """Return every package that `kampungnet[extras]` needs, and what those need in turn, by canonical name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(OURS, extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        found[name] = distribution(name)
        for needed in _needed(found[name], extra):
            key = canonical(needed.name)
            waiting += [(key, one) for one in ("", *map(canonical, needed.extras))]
    del found[OURS]
    return found


def _needed(package: Distribution, extra: str) -> Iterator[Requirement]:
    for line in package.requires or ():
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": extra}):
            yield needed
