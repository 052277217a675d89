"""Who asks the desk for codes that are none is slowed down: by account, by device and by village.

With 44 bits of chance a code is not found at this pace in the age of a village; the table says who tried.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import TooMany
from kampungnet.core.keys import keys_of
from kampungnet.core.languages import N_
from kampungnet.hotspot.models import HotspotPortal, VoucherMiss
from kampungnet.hotspot.portals import Place

WINDOW_MS: Final = 15 * 60_000
OF_ACCOUNT: Final = 10
OF_DEVICE: Final = 20
"""A village office shares an address."""
OF_VILLAGE: Final = 40
_DEVICE: Final = "voucher guess"
_WAIT: Final = N_("Too many codes were none. Wait a quarter of an hour, and read the code from the paper again.")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from which address."""

    username: str
    address: str


def check(db: Session, place: Place, asker: Asker, now_ms: int) -> None:
    """Raise ``TooMany`` while too many codes were none. Call it in the transaction that notes the next one.

    The portal's row is held, so that a hundred guesses at once are counted one after the other.
    """
    held = select(HotspotPortal.site).where(HotspotPortal.regency == place[0], HotspotPortal.site == place[1])
    db.execute(held.with_for_update())
    recent = select(func.count()).select_from(VoucherMiss)
    recent = recent.where(VoucherMiss.regency == place[0], VoucherMiss.at_ms > now_ms - WINDOW_MS)
    limits = (
        (VoucherMiss.username == asker.username, OF_ACCOUNT),
        (VoucherMiss.device == _device(db, asker), OF_DEVICE),
        (VoucherMiss.site == place[1], OF_VILLAGE),
    )
    if any((db.scalar(recent.where(which)) or 0) >= most for which, most in limits):
        raise TooMany(_WAIT)


def note(db: Session, place: Place, asker: Asker, now_ms: int) -> None:
    """Count a code that is none; those of yesterday are forgotten."""
    db.execute(delete(VoucherMiss).where(VoucherMiss.at_ms < now_ms - clock.DAY_MS))
    db.add(
        VoucherMiss(
            regency=place[0], id=secrets.token_hex(8), site=place[1], username=asker.username,
            device=_device(db, asker), at_ms=now_ms,
        )
    )  # fmt: skip


def _device(db: Session, asker: Asker) -> bytes:
    return keys_of(db).mark(_DEVICE, asker.address.encode())
