"""A box changes its key. Part of the wire.

``POST /api/v1/keys``, twice with the same body: signed with the key in use it announces the next one, and from then on
both are accepted; signed with the next one it confirms it, and the old one ends. Any other request that is signed with
the next key confirms it, too. Both may be repeated as often as a power cut asks for.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kampungnet.shared.parts import Identifier

KEYS_PATH: Final = "/api/v1/keys"
MAX_KEY_BYTES: Final = 2_000
"""Largest request."""


class KeyRequest(msgspec.Struct, frozen=True):
    """The next key of a box."""

    agent: Identifier
    public_key: Annotated[str, Meta(min_length=44, max_length=44)]
    """Raw Ed25519 public key, standard base64."""
    proof: Annotated[str, Meta(min_length=88, max_length=88)]
    """Signature of :func:`proof_bytes` by that key: nobody can announce a key that is another's."""


class KeyAnswer(msgspec.Struct, frozen=True):
    """How far the change has come."""

    public_key: str
    in_use: bool
    """The key is the box's only one now; before, the old one is accepted as well."""


def proof_bytes(agent: str, public_key: str) -> bytes:
    """Return what the next key signs to show that the box has it."""
    return f"kampungnet-key-v1\n{agent}\n{public_key}".encode()
