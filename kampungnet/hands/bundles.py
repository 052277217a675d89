"""Bundles for whoever helps: looked at when they come in, kept for two weeks, read by engineers."""

import zlib
from typing import Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, undefer

from kampungnet.core import clock
from kampungnet.core.errors import BadInput
from kampungnet.hands.models import RemoteOrder, SupportBundle
from kampungnet.shared import wire
from kampungnet.shared.orders import MAX_BUNDLE_BYTES, Bundle

KEPT_MS: Final = 14 * clock.DAY_MS


def keep(db: Session, order: RemoteOrder, packed: bytes, now_ms: int) -> None:
    """Keep the bundle of an order. Raises ``BadInput`` for one that cannot be read."""
    opened(packed)
    db.merge(SupportBundle(regency=order.regency, id=order.id, site=order.site, received_ms=now_ms, packed=packed))


def opened(packed: bytes) -> Bundle:
    """Unpack and read a bundle. Raises ``BadInput`` for anything else, and for what unpacks to too much."""
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(packed, MAX_BUNDLE_BYTES)
        if reader.unconsumed_tail or not reader.eof or reader.unused_data:
            raise BadInput("The bundle is too large or cut off.")
        return msgspec.json.decode(plain, type=Bundle)
    except (zlib.error, *wire.UNREADABLE) as error:
        raise BadInput(f"The bundle cannot be read: {error}. Update the agent.") from error


def of_order(db: Session, regency: str, order: str) -> SupportBundle | None:
    """Return the bundle of an order, while it is kept."""
    asked = select(SupportBundle).where(SupportBundle.regency == regency, SupportBundle.id == order)
    return db.scalars(asked.options(undefer(SupportBundle.packed))).one_or_none()


def kept(db: Session, regency: str, orders: list[str]) -> set[str]:
    """Return of which orders a bundle is kept."""
    asked = select(SupportBundle.id).where(SupportBundle.regency == regency, SupportBundle.id.in_(orders))
    return set(db.scalars(asked))


def forget(db: Session, now_ms: int) -> None:
    """Delete what is older than two weeks."""
    db.execute(delete(SupportBundle).where(SupportBundle.received_ms < now_ms - KEPT_MS))
