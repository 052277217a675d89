"""What a router is set up as, told when it changed. Part of the wire, see :mod:`kampungnet.shared.wire`."""

from typing import Annotated

from msgspec import Meta

from kampungnet.shared.parts import LongText, Part, Text

MAX_TEXT_BYTES = 1_000_000
"""Largest text of one router's settings, unpacked."""
MAX_PACKED_BYTES = 150_000
MAX_BACKUP_BYTES = 250_000
DIGEST_PATTERN = r"\A[0-9a-f]{64}\Z"


class ConfigBody(Part, frozen=True, omit_defaults=True, tag_field="kind", tag="config"):
    """What one visit to a router's settings learned: its export as lines, without secrets and without people.

    One full command a line, in the order of the router, without comment lines and dates, so that two texts
    are equal exactly when the settings are (facts on RouterOS, 12.3 to 12.6).
    """

    digest: Annotated[str, Meta(pattern=DIGEST_PATTERN)]
    """SHA-256 of the text as UTF-8."""
    model: Text = ""
    version: Text = ""
    serial: Text = ""
    packed: Annotated[bytes, Meta(max_length=MAX_PACKED_BYTES)] = b""
    """The text, deflated (zlib); empty when a text with this digest was told since the box started."""
    left_out: Annotated[list[LongText], Meta(max_length=20)] = []
    """What of the export is data and not settings, such as the rows of hotspot users, with the number of lines."""
    backup: Annotated[bytes, Meta(max_length=MAX_BACKUP_BYTES)] = b""
    """The router's own binary backup, encrypted by the router (AES) with a password that stays with the office."""
    missing: Annotated[list[Text], Meta(max_length=10)] = []
