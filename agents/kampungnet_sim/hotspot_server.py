"""The hotspot of one router on loopback: one port, and a door for each guest.

Who asks is told by loopback addresses: 127.A.B.C is the guest 10.A.B.C of the village. A client binds its source
address to it; a browser, which cannot, connects to the guest's own door (``Guest.door``: the same port on the
guest's address). So no header has to be made up, and any HTTP client is a phone. The plain 127.0.0.1 is a guest
of its own: whoever opens the printed address in a browser.

A phone does not know of the router: all it asks for passes it. A browser becomes one with the door as its HTTP
proxy (``--proxy-server=http://127.5.53.10:PORT``): then ``http://wifi.desa/login`` is the servlet and any other
host the internet, as on the wifi. Without a proxy every path is the servlet's, and links name the loopback address.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from kampungnet_sim import hotspot_firewall as firewall
from kampungnet_sim import hotspot_internet as internet
from kampungnet_sim.hotspot_guest import Guest
from kampungnet_sim.hotspot_portal import Host
from kampungnet_sim.hotspot_rules import Wanted, first_rule
from kampungnet_sim.servlet import Answer, Request, Servlet

if TYPE_CHECKING:
    from kampungnet_sim.routeros_router import SimulatedRouter

_MOST_HEAD, _MOST_BODY = 16_384, 65_536
_PATIENCE_SECONDS = 30.0
# Scripted guests live above those of the simulated village (10.5.50 to 10.5.52).
_FIRST_GUEST = (53 << 8) + 10
_OWN_BROWSER = "10.5.53.1"


def guest_address(loopback: str) -> str:
    """127.A.B.C as the village knows it."""
    return _OWN_BROWSER if loopback == "127.0.0.1" else "10." + loopback.partition(".")[2]


def door_address(address: str) -> str:
    """Where the guest with a village address stands on loopback."""
    return "127.0.0.1" if address == _OWN_BROWSER else "127." + address.partition(".")[2]


def made_up_mac(address: str) -> str:
    """The MAC of a guest nobody introduced."""
    return "02:7F:" + ":".join(f"{int(part):02X}" for part in address.split("."))


class HotspotServer:
    """Listens for the guests of one router."""

    def __init__(self, router: "SimulatedRouter") -> None:
        self.port = 0
        # Hosts of the internet that are real servers on loopback: name, or name:port, to address and port.
        self.far: internet.Far = {}
        self.guests: dict[str, Guest] = {}
        self._router = router
        self._firewall = firewall.HotspotFirewall(router)
        self._servlet = Servlet(router, f"Desa {router.profile.name}")
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; returns the port."""
        self.port = await self._listen("127.0.0.1", port)
        return self.port

    async def _listen(self, address: str, port: int) -> int:
        server = await asyncio.start_server(self._begin, address, port, limit=_MOST_HEAD)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut everybody off."""
        for server in self._servers:
            server.close()
        self.drop_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def drop_all(self) -> None:
        """End all connections, as a power cut does."""
        for task in tuple(self._tasks):
            task.cancel()

    def tick(self) -> None:
        """Cut connections that a dark router cannot hold."""
        if self._tasks and not self._router.village.router_is_up(self._router.clock()):
            self.drop_all()

    async def join(self, mac: str) -> Guest:
        """A device comes onto the wifi: it gets an address, a door, and is seen by the router."""
        guest = self.guests.get(mac.upper())
        if guest is None:
            number = _FIRST_GUEST + len(self.guests)
            address = f"10.5.{number >> 8}.{number & 255}"
            guest = Guest(self._router, mac.upper(), address, f"{door_address(address)}:{self.port}")
            self.guests[guest.mac] = guest
            await self._listen(door_address(address), self.port)
        guest.appear()
        return guest

    # -- connections --------------------------------------------------------------------------------------

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._one(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ValueError):
            # The guest went away, speaks no HTTP, or the host it wanted did not answer.
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now, village = self._router.clock(), self._router.village
        if not village.router_is_up(now):
            writer.transport.abort()
            return
        if not village.router_answers_at(now):
            await asyncio.Event().wait()
        request = await _read(reader)
        host = self._guest_of(writer)
        if self._router.portal.binding(host) == "blocked":
            writer.transport.abort()
            return
        own = request.method != "CONNECT" and self._servlet.is_own(request.host)
        if not await self._let_in(host, firewall.SERVLET if own else self._port_of(request, host), reader):
            writer.transport.abort()
        elif own:
            writer.write(self._servlet.own(request, host).encode())
        elif request.method == "CONNECT":
            await self._connect(request, host, reader, writer)
        else:
            writer.write(await self._internet(request, host))
        await writer.drain()

    def _port_of(self, request: Request, host: Host) -> int:
        """The hotspot's own port where a request for the internet ends up; 0 where it passes the router by."""
        if self._router.portal.session_of(host.mac) is not None or self._router.portal.binding(host) == "bypassed":
            return 0
        return firewall.SECURE if request.method == "CONNECT" else firewall.PROXY

    async def _let_in(self, host: Host, port: int, reader: asyncio.StreamReader) -> bool:
        """Wait as long as the firewall drops the connection's first packets; False where it is refused or given up.

        Who went away sends none any more.
        """
        for again in (*firewall.AGAIN_SECONDS, 0.0):
            verdict = self._firewall.verdict(firewall.Knock(host.address, port)) if port else "accept"
            if verdict != "drop":
                return verdict == "accept"
            await asyncio.sleep(again)
            if reader.at_eof():
                break
        return False

    def _guest_of(self, writer: asyncio.StreamWriter) -> Host:
        there, here = (writer.get_extra_info(name)[0] for name in ("sockname", "peername"))
        address = guest_address(str(there if there != "127.0.0.1" else here))
        known = next((one.mac for one in self.guests.values() if one.address == address), None)
        return self._router.portal.see(known or made_up_mac(address), address, self._router.clock())

    # -- the internet -------------------------------------------------------------------------------------

    def _passes(self, host: Host, wanted: Wanted) -> bool:
        """Logged in, let through by a binding, or in the walled garden: rules by address go first."""
        portal, tables = self._router.portal, self._router.tables
        if portal.session_of(host.mac) is not None or portal.binding(host) == "bypassed":
            return True
        by_address = first_rule(tables["/ip/hotspot/walled-garden/ip"].rows(), wanted)
        if by_address is not None:
            return by_address.get("action") == "accept"
        table = tables["/ip/hotspot/walled-garden"]
        rule = first_rule(table.rows(), wanted)
        if rule is None:
            return False
        table.count(rule[".id"], "hits")
        return rule.get("action") == "allow"

    def _online(self) -> bool:
        return self._router.village.state_at(self._router.clock()).internet_up

    async def _internet(self, request: Request, host: Host) -> bytes:
        name, _, port = request.host.partition(":")
        wanted = Wanted(name, int(port) if port.isdecimal() else 80, request.path, request.method)
        if not self._passes(host, wanted):
            return self._servlet.remote(request, host).encode()
        place = self.far.get(request.host, self.far.get(name))
        if not self._online():
            return internet.no_way().encode()
        data = internet.far_answer(request).encode() if place is None else await internet.forward(request, place)
        self._router.portal.traffic(host.mac, len(data), _size(request), self._router.clock())
        return data

    async def _connect(
        self, request: Request, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        name, _, port = request.target.partition(":")
        place = self.far.get(request.target, self.far.get(name))
        wanted = Wanted(name, int(port) if port.isdecimal() else 443, "/", "CONNECT")
        if not self._passes(host, wanted):
            # https-redirect=no: what is not let through is simply refused.
            writer.transport.abort()
        elif place is None or not self._online():
            writer.write(Answer(502, "Bad Gateway").encode())
        else:
            down, up = await internet.tunnel(place, reader, writer)
            self._router.portal.traffic(host.mac, down, up, self._router.clock())


def _size(request: Request) -> int:
    """Bytes of a request, about as they were sent."""
    return (
        len(request.method)
        + len(request.target)
        + 13
        + len(request.body)
        + sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    )


async def _read(reader: asyncio.StreamReader) -> Request:
    """One request. ValueError for what is none."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.partition(":") for line in head[1:] if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= _MOST_BODY:
        raise ValueError("the body is too long")
    return Request(method, target, headers, await reader.readexactly(length))
