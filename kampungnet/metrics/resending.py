"""Send a stretch of days again, for a store that lost or never had them. Repeats are free: the store has each once."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.devices.models import Site
from kampungnet.metrics import backlog
from kampungnet.metrics.pushing import deliver, gather
from kampungnet.metrics.sending import Away, Sender
from kampungnet.metrics.series import Gatherer, Taken
from kampungnet.metrics.store import Settings, Store
from kampungnet.villages.models import Village

TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which days to send again, local ones, both included; of one village or of all."""

    first: date
    last: date
    village: str | None = None


def resend(
    database: Database, settings: Settings, stretch: Stretch, tell: Callable[[str], None] = lambda _text: None
) -> Sender:
    """Send the readings of some days again and return what became of them. Raises ``Unavailable``."""
    store = Store(settings)
    sender, gatherer = Sender(store.send), Gatherer()
    for regency, site in _wanted(database, stretch.village):
        with database.reads() as db:
            places = backlog.places(db, regency)
            packs = backlog.rested_between(db, regency, stretch.first, stretch.last, site)
        for number, pack in enumerate(packs):
            if number % 100 == 0:
                tell(f"{regency}: {number} of {len(packs)} days of devices")
            with database.reads() as db:
                kept = backlog.unpacked(db, regency, pack)
            _push(gatherer, sender, settings, list(backlog.polls(places, pack.site, pack.key[1], kept)))
        for polls in _young(database, regency, stretch, site):
            _push(gatherer, sender, settings, polls)
    store.close()
    return sender


def _push(gatherer: Gatherer, sender: Sender, settings: Settings, polls: list[Taken]) -> None:
    now_ms = clock.now_ms()
    for wait in range(1, TRIES + 1):
        try:
            gather(gatherer, sender, polls, (now_ms, settings.window_ms))
            deliver(gatherer, sender, now_ms)
        except Away as away:
            if wait == TRIES:
                text = f"The metrics store takes nothing ({away}). See to it, then run the same command again."
                raise Unavailable(text) from away
            threading.Event().wait(max(wait**2, min(away.answer.after_seconds, 60)))
        else:
            return


def _young(database: Database, regency: str, stretch: Stretch, site: str | None) -> Iterator[list[Taken]]:
    zone = clock.zone_of(regency)
    first_ms = clock.day_start_ms(stretch.first, zone)
    end_ms = clock.day_start_ms(stretch.last + timedelta(days=1), zone)
    with database.reads() as db:
        places = backlog.places(db, regency)
        some: list[Taken] = []
        for found_site, device, kept in backlog.young_between(db, regency, first_ms, end_ms, site):
            some += backlog.polls(places, found_site, device, [kept])
            if len(some) >= 500:
                yield some
                some = []
        yield some


def _wanted(database: Database, village: str | None) -> Iterable[tuple[str, str | None]]:
    """Return the regencies to send, each as a whole, or the sites of one village."""
    with database.reads() as db:
        if village is None:
            return [(regency, None) for regency in db.scalars(select(Village.regency).distinct())]
        return _sites(db, village)


def _sites(db: Session, village: str) -> list[tuple[str, str | None]]:
    rows = db.execute(select(Site.regency, Site.code).where(Site.village == village).order_by(Site.code))
    return [(regency, code) for regency, code in rows]
