"""Which villages have a box, or wait for one: what a tool that sets boxes up has to know, and nothing secret."""

from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kampungnet.devices.models import Agent, EnrolmentCode, Site
from kampungnet.villages.models import District, Village


@dataclass(frozen=True, slots=True)
class Place:
    """A village, by its Kemendagri codes, and what stands there."""

    code: str
    name: str
    district: str
    district_name: str
    regency: str
    boxes: int
    """Boxes that may report."""
    waits: bool
    """A one-time code was made for it that is neither used nor too old."""


def places(db: Session, now_ms: int) -> list[Place]:
    """Return every village of the register, by code."""
    boxes: dict[tuple[str, str], int] = {}
    for key in _found(db, _boxes()):
        boxes[key] = boxes.get(key, 0) + 1
    waiting = set(_found(db, _codes(now_ms)))
    rows = db.execute(
        select(Village.regency, Village.code, Village.name, Village.district, District.name.label("district_name"))
        .join(District, (District.regency == Village.regency) & (District.code == Village.district))
        .order_by(Village.code)
    )
    return [
        Place(
            one.code, one.name, one.district, one.district_name, one.regency,
            boxes.get((one.regency, one.code), 0), (one.regency, one.code) in waiting,
        )
        for one in rows
    ]  # fmt: skip


def _found(db: Session, asked: Select[str, str]) -> list[tuple[str, str]]:
    return [(regency, village) for regency, village in db.execute(asked)]


def _boxes() -> Select[str, str]:
    return (
        select(Site.regency, Site.village)
        .join(Agent, (Agent.regency == Site.regency) & (Agent.site == Site.code))
        .where(Agent.revoked_ms.is_(None))
    )


def _codes(now_ms: int) -> Select[str, str]:
    return select(EnrolmentCode.regency, EnrolmentCode.village).where(
        EnrolmentCode.used_ms.is_(None), EnrolmentCode.expires_ms > now_ms
    )
