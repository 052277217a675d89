"""Batches of vouchers as the desk sees them: how far each one is, its vouchers a page at a time, all of one at once."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from kampungnet.core.errors import Conflict, NotFound, Unprocessable
from kampungnet.core.keys import keys_of
from kampungnet.core.languages import N_
from kampungnet.hotspot import portals, voucher_state
from kampungnet.hotspot.models import Voucher, VoucherBatch
from kampungnet.hotspot.portals import VOUCHER, Place
from kampungnet.hotspot.voucher_state import State
from kampungnet.hotspot.vouchers import LONGEST_SECONDS, check_room
from kampungnet.measurement.planned_work import written
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn

PAGE: Final = 100
"""Vouchers on one page of a list."""
IN_ONE_PAPER: Final = 1_000
"""Vouchers in one file to print: others wait for the typesetter meanwhile."""
MOST_BATCHES: Final = 200
"""In the list of a site, the newest ones."""
_STAFF: Final = (Role.ENGINEER, Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Printed:
    """What a paper shows of one voucher."""

    serial: int
    code: str

    def __repr__(self) -> str:
        """Show no code, also not in a traceback."""
        return f"Printed({self.serial})"


def listed(db: Session, place: Place, now_ms: int) -> list[tuple[VoucherBatch, dict[State, int]]]:
    """Return the newest batches of a site, each with how many of its vouchers are in which state."""
    here = (VoucherBatch.regency == place[0], VoucherBatch.site == place[1])
    newest = select(VoucherBatch).where(*here).order_by(VoucherBatch.made_ms.desc(), VoucherBatch.id)
    rows = list(db.scalars(newest.limit(MOST_BATCHES)))
    counted = _counted(now_ms).where(Voucher.regency == place[0], Voucher.site == place[1])
    found: dict[str, dict[State, int]] = {one.id: dict.fromkeys(State, 0) for one in rows}
    for batch, state, number in db.execute(counted):
        if batch in found:
            found[batch][State(state)] = number
    return [(one, found[one.id]) for one in rows]


def numbers(db: Session, one: VoucherBatch, now_ms: int) -> dict[State, int]:
    """Return how many vouchers of a batch are in each state."""
    asked = _counted(now_ms).where(Voucher.regency == one.regency, Voucher.batch == one.id)
    return dict.fromkeys(State, 0) | {State(state): number for _, state, number in db.execute(asked)}


def some_of(db: Session, one: VoucherBatch, first: int) -> list[Voucher]:
    """Return a page of a batch's vouchers, from a number on."""
    here = (Voucher.regency == one.regency, Voucher.batch == one.id, Voucher.serial >= first)
    return list(db.scalars(select(Voucher).where(*here).order_by(Voucher.serial).limit(PAGE)))


def voucher(db: Session, one: VoucherBatch, serial: int, *, held: bool = False) -> Voucher:
    """Return a voucher by its printed number; ``held``: nobody else changes it meanwhile. Raises ``NotFound``."""
    asked = select(Voucher).where(Voucher.regency == one.regency, Voucher.batch == one.id, Voucher.serial == serial)
    found = db.scalars(asked.with_for_update() if held else asked).one_or_none()
    if found is None:
        raise NotFound(N_("There is no such voucher here. Go back to the list."))
    return found


def to_print(db: Session, by: SignedIn, one: VoucherBatch, first: int, now_ms: int) -> list[Printed]:
    """Return the codes that nobody has used yet, of the thousand from a number on; that is an act in the log.

    Raises ``Conflict`` when there is none. Who made a batch may print it again, for paper is lost and printers jam;
    a code in use is not shown again: whoever has the paper has it.
    """
    by.check_role(*_STAFF)
    fresh = (
        select(Voucher.serial, Voucher.code, Voucher.id)
        .join(VoucherBatch, (Voucher.regency == VoucherBatch.regency) & (Voucher.batch == VoucherBatch.id))
        .where(Voucher.regency == one.regency, Voucher.batch == one.id)
        .where(
            Voucher.serial.between(first, first + IN_ONE_PAPER - 1),
            voucher_state.in_database(now_ms) == State.FRESH.value,
        )
    )
    rows = db.execute(fresh.order_by(Voucher.serial)).all()
    if not rows:
        raise Conflict(N_("Each voucher of this part was used, is over or was revoked: there is nothing to print."))
    keys, told = keys_of(db), {"again": one.printed_ms is not None, "first": rows[0][0], "number": len(rows)}
    one.printed_ms = now_ms
    audit.record(db, by, Act("voucher.print", one.id, "", None, told), now_ms)
    return [Printed(serial, keys.open(VOUCHER, code, name).decode()) for serial, code, name in rows]


def revoke_all(db: Session, by: SignedIn, one: VoucherBatch, reason: str, now_ms: int) -> int:
    """End every voucher of a batch for good and return how many those were. Raises ``Conflict`` when none is left."""
    by.check_role(*_STAFF)
    why = written(reason)
    gone = _all(db, one, (), revoked_ms=now_ms)
    portals.changed(db, one.regency, one.site, now_ms)
    audit.record(db, by, Act("voucher.revoke", one.id, why, None, {"number": gone}), now_ms)
    return gone


def extend_all(db: Session, by: SignedIn, one: VoucherBatch, seconds: int, now_ms: int) -> int:
    """Give every voucher of a batch more time online and more days alike; return how many got it."""
    by.check_role(*_STAFF)
    if not 0 < seconds <= LONGEST_SECONDS:
        raise Unprocessable(N_("Give between one minute and a year more."))
    room = Voucher.more_seconds <= LONGEST_SECONDS - seconds
    longer = _all(db, one, (room,), more_seconds=Voucher.more_seconds + seconds)
    check_room(db, (one.regency, one.site), 0, now_ms)
    portals.changed(db, one.regency, one.site, now_ms)
    audit.record(db, by, Act("voucher.extend", one.id, "", None, {"seconds": seconds, "number": longer}), now_ms)
    return longer


def _all(db: Session, one: VoucherBatch, only: tuple[ColumnElement[bool], ...], **changes: Any) -> int:
    those = (Voucher.regency == one.regency, Voucher.batch == one.id, Voucher.revoked_ms.is_(None), *only)
    number = db.connection().execute(update(Voucher).where(*those).values(**changes)).rowcount
    if not number:
        raise Conflict(N_("Every voucher of this batch was revoked before."))
    return number


def _counted(now_ms: int) -> Any:
    state = voucher_state.in_database(now_ms).label("state")
    of = (Voucher.regency == VoucherBatch.regency) & (Voucher.batch == VoucherBatch.id)
    return select(Voucher.batch, state, func.count()).join(VoucherBatch, of).group_by(Voucher.batch, state)
