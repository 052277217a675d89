"""What stands in a recorded SNMP walk, read column by column by nothing of ours.

Columns and numbers: RFC 2863 and facts on ONTs, section 3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NAME: Final = "1.3.6.1.2.1.31.1.1.1.1"
DESCRIPTION: Final = "1.3.6.1.2.1.2.2.1.2"
OPERATES: Final = "1.3.6.1.2.1.2.2.1.8"
ADMITTED: Final = "1.3.6.1.2.1.2.2.1.7"
WIDE: Final = {
    "rx_bytes": "1.3.6.1.2.1.31.1.1.1.6",
    "tx_bytes": "1.3.6.1.2.1.31.1.1.1.10",
    "rx_packets": "1.3.6.1.2.1.31.1.1.1.7",
    "tx_packets": "1.3.6.1.2.1.31.1.1.1.11",
}
NARROW: Final = {
    "rx_bytes": "1.3.6.1.2.1.2.2.1.10",
    "tx_bytes": "1.3.6.1.2.1.2.2.1.16",
    "rx_packets": "1.3.6.1.2.1.2.2.1.11",
    "tx_packets": "1.3.6.1.2.1.2.2.1.17",
}
EVENTS: Final = {
    "rx_errors": "1.3.6.1.2.1.2.2.1.14",
    "tx_errors": "1.3.6.1.2.1.2.2.1.20",
    "rx_drops": "1.3.6.1.2.1.2.2.1.13",
    "tx_drops": "1.3.6.1.2.1.2.2.1.19",
}
_NUMBERS: Final = {"2", "65", "66", "67", "70"}


@dataclass(frozen=True)
class Walk:
    """One recording. A number is an ``int``, everything else text; bytes that are no text are Latin-1."""

    values: dict[str, Any]

    def column(self, oid: str) -> dict[str, Any]:
        """Return a column by its rows' indexes."""
        start = oid + "."
        return {name.removeprefix(start): value for name, value in self.values.items() if name.startswith(start)}

    def interfaces(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (index, what a reading must say) of every interface that has a name."""
        names, descriptions = self.column(NAME), self.column(DESCRIPTION)
        operates, admitted = self.column(OPERATES), self.column(ADMITTED)
        bits = 64 if self.column(WIDE["rx_bytes"]) else 32
        columns = {field: self.column(oid) for field, oid in {**(WIDE if bits == 64 else NARROW), **EVENTS}.items()}
        for index in {**names, **descriptions}:
            told: dict[str, Any] = {field: column.get(index) for field, column in columns.items()}
            told["interface"] = unpadded(names.get(index, "")) or unpadded(descriptions.get(index, ""))
            told["running"] = operates[index] == 1 if index in operates else None
            told["disabled"] = admitted.get(index) == 2
            told["counter_bits"] = bits
            yield index, told


def unpadded(text: str) -> str:
    """Return a name without the NULs some devices pad with; who recorded Calix drew them as dots."""
    return text.partition("\0")[0].rstrip(".").strip()


def read_walk(path: Path) -> Walk:
    """Read a file of snmpsim; of two lines with one name the first counts, as snmpsim does."""
    values: dict[str, Any] = {}
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        if line.strip():
            name, tag, value = line.split("|", 2)
            values.setdefault(name.strip("."), _value(tag, value))
    return Walk(values)


def _value(tag: str, value: str) -> Any:
    if tag in _NUMBERS:
        return int(value)
    if tag == "4x":
        raw = bytes.fromhex(value)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")
    return value
