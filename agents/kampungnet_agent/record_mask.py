"""Hides whose device a recording is of, and keeps its shape: what is masked is read as the real answer was.

Everything is hidden but what is known to be harmless. A letter becomes another letter and a digit another digit,
the same text always the same within one recording, and nobody can turn it back: the key is made for one recording
and thrown away. A text's beginning is hidden like the text's beginning, capitals like small letters, so that a driver
which cuts a name short or changes its case still agrees with its own reading.
"""

import re
from collections import Counter
from hashlib import blake2b
from ipaddress import IPv4Address
from typing import Final

_ORDINARY: Final = re.compile(
    r"(?i:ether|eth|sfp|sfpplus|qsfp|qsfpplus|combo|wlan|wifi|bridge|vlan|pppoe|lte|lo|loopback|out|in|wan|lan|cap|"
    r"pon|gpon|epon|xpon|onu|ont|olt|ge|xge|fe|meth|null|veth|bonding|hotspot|trial|default|local|master|"
    r"www|com|net|org|google|true|false|yes|no|none|all|main|reachable|unreachable|via|static|dynamic|enable|enabled|disable|disabled|up|down|unknown|"
    r"dbm|mw|mv|ma|v|c|f|km|m|s|ms|us|h|d|w|kbps|mbps|gbps|bps|mhz|ghz|kb|mb|gb)\d{0,4}"
)
"""Words of devices, not of people: ports, switches, units."""
_SHORT_NUMBER: Final = 2
"""Digits of a number that says nothing: slots, channels, half of a decimal."""
_SPECIAL: Final = re.compile(
    r"(?P<mac>(?<![0-9A-Fa-f:.-])[0-9A-Fa-f]{2}(?P<sep>[:-])(?:[0-9A-Fa-f]{2}(?P=sep)){4}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])"
    r"|(?<![0-9A-Fa-f.-])[0-9A-Fa-f]{4}(?P<sep4>[.-])[0-9A-Fa-f]{4}(?P=sep4)[0-9A-Fa-f]{4}(?![0-9A-Fa-f.-]))"
    r"|(?P<ip>(?<![\d.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\d.]))"
    r"|(?P<gpon>\b[A-Z]{4}[0-9A-Fa-f]{8}\b)"
    r"|(?P<hexgpon>\b(?:4[1-9A-Fa-f]|5[0-9Aa]){4}[0-9A-Fa-f]{8}\b)"
    r"|(?P<measure>(?<![\w.])[+-]?\d{1,5}(?:\.\d{1,4})?(?=\s*\(?(?i:dbm|mw|mv|ma|v|c|km|m|kbps|mbps|s|ms)\b))"
    r"|(?P<token>[^\W_]+)"
)
_HOST: Final = re.compile(r"(?<=\bLinux )\S+")
_EVERYBODYS: Final = frozenset("1.1.1.1 1.0.0.1 8.8.8.8 8.8.4.4 9.9.9.9 149.112.112.112".split())
"""Resolvers that everybody pings."""
_SERVICE_NETS: Final = (100, 127, 169, 172, 192, 198, 203)
"""First numbers of addresses of which some are not public; public ones go to 240 and up, which nobody has."""
_MULTICAST: Final = 224


