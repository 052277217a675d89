"""Pure: what a village's state is called, from what was last heard of it."""

import enum
from typing import Final

SILENT_AFTER_MS: Final = 5 * 60_000
"""A village that said nothing for this long is silent: five missed polls, the look-back of Prometheus."""


class Status(enum.StrEnum):
    """One word for a village, as the overview counts it."""

    UP = "up"
    DOWN = "down"
    SILENT = "silent"
    NEVER = "never"


def status_of(last_reading_ms: int | None, router_ok: bool, internet_up: bool | None, now_ms: int) -> Status:
    """Name the state of a village.

    ``router_ok`` is the outcome of the router's newest reading, ``internet_up`` whether its ping to the
    internet came back (``None``: it could not ask, which is not a failure).
    """
    if last_reading_ms is None:
        return Status.NEVER
    if now_ms - last_reading_ms > SILENT_AFTER_MS:
        return Status.SILENT
    return Status.UP if router_ok and internet_up is not False else Status.DOWN
