"""Pure: a request as it came off the line, and whose key signed it."""

import base64

import msgspec
from ed25519_zebra import ed_verify  # type: ignore[import-untyped]
from nacl.bindings import crypto_core_ed25519_BYTES, crypto_core_ed25519_is_valid_point

from kampungnet.devices.credentials import Reporter


class SignedRequest(msgspec.Struct, frozen=True, gc=False):
    """A request as it came off the line."""

    agent: str
    signature: str
    encoding: str
    body: bytes
    received_ms: int
    address: str = ""
    """Where it came from; empty where that is not known."""


def proven_key(reporter: Reporter | None, signature: str, text: bytes) -> bytes | None:
    """Return the key of a box that signed a text; ``None`` when it was none of those that count."""
    return next((key for key in (reporter.keys if reporter else ()) if signed(key, signature, text)), None)


def signed(key: bytes, signature: str, text: bytes) -> bool:
    """Tell whether a text was signed with a key's private half (Ed25519, RFC 8032).

    Bytes that are no key or no signature sign nothing.
    """
    try:
        raw = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    return bool(ed_verify(raw, text, key))


def brought(key: bytes, signature: str, text: bytes) -> bool:
    """Tell whether a text proves that who brings a new key has its private half.

    There are keys without one, points of small order, for which anybody makes signatures that are right by RFC 8032
    (8.8; ZIP 215 says which): a key is looked at once, before it counts.
    """
    is_point = len(key) == crypto_core_ed25519_BYTES and crypto_core_ed25519_is_valid_point(key)
    return is_point and signed(key, signature, text)
