"""Driver ``ping``: any box of which only up, down and latency are of interest.

Options of ``[[devices]]``: ``purpose`` (camera, access_point, other) and ``port`` (TCP port to knock at where ICMP
is not allowed or not answered; default none). ``missing`` says which way was used.
"""

from collections.abc import Iterable
from typing import Final

from kampungnet.shared.wire import HostBody, Purpose
from kampungnet_agent.driver import DeviceError, DeviceSettings, DeviceUnreachable, Finding, Polled

from .address import split_address
from .host_check import explain, reached
from .ping_echo import port_option, reach

_NO_PORT: Final = 1
"""``split_address`` wants some port; pings have none."""


class PingDriver:
    """One host. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"purpose", "port"})

    def __init__(self, settings: DeviceSettings) -> None:
        self._host, given = split_address(settings.address, _NO_PORT)
        usual = 0 if given == _NO_PORT else given
        self._port = port_option(settings.options, "port", usual)
        self._purpose = purpose_of(settings)

    async def poll(self) -> Polled:
        """Ping it; raises ``DeviceUnreachable`` when nothing comes back."""
        ping, way = await reach(self._host, self._port)
        if not ping.received:
            raise DeviceUnreachable(f"no answer to {ping.sent} pings")
        return Polled(HostBody(purpose=self._purpose, pings=[ping], missing=way_used(way, self._port)))

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian whether it answers."""
        try:
            polled = await self.poll()
        except DeviceError as error:
            return [explain(error, self._host)]
        return reached(polled.body, self._host)

    async def close(self) -> None:
        """Hold nothing between polls."""


def purpose_of(settings: DeviceSettings, usual: Purpose = Purpose.OTHER) -> Purpose:
    """Return what the box is for; raises ``ValueError``."""
    wanted = str(settings.options.get("purpose", usual.value))
    if wanted not in set(Purpose):
        raise ValueError(f"purpose {wanted!r} is not one of {', '.join(Purpose)}")
    return Purpose(wanted)


def way_used(way: str, port: int) -> list[str]:
    """Return what has to be said of a latency that was not measured by ICMP."""
    return [] if way == "icmp" else [f"ping: measured by TCP connect to port {port}, not by ICMP"]
