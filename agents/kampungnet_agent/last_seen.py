"""The newest that was learned of each device, as far as remote hands need it: a whole reading would cost memory."""

import msgspec

from kampungnet.shared import wire


class LastSeen:
    """By device: its newest reading without the body, what it could not tell, and its settings as told last."""

    def __init__(self) -> None:
        self.readings: dict[str, wire.Reading] = {}
        self.missing: dict[str, list[str]] = {}
        self.settings: dict[str, bytes] = {}
        """Deflated lines, without secrets and without people (:mod:`kampungnet.shared.config_body`)."""

    def note(self, reading: wire.Reading) -> None:
        """Learn from a reading."""
        self.readings[reading.device] = msgspec.structs.replace(reading, body=None)
        body = reading.body
        if body is not None:
            self.missing[reading.device] = [str(one) for one in getattr(body, "missing", [])]
        if isinstance(body, wire.ConfigBody) and body.packed:
            self.settings[reading.device] = body.packed
