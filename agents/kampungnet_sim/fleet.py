"""All simulated villages of one process: started, ticked, listed, stopped."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kampungnet_sim.chance import generator, key_of
from kampungnet_sim.extras import Extras, ExtraWish, is_wished
from kampungnet_sim.faults import FaultBoard
from kampungnet_sim.gateway import Gateway, GatewayBoard
from kampungnet_sim.hotspot_server import HotspotServer
from kampungnet_sim.models import ROUTER_MODELS
from kampungnet_sim.register import RegisteredVillage
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.routeros_server import RouterServer
from kampungnet_sim.routeros_session import ServerOptions
from kampungnet_sim.snmp_ont import engine_boots, ont_tree
from kampungnet_sim.snmp_server import AgentOptions, serve_snmp
from kampungnet_sim.snmp_usm import UsmUser
from kampungnet_sim.village import Village, VillageState, draw_profile
from kampungnet_sim.village_features import NO_WISH, Wish

if TYPE_CHECKING:
    from kampungnet_sim.ssh_devices import Shell

_TICK_SECONDS = 0.25
# Ports of one village, from the base port up: API, API over TLS, SNMP, line to the server, hotspot.
PORTS_PER_VILLAGE = 5
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """How the whole fleet is run. ``server`` is where the villages' lines lead to."""

    seed: int = 1
    base_port: int = 0
    rtt_ms: float = 0.0
    instant_ping: bool = False
    quick_ack: bool = False
    model: str | None = None
    version: str | None = None
    tls: ssl.SSLContext | None = None
    server: tuple[str, int] | None = None
    wish: Wish = NO_WISH
    extras: ExtraWish = ExtraWish()  # noqa: RUF009 -- it is frozen
    router_ssh: bool | frozenset[str] = False
    """Whose command lines are open, as backups need them: everybody's, or those of these codes."""


@dataclass(frozen=True, slots=True)
class OntAccess:
    """What one needs to ask an ONT."""

    community: str
    user: UsmUser


def draw_ont_access(seed: int, code: str) -> OntAccess:
    """Community and SNMPv3 passwords made from the seed: never a fixed default."""
    chance = generator(seed, code, "ont access")
    words = ["".join(chance.choices(_LETTERS, k=14)) for _ in range(3)]
    return OntAccess(words[0], UsmUser("kampungnet", words[1], words[2]))


@dataclass(slots=True)
class Site:
    """One running village."""

    village: Village
    router: SimulatedRouter
    server: RouterServer
    access: OntAccess
    ports: dict[str, int]
    sockets: list[asyncio.DatagramTransport]
    gateway: Gateway | None = None
    portal: HotspotServer | None = None
    shell: "Shell | None" = None

    @property
    def hotspot(self) -> HotspotServer:
        """The hotspot, in a village that has one."""
        if self.portal is None:
            raise ValueError(f"no hotspot runs in {self.village.profile.code}")
        return self.portal

    def inventory(self) -> dict[str, object]:
        """What a settings file needs to know."""
        profile = self.village.profile
        user = self.router.users["kampungnet"]
        router: dict[str, object] = {
            "address": f"127.0.0.1:{self.ports['api']}",
            "username": user.name,
            "password": user.password,
            "version": profile.version,
            "model": profile.router.board_name,
            "wan_interface": profile.router.wan_interface,
            "features": sorted(profile.features),
            "users": {u.name: u.password for u in self.router.users.values()},
        }
        if "api-ssl" in self.ports:
            router["tls_address"] = f"127.0.0.1:{self.ports['api-ssl']}"
        if "hotspot" in self.ports:
            router["hotspot_address"] = f"127.0.0.1:{self.ports['hotspot']}"
            router["hotspot_user"] = _some_voucher(self.router)
        ont = {
            "address": f"127.0.0.1:{self.ports['snmp']}",
            "kind": profile.ont.kind,
            "model": profile.ont.model,
            "wan_interface": self.village.ont_plan[0].name,
            "community": self.access.community,
            "v3_username": self.access.user.name,
            "v3_auth_password": self.access.user.auth_password,
            "v3_priv_password": self.access.user.priv_password,
            "engine_id": _engine_id(profile.code).hex(),
        }
        found: dict[str, object] = {
            "village": profile.code, "name": profile.name, "contract_mbps": profile.contract_mbps,
            "router": router, "ont": ont,
        }  # fmt: skip
        if self.shell is not None:
            router["ssh"] = self.shell.access
        if self.gateway is not None:
            found["line"] = f"127.0.0.1:{self.ports['line']}"
        return found


def _some_voucher(router: SimulatedRouter) -> dict[str, str]:
    """A voucher that was sold in this village, for whoever wants to see its wifi from inside."""
    rows = router.tables["/ip/hotspot/user"].rows()
    sold = (row for row in rows if row.get("profile") == "voucher" and row["disabled"] != "true")
    row = next((row for row in sold if "limit-uptime" not in row and row["name"].startswith("v")), {})
    return {name: row.get(name, "") for name in ("name", "password")}


def _engine_id(code: str) -> bytes:
    # RFC 3411: enterprise number with the first bit set, format 5 (chosen octets).
    return b"\x80\x00\x3a\x8c\x05" + key_of(code, "engine").to_bytes(8, "big")


