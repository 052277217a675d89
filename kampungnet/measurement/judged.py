"""How old a judgement is, in words: whoever reads of an outage should know whether it is still so."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

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
