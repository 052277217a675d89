"""One OLT value to what it means: serial numbers, times, light levels. Pure; nothing raises.

Facts on ONTs, sections 2.2, 5 to 7. What cannot be read is ``None`` or empty, which is not 0.
"""

import re
from typing import Final

from .light_sources import HIGHEST_DBM, LOWEST_DBM, number
from .ont_interfaces import snmp_text
from .snmp_ber import Oid, Value

NO_VALUE: Final = frozenset({2147483647, -2147483648, 65535, -65535, 65535000, -1})
DARK_AT_ONU_DBM: Final = -40.0
DARK_AT_OLT_DBM: Final = -80.0
_GPON_SERIAL_BYTES: Final = 8
_MAC_BYTES: Final = 6
_GPON: Final = re.compile(r"[A-Z0-9]{4}[0-9A-F]{8}")
_HEX: Final = re.compile(r"[0-9A-F]+")
_LONGEST_SERIAL: Final = 40


def serial_of(raw: Value | None) -> str:
    """Return a serial number as everybody writes it: ``ZTEGC1234567`` or ``AA:BB:CC:DD:EE:FF``.

    OLTs give it as 8 bytes, 16 digits, text, or ``1,ZTEGC1234567``; a MAC as 6 bytes or text.
    """
    if isinstance(raw, bytes):
        if len(raw) == _GPON_SERIAL_BYTES and raw[:4].isalnum():
            return raw[:4].decode("ascii", "replace").upper() + raw[4:].hex().upper()
        if len(raw) == _MAC_BYTES:
            return raw.hex(":").upper()
    return normal_serial(snmp_text(raw, _LONGEST_SERIAL))


def normal_serial(text: str) -> str:
    """Return a serial number or MAC that a person or an OLT wrote in the form all are compared in."""
    last = text.rpartition(",")[2].strip().upper()
    plain = re.sub(r"[\s:.\-]", "", last)
    if len(plain) == 2 * _GPON_SERIAL_BYTES and _HEX.fullmatch(plain):
        head = bytes.fromhex(plain[:8])
        return head.decode("ascii") + plain[8:] if head.isalnum() and head.isascii() else plain
    if len(plain) == 2 * _MAC_BYTES and _HEX.fullmatch(plain):
        return ":".join(plain[at : at + 2] for at in range(0, 2 * _MAC_BYTES, 2))
    return plain if _GPON.fullmatch(plain) else last


def level_of(raw: Value | None, scale: float, offset: float, *, zero_is_none: bool) -> float | None:
    """Return a light level in dBm, -40 and -80 included; ``None`` for every marker of no value."""
    value = number(raw)
    if value is None or value in NO_VALUE or (zero_is_none and value == 0):
        return None
    dbm = round(value if isinstance(raw, bytes) else value * scale + offset, 3)
    return dbm if LOWEST_DBM <= dbm <= HIGHEST_DBM or dbm == DARK_AT_OLT_DBM else None


def amount_of(raw: Value | None, scale: float, lowest: float, highest: float) -> float | None:
    """Return any other quantity, within its limits."""
    value = number(raw)
    if value is None or value in NO_VALUE:
        return None
    scaled = round(value if isinstance(raw, bytes) else value * scale, 3)
    return scaled if lowest <= scaled <= highest else None


def time_of(raw: Value | None) -> str:
    """Return ``YYYY-MM-DD hh:mm:ss`` in the device's own clock; empty for never.

    DateAndTime of RFC 2579 (8 or 11 bytes), or text such as the OLT's own.
    """
    if isinstance(raw, bytes) and len(raw) in {8, 11} and not raw[:4].isdigit():
        year = int.from_bytes(raw[:2], "big")
        month, day, hour, minute, second = raw[2:7]
        if not 1990 <= year <= 2200 or not 1 <= month <= 12 or not 1 <= day <= 31 or hour > 23:
            return ""
        return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    found = re.search(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})\s+(\d{1,2}):(\d{2}):(\d{2})", snmp_text(raw))
    if not found or found[1] == "0000":
        return ""
    year, month, day, hour, minute, second = map(int, found.groups())
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def dotted(row: Oid) -> str:
    """Return a row's index as text."""
    return ".".join(map(str, row))


def zte_pon(index: int) -> tuple[int, int, int]:
    """Return shelf, slot and port of ZTE's PON index (coding A of the facts: trees 1012 and 1015)."""
    return (index >> 24 & 0xF) + 1, index >> 16 & 0xFF, index >> 8 & 0xFF


def zte_if_index(shelf: int, slot: int, port: int) -> int:
    """Return the ifIndex of a port on C320 V2.1.0 (coding B), where slot and port count from 0."""
    return 0x10000000 + (shelf - 1 << 24) + (slot - 1 << 16) + (port - 1 << 8)


def zte_new(index: int) -> tuple[int, int, int]:
    """Return shelf, slot and port of ZTE's new ifIndex (coding C: tree 1082.500, C600)."""
    return index >> 16 & 0xFF, index >> 8 & 0xFF, index & 0xFF


def huawei_pon(index: int) -> tuple[int, int, int]:
    """Return frame, slot and port of a Huawei GPON ifIndex, which is above 2^31."""
    return (index & 0x7C0000) >> 18, (index & 0x3E000) >> 13, (index & 0x1F00) >> 8


def fiberhome_5516(index: int) -> tuple[int, int, int]:
    """Return slot, PON and ONU of an AN5516 index, given signed or unsigned."""
    index &= 0xFFFF_FFFF
    return index >> 25, index >> 19 & 0x3F, index >> 8 & 0x7FF


def fiberhome_5116(index: int) -> tuple[int, int, int]:
    """Return slot, PON and ONU of an AN5116 index."""
    return index >> 27 & 0x1F, index >> 22 & 0x1F, index >> 13 & 0x1FF
