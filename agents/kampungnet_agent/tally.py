"""What the running agent counts about itself, for its health and its metrics. Plain numbers."""

from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts since the agent started."""

    polls: dict[tuple[str, str], int] = field(default_factory=dict)
    """By (device, outcome)."""
    poll_seconds: dict[str, float] = field(default_factory=dict)
    """Duration of the last poll, by device."""
    lost_readings: int = 0
    """Readings the spool could not take."""
    sent_readings: int = 0
    send_failures: int = 0
    last_receipt_ms: int | None = None
    credential_refused: bool = False
    """The server answered 401 or 403 to the last report."""

    def count_poll(self, device: str, outcome: str, seconds: float) -> None:
        """Note the ending of one poll."""
        self.polls[device, outcome] = self.polls.get((device, outcome), 0) + 1
        self.poll_seconds[device] = seconds
