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
from kampungnet.metrics import backlog, sending
from kampungnet.metrics.days import SAMPLES_AT_ONCE, Days
from kampungnet.metrics.lanes import Lanes
from kampungnet.metrics.sending import Away, Sender, When
from kampungnet.metrics.series import Gatherer, Part, Taken
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
    sender = Sender(store.send)
    try:
        with Lanes(lambda parts: _persist(sender, parts)) as lanes:
            _send(database, settings, stretch, (sender, lanes), tell)
            lanes.wait()
    except Away as away:
        text = f"The metrics store takes nothing ({away}). See to it, then run the same command again."
        raise Unavailable(text) from away
    finally:
        store.close()
    return sender


def _send(
    database: Database, settings: Settings, stretch: Stretch, by: tuple[Sender, Lanes], tell: Callable[[str], None]
) -> None:
    (sender, lanes), gatherer = by, Gatherer()
    days = Days(database, sender, gatherer, lanes)
    for regency, site in _wanted(database, stretch.village):
        with database.reads() as db:
            places = backlog.places(db, regency)
            packs = backlog.rested_between(db, regency, stretch.first, stretch.last, site)
        for number, _pack in enumerate(days.send(regency, places, packs, settings.window_ms)):
            if number % 100 == 0:
                tell(f"{regency}: {number} of {len(packs)} days of devices")
        lanes.wait()
        when = When(clock.now_ms(), settings.window_ms)
        for polls in _young(database, regency, stretch, site):
            for taken in sending.in_time(sender, polls, when):
                gatherer.take(taken)
            for parts in gatherer.given(SAMPLES_AT_ONCE):
                lanes.put("", parts)


def _persist(sender: Sender, parts: list[Part]) -> None:
    """Send a request, and ask again a few times. Raises ``Away``."""
    for wait in range(1, TRIES + 1):
        try:
            sender.deliver(parts, clock.now_ms())
        except Away as away:
            if wait == TRIES:
                raise
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
