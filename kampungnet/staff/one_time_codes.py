"""Pure: codes of a second factor, by the phone and on paper.

TOTP by RFC 6238: SHA-1, six digits, 30 seconds, which every app for codes can do.
"""

import re
import secrets
from base64 import b32encode
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final
from urllib.parse import quote, urlencode

SECRET_BYTES: Final = 20
"""As long as the digest (RFC 4226, section 4)."""
STEP_MS: Final = 30_000
DRIFT_STEPS: Final = 1
"""A phone's clock may be half a minute off, either way (RFC 6238, section 5.2)."""
SPARE_CODES: Final = 8
SPARE_LETTERS: Final = 24
"""120 bits: what is looked up by a plain hash must not be guessable from it (ASVS 6.5.2)."""
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS: Final = re.compile(r"[0-9]{6}")


def new_secret() -> bytes:
    """Return a secret for a phone."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """Return the six digits of one step of 30 seconds (RFC 4226, section 5.3)."""
    mac = digest(secret, step.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 0x0F
    return f"{(int.from_bytes(mac[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def step_of(secret: bytes, typed: str, now_ms: int, used: int) -> int | None:
    """Return the step that typed digits belong to, if it is now and later than the last one ``used``."""
    code = "".join(typed.split())
    if not _DIGITS.fullmatch(code):
        return None
    now = now_ms // STEP_MS
    steps = range(max(0, used + 1, now - DRIFT_STEPS), now + DRIFT_STEPS + 1)
    return next((step for step in steps if compare_digest(code_at(secret, step), code)), None)


def address(secret: bytes, username: str, issuer: str) -> str:
    """Return what the QR code says, in the form that apps for codes read."""
    told = {"secret": typed_secret(secret).replace(" ", ""), "issuer": issuer}
    return f"otpauth://totp/{quote(issuer)}:{quote(username)}?{urlencode(told, quote_via=quote)}"


def typed_secret(secret: bytes) -> str:
    """Return the secret in groups of four letters, for who cannot scan."""
    return _grouped(b32encode(secret).decode(), " ")


def spare_codes() -> list[str]:
    """Return codes for the day the phone is lost; each works once."""
    return [_grouped("".join(secrets.choice(_ALPHABET) for _ in range(SPARE_LETTERS)), "-") for _ in range(SPARE_CODES)]


def spare_hash(typed: str) -> bytes | None:
    """Return what is stored of a spare code, however it is typed; ``None`` for what cannot be one."""
    plain = "".join(filter(str.isalnum, typed.upper())).translate(str.maketrans("ILO", "110"))
    return sha256(b"kampungnet-spare\n" + plain.encode()).digest() if len(plain) == SPARE_LETTERS else None


def _grouped(text: str, between: str) -> str:
    return between.join(text[at : at + 4] for at in range(0, len(text), 4))
