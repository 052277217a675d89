"""A tape of SNMP objects as a file of snmpsim (``OID|tag|value``), with names hidden.

The drivers know numbers, bytes and object names; which kind of number it was is not kept. A number that fits is
written as Integer32, any other as Counter64: drivers and snmpsim make no difference.
"""

from collections.abc import Mapping
from typing import Final

from kampungnet_agent.record_mask import Mask
from kampungnet_agent.record_tape import Oid

_NUMBER: Final = 2
_OCTETS: Final = 4
_NAME: Final = 6
_WIDE_NUMBER: Final = 70
_LONGEST_INTEGER: Final = 2**31
_SHORTEST_IDENTIFIER: Final = 6


def answers_of(objects: Mapping[Oid, int | bytes | str], mask: Mask, known: frozenset[str]) -> bytes:
    """Return the objects, sorted as a walk is. ``known`` are model and version, which stay.

    A serial number that stands inside an object's own name, as the index of its row, is hidden there, too.
    """
    hidden: dict[Oid, Oid] = {}
    lines: dict[Oid, str] = {}
    for name, value in objects.items():
        if isinstance(value, bytes):
            masked = _octets(value, mask, known)
            if len(value) >= _SHORTEST_IDENTIFIER and masked != value:
                hidden[tuple(value)] = tuple(masked)
            lines[name] = _octet_line(masked)
        elif isinstance(value, int):
            lines[name] = f"{_NUMBER if -_LONGEST_INTEGER <= value < _LONGEST_INTEGER else _WIDE_NUMBER}|{value}"
        else:
            lines[name] = f"{_NAME}|{value}"
    renamed = {_renamed(name, hidden): line for name, line in lines.items()}
    return "".join(f"{'.'.join(map(str, name))}|{renamed[name]}\n" for name in sorted(renamed)).encode()


def _octets(value: bytes, mask: Mask, known: frozenset[str]) -> bytes:
    shown = value.decode("latin-1").partition("\0")[0].strip().rstrip(".")
    return mask.kind(value.decode("latin-1")).encode("latin-1") if shown in known else mask.octets(value)


def _octet_line(value: bytes) -> str:
    if value and value.isascii() and value.decode().isprintable() and "|" not in value.decode():
        return f"{_OCTETS}|{value.decode()}"
    return f"{_OCTETS}x|{value.hex()}"


def _renamed(name: Oid, hidden: Mapping[Oid, Oid]) -> Oid:
    for raw, masked in hidden.items():
        size = len(raw)
        for place in range(len(name) - size, 0, -1):
            if name[place : place + size] == raw:
                return name[:place] + masked + name[place + size :]
    return name
