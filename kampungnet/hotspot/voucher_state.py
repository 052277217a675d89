"""Where a voucher is in its life, by what the box told of it; for one, and for the database to say of many."""

import enum
from typing import Any, Final

from sqlalchemy import and_, case, or_

from kampungnet.hotspot.models import Voucher, VoucherBatch


class State(enum.StrEnum):
    """Where a voucher is in its life."""

    FRESH = "fresh"
    RUNNING = "running"
    USED_UP = "used_up"
    EXPIRED = "expired"
    REVOKED = "revoked"


OPEN: Final = (State.FRESH, State.RUNNING)
"""Somebody can still log in with it."""


def state(voucher: Voucher, of: VoucherBatch, now_ms: int) -> State:
    """Say where a voucher is in its life, by what the box told of it."""
    more = voucher.more_seconds
    if voucher.revoked_ms is not None:
        return State.REVOKED
    if of.limit_seconds and voucher.used_seconds >= of.limit_seconds + more:
        return State.USED_UP
    ends = [of.expires_ms + more * 1000] if of.expires_ms else []
    if of.valid_seconds and voucher.first_used_ms is not None:
        ends.append(voucher.first_used_ms + (of.valid_seconds + more) * 1000)
    if any(end <= now_ms for end in ends):
        return State.EXPIRED
    return State.RUNNING if voucher.first_used_ms is not None else State.FRESH


def in_database(now_ms: int) -> Any:
    """Return :func:`state` as the database says it, of a voucher joined with its batch: ten thousand need no row."""
    more = Voucher.more_seconds
    over = or_(
        VoucherBatch.expires_ms + more * 1000 <= now_ms,
        and_(
            VoucherBatch.valid_seconds > 0,
            Voucher.first_used_ms + (VoucherBatch.valid_seconds + more) * 1000 <= now_ms,
        ),
    )
    return case(
        (Voucher.revoked_ms.is_not(None), State.REVOKED.value),
        (
            and_(VoucherBatch.limit_seconds > 0, Voucher.used_seconds >= VoucherBatch.limit_seconds + more),
            State.USED_UP.value,
        ),
        (over, State.EXPIRED.value),
        (Voucher.first_used_ms.is_not(None), State.RUNNING.value),
        else_=State.FRESH.value,
    )