class Mask:
    """One recording's way of hiding. ``key`` is secret and lives as long as the recording is made."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.hidden: Counter[str] = Counter()
        """What was hidden, by kind and how often."""
        self.identifiers: set[str] = set()
        """MAC addresses, serial numbers and public addresses as they were; none may be left."""
        self._words: set[str] = set()

    def text(self, text: str) -> str:
        """Return ``text`` with every name, number and address in it hidden."""
        return _SPECIAL.sub(self._special, text)

    def kind(self, text: str) -> str:
        """Return a model or version with only addresses, serial numbers and the name of a Linux host hidden."""
        text = _HOST.sub(lambda found: self.text(found[0]), text)
        return _SPECIAL.sub(lambda found: found[0] if found.lastgroup == "token" else self._special(found), text)

    def sentence(self, text: str) -> str:
        """Return a sentence of ours with only those words hidden that were hidden elsewhere."""
        return _SPECIAL.sub(lambda found: self._special(found) if self._is_known(found) else found[0], text)

    def octets(self, raw: bytes) -> bytes:
        """Return raw bytes of SNMP hidden: an address, a MAC, a GPON serial number, a date, or text."""
        if raw and not _is_text(raw):
            if len(raw) == 4:
                return IPv4Address(self._address(str(IPv4Address(raw)))).packed
            if len(raw) == 6:
                return bytes.fromhex(self._mac(raw.hex()))
            if len(raw) == 8:
                head = raw[:4]
                return head + self._serial_end(raw[4:]) if head.isalpha() and head.isupper() else raw
        return self.raw(raw)

    def raw(self, raw: bytes) -> bytes:
        """Return text as bytes hidden, whatever its encoding is."""
        try:
            return self.text(raw.decode()).encode()
        except UnicodeDecodeError:
            return self.text(raw.decode("latin-1")).encode("latin-1")

    def _is_known(self, found: "re.Match[str]") -> bool:
        return found.lastgroup != "token" or found[0].casefold() in self._words

    def _special(self, found: "re.Match[str]") -> str:
        kind, value = found.lastgroup, found[0]
        if found["mac"]:
            return self._mac(value)
        if kind == "ip":
            return self._address(value)
        if kind == "gpon":
            return value[:4] + self._same_case(value[4:], self._serial_end(bytes.fromhex(value[4:])).hex())
        if kind == "hexgpon":
            return value[:8] + self._same_case(value[8:], self._serial_end(bytes.fromhex(value[8:])).hex())
        return value if kind == "measure" else self._token(value)

    def _token(self, token: str) -> str:
        if _ORDINARY.fullmatch(token) or (token.isdecimal() and len(token) <= _SHORT_NUMBER):
            return token
        self.hidden["words and numbers"] += 1
        self._words.add(token.casefold())
        return "".join(self._character(token[:place].casefold(), sign) for place, sign in enumerate(token))

    def _character(self, before: str, sign: str) -> str:
        number = self._number("t", before)
        if sign.isascii():
            first, size = (0x30, 10) if sign.isdigit() else (0x41, 26) if sign.isupper() else (0x61, 26)
            return chr(first + (ord(sign) - first + 1 + number % (size - 1)) % size)
        # another letter of the same length in UTF-8, and in Latin-1
        first, size = (0xE0, 23) if ord(sign) < 0x800 else (0x4E00, 0x1000) if ord(sign) < 0x10000 else (0x20000, 0x40)
        return chr(first + number % size)

    def _mac(self, shown: str) -> str:
        """Keep the two bits that say whether an address is one card's and whether it was made up."""
        plain = re.sub(r"[:.-]", "", shown).lower()
        if not plain.strip("0") or not plain.strip("f"):
            return shown
        self._note("MAC addresses", shown)
        digest = self._digest("mac", plain)
        masked = bytes([digest[0] & 0xFC | int(plain[1], 16) & 3, *digest[1:6]]).hex()
        digits = iter(masked)
        return self._same_case(shown, "".join(next(digits) if sign.isalnum() else sign for sign in shown))

    def _serial_end(self, raw: bytes) -> bytes:
        self._note("serial numbers", raw.hex())
        return self._digest("serial", raw.hex())[:4]

    def _address(self, shown: str) -> str:
        """Hide a public address, alike what begins alike; networks, masks and private addresses stay."""
        address = IPv4Address(shown)
        if shown in _EVERYBODYS or not address.is_global or address.packed[0] >= _MULTICAST:
            return shown
        self._note("public addresses", shown)
        first, *others = shown.split(".")
        head = int(first)
        parts = [str(240 + _SERVICE_NETS.index(head)) if head in _SERVICE_NETS else self._octet("", first)]
        for place, octet in enumerate(others, start=1):
            parts.append(self._octet(".".join(shown.split(".")[:place]), octet))
        return ".".join(parts)

    def _octet(self, before: str, octet: str) -> str:
        """Return another number of as many digits, a different one for each under the same beginning."""
        size = len(octet)
        allowed = range(*{1: (0, 10), 2: (10, 100), 3: (100, 256)}[size])
        if not before:
            allowed = range(*{1: (1, 10), 2: (11, 100), 3: (101, 224)}[size])
            free = [one for one in allowed if one not in _SERVICE_NETS]
            return str(free[(free.index(int(octet)) + 1 + self._number("ip", f"{size}") % (len(free) - 1)) % len(free)])
        shift = 1 + self._number("ip", f"{before}/{size}") % (len(allowed) - 1)
        return str(allowed[(allowed.index(int(octet)) + shift) % len(allowed)])

    def _note(self, kind: str, shown: str) -> None:
        self.hidden[kind] += 1
        self.identifiers.add(shown)

    @staticmethod
    def _same_case(shown: str, masked: str) -> str:
        return masked.lower() if any(sign.islower() for sign in shown) else masked.upper()

    def _number(self, purpose: str, text: str) -> int:
        return int.from_bytes(self._digest(purpose, text)[:4], "big")

    def _digest(self, purpose: str, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, person=purpose.encode()).digest()


def _is_text(raw: bytes) -> bool:
    try:
        shown = raw.decode()
    except UnicodeDecodeError:
        return all(sign >= 0x20 for sign in raw) and sum(sign >= 0x80 for sign in raw) * 3 < len(raw)
    return all(sign.isprintable() or sign in "\t\r\n\0" for sign in shown) and bool(shown.strip("\0"))
