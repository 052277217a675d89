"""The API service of one router on loopback, plain or TLS."""

import asyncio
import ssl
from collections.abc import Callable

from kampungnet_sim.routeros_engine import Engine
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_session import ApiConnection, ServerOptions


class RouterServer:
    """Listens for API clients of one router."""

    def __init__(
        self, router: SimulatedRouter, options: ServerOptions | None = None, engine: Engine | None = None
    ) -> None:
        self.router = router
        self.options = options or ServerOptions()
        self.engine = engine or Engine(router)
        self._connections: set[ApiConnection] = set()
        self._servers: list[asyncio.Server] = []

    @property
    def on_reboot(self) -> Callable[[], None] | None:
        """What ``/system/reboot`` does."""
        return self.engine.on_reboot

    @on_reboot.setter
    def on_reboot(self, action: Callable[[], None]) -> None:
        self.engine.on_reboot = action

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listen on 127.0.0.1; returns the port (0 lets the system choose one)."""
        loop = asyncio.get_running_loop()
        # asyncio sets TCP_NODELAY on every stream socket it accepts.
        server = await loop.create_server(
            lambda: ApiConnection(self.engine, self.options, self._connections),
            "127.0.0.1",
            port,
            ssl=tls,
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def tick(self) -> None:
        """Run what is due, and cut connections that a dark or restarting router cannot hold."""
        if self.router.own.run_jobs(self.router.clock()) and self.on_reboot is not None:
            self.on_reboot()
        if not self._connections:
            return
        if not self.router.village.router_is_up(self.router.clock()):
            self.drop_all()

    def drop_all(self) -> None:
        """End all connections without notice."""
        for connection in tuple(self._connections):
            connection.drop()

    async def close(self) -> None:
        """Stop listening and end all connections."""
        for server in self._servers:
            server.close()
        self.drop_all()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
