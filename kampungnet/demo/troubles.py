"""Two villages of the demo are in trouble on purpose, so that a visitor sees what that looks like."""

import urllib.request
from dataclasses import dataclass
from typing import Final

import msgspec

from kampungnet.demo.boxes import Box

ENOUGH_VILLAGES: Final = 6
DARK_MS: Final = 3 * 3_600_000
"""How long the dark box has been without power when the demo begins."""
_LONG_SECONDS: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Troubles:
    """Who is in trouble: ``fibre`` has its fibre cut, ``dark`` has a box without power."""

    fibre: Box | None = None
    dark: Box | None = None

    def start(self) -> None:
        """Cut the fibre in the simulator, over its control socket."""
        if self.fibre is None:
            return
        fault = {"village": self.fibre.village, "fault": "cut_fibre", "seconds": _LONG_SECONDS}
        request = urllib.request.Request(f"{self.fibre.control}/faults", msgspec.json.encode(fault), method="POST")  # noqa: S310 -- our own loopback address
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 -- our own loopback address

    def __str__(self) -> str:
        if self.fibre is None or self.dark is None:
            return "All of them work."
        return f"On purpose the fibre of {self.fibre.name} is cut and the box of {self.dark.name} has no power."


def choose(boxes: list[Box]) -> Troubles:
    """Choose two villages, unless there are too few to spare any."""
    if len(boxes) < ENOUGH_VILLAGES:
        return Troubles()
    return Troubles(fibre=boxes[len(boxes) // 2], dark=boxes[len(boxes) // 3])
