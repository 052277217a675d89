"""What this process has counted since it started: shown by ``/metrics``, kept in memory only, never billed from."""

from collections import Counter


class Tally:
    """Counts by subject and result, such as ``("reports", "accepted")``. Used from the event loop's thread alone."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, subject: str, result: str, number: int = 1) -> None:
        """Count ``number`` more; naming a result with 0 makes it visible before it first happens."""
        self.counts[subject, result] += number
