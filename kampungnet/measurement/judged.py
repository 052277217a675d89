"""What is known of judgements as such: how old they are, in words, and since when a site has service at all."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.languages import Language
from kampungnet.measurement.outage_models import JudgedSite


def age(
    db: Session, regency: str, language: Language, now_ms: int, sites: Collection[str] | None = None
) -> str:  # fmt: skip
    """Return when sites were judged last, the longest waiting of them; of a whole regency when any was. Or nothing."""
    if sites is None:
        # Sites take their turns: the newest judgement tells whether judging goes on at all.
        asked = select(func.max(JudgedSite.judged_ms)).where(JudgedSite.regency == regency)
    else:
        asked = select(func.min(JudgedSite.judged_ms)).where(JudgedSite.regency == regency, JudgedSite.site.in_(sites))
    judged_ms = db.scalar(asked)
    return language.say("Judged %(age)s.", age=language.age(judged_ms, now_ms)) if judged_ms else ""


def first_service_days(db: Session, regency: str) -> dict[str, date]:
    """Return the local day on which the box of each site saw service first; sites where it never did are absent."""
    asked = select(JudgedSite.site, JudgedSite.first_service_ms).where(JudgedSite.regency == regency)
    zone, seen = clock.zone_of(regency), asked.where(JudgedSite.first_service_ms.is_not(None))
    return {site: clock.local_day(first_ms or 0, zone) for site, first_ms in db.execute(seen)}
