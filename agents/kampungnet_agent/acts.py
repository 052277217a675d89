"""What a driver may be able to do beside measuring, because somebody at the office asked for it once."""

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, Protocol, runtime_checkable

About = Callable[[int | None], Awaitable[None]]
"""Called with the device's uptime in seconds when the next thing sent starts it anew; what it notes is on the disk."""


class ActRefused(Exception):
    """The device said no, and nothing was done. ``right`` names the right that is missing, where it said so."""

    def __init__(self, sentence: str, right: str = "") -> None:
        super().__init__(sentence)
        self.right = right


@runtime_checkable
class Restarts(Protocol):
    """A driver that can start its device anew."""

    async def restart(self, about_to: About) -> None:
        """Connect, call ``about_to``, and ask the device to start anew, once; never again by itself.

        Raises ``DeviceError`` when it could not be asked, :class:`ActRefused` when it said no. An answer that does
        not come after it was asked is none of both: the device may be on its way down.
        """
        ...


@runtime_checkable
class Hides(Protocol):
    """A driver that knows whom and what nobody outside the village may read of."""

    def hidden(self) -> Iterable[str]:
        """Yield names, codes, passwords and addresses of people's devices."""
        ...


class Renewed(NamedTuple):
    """What came of looking at a whole portal."""

    changed: int
    """Rows and files that had to be put right."""
    problems: list[str]


@runtime_checkable
class Renews(Protocol):
    """A driver that keeps its device as it is wanted, and can be told to look at all of it now."""

    async def renew(self) -> Renewed:
        """Look at everything and put right what is not as it is wanted. Raises ``DeviceError`` or ``ActRefused``."""
        ...
