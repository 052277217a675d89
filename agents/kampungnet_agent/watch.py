"""Pure: did what was begun happen? A restart is done only when the device was seen with a younger start."""

from typing import Final

from kampungnet.shared import wire
from kampungnet.shared.orders import OrderKind, OrderState, Why
from kampungnet_agent.order_book import Entry

SLACK_SECONDS: Final = 10
"""Uptime comes in whole seconds, and the device's clock is another one (facts on RouterOS 7.1)."""
STILL_UP_SECONDS: Final = 180
"""A device that takes a restart is down by then."""
GIVE_UP_SECONDS: Final = 900
"""At least so long; a device that is polled rarely is given two polls, of which the first may come while it starts."""


def ending_of(
    entry: Entry, seen: wire.Reading | None, boot_id: str, now_ms: int, interval_seconds: float
) -> Entry | None:
    """Return a begun order with its ending; ``None`` while it is not known.

    ``seen`` is the newest reading of the device since this agent started, ``now_ms`` the box's ``CLOCK_BOOTTIME``,
    ``interval_seconds`` lies between two polls of the device.
    """
    if entry.kind != OrderKind.RESTART:
        # What was begun has its ending in the same breath, unless the box was cut off in between.
        return entry.ended(OrderState.FAILED, Why.CUT)
    same_boot = entry.boot_id == boot_id
    # Of a box that started anew since, only that much is sure: the order is older than this boot.
    began_ms = entry.begun_ms if same_boot else 0
    uptime = seen.device_uptime_seconds if seen and seen.outcome is wire.Outcome.OK else None
    if seen is not None and uptime is not None and seen.boottime_ms > began_ms:
        since = (seen.boottime_ms - began_ms) / 1000
        if uptime < entry.uptime_seconds + since - SLACK_SECONDS:
            away = int(since) if same_boot else None
            return entry.ended(OrderState.DONE, away_seconds=away)
        if since > STILL_UP_SECONDS:
            return entry.ended(OrderState.FAILED, Why.STAYED if entry.sent else Why.CUT)
    if (now_ms - began_ms) / 1000 > max(GIVE_UP_SECONDS, 2 * interval_seconds + STILL_UP_SECONDS):
        return entry.ended(OrderState.FAILED, Why.GONE if entry.sent else Why.CUT)
    return None
