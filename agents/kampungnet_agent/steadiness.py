"""Whether a box's clock has run steadily for long enough to judge by it how old readings are.

A router without a battery gives its box the time of 1970 or of any year, and the kernel calls that synchronised. By
such a clock every reading that waits would be a decade old.
"""

from typing import Final

from kampungnet_agent.box import Box

STEADY_MS: Final = 86_400_000
"""Time since boot during which the wall clock must not have jumped."""
JUMP_MS: Final = 60_000
"""What NTP sets right at once is less; leap seconds and drift are far less."""


class Steadiness:
    """Watches wall clock and time since boot side by side; to be asked every few minutes."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._offset_ms: int | None = None
        self._since_ms = 0

    def is_proven(self) -> bool:
        """Tell whether the two ran together for a whole day; any jump begins it anew."""
        boottime_ms = self._box.boottime_ms()
        offset_ms = self._box.wall_ms() - boottime_ms
        if self._offset_ms is None or abs(offset_ms - self._offset_ms) > JUMP_MS:
            self._since_ms = boottime_ms
        self._offset_ms = offset_ms
        return boottime_ms - self._since_ms >= STEADY_MS
