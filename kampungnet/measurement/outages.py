"""Pure: stretches without service, read from the status slots of a router.

Right to five minutes. The cause (listrik, fiber, ...) is not judged here: only what was seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kampungnet.measurement.slots import INTERNET_DOWN, NO_ANSWER, SLOT_MS, UP

_SEEN: Final = {INTERNET_DOWN: "internet", NO_ANSWER: "router"}


@dataclass(frozen=True, slots=True)
class Outage:
    """One stretch without service. ``what``: ``silent`` (no report at all), ``router`` or ``internet``."""

    start_ms: int
    end_ms: int | None
    """``None`` while it lasts."""
    what: str


def outages(status: Mapping[int, int], first_ms: int, last_ms: int) -> list[Outage]:
    """Return the outages between two instants, oldest first.

    ``status`` maps slot starts to status values. Slots before the first one that is known are not an
    outage: the village was not measured yet. The last slot, still filling, is not judged when empty.
    """
    known = [slot for slot in status if first_ms <= slot < last_ms]
    if not known:
        return []
    found: list[Outage] = []
    for slot in range(min(known), last_ms - last_ms % SLOT_MS, SLOT_MS):
        what = _what(status.get(slot))
        current = found[-1] if found and found[-1].end_ms is None else None
        if current and current.what != what:
            found[-1] = Outage(current.start_ms, slot, current.what)
            current = None
        if what and not current:
            found.append(Outage(slot, None, what))
    return found


def _what(value: int | None) -> str:
    if value == UP:
        return ""
    return "silent" if value is None else _SEEN.get(value, "router")


def coverage(slots: Iterable[int], first_ms: int, last_ms: int) -> float | None:
    """Return the share of slots between two instants that hold at least one reading, 0 to 1."""
    expected = (last_ms - first_ms) // SLOT_MS
    if expected <= 0:
        return None
    return min(1.0, len({slot for slot in slots if first_ms <= slot < last_ms}) / expected)
