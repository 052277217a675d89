"""Causes set by people that are about no outage any more: readings that came late moved, parted or removed it.

They count nowhere. Somebody should set the cause again where the outage stands now, and take the lost one back.
"""

from typing import Final

from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_
from kampungnet.measurement import outage_log
from kampungnet.measurement.closed_months import days_of, look_again
from kampungnet.measurement.outage_models import Ruling
from kampungnet.measurement.outage_words import Span
from kampungnet.measurement.planned_work import written
from kampungnet.measurement.rulings import rulings_by_site, without_an_outage
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn

LOOKED_BACK_MS: Final = 400 * clock.DAY_MS


def lost_rulings(db: Session, regency: str, now_ms: int) -> list[Ruling]:
    """Return the rulings of the last 400 days that are about nothing any more, the latest outage first."""
    found = []
    for site, known in rulings_by_site(db, regency, Span(now_ms - LOOKED_BACK_MS, now_ms)).items():
        reached = Span(min(one.start_ms for one in known), max(one.end_ms for one in known))
        found += without_an_outage(known, outage_log.judged_outages(db, (regency, site), reached))
    return sorted(found, key=lambda one: (-one.start_ms, one.site, -one.made_ms))


def take_back(db: Session, by: SignedIn, site: str, made_ms: int, reason: str, now_ms: int) -> None:
    """Let a ruling count no more, whatever it is about. Raises a ``Problem`` with one sentence."""
    by.check_role(Role.ENGINEER)
    place = (by.scope.regency, site)
    ruling = db.get(Ruling, (*place, made_ms))
    if ruling is None or ruling.withdrawn_ms is not None:
        raise NotFound(N_("This cause was taken back before. Look at the list again."))
    why = written(reason)
    ruling.withdrawn_ms = now_ms
    look_again(db, place, days_of(Span(ruling.start_ms, ruling.end_ms), clock.zone_of(place[0])), now_ms)
    told = {"start_ms": ruling.start_ms, "end_ms": ruling.end_ms, "cause": ruling.cause}
    audit.record(db, by, Act("outage.withdraw_ruling", site, why, told), now_ms)
