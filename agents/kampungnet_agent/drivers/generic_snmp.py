"""Driver ``generic-snmp``: any box with IF-MIB: access points, switches, cameras that speak SNMP.

Options of ``[[devices]]``: ``purpose`` (camera, access_point, other), and ``version`` and its friends as in
``ont-snmp``.
"""

import time
from collections.abc import Iterable
from typing import Final

from kampungnet.shared.wire import HostBody, Ping
from kampungnet_agent.driver import DeviceError, DeviceSettings, DeviceUnreachable, Finding, Polled

from . import ont_check
from .address import split_address
from .host_check import reached
from .light_sources import oid
from .ont_interfaces import Interfaces, choose_interfaces
from .ping import purpose_of
from .ping_echo import reach
from .snmp_access import ACCESS_OPTIONS, access_of
from .snmp_ber import Oid
from .snmp_session import SnmpSession
from .snmp_system import UPTIMES, Identity, identify, uptime_of, uptimes_in

PORT: Final = 161
POLLS_BETWEEN_LOOKS: Final = 60
MOST_INTERFACES: Final = 100
_MIKROTIK: Final = oid("1.3.6.1.4.1.14988")
_MIKROTIK_CLIENTS: Final = oid("1.3.6.1.4.1.14988.1.1.1.4.0")
"""MIKROTIK-MIB mtxrWlRtabEntryCount: devices registered with the ``wireless`` package; not recorded."""


class GenericSnmpDriver:
    """One box. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = ACCESS_OPTIONS | {"purpose"}

    def __init__(self, settings: DeviceSettings) -> None:
        self._host, self._port = split_address(settings.address, PORT)
        self._access = access_of(settings)
        self._session = SnmpSession(self._host, self._port, self._access)
        self._purpose = purpose_of(settings)
        self._wanted = settings.wan_interface
        self._identity: Identity | None = None
        self._interfaces = Interfaces()
        self._uptimes = UPTIMES
        self._polls = 0

    async def poll(self) -> Polled:
        """Ask the box everything once; raises ``DeviceError``."""
        if self._identity is None or self._polls >= POLLS_BETWEEN_LOOKS:
            await self._look()
        identity = self._identity
        if identity is None:  # for the type checker: _look sets it or raises
            raise DeviceUnreachable("no answer")
        ping, missing = await self._latency()
        clients: tuple[Oid, ...] = (_MIKROTIK_CLIENTS,) if identity.system[: len(_MIKROTIK)] == _MIKROTIK else ()
        asked = (*self._uptimes, *clients)
        scalars, table = await self._session.read(asked, self._interfaces.columns, self._interfaces.names)
        self._uptimes = uptimes_in(scalars)
        self._polls = POLLS_BETWEEN_LOOKS if self._interfaces.has_strangers(table) else self._polls + 1
        interfaces, said = choose_interfaces(self._interfaces.readings(table), self._wanted, MOST_INTERFACES)
        count = scalars.get(_MIKROTIK_CLIENTS)
        body = HostBody(
            purpose=self._purpose,
            name=identity.name,
            model=identity.model,
            version=identity.version,
            pings=[ping],
            interfaces=interfaces,
            wireless_clients=count if isinstance(count, int) and count >= 0 else None,
            missing=[*missing, *self._interfaces.missing, *said],
        )
        return Polled(body, uptime_of(scalars))

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what works on this box."""
        place = f"{self._host}:{self._port}"
        try:
            polled = await self.poll()
        except DeviceError as error:
            return [ont_check.explain(error, place, self._access.version)]
        return reached(polled.body, place)

    async def close(self) -> None:
        """Give back what was held; never raises."""
        self._identity = None
        await self._session.close()

    async def _look(self) -> None:
        """Learn what changes rarely."""
        identity = await identify(self._session)
        await self._interfaces.look(self._session)
        self._identity, self._uptimes, self._polls = identity, UPTIMES, 0

    async def _latency(self) -> tuple[Ping, list[str]]:
        """Ping by ICMP; where that is not allowed or not answered, by the time SNMP takes for one question."""
        try:
            pinged = await reach(self._host)
        except DeviceUnreachable:
            pinged = None
        if pinged and pinged.ping.received:
            return pinged.ping, []
        begun = time.perf_counter()
        await self._session.get(UPTIMES)
        took = round((time.perf_counter() - begun) * 1000, 3)
        ping = Ping(target="device", address=self._host[:200], sent=1, received=1, rtt_ms=took)
        return ping, ["ping: measured by one SNMP question, not by ICMP"]
