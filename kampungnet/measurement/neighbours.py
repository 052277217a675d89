"""What sites near a site say: who goes dark in the same minutes on the same cable or in the same kecamatan."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.measurement.outage_models import LoggedOutage
from kampungnet.measurement.outage_words import HOUSE, Cause, Evidence, Finding, Outage
from kampungnet.measurement.topology import topology

JUDGED: Final = (
    LoggedOutage.start_ms, LoggedOutage.end_ms, LoggedOutage.cause, LoggedOutage.confidence, LoggedOutage.evidence,
    LoggedOutage.provisional,
)  # fmt: skip
"""Asked for as plain rows: a regency's month has many, and as objects of the table they cost several times as much."""
_EVIDENCE: Final = msgspec.json.Decoder(tuple[Evidence, ...])


def outage_of(judged: Sequence[Any]) -> Outage:
    """Return an outage as it was judged, from its columns :data:`JUDGED`."""
    start_ms, end_ms, cause, confidence, evidence, provisional = judged
    return Outage(start_ms, end_ms, Cause(cause), confidence, _EVIDENCE.decode(evidence), provisional)


def neighbours(db: Session, place: tuple[str, str], outages: Iterable[Outage]) -> list[Outage]:
    """Return the outages of sites near a site that could be one with its own, as each of them was judged alone.

    What neighbours told a neighbour is left out: otherwise two that know nothing would assure each other.
    """
    starts = [one.start_ms for one in outages]
    near = topology(db, place[0]).near(place[1]) if starts else set()
    if not near:
        return []
    within = LoggedOutage.start_ms.between(min(starts) - HOUSE.together_ms, max(starts) + HOUSE.together_ms)
    of_regency = select(LoggedOutage.site, *JUDGED).where(LoggedOutage.regency == place[0], within)
    rows = db.execute(of_regency.order_by(LoggedOutage.start_ms, LoggedOutage.site))
    return [_alone(outage_of(judged)) for site, *judged in rows if site in near]


def _alone(outage: Outage) -> Outage:
    is_told = any(one.what is Finding.NEIGHBOURS for one in outage.evidence)
    return replace(outage, cause=Cause.UNKNOWN) if is_told else outage
