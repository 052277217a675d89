"""Pure: lines as they may leave the box for whoever helps: no secrets, no people, none of their devices.

What is known to be secret is hidden wherever it stands and however it is written; what only looks like it
(:mod:`.scrub_looks`) is hidden too. What stays are our own sentences, numbers, and the addresses the settings name.
"""

import base64
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

from kampungnet_agent.named_rows import HIDDEN, without_names
from kampungnet_agent.scrub_looks import (
    without_addresses,
    without_devices,
    without_long_words,
    without_people,
    without_quotes,
    without_what_was_given,
)

SHORTEST: Final = 3
"""Shorter ones would blacken every second word; no password is so short."""
MAX_LINE: Final = 500
MAX_SETTING: Final = 2_000
"""Of a line of a router's settings."""
MOST_READ: Final = 8_000
"""Of a line, before anything is hidden."""
MOST_PASSES: Final = 4


class Scrub:
    """One bundle's way of hiding."""

    def __init__(self, secrets: Iterable[str], ours: Iterable[str] = ()) -> None:
        """Name what is secret, and which addresses and names may stand there: those of the settings."""
        self._forms = {form for one in secrets if len(one) >= SHORTEST for form in map(_lower, _written(one))}
        lengths: dict[str, set[int]] = {}
        for form in self._forms:
            if len(form) >= SHORTEST:
                lengths.setdefault(form[:SHORTEST], set()).add(len(form))
        # A village has thousands of codes: what a line costs must not depend on how many there are.
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}
        self._longest = max((found[0] for found in self._lengths.values()), default=0)
        self._ours = frozenset(ours)

    def known(self, text: str) -> str:
        """Return text with what is known to be secret hidden, and nothing else."""
        # What is left beside something hidden may be another secret only now: until nothing changes.
        for _ in range(MOST_PASSES):
            after = self._once(text)
            if after == text:
                return text
            text = after
        return HIDDEN

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
        shown = self._whole(text, MAX_LINE)
        shown = without_people(without_what_was_given(shown))
        shown = without_quotes(shown, self._ours)
        shown = without_addresses(shown, self._ours)
        return self._printable(without_long_words(shown, self._ours), MAX_LINE)

    def setting(self, text: str) -> str:
        """Return one line of a router's settings, which was made to leave the village without secrets and people.

        Its quotes and addresses are the router's own and say what is wrong; what slipped into a script or a comment
        is hidden all the same.
        """
        shown = without_what_was_given(without_names(self._whole(text, MAX_SETTING)))
        shown = without_devices(shown)
        return self._printable(without_long_words(shown, self._ours), MAX_SETTING)

    def _whole(self, text: str, most: int) -> str:
        """Return text with what is known hidden, without an end that may be half of a secret: long lines were cut."""
        shown = self.known(text[:MOST_READ].encode("utf-8", "replace").decode())
        return shown[: max(0, len(shown) - self._longest)] if len(text) >= most else shown

    def _printable(self, text: str, most: int) -> str:
        text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
        return self.known(text)[:most]


def _lower(text: str) -> str:
    """Return text without differences of case, sign for sign: as long as it was, and the same wherever it stands."""
    if text.isascii():
        return text.lower()
    return "".join(next((one for one in (sign.casefold(), sign.lower()) if len(one) == 1), sign) for sign in text)


def _written(secret: str) -> Iterable[str]:
    """Yield how a secret may be written: as it is, in JSON, by Python or a router, in an address, in base64 and hex."""
    raw = secret.encode("utf-8", "replace")
    yield from (secret, secret.strip(), raw.decode(), raw.hex())
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret), quote_plus(secret, safe="/"))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    yield re.sub(r'([\\"$?])', r"\\\1", secret)  # the maker's page "Scripting": escape sequences of its strings
    yield from (repr(raw)[2:-1], base64.b64encode(raw).decode(), base64.b64encode(raw).decode().rstrip("="))
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
