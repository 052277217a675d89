"""Driver ``ont-snmp``: a fibre unit that answers SNMP, or the router or OLT its fibre ends in.

Most village ONTs answer nothing (facts 1), so "this unit offers no light level" is an ordinary
result. Names and identity are read once and again every hour or after a restart; counters,
state and light at every poll.

Options of ``[[devices]]``: ``version`` ("2c" or "3"), ``auth_protocol`` (sha, md5, sha256, sha512),
``priv_protocol`` (aes, des, aes256), ``privacy_password_file``, ``light_port`` (name or index
of the row whose light counts, when a device has several). ``wan_interface`` gives ``link_up``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from kampungnet.shared.wire import CounterReading, OntBody
from kampungnet_agent.driver import DeviceError, DeviceSettings, Finding, Polled

from .address import split_address
from .light_sources import Light, LightSource, light_of, oid, sources_for
from .ont_check import explain, findings_of
from .ont_interfaces import (
    ADMIN_STATUS,
    COUNTERS_32,
    COUNTERS_64,
    MOST_INTERFACES,
    NAME_COLUMNS,
    OPER_STATUS,
    interfaces_of,
    names_of,
    snmp_text,
)
from .snmp_session import Access, Oid, SnmpSession, Table, Value

PORT: Final = 161
POLLS_BETWEEN_LOOKS: Final = 60

_SYS_DESCR: Final = oid("1.3.6.1.2.1.1.1.0")
_SYS_OBJECT_ID: Final = oid("1.3.6.1.2.1.1.2.0")
_SYS_UPTIME: Final = oid("1.3.6.1.2.1.1.3.0")
_HOST_UPTIME: Final = oid("1.3.6.1.2.1.25.1.1.0")
_ENGINE_TIME: Final = oid("1.3.6.1.6.3.10.2.1.3.0")
_UPTIMES: Final = (_SYS_UPTIME, _HOST_UPTIME, _ENGINE_TIME)
_WRAP_SECONDS: Final = 2**32 / 100
"""sysUpTime counts hundredths in 32 bits: 497 days."""
_SAME_CLOCK_SECONDS: Final = 120

_IDENTITY: Final[dict[Oid, dict[str, Oid]]] = {
    oid("1.3.6.1.4.1.14988"): {
        "serial": oid("1.3.6.1.4.1.14988.1.1.7.3.0"),
        "version": oid("1.3.6.1.4.1.14988.1.1.4.4.0"),
    },
    oid("1.3.6.1.4.1.6321"): {
        "model": oid("1.3.6.1.4.1.6321.1.2.5.4.2.0"),
        "serial": oid("1.3.6.1.4.1.6321.1.2.5.4.3.0"),
        "version": oid("1.3.6.1.4.1.6321.1.2.5.4.4.0"),
    },
}
"""Where families keep model, serial and version (recorded: MikroTik, Calix)."""


@dataclass(slots=True)
class _Known:
    """What changes rarely, as found at the last look."""

    model: str = ""
    serial: str = ""
    version: str = ""
    names: dict[Oid, tuple[str, str]] = field(default_factory=dict)
    counters: dict[str, Oid] = field(default_factory=lambda: COUNTERS_64)
    source: LightSource | None = None
    light_row: Oid = ()
    missing: list[str] = field(default_factory=list)
    polls: int = 0
    uptime: int = 0


class OntSnmpDriver:
    """One fibre unit. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"version", "auth_protocol", "priv_protocol", "privacy_password_file", "light_port"})

    def __init__(self, settings: DeviceSettings) -> None:
        self._settings = settings
        self._host, self._port = split_address(settings.address, PORT)
        options = settings.options
        access = Access(
            version=str(options.get("version", "2c")),
            username=settings.username,
            secret=settings.secret,
            auth_protocol=str(options.get("auth_protocol", "sha")),
            priv_protocol=str(options.get("priv_protocol", "aes")),
            privacy_secret=str(options.get("privacy_secret", "")),
        )
        self._session = SnmpSession(self._host, self._port, access)
        self._light_port = str(options.get("light_port", ""))
        self._known: _Known | None = None

    async def poll(self) -> Polled:
        """Ask the device everything once; raises ``DeviceError``."""
        known = self._known
        if known is None or known.polls >= POLLS_BETWEEN_LOOKS:
            known = await self._look()
        light_columns = known.source.columns if known.source else ()
        scalars = await self._session.get((*_UPTIMES, *((*column, *known.light_row) for column in light_columns)))
        uptime = uptime_of(scalars)
        if uptime is not None and uptime < known.uptime:  # restarted: indexes may have moved
            known = await self._look()
        table = await self._session.walk(
            (OPER_STATUS, ADMIN_STATUS, *known.counters.values()), expected_rows=len(known.names)
        )
        known.polls += 1
        known.uptime = uptime or 0
        if table[OPER_STATUS].keys() - known.names.keys():  # a new interface: learn its name at the next poll
            known.polls = POLLS_BETWEEN_LOOKS
        self._known = known
        interfaces = interfaces_of(table, known.names, known.counters)
        source, row = known.source, known.light_row
        light = light_of(source, _by_column(source, row, scalars)) if source else Light()
        return Polled(self._body(known, interfaces, light), uptime)

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what works on this device and what to do about the rest."""
        place = f"{self._host}:{self._port}"
        try:
            polled = await self.poll()
        except DeviceError as error:
            return [explain(error, place, str(self._settings.options.get("version", "2c")))]
        body = polled.body
        if not isinstance(body, OntBody):  # the contract's type is wider than this driver's
            return []
        return findings_of(body, place, self._settings.wan_interface)

    async def close(self) -> None:
        """Give back what was held; never raises."""
        self._known = None
        await self._session.close()

    async def _look(self) -> _Known:
        """Learn what changes rarely."""
        scalars = await self._session.get((_SYS_DESCR, _SYS_OBJECT_ID))
        system = _system_oid(scalars.get(_SYS_OBJECT_ID))
        identity = next((oids for start, oids in _IDENTITY.items() if system[: len(start)] == start), {})
        told = await self._session.get(tuple(identity.values())) if identity else {}
        known = _Known(
            model=snmp_text(told.get(identity.get("model", ()))) or snmp_text(scalars.get(_SYS_DESCR)),
            serial=snmp_text(told.get(identity.get("serial", ()))),
            version=snmp_text(told.get(identity.get("version", ()))),
            names=names_of(await self._session.walk(NAME_COLUMNS)),
        )
        await self._choose_counters(known)
        await self._choose_light(known, system)
        return known

    async def _choose_counters(self, known: _Known) -> None:
        """Use 64-bit counters where the device has them."""
        index = next(iter(known.names), None)
        if index is None:
            known.missing.append("interfaces: none answered")
            return
        wide = (*COUNTERS_64["rx_bytes"], *index)
        if wide not in await self._session.get((wide,)):
            known.counters = COUNTERS_32
            known.missing.append("64-bit counters: only 32-bit ones, which wrap in 34 s at 1 Gbit/s")

    async def _choose_light(self, known: _Known, system: Oid) -> None:
        """Find the one module whose light counts: the chosen port, else the first that measures."""
        for source in sources_for(system):
            if source.per_onu:
                rows = await self._onu_row(source)
            else:
                rows = rows_of(source, await self._session.walk(source.columns))
            rows = {row: found for row, found in rows.items() if self._light_port in {"", *found.names}}
            measuring = [row for row, found in rows.items() if found.light.measures]
            if not rows:
                continue
            known.source, known.light_row = source, (measuring or list(rows))[0]
            if len(measuring) > 1:
                shown = rows[known.light_row].names[0]
                known.missing.append(
                    f"light level: {len(measuring)} ports measure, {shown} is reported; set light_port"
                )
            if not measuring:
                known.missing.append("light level: no module with measurement (DDM) is plugged in")
            return
        known.missing.append("light level: this device gives none over SNMP")

    async def _onu_row(self, source: LightSource) -> "dict[Oid, FoundRow]":
        """Ask one ONU behind an OLT by its exact index, never all of them."""
        if not re.fullmatch(r"\d{1,10}(\.\d{1,10}){0,7}", self._light_port):
            return {}
        row = oid(self._light_port)
        values = await self._session.get([(*column, *row) for column in source.columns])
        return {row: FoundRow((self._light_port,), light_of(source, _by_column(source, row, values)))} if values else {}

    def _body(self, known: _Known, interfaces: list[CounterReading], light: Light) -> OntBody:
        missing = list(known.missing)
        wanted = self._settings.wan_interface
        link = next((one.running for one in interfaces if one.interface == wanted), None)
        if wanted and interfaces and all(one.interface != wanted for one in interfaces):
            missing.append(f"wan_interface: the device has no interface {wanted!r}"[:200])
        if len(interfaces) > MOST_INTERFACES:
            missing.append(f"interfaces: {len(interfaces)} on the device, {MOST_INTERFACES} reported")
            interfaces = sorted(interfaces, key=lambda one: one.interface != wanted)[:MOST_INTERFACES]
        return OntBody(
            model=known.model,
            serial=known.serial,
            version=known.version,
            link_up=link,
            rx_power_dbm=light.rx,
            tx_power_dbm=light.tx,
            no_light=light.no_light,
            temperature_celsius=light.temperature,
            voltage_volts=light.voltage,
            bias_milliamperes=light.bias,
            interfaces=interfaces,
            missing=missing,
        )


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One row of a light table."""

    names: tuple[str, ...]
    """Port name, if it has one, and dotted index."""
    light: Light


