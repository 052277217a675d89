"""What is kept how long, and how the rest goes: a site at a time, so that reports never wait long."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.devices.models import Site
from kampungnet.measurement.installation import number
from kampungnet.measurement.models import (
    Oddity,
    ReadingDay,
    SlotDay,
    TrafficCorrection,
    TrafficDay,
    TrafficHour,
    TrafficMonth,
    TrafficSlots,
)
from kampungnet.measurement.outage_models import JudgedSite, LoggedOutage, OnuSightDay, ServiceMonth, UnseenDay

PREFIX: Final = "KAMPUNGNET_KEEP_"
LEAST_DAYS: Final = 2
"""What was packed yesterday is needed today: the first step of a day begins the day before."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that each kind is kept; environment variables ``KAMPUNGNET_KEEP_READING_DAYS`` and so on."""

    reading_days: int = 90
    """Readings as received: without them a day can no longer be made anew."""
    slot_days: int = 1100
    """Five-minute slots: three years and a month, for audits."""
    hour_days: int = 400
    """Hours can be made from slots."""
    month_days: int = 3700
    """Months and their corrections, outages, time that nobody saw: ten years."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Retention":
        """Read the settings. Raises ``BadInput`` naming one that is no number of days."""
        usual = cls()
        return cls(**{
            one: number(environment, name, getattr(usual, one), LEAST_DAYS) for name, one in cls.settings().items()
        })  # fmt: skip

    @classmethod
    def settings(cls) -> dict[str, str]:
        """Return the names of the settings, and what each sets."""
        return {PREFIX + one.name.upper(): one.name for one in fields(cls)}


def sites(db: Session) -> list[tuple[str, str]]:
    """Return (regency, site) of all sites."""
    return [(regency, code) for regency, code in db.execute(select(Site.regency, Site.code))]


def forget(db: Session, site: tuple[str, str], today: date, keep: Retention, oldest_open: date | None) -> int:
    """Delete what a site need not keep, never what an open month needs; return how many rows went."""

    def before(days: int) -> date:
        wanted = today - timedelta(days=days)
        # The day before the month, too: its last reading is where the month's first bytes begin.
        return min(wanted, oldest_open - timedelta(days=LEAST_DAYS)) if oldest_open else wanted

    ends: dict[Any, Any] = {
        ReadingDay: ReadingDay.day < before(keep.reading_days),
        SlotDay: SlotDay.day < before(keep.slot_days),
        OnuSightDay: OnuSightDay.day < before(keep.slot_days),
        TrafficDay: TrafficDay.day < before(keep.slot_days),
        TrafficSlots: TrafficSlots.day < before(keep.slot_days),
        Oddity: Oddity.day < before(keep.slot_days),
        TrafficHour: TrafficHour.day < before(keep.hour_days),
        TrafficCorrection: TrafficCorrection.month < before(keep.month_days),
        TrafficMonth: TrafficMonth.month < before(keep.month_days),
        ServiceMonth: ServiceMonth.month < before(keep.month_days),
        UnseenDay: UnseenDay.day < before(keep.month_days),
        LoggedOutage: LoggedOutage.end_ms < clock.day_start_ms(before(keep.month_days), clock.zone_of(site[0])),
    }
    here = {table: (table.regency == site[0], table.site == site[1]) for table in ends}
    connection = db.connection()
    gone = sum(connection.execute(delete(table).where(*here[table], end)).rowcount for table, end in ends.items())
    # A day without a row counts as seen; of those whose rows went, nothing is known any more.
    known_from = before(keep.month_days)
    judged = update(JudgedSite).where(JudgedSite.regency == site[0], JudgedSite.site == site[1])
    connection.execute(judged.where(JudgedSite.since < known_from).values(since=known_from))
    return gone
