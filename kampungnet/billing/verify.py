"""Pure: recompute the money of a statement from the facts inside it: yes, or what differs.

What cannot be recomputed from a statement alone is taken as it stands: that an outage happened, the 95th percentile
and the volume. The hash says whether they are those that were approved.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from kampungnet.billing.document import StatementDocument, from_file
from kampungnet.billing.lines import adds_up
from kampungnet.billing.measured import MeasuredMonth, Period
from kampungnet.billing.statement import settled

SLOTS_A_DAY = 288


class Difference(NamedTuple):
    """Something that does not come out as it is written."""

    where: str
    """Path inside the statement: ``lines.ppn.rupiah``."""
    written: str
    computed: str
    """Or why nothing could be computed."""


class Verdict(NamedTuple):
    """What a statement file is worth."""

    document: StatementDocument
    hash_is_right: bool
    differences: tuple[Difference, ...]

    @property
    def is_right(self) -> bool:
        """Tell whether nothing was changed and everything comes out as written."""
        return self.hash_is_right and not self.differences


def verify(data: bytes) -> Verdict:
    """Return what a statement file is worth. Raises ``DocumentUnreadable`` on what is no statement."""
    document, hash_is_right = from_file(data)
    return Verdict(document, hash_is_right, differences(document))


def differences(document: StatementDocument) -> tuple[Difference, ...]:
    """Return what differs when a document is computed anew from its own facts."""
    found = list(_impossible(document.measured))
    try:
        again = settled(document)
    except ValueError as error:
        return (*found, Difference("contract.terms", document.contract.number, str(error)))
    if again != document:
        found += _compared("", _plain(document), _plain(again))
    if not adds_up(document.lines):
        found.append(Difference("lines", str(document.total), "the lines do not add up"))
    return tuple(found)


def _impossible(month: MeasuredMonth) -> Iterator[Difference]:
    """What no measurement can have found."""
    period, traffic = month.period, month.traffic
    cut = Period.of(period.first_day, period.last_day, period.zone)
    if cut != period:
        yield Difference("measured.period.start_ms", str(period.start_ms), str(cut.start_ms))
    expected = period.served_days * SLOTS_A_DAY
    if traffic.expected != expected:
        yield Difference("measured.traffic.expected", str(traffic.expected), str(expected))
    if traffic.samples > traffic.expected:
        yield Difference("measured.traffic.samples", str(traffic.samples), f"<= {traffic.expected}")
    for one in month.outages:
        if not max(one.start_ms, period.start_ms) <= one.end_ms <= period.end_ms:
            yield Difference("measured.outages", f"{one.start_ms} - {one.end_ms}", "not within the month")


def _plain(document: StatementDocument) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(document)
    plain["lines"] = {f"{one['kind']}{_number(plain['lines'], n)}": one for n, one in enumerate(plain["lines"])}
    return plain


def _number(lines: list[dict[str, Any]], place: int) -> str:
    """Tell lines of a kind apart: corrections may be several."""
    before = sum(one["kind"] == lines[place]["kind"] for one in lines[:place])
    return f".{before + 1}" if before else ""


def _compared(where: str, written: Any, computed: Any) -> Iterator[Difference]:
    if written == computed:
        return
    if not (isinstance(written, dict) and isinstance(computed, dict)):
        yield Difference(where, _text(written), _text(computed))
        return
    for key in (*written, *(key for key in computed if key not in written)):
        yield from _compared(f"{where}.{key}".lstrip("."), written.get(key), computed.get(key))


def _text(value: Any) -> str:
    if isinstance(value, dict) and "rupiah" in value:
        return str(value["rupiah"])  # a line that is missing, or should be
    return "" if value is None else str(value)
