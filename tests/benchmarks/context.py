"""What every benchmark gets: a folder that goes away, a voice, and what others of the same run found already."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from tests.benchmarks.rows import Row

Found = TypeVar("Found")


@dataclass
class Context:
    """One run of the benchmarks."""

    folder: Path
    writes: bool = False
    """Benchmarks with a page of their own in docs/ write it."""
    known: dict[str, object] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Tell how far it is."""
        sys.stdout.write(f"    {text}\n")
        sys.stdout.flush()

    def own_folder(self, name: str) -> Path:
        """Return a new folder of this run."""
        for number in range(10_000):
            path = self.folder / f"{name}-{number}"
            if not path.exists():
                path.mkdir()
                return path
        raise FileExistsError(name)

    def once(self, name: str, find: Callable[[], Found]) -> Found:
        """Return what ``find`` found, asking it only the first time in this run."""
        if name not in self.known:
            self.known[name] = find()
        return cast(Found, self.known[name])


Measure = Callable[[Context], list[Row]]
