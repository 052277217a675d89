"""The free wifi of the demo: run from here in the first village, with vouchers to try; made-up use of earlier days."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.rows import insert_new
from kampungnet.hotspot import batches, portals, vouchers
from kampungnet.hotspot.models import GardenEntry, HotspotDay
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portals import Place
from kampungnet.hotspot.use import DayUse
from kampungnet.hotspot.voucher_state import State
from kampungnet.hotspot.vouchers import NewBatch
from kampungnet.staff.service import SignedIn

VOUCHERS: Final = 8
_FREE: Final = ("smart", "Smart Kampung", "smartkampung.example.go.id")
"""A made-up address: those of a real regency are to be confirmed with Kominfo (facts on hotspots 11)."""


def keep(db: Session, by: SignedIn, place: Place, now_ms: int) -> str:
    """Let the portal of a site be managed, and return a voucher's code for the announcement."""
    if not portals.policy(db, place).managed:
        if db.get(GardenEntry, (place[0], _FREE[0])) is None:
            db.add(
                GardenEntry(
                    regency=place[0], id=_FREE[0], host=_FREE[2], ports="[]", title=_FREE[1], owner="Kominfo",
                    reason="Layanan desa", review_on=date(2027, 12, 31), checked_ms=None, problem="", ended_ms=None,
                )
            )  # fmt: skip
        rules = Policy(
            managed=True,
            greeting="Sugeng rawuh ring Banyuwangi",
            contact="Kantor desa",
            wifi_name="WiFi Desa",
            router_name="wifi.desa",
        )
        portals.set_policy(db, by, place, rules, now_ms)
    there = batches.listed(db, place, now_ms)
    batch = there[0][0] if there else vouchers.issue(db, by, place, _batch(), now_ms)
    return batches.to_print(db, by, batch, 1, now_ms)[0].code if batches.numbers(db, batch, now_ms)[State.FRESH] else ""


def keep_days(db: Session, regency: str, sites: Sequence[str], first: date, last: date) -> None:
    """Make up the use of the days before the demo began, as if boxes had told it: the same for a site and a day."""
    insert_new(db, HotspotDay, [row for site in sites for row in _days(regency, site, first, last)])


def _days(regency: str, site: str, first: date, last: date) -> Iterator[dict[str, Any]]:
    usual = random.Random(site).randrange(25, 90)  # noqa: S311 -- draws a demo, guards nothing
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        use = _use(random.Random(f"{site} {day}"), usual, is_workday=day.weekday() < 5)  # noqa: S311 -- as above
        yield {"regency": regency, "site": site, "day": day, "stale": False} | asdict(use)


def _use(dice: random.Random, usual: int, *, is_workday: bool) -> DayUse:
    people = round(usual * dice.uniform(0.7, 1.3) * (1 if is_workday else 1.2))
    sessions = people + dice.randrange(people // 2)
    seconds = people * dice.randrange(1_800, 4_200)
    vouchers, accounts = sessions // 5, sessions // 8
    return DayUse(
        people, sessions, seconds, int(seconds * dice.uniform(0.2, 0.4)) if is_workday else 0,
        people * dice.randrange(8_000_000, 20_000_000), people * dice.randrange(60_000_000, 180_000_000),
        sessions - vouchers - accounts, vouchers, accounts,
    )  # fmt: skip


def _batch() -> NewBatch:
    return NewBatch("harian", VOUCHERS, limit_seconds=3 * 3600, valid_seconds=7 * clock.DAY_MS // 1000, note="Demo")
