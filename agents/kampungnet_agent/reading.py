"""From a poll's ending to the JSON of a reading that the server will take."""

import re
from typing import Final

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
    if not text:
        return ""
    if len(secret) > 2:  # shorter ones would blacken every second word
        text = text.replace(secret, "***")
    return text.encode("utf-8", "replace").decode("utf-8")[:MAX_DETAIL]


_MAC: Final = re.compile(r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b")
_WHO: Final = re.compile(r"^[^()]*(?= \(\d{1,3}(?:\.\d{1,3}){3}\))")
"""``name (10.5.50.2): logged in``: the name is a voucher's code or a person's."""


def without_people(body: wire.Body | None) -> wire.Body | None:
    """Return a body as it may leave the village: no device's address, no voucher's code, nobody's name.

    How many were online and what they used is told; who it was only by pseudonyms (driver ``mikrotik-portal``).
    """
    if not isinstance(body, wire.RouterBody) or not (body.guests or body.users or body.log):
        return body
    return msgspec.structs.replace(
        body,
        guests=[msgspec.structs.replace(one, user="", mac="") for one in body.guests],
        users=[msgspec.structs.replace(one, name="", comment="") for one in body.users],
        log=[msgspec.structs.replace(one, message=_nameless(one.message)) for one in body.log],
    )


def _nameless(message: str) -> str:
    return _MAC.sub("**:**", _WHO.sub("***", message))
