"""When the certificate ends that our web server shows: read from its file, so that people are told in time.

Only the few bytes of DER on the way to the end are read (RFC 5280, section 4.1); nothing is verified here.
"""

import binascii
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kampungnet.core.errors import BadInput

CERTIFICATE: Final = "KAMPUNGNET_CERTIFICATE"
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_BEFORE_VALIDITY: Final = 3
"""Serial number, signature algorithm, issuer."""


def end_ms(environment: Mapping[str, str]) -> int | None:
    """Return when the certificate ends that ``KAMPUNGNET_CERTIFICATE`` names; ``None`` without that setting.

    Raises ``BadInput`` where the file holds none.
    """
    name = environment.get(CERTIFICATE)
    if not name:
        return None
    try:
        return end_of(Path(name).read_text(encoding="ascii"))
    except (OSError, ValueError, IndexError) as error:
        raise BadInput(
            f"{CERTIFICATE}={name} is no certificate that can be read: {error}. Name the PEM file."
        ) from error


def end_of(pem: str) -> int:
    """Return when the first certificate of a PEM file ends. Raises ``ValueError`` or ``IndexError`` without one."""
    begin, end = pem.index(ssl.PEM_HEADER), pem.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
    try:
        rest = _open(_open(ssl.PEM_cert_to_DER_cert(pem[begin:end])))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    for _ in range(_BEFORE_VALIDITY + (rest[0] == _VERSION)):
        rest = _skip(rest)
    not_after = _skip(_open(rest))
    text = _open(not_after).decode("ascii")
    if not_after[0] == _UTC_TIME:  # years 50 to 99 are of the last century
        text = ("19" if text >= "50" else "20") + text
    return int(datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp() * 1000)


def _ends(der: bytes) -> tuple[int, int]:
    """Return where the content of the first element begins and ends."""
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    if start + length > len(der):
        raise ValueError("it is cut off")
    return start, start + length


def _open(der: bytes) -> bytes:
    start, end = _ends(der)
    return der[start:end]


def _skip(der: bytes) -> bytes:
    return der[_ends(der)[1] :]
