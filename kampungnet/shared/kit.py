"""What a new box is told of its village: one file, made by ``kampungnet kit``, read by ``kampungnet-agent setup``."""

from typing import Annotated, Final

from msgspec import Meta

from kampungnet.shared.parts import Instant, Name, Part, Text

MAX_KIT_BYTES: Final = 100_000
POLLER, KEEPER = "kampungnet", "kampungnet-portal"
"""Users of the router: one reads, one keeps the hotspot."""


class BoxKit(Part, frozen=True, omit_defaults=True):
    """One village's. It holds secrets, and its code opens the door once."""

    village: Name
    village_name: Text
    server: Text
    """Only scheme, host and port."""
    code: Name
    """Enrolment code."""
    expires_ms: Instant
    """Of the code."""
    poller_password: Name
    keeper_password: Name
    box_address: Text
    """The address from which the router takes the box's questions."""
    router: Text = ""
    """Address and port of its API; empty: where the box's way out leads, port 8728."""
    wan_interface: Text = ""
    certificate: Annotated[str, Meta(max_length=50_000)] = ""
    """PEM: the only authority by which the server is believed; empty: those of the system."""

    def __repr__(self) -> str:
        """Show no secret, also not in a traceback."""
        return f"BoxKit({self.village!r})"