def rows_of(source: LightSource, table: Table) -> dict[Oid, FoundRow]:
    """Return the rows of a walked light table."""
    indexes: dict[Oid, None] = {}
    for column in table.values():
        indexes.update(dict.fromkeys(column))
    found: dict[Oid, FoundRow] = {}
    for index in indexes:
        values = {column: cells[index] for column, cells in table.items() if index in cells}
        name = snmp_text(values.get(source.name)) if source.name else ""
        dotted = ".".join(map(str, index))
        found[index] = FoundRow((name, dotted) if name else (dotted,), light_of(source, values))
    return found


def uptime_of(scalars: Mapping[Oid, Value]) -> int | None:
    """Return seconds since start: of the host where it tells, seen through the wrap after 497 days.

    The SNMP engine's own time is believed only when it is the same clock, whole wraps apart:
    ZTE and Raisecom answer nonsense there (facts 3).
    """
    hundredths = scalars.get(_HOST_UPTIME, scalars.get(_SYS_UPTIME))
    if not isinstance(hundredths, int):
        return None
    uptime = hundredths / 100
    engine = scalars.get(_ENGINE_TIME)
    if isinstance(engine, int) and engine > uptime:
        wraps = round((engine - uptime) / _WRAP_SECONDS)
        if abs(engine - uptime - wraps * _WRAP_SECONDS) < _SAME_CLOCK_SECONDS:
            return int(uptime + wraps * _WRAP_SECONDS)
    return int(uptime)


def _by_column(source: LightSource, row: Oid, values: Mapping[Oid, Value]) -> dict[Oid, Value]:
    return {column: values[(*column, *row)] for column in source.columns if (*column, *row) in values}


def _system_oid(value: Value | None) -> Oid:
    return oid(value) if isinstance(value, str) and value else ()
