"""Driver ``camera``: a CCTV camera by RTSP OPTIONS, its web page and ping. No password is sent and no picture fetched.

Options of ``[[devices]]``: ``rtsp_port`` (default 554, or the port of ``address``) and ``http_port`` (default 80);
0 is none.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from kampungnet.shared.wire import HostBody, Ping, Purpose
from kampungnet_agent.driver import DeviceError, DeviceSettings, DeviceUnreachable, Finding, Polled

from .address import split_address
from .host_check import explain, reached
from .host_service import Asked, ask_http, ask_rtsp
from .ping import way_used
from .ping_echo import Reached, port_option, reach

RTSP_PORT: Final = 554
HTTP_PORT: Final = 80


class CameraDriver:
    """One camera. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"rtsp_port", "http_port"})

    def __init__(self, settings: DeviceSettings) -> None:
        self._host, port = split_address(settings.address, RTSP_PORT)
        self._rtsp_port = port_option(settings.options, "rtsp_port", port)
        self._http_port = port_option(settings.options, "http_port", HTTP_PORT)

    async def poll(self) -> Polled:
        """Ask everything side by side; raises ``DeviceUnreachable`` when nothing at all answers."""
        questions = [
            ask(self._host, port) for ask, port in ((ask_rtsp, self._rtsp_port), (ask_http, self._http_port)) if port
        ]
        asked, pinged = await asyncio.gather(asyncio.gather(*questions), self._ping())
        if not any(one.service.answers for one in asked) and not (pinged and pinged.ping.received):
            raise DeviceUnreachable("; ".join(["no ping", *map(_said, asked)])[:300])
        return Polled(_body(asked, pinged, self._rtsp_port or self._http_port))

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what of the camera answers."""
        try:
            polled = await self.poll()
        except DeviceError as error:
            return [explain(error, self._host)]
        return reached(polled.body, self._host)

    async def close(self) -> None:
        """Hold nothing between polls."""

    async def _ping(self) -> Reached | None:
        """Ping it; ``None`` where no way is open, which the services make up for."""
        try:
            return await reach(self._host, self._rtsp_port or self._http_port)
        except DeviceUnreachable:
            return None


def _said(asked: Asked) -> str:
    return f"{asked.service.name}: {asked.problem}"


def _body(asked: Iterable[Asked], pinged: Reached | None, tcp_port: int) -> HostBody:
    asked = list(asked)
    pings: list[Ping] = [pinged.ping] if pinged else []
    return HostBody(
        purpose=Purpose.CAMERA,
        model=next((one.server for one in asked if one.server), ""),
        pings=pings,
        services=[one.service for one in asked],
        missing=[_said(one) for one in asked if one.problem] + way_used(pinged.way if pinged else "icmp", tcp_port),
    )
