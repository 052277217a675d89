"""Which time of a site nobody saw, a small row for each local day that has any: kept as long as months are.

Only days that changed are written: a site is judged every five minutes, and of 33 open days one changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import upsert
from kampungnet.measurement.outage_models import UnseenDay
from kampungnet.measurement.outage_words import Span

_PARTS: Final = msgspec.json.Decoder(list[tuple[int, int]])


def write(db: Session, place: tuple[str, str], unseen: Iterable[Span], judged: Span) -> set[date]:
    """Put what was unseen in a judged stretch, which begins at a midnight, over what stood; return the days changed."""
    regency, site = place
    zone = clock.zone_of(regency)
    first = clock.local_day(judged.start_ms, zone)
    new = split(unseen, judged, zone)
    open_days = (UnseenDay.regency == regency, UnseenDay.site == site, UnseenDay.day >= first)
    rows = db.connection().execute(select(UnseenDay.day, UnseenDay.spans).where(*open_days))
    old: dict[date, str] = {day: spans for day, spans in rows}  # noqa: C416 -- rows are no pairs to mypy
    gone = old.keys() - new.keys()
    if gone:
        db.connection().execute(delete(UnseenDay).where(*open_days, UnseenDay.day.in_(gone)))
    changed = {day: spans for day, spans in new.items() if old.get(day) != spans}
    if changed:
        rows_new = [{"regency": regency, "site": site, "day": day, "spans": spans} for day, spans in changed.items()]
        upsert(db, UnseenDay, rows_new, ("regency", "site", "day"), ("spans",))
    return gone | changed.keys()


def read(db: Session, place: tuple[str, str], period: Span) -> list[Span]:
    """Return what was unseen within a period, in order; a stretch over several midnights is one."""
    zone = clock.zone_of(place[0])
    days = clock.local_day(period.start_ms, zone), clock.local_day(period.end_ms, zone)
    rows = db.execute(
        select(UnseenDay.day, UnseenDay.spans)
        .where(UnseenDay.regency == place[0], UnseenDay.site == place[1], UnseenDay.day.between(*days))
        .order_by(UnseenDay.day)
    )
    found = (
        Span(midnight_ms + start, midnight_ms + end)
        for day, spans in rows
        for midnight_ms in [clock.day_start_ms(day, zone)]
        for start, end in _PARTS.decode(spans)
    )
    return united(found, period)


def split(unseen: Iterable[Span], judged: Span, zone: str) -> dict[date, str]:
    """Return the spans within ``judged``, cut at midnight and written down, by local day."""
    found: dict[date, list[tuple[int, int]]] = defaultdict(list)
    midnight_ms = clock.day_start_ms(clock.local_day(judged.start_ms, zone), zone)
    for one in united(unseen, judged):
        for start_ms, end_ms in _cut(one, midnight_ms):
            began_ms = start_ms - (start_ms - midnight_ms) % clock.DAY_MS
            found[clock.local_day(start_ms, zone)].append((start_ms - began_ms, end_ms - began_ms))
    return {day: msgspec.json.encode(parts).decode() for day, parts in found.items()}


def united(spans: Iterable[Span], period: Span) -> list[Span]:
    """Return spans in order, cut to a period, those that touch as one."""
    found: list[Span] = []
    for one in sorted(spans):
        start_ms, end_ms = max(one.start_ms, period.start_ms), min(one.end_ms, period.end_ms)
        if end_ms <= start_ms:
            continue
        if found and start_ms <= found[-1].end_ms:
            found[-1] = Span(found[-1].start_ms, max(found[-1].end_ms, end_ms))
        else:
            found.append(Span(start_ms, end_ms))
    return found


def _cut(span: Span, midnight_ms: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a span between midnights. No zone of Indonesia has daylight saving."""
    at_ms = span.start_ms
    while at_ms < span.end_ms:
        until_ms = min(span.end_ms, at_ms - (at_ms - midnight_ms) % clock.DAY_MS + clock.DAY_MS)
        yield at_ms, until_ms
        at_ms = until_ms
