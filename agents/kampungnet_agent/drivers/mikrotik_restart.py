"""``/system/reboot``: the router starts anew, if the account has the policy ``reboot`` (facts on RouterOS 11.1)."""

from typing import Final

from librouteros.exceptions import LibRouterosError  # type: ignore[import-untyped]

from kampungnet_agent.acts import About, ActRefused

from .fields import seconds
from .routeros_sentences import encode_command
from .routeros_wire import RouterConnection

POLICY: Final = "reboot"
NO_RIGHT: Final = "not enough permissions"
_UPTIME: Final = encode_command("/system/resource/print", "=.proplist=uptime")
_REBOOT: Final = encode_command("/system/reboot")


async def start_anew(connection: RouterConnection, about_to: About, patience: float) -> None:
    """Ask once. A connection that ends instead of an answer is what a router does that goes down."""
    rows = (await connection.ask([_UPTIME], patience))[0].rows
    await about_to(seconds(rows[0].get(b"uptime")) if rows else None)
    try:
        reply = (await connection.ask([_REBOOT], patience))[0]
    except (LibRouterosError, OSError):
        return
    if reply.traps:
        said = reply.traps[0].message
        if not reply.late:
            raise ActRefused(said[:300], POLICY if NO_RIGHT in said else "")
