"""What the background would have judged of one village: losses of every cause, one that lasts; and odd data."""

import msgspec

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import knocks
from kampungnet.devices.knocks import Knock, Knocker
from kampungnet.measurement import oddities, unseen_days
from kampungnet.measurement.oddities import Odd, OddReport
from kampungnet.measurement.outage_models import JudgedSite, LoggedOutage
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Span

LOSING = "35.10.20.2001"
HOUR = 3_600_000
_SEEN = {Cause.FIBER: Finding.NO_LIGHT, Cause.PENYEDIA: Finding.INTERNET_DEAD}


def add(database: Database, now_ms: int) -> None:
    """Log a loss of an hour for every cause, a day apart; the last, of the provider, lasts."""
    place = {"regency": LOSING[:5], "site": f"{LOSING}-1"}
    midnight = clock.day_start_ms(clock.local_day(now_ms, clock.WIB), clock.WIB)
    with database.writes() as db:
        for number, cause in enumerate(Cause):
            start = midnight - (3 + number) * clock.DAY_MS + 13 * HOUR
            what = _SEEN.get(cause, Finding.ROUTER_SILENT)
            seen = (Evidence(start - 60_000, Finding.LAST_SIGN), Evidence(start, what),
                    Evidence(start + HOUR, Finding.BOX_RESTARTED))  # fmt: skip
            db.add(LoggedOutage(**place, start_ms=start, end_ms=start + HOUR, cause=cause.value, confidence=0.9,
                                evidence=msgspec.json.encode(seen).decode(), provisional=False))  # fmt: skip
        lasting = msgspec.json.encode([Evidence(now_ms - HOUR, Finding.INTERNET_DEAD)]).decode()
        db.add(LoggedOutage(**place, start_ms=now_ms - HOUR, end_ms=None, cause="penyedia", confidence=0.5,
                            evidence=lasting, provisional=True))  # fmt: skip
        unseen = [Span(0, midnight - 20 * clock.DAY_MS), Span(midnight - 2 * clock.DAY_MS, midnight - clock.DAY_MS)]
        judged = Span(midnight - 31 * clock.DAY_MS, now_ms)
        db.add(JudgedSite(**place, judged_ms=now_ms, since=clock.local_day(judged.start_ms, clock.WIB)))
        oddities.note(db, [OddReport(place["regency"], place["site"], now_ms, what, 1200) for what in Odd])
        knocks.record(
            db, [(Knocker("", what, "7XK2M9QDV4T8ZB31", "114.5.9.0/24"), now_ms, now_ms, 7) for what in Knock]
        )
        unseen_days.write(db, (place["regency"], place["site"]), unseen, judged)
