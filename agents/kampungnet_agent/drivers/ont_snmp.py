"""Driver ``ont-snmp``: a fibre unit that answers SNMP, or the router or OLT its fibre ends in.

Most village ONTs answer nothing (facts 1), so "this unit offers no light level" is an ordinary
result. Names and identity are read once and again every hour or after a restart; counters,
state and light at every poll.

Options of ``[[devices]]``: ``version`` ("2c" or "3"), ``auth_protocol`` (sha, sha224, sha256, sha384, sha512,
md5), ``priv_protocol`` (aes, aes192, aes256, des), ``privacy_password_file``, ``light_port`` (name or index
of the row whose light counts, when a device has several). ``wan_interface`` gives ``link_up``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from kampungnet.shared.wire import CounterReading, Grade, OntBody
from kampungnet_agent.driver import DeviceError, DeviceSettings, Finding, Polled

from .address import split_address
from .light_sources import Light, LightSource, light_of, oid, sources_for
from .ont_check import explain, findings_of
from .ont_interfaces import Interfaces, choose_interfaces, snmp_text
from .snmp_access import ACCESS_OPTIONS, access_of
from .snmp_session import Oid, SnmpSession, Value
from .snmp_system import UPTIMES, Identity, identify, uptime_of, uptimes_in

PORT: Final = 161
POLLS_BETWEEN_LOOKS: Final = 60


@dataclass(slots=True)
class _Known:
    """What changes rarely, as found at the last look."""

    identity: Identity
    interfaces: Interfaces
    source: LightSource | None = None
    light_row: Oid = ()
    light_port: str = ""
    missing: list[str] = field(default_factory=list)
    uptimes: tuple[Oid, ...] = UPTIMES
    polls: int = 0
    uptime: int = 0


class OntSnmpDriver:
    """One fibre unit. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = ACCESS_OPTIONS | {"light_port"}

    def __init__(self, settings: DeviceSettings) -> None:
        self._settings = settings
        self._host, self._port = split_address(settings.address, PORT)
        self._access = access_of(settings)
        self._session = SnmpSession(self._host, self._port, self._access)
        self._light_port = str(settings.options.get("light_port", ""))
        self._known: _Known | None = None

    async def poll(self) -> Polled:
        """Ask the device everything once; raises ``DeviceError``."""
        known = self._known
        if known is None or known.polls >= POLLS_BETWEEN_LOOKS:
            known = await self._look()
        scalars, table = await self._read(known)
        uptime = uptime_of(scalars)
        if uptime is not None and uptime < known.uptime:  # restarted: indexes may have moved
            known = await self._look()
            scalars, table = await self._read(known)
        known.uptimes = uptimes_in(scalars)
        known.polls += 1
        known.uptime = uptime or 0
        if known.interfaces.has_strangers(table):  # learn its name at the next poll
            known.polls = POLLS_BETWEEN_LOOKS
        self._known = known
        source, row = known.source, known.light_row
        light = light_of(source, by_column(source, row, scalars)) if source else Light()
        return Polled(self._body(known, known.interfaces.readings(table), light), uptime)

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what works on this device and what to do about the rest."""
        place = f"{self._host}:{self._port}"
        try:
            polled = await self.poll()
        except DeviceError as error:
            return [explain(error, place, self._access.version)]
        body = polled.body
        if not isinstance(body, OntBody):  # the contract's type is wider than this driver's
            return []
        return findings_of(body, place, self._settings.wan_interface)

    async def close(self) -> None:
        """Give back what was held; never raises."""
        self._known = None
        await self._session.close()

    async def _read(self, known: _Known) -> tuple[dict[Oid, Value], dict[Oid, dict[Oid, Value]]]:
        """Read everything that changes, in one packet where it fits."""
        light = known.source.cells(known.light_row) if known.source else {}
        return await self._session.read((*known.uptimes, *light), known.interfaces.columns, known.interfaces.names)

    async def _look(self) -> _Known:
        """Learn what changes rarely."""
        known = _Known(await identify(self._session), Interfaces())
        await known.interfaces.look(self._session)
        known.missing.extend(known.interfaces.missing)
        await self._choose_light(known)
        return known

    async def _choose_light(self, known: _Known) -> None:
        """Find the one module whose light counts: the chosen port, else the first that measures."""
        for source in sources_for(known.identity.system):
            rows = await self._onu_row(source) if source.per_onu else await self._all_rows(source)
            rows = {row: found for row, found in rows.items() if self._light_port in {"", *found.names}}
            measuring = [row for row, found in rows.items() if found.light.measures]
            if not rows:
                continue
            known.source, known.light_row = source, (measuring or list(rows))[0]
            shown = rows[known.light_row].names[0]
            if measuring:
                known.light_port = shown
            if len(measuring) > 1:
                known.missing.append(
                    f"light level: {len(measuring)} ports measure, {shown} is reported; set light_port"
                )
            if not measuring:
                known.missing.append("light level: no module with measurement (DDM) is plugged in")
            return
        known.missing.append("light level: this device gives none over SNMP")

    async def _all_rows(self, source: LightSource) -> "dict[Oid, FoundRow]":
        rows = source.rows(await self._session.walk(source.columns))
        return {
            index: FoundRow(_names(source, index, values), light_of(source, values)) for index, values in rows.items()
        }

    async def _onu_row(self, source: LightSource) -> "dict[Oid, FoundRow]":
        """Ask one ONU behind an OLT by its exact index, never all of them."""
        if not re.fullmatch(r"\d{1,10}(\.\d{1,10}){0,7}", self._light_port):
            return {}
        row = oid(self._light_port)
        values = by_column(source, row, await self._session.get(tuple(source.cells(row))))
        return {row: FoundRow((self._light_port,), light_of(source, values))} if values else {}

    def _body(self, known: _Known, interfaces: list[CounterReading], light: Light) -> OntBody:
        wanted = self._settings.wan_interface
        link = next((one.running for one in interfaces if one.interface == wanted), None)
        interfaces, missing = choose_interfaces(interfaces, wanted)
        grades = {known.identity.family.grade, known.source.grade if known.source else known.identity.family.grade}
        return OntBody(
            model=known.identity.model,
            serial=known.identity.serial,
            version=known.identity.version,
            link_up=link,
            rx_power_dbm=light.rx,
            tx_power_dbm=light.tx,
            no_light=light.no_light,
            temperature_celsius=light.temperature,
            voltage_volts=light.voltage,
            bias_milliamperes=light.bias,
            light_port=known.light_port,
            grade=max(grades, key=list(Grade).index),  # a reading is worth its weakest part
            interfaces=interfaces,
            missing=[*known.missing, *missing],
        )


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One row of a light table."""

    names: tuple[str, ...]
    """Port name, if it has one, and dotted index."""
    light: Light


def _names(source: LightSource, index: Oid, values: Mapping[Oid, Value]) -> tuple[str, ...]:
    name = snmp_text(values.get(source.name)) if source.name else ""
    dotted = ".".join(map(str, index))
    return (name, dotted) if name else (dotted,)


def by_column(source: LightSource, row: Oid, values: Mapping[Oid, Value]) -> dict[Oid, Value]:
    """Return the cells of one row under the keys its table knows."""
    return {key: values[cell] for cell, key in source.cells(row).items() if cell in values}
