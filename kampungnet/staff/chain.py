"""Pure: a chain of sealed acts is walked from its first one; whose seal does not hold, and from where it does again.

A seal is made over an act and the seal before it, with a key outside the database (:mod:`kampungnet.staff.audit`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final, Self

import msgspec

from kampungnet.core.keys import Keys
from kampungnet.staff.models import AuditEntry

START: Final = "0" * 64
"""What the first row of a chain has in the place of a hash before it."""
KEYED: Final = "2:"
"""What a seal begins with that was made with the key; those from before are a plain SHA-256."""
ANEW: Final = "audit.begin_anew"
"""The act that begins a log anew, with a digest of all that stands before it: from then on that is not changed either,
though nobody has the key any more that proves it."""
_PURPOSE: Final = "audit"
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Examined:
    """How a chain was found."""

    acts: int
    """Those before the first one that does not hold."""
    without_key: int
    """Those of them that are older than the key: their seals can be made by anybody."""
    broken: int | None = None
    """The first one that does not hold, and after which the log was not begun anew."""
    entry: AuditEntry | None = None
    """What stands there; without it, or with another number, it was taken out."""
    anew: AuditEntry | None = None
    """The last act that began the log anew, as it had to: something before it does not hold with the keys at hand."""
    unproven: int | None = None
    """The first act before ``anew`` that does not hold."""
    spoilt: AuditEntry | None = None
    """An act that says it began the log anew, and does not hold, or what stands before it is not what stood there."""


class Walk:
    """What was seen of a chain so far."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._previous, self._number = START, 0
        self._seen = sha256()
        self._without_key, self._is_keyed = 0, False
        self._broken: int | None = None
        self._unproven: int | None = None
        self._entry: AuditEntry | None = None
        self._anew: AuditEntry | None = None
        self._spoilt: AuditEntry | None = None

    def over(self, entries: Iterable[AuditEntry]) -> Self:
        """Look at the acts of a chain, the first one first."""
        for entry in entries:
            self._look_at(entry)
            self._seen.update(told(entry, self._previous) + entry.hash.encode())
            self._previous, self._number = entry.hash, entry.sequence
        return self

    @property
    def found(self) -> Examined:
        """How the chain was found."""
        acts = self._number if self._broken is None else self._broken - 1
        return Examined(acts, self._without_key, self._broken, self._entry, self._anew, self._unproven, self._spoilt)

    @property
    def digest(self) -> str:
        """Of all acts as they stand, in hex."""
        return self._seen.hexdigest()

    def _look_at(self, entry: AuditEntry) -> None:
        if self._broken is None:
            if self._is_next(entry):
                self._is_keyed = entry.hash.startswith(KEYED)
                self._without_key += not self._is_keyed
            else:
                self._broken, self._entry = self._number + 1, entry
        elif entry.what == ANEW:
            if entry.hash.startswith(KEYED) and self._is_next(entry) and f'"digest":"{self.digest}"' in entry.after:
                self._unproven, self._anew = self._unproven or self._broken, entry
                self._broken = self._entry = self._spoilt = None
                self._is_keyed = True
            else:
                self._spoilt = entry

    def _is_next(self, entry: AuditEntry) -> bool:
        # Once seals are made with the key, one without it can only come from somebody who does not have it.
        fell_back = self._is_keyed and not entry.hash.startswith(KEYED)
        return entry.sequence == self._number + 1 and not fell_back and holds(entry, self._previous, self._keys)


def seal(entry: AuditEntry, previous: str, keys: Keys) -> str:
    """Return the seal of an act that follows the one with the seal ``previous``."""
    return KEYED + keys.mark(_PURPOSE, told(entry, previous)).hex()


def holds(entry: AuditEntry, previous: str, keys: Keys) -> bool:
    """Tell whether the seal of an act is right, by any of the keys."""
    content = told(entry, previous)
    if not entry.hash.startswith(KEYED):
        return compare_digest(entry.hash.encode(), sha256(content).hexdigest().encode())
    found = entry.hash.removeprefix(KEYED).encode()
    return any(compare_digest(found, mark.hex().encode()) for mark in keys.marks(_PURPOSE, content))


def told(entry: AuditEntry, previous: str) -> bytes:
    """Return what a seal is made over."""
    values: Sequence[Any] = (
        previous, entry.regency, entry.sequence, entry.at_ms, entry.username, entry.name, entry.role, entry.what,
        entry.about, entry.reason, entry.before, entry.after,
    )  # fmt: skip
    return _ENCODER.encode(values)
