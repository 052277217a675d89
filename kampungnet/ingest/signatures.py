"""Pure: a request as it came off the line, and whose key signed it."""

import base64

import msgspec
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open, crypto_sign_PUBLICKEYBYTES
from nacl.exceptions import BadSignatureError

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
    """Tell whether a text was signed with a key's private half."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    if len(raw) != crypto_sign_BYTES or len(key) != crypto_sign_PUBLICKEYBYTES:
        return False
    try:
        crypto_sign_open(raw + text, key)
    except BadSignatureError:
        return False
    return True
