"""The free wifi of the demo's first village: run by KampungNet, with some vouchers to try."""

from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.hotspot import batches, portals, vouchers
from kampungnet.hotspot.models import GardenEntry
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portals import Place
from kampungnet.hotspot.vouchers import NewBatch, State
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


def _batch() -> NewBatch:
    return NewBatch("harian", VOUCHERS, limit_seconds=3 * 3600, valid_seconds=7 * clock.DAY_MS // 1000, note="Demo")
