"""Where devices stand: every village has a first site, the balai desa."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.devices.models import Site
from kampungnet.villages.models import Village


def ensure_site(db: Session, village: Village) -> Site:
    """Return the village's first site (the balai desa), made if there is none."""
    code = f"{village.code}-1"
    site = db.get(Site, (village.regency, code))
    if site is None:
        site = Site(regency=village.regency, code=code, village=village.code, name="Balai desa")
        db.add(site)
        db.flush()
    return site


def villages_of(db: Session, regency: str) -> dict[str, str]:
    """Return the village of each site of a regency."""
    rows = db.execute(select(Site.code, Site.village).where(Site.regency == regency))
    return {one.code: one.village for one in rows}
