"""What every SNMP device says of itself: object id, description, uptime, and where families keep more.

Facts on ONTs, sections 3 and 5 to 10.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kampungnet.shared.wire import Grade

from .light_sources import oid
from .ont_interfaces import snmp_text
from .snmp_ber import Oid, Value
from .snmp_session import SnmpSession

SYS_DESCR: Final = oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID: Final = oid("1.3.6.1.2.1.1.2.0")
SYS_UPTIME: Final = oid("1.3.6.1.2.1.1.3.0")
SYS_NAME: Final = oid("1.3.6.1.2.1.1.5.0")
HOST_UPTIME: Final = oid("1.3.6.1.2.1.25.1.1.0")
ENGINE_TIME: Final = oid("1.3.6.1.6.3.10.2.1.3.0")
UPTIMES: Final[tuple[Oid, ...]] = (SYS_UPTIME, HOST_UPTIME, ENGINE_TIME)
_WRAP_SECONDS: Final = 2**32 / 100
"""sysUpTime counts hundredths in 32 bits: 497 days."""
_SAME_CLOCK_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Family:
    """Devices whose sysObjectID starts alike, and where they keep model, serial and version."""

    name: str
    enterprise: Oid
    model: Oid = ()
    serial: Oid = ()
    version: Oid = ()
    grade: Grade = Grade.RECORDED


FAMILIES: Final = (
    Family(
        "MikroTik",
        oid("1.3.6.1.4.1.14988"),
        serial=oid("1.3.6.1.4.1.14988.1.1.7.3.0"),
        version=oid("1.3.6.1.4.1.14988.1.1.4.4.0"),
    ),
    Family(
        "Calix",
        oid("1.3.6.1.4.1.6321"),
        model=oid("1.3.6.1.4.1.6321.1.2.5.4.2.0"),
        serial=oid("1.3.6.1.4.1.6321.1.2.5.4.3.0"),
        version=oid("1.3.6.1.4.1.6321.1.2.5.4.4.0"),
    ),
    Family(
        "V-SOL",
        oid("1.3.6.1.4.1.37950"),
        serial=oid("1.3.6.1.4.1.37950.1.1.5.10.12.5.11.0"),
        version=oid("1.3.6.1.4.1.37950.1.1.5.10.12.5.4.0"),
    ),
    Family(
        "UFiber",
        oid("1.3.6.1.4.1.41112.1.5"),
        model=oid("1.3.6.1.4.1.41112.1.5.1.1.0"),
        serial=oid("1.3.6.1.4.1.41112.1.5.1.2.0"),
        version=oid("1.3.6.1.4.1.41112.1.5.1.3.0"),
    ),
    Family("FiberHome", oid("1.3.6.1.4.1.5875"), version=oid("1.3.6.1.4.1.5875.800.3.9.4.3.0")),
    Family("HSGQ, Parks (50224)", oid("1.3.6.1.4.1.50224")),
    Family(
        "Raisecom",
        oid("1.3.6.1.4.1.8886"),
        model=oid("1.3.6.1.4.1.8886.6.1.1.1.2.0"),
        serial=oid("1.3.6.1.4.1.8886.6.1.1.1.14.0"),
        version=oid("1.3.6.1.4.1.8886.6.1.1.1.1.0"),
    ),
    Family(
        "BDCOM",
        oid("1.3.6.1.4.1.3320"),
        model=oid("1.3.6.1.4.1.3320.3.6.10.1.3.0"),
        serial=oid("1.3.6.1.4.1.3320.3.6.10.1.4.0"),
        version=oid("1.3.6.1.4.1.3320.3.6.10.1.6.0"),
    ),
    Family("ZTE", oid("1.3.6.1.4.1.3902")),
    Family(
        "Huawei SmartAX",
        oid("1.3.6.1.4.1.2011"),
        serial=oid("1.3.6.1.4.1.2011.6.3.3.1.1.9.0"),
        version=oid("1.3.6.1.4.1.2011.6.3.1.999.0"),
    ),
)
"""Recorded families; any other device is read by IF-MIB alone."""
_UNKNOWN: Final = Family("IF-MIB", (), grade=Grade.FROM_MIB)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device is."""

    system: Oid
    """sysObjectID; empty when it does not say."""
    family: Family
    model: str
    serial: str
    version: str
    name: str


async def identify(session: SnmpSession) -> Identity:
    """Ask a device who it is; raises ``DeviceError``."""
    scalars = await session.get((SYS_DESCR, SYS_OBJECT_ID, SYS_NAME))
    told = scalars.get(SYS_OBJECT_ID)
    system = oid(told) if isinstance(told, str) and told else ()
    family = next((one for one in FAMILIES if system[: len(one.enterprise)] == one.enterprise), _UNKNOWN)
    further = tuple(one for one in (family.model, family.serial, family.version) if one)
    more = await session.get(further) if further else {}
    return Identity(
        system=system,
        family=family,
        model=snmp_text(more.get(family.model)) or snmp_text(scalars.get(SYS_DESCR)),
        serial=snmp_text(more.get(family.serial)),
        version=snmp_text(more.get(family.version)),
        name=snmp_text(scalars.get(SYS_NAME)),
    )


def uptimes_in(scalars: Mapping[Oid, Value]) -> tuple[Oid, ...]:
    """Return which of its uptimes a device has told: the rest need not be asked again; all when it told none."""
    return tuple(one for one in UPTIMES if one in scalars) or UPTIMES


def uptime_of(scalars: Mapping[Oid, Value]) -> int | None:
    """Return seconds since start: of the host where it tells, seen through the wrap after 497 days.

    The SNMP engine's own time is believed only when it is the same clock, whole wraps apart:
    ZTE and Raisecom answer nonsense there (facts 3).
    """
    hundredths = scalars.get(HOST_UPTIME, scalars.get(SYS_UPTIME))
    if not isinstance(hundredths, int) or hundredths < 0:
        return None
    uptime = hundredths / 100
    engine = scalars.get(ENGINE_TIME)
    if isinstance(engine, int) and engine > uptime:
        wraps = round((engine - uptime) / _WRAP_SECONDS)
        if abs(engine - uptime - wraps * _WRAP_SECONDS) < _SAME_CLOCK_SECONDS:
            return int(uptime + wraps * _WRAP_SECONDS)
    return int(uptime)
