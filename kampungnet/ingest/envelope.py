"""Pure: bytes from outside become a checked report, or one sentence saying why not."""

import zlib
from typing import Final

import msgspec

from kampungnet.configs import history
from kampungnet.core.errors import BadInput, Problem, TooLarge, Unprocessable
from kampungnet.shared import wire


class UnknownVersion(Problem):
    """A wire version this server does not speak; the agent keeps its readings and tries later."""

    status = 426


class Taken(msgspec.Struct, frozen=True, gc=False):
    """One reading that can be stored, with the JSON it came as."""

    position: int
    raw: bytes
    reading: wire.Reading


class NamesAnother(BadInput):
    """A box spoke in the name of another one."""


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A report after every check that needs no database."""

    envelope: wire.Envelope
    taken: list[Taken]
    refused: list[wire.Refusal]


class _Key(msgspec.Struct):
    sequence: wire.Sequence


_ENVELOPE: Final = msgspec.json.Decoder(wire.Envelope)
_READING: Final = msgspec.json.Decoder(wire.Reading)
_KEY: Final = msgspec.json.Decoder(_Key)


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return the JSON of a body. Raises ``BadInput`` or ``TooLarge``; never unpacks more than the wire allows."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise BadInput("The body must be compressed with gzip or not at all.")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, wire.MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise BadInput("The body says it is gzip and is not.") from error
    if unpacker.unconsumed_tail:
        raise TooLarge("The report is larger than the server reads: send fewer readings at once.")
    if not unpacker.eof:
        raise BadInput("The compressed body ends in the middle.")
    return plain


def opened(plain: bytes, agent: str) -> Opened:
    """Check the envelope, then each reading by itself. Raises a ``Problem`` when the envelope is no good."""
    try:
        envelope = _ENVELOPE.decode(plain)
    except wire.UNREADABLE as error:
        raise BadInput(f"The report cannot be read: {str(error)[:200]}.") from error
    if not wire.OLDEST_WIRE_VERSION <= envelope.wire_version <= wire.WIRE_VERSION:
        raise UnknownVersion(
            f"This server speaks wire version {wire.OLDEST_WIRE_VERSION} to {wire.WIRE_VERSION}, "
            f"the report is version {envelope.wire_version}: update the server first."
        )
    if envelope.agent != agent:
        raise NamesAnother("The report names another agent than the request.")
    if len(envelope.readings) > wire.MAX_READINGS:
        raise Unprocessable(f"A report holds at most {wire.MAX_READINGS} readings.")
    taken: list[Taken] = []
    refused: list[wire.Refusal] = []
    for position, raw in enumerate(envelope.readings):
        one = _checked(position, bytes(raw))
        if isinstance(one, Taken):
            taken.append(one)
        else:
            refused.append(one)
    return Opened(envelope, taken, refused)


def _checked(position: int, raw: bytes) -> Taken | wire.Refusal:
    if len(raw) > wire.MAX_READING_BYTES:
        return wire.Refusal(position, f"larger than {wire.MAX_READING_BYTES} bytes", _sequence(raw))
    try:
        reading = _READING.decode(raw)
    except wire.UNREADABLE as error:
        return wire.Refusal(position, str(error)[:200], _sequence(raw))
    if (reading.body is not None) is not (reading.outcome is wire.Outcome.OK):
        return wire.Refusal(position, "a body belongs to outcome ok and to no other", reading.sequence)
    if isinstance(reading.body, wire.ConfigBody) and (problem := history.refusal(reading.body)):
        return wire.Refusal(position, problem, reading.sequence)
    return Taken(position, raw, reading)


def _sequence(raw: bytes) -> int | None:
    try:
        return _KEY.decode(raw).sequence
    except wire.UNREADABLE:
        return None
