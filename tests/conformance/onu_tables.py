"""Where OLTs keep their ONUs, told a second time: written from the facts on ONTs (2.3, 5 to 10), not from the driver.

Only what a test compares: serial number, state, and the light that reaches the ONU.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance.walk import Walk


def _dbm_in_text(raw: Any) -> float | None:
    found = re.search(r"(-?\d+\.\d+)\s*\)?\s*dBm", str(raw), re.IGNORECASE)
    return float(found[1]) if found else None


def _times(scale: float, offset: float = 0.0) -> Callable[[Any], float | None]:
    return lambda raw: None if raw in {0, 65535, 2147483647, -65535, -80000} else round(raw * scale + offset, 2)


@dataclass(frozen=True, slots=True)
class OnuTable:
    """One maker's table."""

    maker: str
    serial: str
    state: str
    states: Mapping[int, str]
    light: str
    level: Callable[[Any], float | None]
    suffix: str = ""


_ZTE_OLD: Final = {0: "registering", 1: "los", 3: "online", 4: "dying_gasp", 5: "refused", 6: "offline"}
_ZTE: Final = "1.3.6.1.4.1.3902"
_HUAWEI: Final = "1.3.6.1.4.1.2011.6.128.1.1.2"
_FIBERHOME: Final = "1.3.6.1.4.1.5875.800.3"
_BDCOM: Final = "1.3.6.1.4.1.3320.10.3"
_UFIBER: Final = "1.3.6.1.4.1.41112.1.5.6.2.1"

TABLES: Final = (
    OnuTable(
        "ZTE, old tree",
        f"{_ZTE}.1012.3.28.1.1.5",
        f"{_ZTE}.1012.3.28.2.1.4",
        _ZTE_OLD,
        f"{_ZTE}.1012.3.50.12.1.1.10",
        _times(0.002, -30),
        ".1",
    ),
    OnuTable(
        "ZTE, new tree",
        f"{_ZTE}.1082.500.10.2.3.3.1.18",
        f"{_ZTE}.1082.500.10.2.3.8.1.4",
        {number + 1: word for number, word in _ZTE_OLD.items()},
        f"{_ZTE}.1082.500.20.2.2.2.1.10",
        _times(0.002, -30),
        ".1",
    ),
    OnuTable(
        "Huawei",
        f"{_HUAWEI}.43.1.3",
        f"{_HUAWEI}.46.1.15",
        {1: "online", -1: "unknown"},
        f"{_HUAWEI}.51.1.4",
        _times(0.01),
    ),
    OnuTable(
        "FiberHome",
        f"{_FIBERHOME}.10.1.1.10",
        f"{_FIBERHOME}.10.1.1.11",
        {0: "los", 1: "online", 2: "dying_gasp", 3: "offline"},
        f"{_FIBERHOME}.9.3.3.1.6",
        _times(0.01),
    ),
    OnuTable("BDCOM GPON", f"{_BDCOM}.3.1.2", f"{_BDCOM}.3.1.4", {3: "online"}, f"{_BDCOM}.4.1.2", _times(0.1)),
    OnuTable("UFiber", f"{_UFIBER}.1", f"{_UFIBER}.3", {1: "online", 2: "offline"}, f"{_UFIBER}.9", _times(0.01)),
    OnuTable(
        "V-SOL EPON",
        "1.3.6.1.4.1.37950.1.1.5.12.1.25.1.5",
        "1.3.6.1.4.1.37950.1.1.5.12.1.25.1.4",
        {0: "offline", 1: "online"},
        "1.3.6.1.4.1.37950.1.1.5.12.2.1.8.1.7",
        _dbm_in_text,
    ),
)


def onus_of(walk: Walk, table: OnuTable) -> dict[str, dict[str, Any]]:
    """Return what must be said of each ONU of a walk, by its :func:`serial`."""
    states, levels = walk.column(table.state), walk.column(table.light)
    told = {}
    for row, shown in walk.column(table.serial).items():
        raw = levels.get(row + table.suffix)
        state = table.states.get(states.get(row, -1))
        told[serial(shown)] = {"state": state, "rx_power_dbm": None if raw is None else table.level(raw), "row": row}
    return told


def serial(shown: Any) -> str:
    """Return a serial number or MAC address as capitals and digits; four letters and four bytes become twelve signs."""
    text = str(shown)
    if all(sign.isascii() and sign.isprintable() for sign in text):
        return re.sub(r"[^0-9A-Z]", "", text.rpartition(",")[2].upper())
    raw = text.encode("latin-1", "replace")
    return (raw[:4].decode("latin-1") + raw[4:].hex() if len(raw) == 8 else raw.hex()).upper()
