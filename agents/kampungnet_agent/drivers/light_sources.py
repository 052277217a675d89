"""Where a fibre device keeps its light level: one table per family, nothing but data and one rule.

OIDs, scales and markers: facts on ONTs, sections 2.2, 4, 8, 9 and 10. A table is chosen by
sysObjectID and then by whether it answers; the meaning of a number belongs to the OID it was read from.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kampungnet.shared.wire import Grade

from .snmp_ber import Oid, Value
from .snmp_session import Table

LOWEST_DBM: Final = -50.0
HIGHEST_DBM: Final = 15.0
DARK_DBM: Final = -40.0
"""What detectors answer without any light (MikroTik, Raisecom)."""


def oid(dotted: str) -> Oid:
    """Return ``1.3.6`` as numbers."""
    return tuple(map(int, dotted.split(".")))


@dataclass(frozen=True, slots=True)
class Quantity:
    """One column and what a step of it is worth."""

    column: Oid
    scale: float = 1.0
    suffix: Oid = ()
    """Stands behind the row's index, where one column holds several quantities."""

    @property
    def key(self) -> Oid:
        """What one row's values are found under."""
        return (*self.column, *self.suffix)


@dataclass(frozen=True, slots=True)
class LightSource:
    """One family's table of optical modules."""

    family: str
    enterprise: Oid
    """Start of the sysObjectID of devices that have it."""
    quantities: Mapping[str, Quantity]
    """``rx``, ``tx`` in dBm, ``temperature`` in C, ``voltage`` in V, ``bias`` in mA."""
    name: Oid | None = None
    """Column with the port's name."""
    no_value: frozenset[int] = frozenset()
    """Raw numbers that mean: no module, no DDM, not supported."""
    no_module: Mapping[Oid, int] = field(default_factory=dict)
    """A state column and its number for an empty cage, whose other columns are junk."""
    grade: Grade = Grade.RECORDED
    """Whether a recording of such a device was read right."""
    per_onu: bool = False
    """Rows are customers' units behind an OLT: never walked (2.1), one row by the option ``light_port``."""

    @property
    def columns(self) -> tuple[Oid, ...]:
        """Every column worth reading."""
        names = () if self.name is None else (self.name,)
        columns = (*names, *self.no_module, *(quantity.column for quantity in self.quantities.values()))
        return tuple(dict.fromkeys(columns))

    def cells(self, row: Oid) -> dict[Oid, Oid]:
        """Return the exact objects of one row, each with the key :func:`light_of` wants it under."""
        plain = {(*column, *row): column for column in (*((self.name,) if self.name else ()), *self.no_module)}
        return plain | {(*one.column, *row, *one.suffix): one.key for one in self.quantities.values()}

    def rows(self, table: Table) -> dict[Oid, dict[Oid, Value]]:
        """Return a walked table row by row, in the device's order."""
        found: dict[Oid, dict[Oid, Value]] = {}
        for one in self.quantities.values():
            tail = len(one.suffix)
            for index, value in table[one.column].items():
                if index[len(index) - tail :] == one.suffix:
                    found.setdefault(index[: len(index) - tail], {})[one.key] = value
        for column in (*((self.name,) if self.name else ()), *self.no_module):
            for index, value in table[column].items():
                found.setdefault(index, {})[column] = value
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Light:
    """One module's state. ``no_light``: it measures and finds darkness."""

    rx: float | None = None
    tx: float | None = None
    no_light: bool = False
    temperature: float | None = None
    voltage: float | None = None
    bias: float | None = None

    @property
    def measures(self) -> bool:
        """Whether the module said anything about received light."""
        return self.rx is not None or self.no_light


_MIKROTIK: Final = "1.3.6.1.4.1.14988.1.1.19.1.1."
_PARKS: Final = "1.3.6.1.4.1.50224.3.2.4.1."
_VSOL: Final = "1.3.6.1.4.1.37950.1.1.5.10.13."
_VSOL_ONUS: Final = "1.3.6.1.4.1.37950.1.1.5.12.2.1.8.1."
_RAISECOM: Final = "1.3.6.1.4.1.8886.1.18.2.2.1.1."
_BDCOM: Final = "1.3.6.1.4.1.3320.9.63.1.7.1."