class Fleet:
    """Villages side by side in one process, on loopback only."""

    def __init__(self, clock: Callable[[], float], options: FleetOptions | None = None) -> None:
        self.clock = clock
        self.options = options or FleetOptions()
        self.sites: dict[str, Site] = {}
        self.faults = FaultBoard(clock)
        self.faults.on_change(self._apply_faults)
        self.lines = GatewayBoard()
        self.extras = Extras(self.options.extras, self.options.seed, clock, self.faults)
        self._ticker: asyncio.Task[None] | None = None

    async def start(self, villages: list[RegisteredVillage]) -> None:
        """Open all sockets."""
        for place, village in enumerate(villages):
            self.sites[village.code] = await self._open(village, place)
        after = self.options.base_port + len(villages) * PORTS_PER_VILLAGE if self.options.base_port else 0
        await self.extras.start({code: site.village for code, site in self.sites.items()}, after)
        self._ticker = asyncio.get_running_loop().create_task(self._tick_for_ever())

    async def _open(self, found: RegisteredVillage, place: int) -> Site:
        options = self.options
        profile = draw_profile(
            found.code, found.name, options.seed, model=options.model, version=options.version, wish=options.wish
        )
        village = Village(profile)
        router = SimulatedRouter(village, self.clock, faults=lambda: self.faults.active(found.code))
        server = RouterServer(
            router,
            ServerOptions(
                rtt_ms=options.rtt_ms,
                instant_ping=options.instant_ping,
                quick_ack=options.quick_ack,
                tag_last="tag-last" in profile.features,
                faults=router.faults,
            ),
        )
        server.on_reboot = lambda: self._reboot(found.code)
        first = options.base_port + place * PORTS_PER_VILLAGE if options.base_port else 0

        def port(offset: int) -> int:
            return first + offset if first else 0

        ports = {"api": await server.start(port(0))}
        if options.tls is not None:
            ports["api-ssl"] = await server.start(port(1), options.tls)
        access = draw_ont_access(options.seed, found.code)
        transport, ports["snmp"] = await serve_snmp(ont_tree(village), self._agent_options(village, access), port(2))
        site = Site(village, router, server, access, ports, [transport])
        if village.has_hotspot:
            site.portal = HotspotServer(router)
            ports["hotspot"] = await site.portal.start(port(4))
        if is_wished(options.router_ssh, found.code):
            await self._open_shell(site)
        if options.server is not None:
            site.gateway = Gateway(found.code, options.server, self.lines)
            ports["line"] = await site.gateway.start(port(3))
        return site

    async def _open_shell(self, site: Site) -> None:
        from kampungnet_sim.ssh_devices import open_router  # noqa: PLC0415 -- loads paramiko, which few need

        site.shell = await open_router(site.router, lambda: site.village.router_is_up(self.clock()))

    def _agent_options(self, village: Village, access: OntAccess) -> AgentOptions[VillageState]:
        code = village.profile.code
        return AgentOptions(
            community=access.community,
            state=lambda: village.state_at(self.clock()),
            engine_clock=lambda state: (engine_boots(state), state.ont_uptime_seconds),
            engine_id=_engine_id(code),
            user=access.user,
            answers=lambda: village.profile.ont.kind != "silent" and village.ont_is_up(self.clock()),
            faults=lambda: self.faults.active(code),
        )

    # -- faults -----------------------------------------------------------------------

    def _reboot(self, code: str) -> None:
        self.faults.add("reboot", code)

    def replace_router(self, code: str, model: str, seconds: float = 40) -> None:
        """Another router in a village, gone for so long. ValueError for a model that cannot stand there."""
        site = self.sites[code]
        kind = ROUTER_MODELS.get(model)
        if kind is None:
            raise ValueError(f"unknown model {model!r}; known: {', '.join(sorted(ROUTER_MODELS))}")
        old = site.village.profile
        serial = f"HF{key_of(old.router_serial, model) % 16**8:08X}K"
        site.village.change_router(replace(old, router=kind, version=kind.version, router_serial=serial))
        # The guests of the old one fall off first.
        self.faults.add("reboot", code, seconds)
        site.router.replace()
        site.server.drop_all()

    def _apply_faults(self) -> None:
        for code, site in self.sites.items():
            events = self.faults.events(code)
            if events != site.village.calendar.extra:
                site.village.set_extra_events(events)
            if "wrong_password" in self.faults.active(code):
                # Whoever changed the password also ended the sessions that used it.
                site.server.drop_all()
        self._tick()

    def _tick(self) -> None:
        now = self.clock()
        for code, site in self.sites.items():
            site.server.tick()
            if site.portal is not None:
                site.portal.tick()
            skewed = "skewed_clock" in self.faults.active(code)
            # Without a battery the clock starts on 1970-01-02 at each boot (facts, 7.1).
            boot = site.village.calendar.segment(now).boot if skewed else 86_400.0
            site.router.clock_skew_seconds = 86_400.0 - boot

    async def _tick_for_ever(self) -> None:
        while True:
            self._tick()
            await asyncio.sleep(_TICK_SECONDS)

    def inventory(self) -> list[dict[str, object]]:
        """All villages, in order."""
        return [{**site.inventory(), **self.extras.inventory(code)} for code, site in self.sites.items()]

    def targets(self) -> set[str]:
        """What faults may be asked for."""
        return {"*", *self.sites, *self.extras.names()}

    async def close(self) -> None:
        """Close everything."""
        if self._ticker is not None:
            self._ticker.cancel()
        await self.extras.close()
        for site in self.sites.values():
            for transport in site.sockets:
                transport.close()
            await site.server.close()
            if site.portal is not None:
                await site.portal.close()
            if site.gateway is not None:
                await site.gateway.close()
            if site.shell is not None:
                site.shell.close()
        self.sites.clear()
