"""Hand-made OLT rows, written from the facts with their OIDs in full (no public recording holds such rows)."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.agent.drivers.scripted_snmp import Plain, ScriptedAgent

_ZTE = "1.3.6.1.4.1.3902."
_HUAWEI = "1.3.6.1.4.1.2011.6.128.1.1.2."


def moment(minute: int, hour: int = 7) -> bytes:
    """2026-07-22 as DateAndTime of 8 bytes; the second that the recorded C600 shows."""
    second = 6 if minute == 38 else 11
    return bytes([0x07, 0xEA, 7, 22, hour, minute, second, 0])


@dataclass(frozen=True)
class Rows:
    """One maker's rows. ``raw`` turns dBm into the maker's number for the ONU and for the OLT."""

    name: str
    system: str
    serial: str
    state: str
    admin: str
    distance: str
    up: str
    down: str
    cause: str
    gasp: int
    rx: str
    rx_tail: str
    olt_rx: str
    states: dict[str, int]
    index: Callable[[int], int]
    raw_rx: Callable[[float], int]
    raw_olt_rx: Callable[[float], int]

    def onu(
        self,
        serial: str,
        *,
        onu: int = 5,
        port: int = 1,
        state: str | int = "online",
        rx: float = -20.0,
        olt_rx: float = -21.0,
        raw_rx: int | None = None,
        raw_olt_rx: int | None = None,
        down_minute: int = 34,
    ) -> dict[str, Plain]:
        row = f"{self.index(port)}.{onu}"
        return {
            f"{self.serial}.{row}": serial[:4].encode() + bytes.fromhex(serial[4:]),
            f"{self.state}.{row}": self.states[state] if isinstance(state, str) else state,
            f"{self.admin}.{row}": 1,
            f"{self.distance}.{row}": 1235,
            f"{self.up}.{row}": moment(38),
            f"{self.down}.{row}": moment(down_minute),
            f"{self.cause}.{row}": self.gasp,
            f"{self.rx}.{row}{self.rx_tail}": self.raw_rx(rx) if raw_rx is None else raw_rx,
            f"{self.olt_rx}.{row}": self.raw_olt_rx(olt_rx) if raw_olt_rx is None else raw_olt_rx,
        }

    def olt(self, *rows: dict[str, Plain]) -> ScriptedAgent:
        values: dict[str, Plain] = {
            "1.3.6.1.2.1.1.1.0": self.name.encode(),
            "1.3.6.1.2.1.1.2.0": self.system,
            "1.3.6.1.2.1.1.3.0": 500_000,
        }
        for row in rows:
            values |= row
        return ScriptedAgent(values)


ZTE_OLD = Rows(
    name="C320 Version V2.1.0",
    system=_ZTE + "1082.1001.320.2.1",
    serial=_ZTE + "1012.3.28.1.1.5",
    state=_ZTE + "1012.3.28.2.1.4",
    admin=_ZTE + "1012.3.28.2.1.1",
    distance=_ZTE + "1012.3.11.4.1.2",
    up=_ZTE + "1012.3.28.2.1.5",
    down=_ZTE + "1012.3.28.2.1.6",
    cause=_ZTE + "1012.3.28.2.1.7",
    gasp=9,
    rx=_ZTE + "1012.3.50.12.1.1.10",
    rx_tail=".1",
    olt_rx=_ZTE + "1015.1010.11.2.1.2",
    states={"los": 1, "online": 3, "gasp": 4, "down": 6},
    index=lambda port: 0x10000000 + (2 << 16) + (port << 8),
    raw_rx=lambda dbm: round((dbm + 30) * 500),
    raw_olt_rx=lambda dbm: round(dbm * 1000),
)
ZTE_NEW = Rows(
    name="ZXA10 C600",
    system=_ZTE + "1082.1001.600.1.1",
    serial=_ZTE + "1082.500.10.2.3.3.1.18",
    state=_ZTE + "1082.500.10.2.3.8.1.4",
    admin=_ZTE + "1082.500.10.2.3.8.1.1",
    distance=_ZTE + "1082.500.10.2.3.10.1.2",
    up=_ZTE + "1082.500.10.2.3.8.1.5",
    down=_ZTE + "1082.500.10.2.3.8.1.6",
    cause=_ZTE + "1082.500.10.2.3.8.1.7",
    gasp=9,
    rx=_ZTE + "1082.500.20.2.2.2.1.10",
    rx_tail=".1",
    olt_rx=_ZTE + "1082.500.1.2.4.2.1.2",
    states={"los": 2, "online": 4, "gasp": 5, "down": 7},
    index=lambda port: 0x11000000 + (1 << 16) + (2 << 8) + port,
    raw_rx=lambda dbm: round((dbm + 30) * 500),
    raw_olt_rx=lambda dbm: round(dbm * 1000),
)
HUAWEI = Rows(
    name="Huawei Integrated Access Software",
    system="1.3.6.1.4.1.2011.2.123",
    serial=_HUAWEI + "43.1.3",
    state=_HUAWEI + "46.1.15",
    admin=_HUAWEI + "46.1.1",
    distance=_HUAWEI + "46.1.20",
    up=_HUAWEI + "46.1.22",
    down=_HUAWEI + "46.1.23",
    cause=_HUAWEI + "46.1.24",
    gasp=13,
    rx=_HUAWEI + "51.1.4",
    rx_tail="",
    olt_rx=_HUAWEI + "51.1.6",
    states={"online": 1, "down": 2, "los": 2},
    index=lambda port: 4194304000 + 8192 + (port + 1) * 256,
    raw_rx=lambda dbm: round(dbm * 100),
    raw_olt_rx=lambda dbm: round(dbm * 100) + 10000,
)
