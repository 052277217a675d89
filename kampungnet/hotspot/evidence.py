"""What the programme can prove without names: devices and hours, and how much of it outside office hours. Pure.

Groups of fewer than five devices are not shown (facts on hotspots 12), and never exactly one among its neighbours: who
subtracts those that are shown from the sum would have it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

SMALLEST_GROUP: Final = 5

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Use:
    """The use of some portals on some days."""

    people: int = 0
    """Devices of each day, added up over the days."""
    most: int = 0
    """Devices of the busiest day of one portal: so many different ones there were at least."""
    seconds: int = 0
    office_seconds: int = 0
    size: int = 0
    """Bytes, both ways."""

    def __add__(self, other: "Use") -> "Use":
        """Return both together."""
        return Use(
            self.people + other.people, max(self.most, other.most), self.seconds + other.seconds,
            self.office_seconds + other.office_seconds, self.size + other.size,
        )  # fmt: skip

    @property
    def outside_percent(self) -> float | None:
        """Share of the time outside office hours; ``None`` when nobody was online."""
        return 100 * (self.seconds - self.office_seconds) / self.seconds if self.seconds else None

    @property
    def is_small(self) -> bool:
        """Tell whether so few devices were there that somebody could be told from them."""
        return self.people > 0 and self.most < SMALLEST_GROUP


def total(uses: Iterable[Use]) -> Use:
    """Return all of them together."""
    return sum(uses, Use())


def shown(uses: Mapping[Key, Use]) -> dict[Key, Use | None]:
    """Return what may be shown of parts whose sum is shown as well; ``None`` stands for what is too small."""
    hidden = {key for key, use in uses.items() if use.is_small}
    others = [key for key, use in uses.items() if use.people and key not in hidden]
    if len(hidden) == 1 and others:
        hidden.add(min(others, key=lambda key: uses[key].people))
    return {key: None if key in hidden else use for key, use in uses.items()}
