"""Pure: lines as they may leave the box for whoever helps: no secrets, no people, none of their devices.

What is known to be secret is hidden wherever it stands and however it is written; what only looks like it is hidden
too. What stays are our own sentences, numbers, and the addresses that the settings name.
"""

import base64
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

HIDDEN: Final = "***"
SHORTEST: Final = 3
"""Shorter ones would blacken every second word; no password is so short."""
MAX_LINE: Final = 500
_MAC: Final = re.compile(
    r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}(?:[:.-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(?:[.:-][0-9A-Fa-f]{4}){2}|"
    r"[0-9A-Fa-f]{12})(?![0-9A-Fa-f])"
)
_IPV4: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d]|\.\d)")
_IPV6: Final = re.compile(r"(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z:])")
_TIME: Final = re.compile(r"\d{1,2}:\d\d:\d\d")
_GIVEN: Final = re.compile(
    r"(?i)((?:pass(?:word|phrase|wd)?|pwd|secret|community|token|credential|private[_-]?key|psk|sandi|kata sandi|"
    r"user(?:name)?|comment|identity)[\"']?\s*[=:]\s*)(?:\"[^\"]*\"?|'[^']*'?|\S+)"
)
_QUOTED: Final = re.compile("\"[^\"]*\"|'[^']*'|\u201c[^\u201d]*\u201d|\u2018[^\u2019]*\u2019|`[^`]*`")
_LONG: Final = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_MAIL: Final = re.compile(r"[^\s@<>]+@[^\s@<>]+")


class Scrub:
    """One bundle's way of hiding."""

    def __init__(self, secrets: Iterable[str], addresses: Iterable[str] = ()) -> None:
        """Name what is secret, and which addresses may stand there: those of the settings."""
        self._forms = {form for one in secrets if len(one) >= SHORTEST for form in map(_lower, _written(one))}
        lengths: dict[str, set[int]] = {}
        for form in self._forms:
            if len(form) >= SHORTEST:
                lengths.setdefault(form[:SHORTEST], set()).add(len(form))
        # A village has thousands of codes: what a line costs must not depend on how many there are.
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}
        self._addresses = frozenset(addresses)

    def known(self, text: str) -> str:
        """Return text with what is known to be secret hidden, and nothing else."""
        # What is left beside something hidden may be another secret only now: until nothing changes.
        while (after := self._once(text)) != text:
            text = after
        return text

    def _once(self, text: str) -> str:
        low = _lower(text)
        kept: list[str] = []
        done = at = 0
        while at <= len(low) - SHORTEST:
            for length in self._lengths.get(low[at : at + SHORTEST], ()):
                if low[at : at + length] in self._forms:
                    kept += (text[done:at], HIDDEN)
                    done = at = at + length
                    break
            else:
                at += 1
        return "".join([*kept, text[done:]])

    def line(self, text: str) -> str:
        """Return one line of foreign or our own words with everything hidden that has to be."""
        text = self.known(text.encode("utf-8", "replace").decode())
        text = _GIVEN.sub(rf"\g<1>{HIDDEN}", text)
        text = _QUOTED.sub(lambda found: found[0] if found[0][1:-1] in self._addresses else f"“{HIDDEN}”", text)
        text = _MAIL.sub(HIDDEN, _MAC.sub("**:**", text))
        text = _IPV4.sub(self._address, text)
        text = _IPV6.sub(lambda found: found[0] if _TIME.fullmatch(found[0]) else self._address(found), text)
        text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in _LONG.sub(HIDDEN, text))
        return self.known(text)[:MAX_LINE]

    def _address(self, found: "re.Match[str]") -> str:
        return found[0] if found[0] in self._addresses else "[alamat]"


def _lower(text: str) -> str:
    """Return text without differences of case, sign for sign: as long as it was, and the same wherever it stands."""
    if text.isascii():
        return text.lower()
    return "".join(next((one for one in (sign.casefold(), sign.lower()) if len(one) == 1), sign) for sign in text)


def _written(secret: str) -> Iterable[str]:
    """Yield how a secret may be written: as it is, in JSON, as Python shows it, in an address, in base64 and hex."""
    raw = secret.encode("utf-8", "replace")
    yield from (secret, secret.strip(), raw.decode(), raw.hex(), quote(secret, safe=""), quote(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    yield from (repr(raw)[2:-1], base64.b64encode(raw).decode(), base64.b64encode(raw).decode().rstrip("="))
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
