"""How the simulator waits."""

from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]