SOURCES: Final = (
    LightSource(
        "MikroTik",
        oid("1.3.6.1.4.1.14988"),
        {
            "rx": Quantity(oid(_MIKROTIK + "10"), 0.001),
            "tx": Quantity(oid(_MIKROTIK + "9"), 0.001),
            "temperature": Quantity(oid(_MIKROTIK + "6")),
            "voltage": Quantity(oid(_MIKROTIK + "7"), 0.001),
            "bias": Quantity(oid(_MIKROTIK + "8")),
        },
        name=oid(_MIKROTIK + "2"),
    ),
    LightSource(
        "HSGQ, Parks (50224)",
        oid("1.3.6.1.4.1.50224"),
        {
            "rx": Quantity(oid(_PARKS + "12"), 0.01),
            "tx": Quantity(oid(_PARKS + "11"), 0.01),
            "temperature": Quantity(oid(_PARKS + "8"), 0.01),
        },
        name=oid(_PARKS + "2"),
        no_value=frozenset({-2147483648}),
        no_module={oid(_PARKS + "5"): 1},
    ),
    LightSource(
        "V-SOL V1600G",
        oid("1.3.6.1.4.1.37950"),
        {"rx": Quantity(oid(_VSOL + "7.1.6")), "tx": Quantity(oid(_VSOL + "7.1.5"))},
        grade=Grade.NOT_TRIED,
    ),
    LightSource(
        "V-SOL EPON",
        oid("1.3.6.1.4.1.37950"),
        {
            "rx": Quantity(oid(_VSOL_ONUS + "7")),
            "tx": Quantity(oid(_VSOL_ONUS + "6")),
            "temperature": Quantity(oid(_VSOL_ONUS + "3")),
            "voltage": Quantity(oid(_VSOL_ONUS + "4")),
            "bias": Quantity(oid(_VSOL_ONUS + "5")),
        },
        per_onu=True,
    ),
    LightSource(
        "BDCOM",
        oid("1.3.6.1.4.1.3320"),
        {
            "rx": Quantity(oid(_BDCOM + "3"), 0.01),
            "tx": Quantity(oid(_BDCOM + "2"), 0.01),
            "temperature": Quantity(oid(_BDCOM + "4"), 1 / 256),
        },
        no_value=frozenset({-65535}),
        grade=Grade.NOT_TRIED,
    ),
    LightSource(
        "Raisecom",
        oid("1.3.6.1.4.1.8886"),
        {
            "rx": Quantity(oid(_RAISECOM + "2"), 0.001, suffix=(4,)),
            "tx": Quantity(oid(_RAISECOM + "2"), 0.001, suffix=(3,)),
            "temperature": Quantity(oid(_RAISECOM + "2"), 0.001, suffix=(1,)),
        },
    ),
)
_ALWAYS_NO_VALUE: Final = frozenset({2147483647, -2147483648, 65535, -65535, 65535000})
_NEXT_TO_DBM: Final = re.compile(rb"([+-]?\d+(?:\.\d+)?)\s*dBm", re.IGNORECASE)
_FIRST_NUMBER: Final = re.compile(rb"[+-]?\d+(?:\.\d+)?")


def sources_for(system: Oid) -> tuple[LightSource, ...]:
    """Return the tables a device of this sysObjectID may have."""
    return tuple(source for source in SOURCES if system[: len(source.enterprise)] == source.enterprise)


def number(raw: Value | None) -> float | None:
    """Return a raw number; text may carry units: the number beside ``dBm`` counts, not the milliwatts."""
    if isinstance(raw, int):
        return float(raw)
    if not isinstance(raw, bytes):
        return None
    beside = _NEXT_TO_DBM.search(raw)
    found = beside[1] if beside else _first(raw)
    return float(found) if found else None


def _first(raw: bytes) -> bytes | None:
    found = _FIRST_NUMBER.search(raw)
    return found[0] if found else None


def light_of(source: LightSource, values: Mapping[Oid, Value]) -> Light:
    """Return one row as light. ``values`` are the row's columns.

    All zeros is a cage without a module or without DDM, never 0 dBm; a received level of exactly
    0 counts only beside a real temperature, voltage or bias.
    """
    if any(values.get(column) == empty for column, empty in source.no_module.items()):
        return Light()
    found = {name: _scaled(source, name, values.get(quantity.key)) for name, quantity in source.quantities.items()}
    rx, tx = found.get("rx"), found.get("tx")
    alive = any(found.get(name) for name in ("temperature", "voltage", "bias"))
    if not alive and not rx and not tx:
        return Light()
    return Light(
        rx=_level(rx) if rx or alive else None,
        tx=_level(tx) if tx or alive else None,
        no_light=rx is not None and (rx == DARK_DBM or round(rx) == -80),
        temperature=_within(found.get("temperature"), -60, 200),
        voltage=_within(found.get("voltage"), 0.001, 100),
        bias=_within(found.get("bias"), 0, 1000),
    )


def _scaled(source: LightSource, name: str, raw: Value | None) -> float | None:
    value = number(raw)
    if value is None or value in _ALWAYS_NO_VALUE or value in source.no_value:
        return None
    return round(value * source.quantities[name].scale, 3)


def _level(dbm: float | None) -> float | None:
    """Return a believable light level, which ends where the detector does."""
    value = _within(dbm, LOWEST_DBM, HIGHEST_DBM)
    return None if value == DARK_DBM else value


def _within(value: float | None, lowest: float, highest: float) -> float | None:
    return value if value is not None and lowest <= value <= highest else None
