"""From a poll's ending to the JSON of a reading that the server will take."""

import msgspec

from kampungnet.shared import wire

UNNUMBERED = 0
"""Sequence of a reading the spool has not numbered yet."""
MAX_DETAIL = 500

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(wire.Reading).decode


def encode_checked(reading: wire.Reading) -> bytes:
    """Return the JSON of ``reading`` as it will travel, checked against the wire.

    What a driver let through although it cannot travel (a name too long, a negative count,
    a body too large) becomes an ``unreadable`` reading that says so: silence is data, and the
    server would only refuse it later.
    """
    try:
        payload = _encode(reading)
        if len(payload) <= wire.MAX_READING_BYTES:
            _decode(payload)
            return payload
        problem = f"the reading has {len(payload)} bytes, more than the {wire.MAX_READING_BYTES} that may travel"
    except (msgspec.ValidationError, UnicodeEncodeError, OverflowError, TypeError) as error:
        problem = f"the device's answer does not fit the wire: {error}"
    return _encode(
        msgspec.structs.replace(
            reading,
            outcome=wire.Outcome.UNREADABLE,
            detail=clean_detail(problem),
            body=None,
            device_uptime_seconds=None,
        )
    )


def clean_detail(text: str, secret: str = "") -> str:
    """Return ``text`` fit for ``Reading.detail``: no ``secret``, no lone surrogates, at most 500 characters."""
    if len(secret) > 2:  # shorter ones would blacken every second word
        text = text.replace(secret, "***")
    return text.encode("utf-8", "replace").decode("utf-8")[:MAX_DETAIL]
