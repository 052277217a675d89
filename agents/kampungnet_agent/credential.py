"""The credential file: which agent this box is, and the private key it signs with."""

import base64
import binascii
from pathlib import Path

import msgspec

from kampungnet.shared import wire
from kampungnet.shared.settings_file import SettingsError, read_secret
from kampungnet_agent.safe_file import replace_file
from kampungnet_agent.signing import Signer, signer_for

SEED_BYTES = 32
NOBODY = "-"
"""Stands for the agent's name while it has none."""


class Credential(msgspec.Struct, frozen=True):
    """Content of the file, as JSON. Mode 0600: whoever has the key can report as this village."""

    agent: wire.Identifier
    village: wire.Text
    server: str
    private_key: str
    """Raw Ed25519 private key (32 bytes), standard base64."""
    village_name: wire.Text = ""
    next_key: str = ""
    """Made, perhaps known to the server already, and not yet the only one: see :mod:`kampungnet_agent.key_change`."""
    made_ms: int = 0
    """When the private key was made, by the box's clock; 0 of a file that was written before this was kept."""

    @property
    def village_words(self) -> str:
        """Return name and code of the village, for people."""
        return f"{self.village_name} ({self.village})" if self.village_name else self.village

    def seed(self) -> bytes:
        """Return the 32 bytes of the private key."""
        return seed_of(self.private_key)


def seed_of(key: str) -> bytes:
    """Return the bytes of a private key; raises ``ValueError`` for what is none."""
    return base64.b64decode(key, validate=True)


def read_credential(path: Path) -> Credential:
    """Read and check the file; raises ``SettingsError`` with what to do."""
    if not path.exists():
        raise SettingsError(f"{path} does not exist: this box is not enrolled yet; run: kampungnet-agent enrol")
    text = read_secret(path, "server.credential_file")
    try:
        credential = msgspec.json.decode(text, type=Credential)
        if len(credential.seed()) == SEED_BYTES and len(seed_of(credential.next_key)) in {0, SEED_BYTES}:
            return credential
    except (msgspec.DecodeError, binascii.Error, ValueError):
        pass  # one sentence for every kind of damage
    raise SettingsError(f"{path} is damaged; enrol this box again: kampungnet-agent enrol --replace …")


def write_credential(path: Path, credential: Credential) -> None:
    """Write the file durably, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, msgspec.json.encode(credential) + b"\n", mode=0o600)


def signature_headers(agent: str, sign: Signer, path: str, body: bytes) -> dict[str, str]:
    """Return the two headers that prove who sent ``body`` by POST to ``path``."""
    signature = sign(wire.signing_bytes("POST", path, agent, body))
    return {wire.AGENT_HEADER: agent, wire.SIGNATURE_HEADER: base64.b64encode(signature).decode()}


def signer_of(credential: Credential) -> Signer:
    """Return the function that signs as this agent."""
    return signer_for(credential.seed())
