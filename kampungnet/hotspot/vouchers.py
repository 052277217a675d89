"""Vouchers: made in batches, shown for printing, found by the code on paper, given more time, revoked.

A code is sealed, and found by its keyed mark: the table alone opens nothing. Every act stands in the log, never with
a code in it: a voucher is named by its batch and its number, which are printed beside the code.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import Conflict, NotFound, TooMany, Unprocessable
from kampungnet.core.keys import keys_of
from kampungnet.core.languages import N_
from kampungnet.core.rows import insert_new
from kampungnet.hotspot import codes, portals, voucher_state
from kampungnet.hotspot.models import Voucher, VoucherBatch
from kampungnet.hotspot.portals import VOUCHER, Place
from kampungnet.measurement.planned_work import written
from kampungnet.shared.wanted import MAX_USERS
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn

MOST_IN_BATCH: Final = 10_000
MOST_OPEN: Final = MAX_USERS - 1_000
"""That somebody can still log in with, of one site, so that accounts have room beside them on the router."""
LONGEST_SECONDS: Final = 366 * 86_400


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What somebody wants to have printed. Seconds; 0 is no limit."""

    plan: str
    number: int
    limit_seconds: int = 0
    valid_seconds: int = 0
    expires_ms: int | None = None
    note: str = ""


def issue(db: Session, by: SignedIn, place: Place, wanted: NewBatch, now_ms: int) -> VoucherBatch:
    """Make a batch. Raises a ``Problem`` with one sentence for whatever is wrong; then nothing is made."""
    by.check_role(Role.ENGINEER, Role.OPERATOR)
    portals.portal(db, place, now_ms)
    _check(db, place, wanted, now_ms)
    batch = VoucherBatch(
        regency=place[0], id=f"B{secrets.token_hex(4)}", site=place[1], plan=wanted.plan, number=wanted.number,
        limit_seconds=wanted.limit_seconds, valid_seconds=wanted.valid_seconds, expires_ms=wanted.expires_ms,
        note=written(wanted.note, required=False), made_ms=now_ms, made_by=by.name, printed_ms=None,
    )  # fmt: skip
    db.add(batch)
    db.flush()
    _fill(db, batch)
    portals.changed(db, *place, now_ms)
    told = {"number": batch.number, "plan": batch.plan, "limit_seconds": batch.limit_seconds}
    audit.record(db, by, Act("voucher.issue", batch.id, batch.note, None, told), now_ms)
    return batch


def batch(db: Session, place: Place, name: str) -> VoucherBatch:
    """Return one batch of a site. Raises ``NotFound``."""
    found = db.get(VoucherBatch, (place[0], name))
    if found is None or found.site != place[1]:
        raise NotFound(N_("There is no such batch of vouchers here. Go back to the list."))
    return found


def look_up(db: Session, place: Place, typed: str) -> tuple[Voucher, VoucherBatch]:
    """Return the voucher whose code somebody reads from paper. Raises ``Unprocessable`` or ``NotFound``."""
    code = codes.read(typed)
    if code is None:
        raise Unprocessable(N_("This is no voucher code: one letter is wrong. Read it again from the paper."))
    marks = keys_of(db).marks(VOUCHER, code.encode())
    asked = select(Voucher, VoucherBatch).join(
        VoucherBatch, (Voucher.regency == VoucherBatch.regency) & (Voucher.batch == VoucherBatch.id)
    )
    here = (Voucher.regency == place[0], Voucher.site == place[1], Voucher.mark.in_(marks))
    found = db.execute(asked.where(*here)).one_or_none()
    if found is None:
        raise NotFound(N_("No voucher of this village has this code."))
    return found[0], found[1]


def revoke(db: Session, by: SignedIn, voucher: Voucher, reason: str, now_ms: int) -> None:
    """End a voucher for good; who is online with it is put off. Raises ``Conflict`` when it is ended already."""
    by.check_role(Role.ENGINEER, Role.OPERATOR)
    if voucher.revoked_ms is not None:
        raise Conflict(N_("This voucher was revoked before."))
    why = written(reason)
    voucher.revoked_ms = now_ms
    portals.changed(db, voucher.regency, voucher.site, now_ms)
    audit.record(db, by, Act("voucher.revoke", _name(voucher), why), now_ms)


def extend(db: Session, by: SignedIn, voucher: Voucher, seconds: int, now_ms: int) -> None:
    """Give a voucher more time online and more days alike. Raises ``Unprocessable``, ``Conflict`` or ``TooMany``."""
    by.check_role(Role.ENGINEER, Role.OPERATOR)
    if voucher.revoked_ms is not None:
        raise Conflict(N_("This voucher was revoked before."))
    if not 0 < seconds <= LONGEST_SECONDS - voucher.more_seconds:
        raise Unprocessable(N_("Give between one minute and a year more."))
    voucher.more_seconds += seconds
    db.flush()
    check_room(db, (voucher.regency, voucher.site), 0, now_ms)
    portals.changed(db, voucher.regency, voucher.site, now_ms)
    audit.record(db, by, Act("voucher.extend", _name(voucher), "", None, {"seconds": seconds}), now_ms)


def _check(db: Session, place: Place, wanted: NewBatch, now_ms: int) -> None:
    if wanted.plan not in portals.plans(db, place[0]):
        raise Unprocessable(N_("There is no such plan. Choose one from the list."))
    if not 1 <= wanted.number <= MOST_IN_BATCH:
        raise Unprocessable(N_("Make between 1 and 10,000 vouchers at once."))
    if not 0 <= max(wanted.limit_seconds, wanted.valid_seconds) <= LONGEST_SECONDS or min(
        wanted.limit_seconds, wanted.valid_seconds
    ) < 0:  # fmt: skip
        raise Unprocessable(N_("Time and days of a voucher are at most a year."))
    if wanted.expires_ms is not None and not now_ms < wanted.expires_ms <= now_ms + 5 * 366 * clock.DAY_MS:
        raise Unprocessable(N_("The last day of a voucher lies ahead, at most five years."))
    check_room(db, place, wanted.number, now_ms)


def check_room(db: Session, place: Place, more: int, now_ms: int) -> None:
    """Raise ``TooMany`` where so many more vouchers that are open do not fit on the router."""
    of = (Voucher.regency == VoucherBatch.regency) & (Voucher.batch == VoucherBatch.id)
    asked = select(func.count()).select_from(Voucher).join(VoucherBatch, of)
    here = (Voucher.regency == place[0], Voucher.site == place[1], Voucher.revoked_ms.is_(None))
    there = db.scalar(asked.where(*here, voucher_state.in_database(now_ms).in_(voucher_state.OPEN))) or 0
    if there + more > MOST_OPEN:
        raise TooMany(N_("So many vouchers do not fit on the router: revoke old ones, or make fewer."))


def _fill(db: Session, one: VoucherBatch) -> None:
    keys = keys_of(db)
    made: set[str] = set()
    while len(made) < one.number:
        made.add(codes.new_code())
    rows = []
    for serial, code in enumerate(made, start=1):
        name = f"V{secrets.token_hex(6)}"
        rows.append(
            {
                "regency": one.regency, "id": name, "batch": one.id, "site": one.site, "serial": serial,
                "mark": keys.mark(VOUCHER, code.encode()), "code": keys.seal(VOUCHER, code.encode(), name),
                "first_used_ms": None, "used_seconds": 0, "more_seconds": 0, "revoked_ms": None,
            }
        )  # fmt: skip
    stored = insert_new(db, Voucher, rows)
    if stored != one.number:  # 40 bits met by chance, or a random name twice: none of this batch is believed
        raise Conflict(N_("Please make the vouchers again: a code was there already."))


def _name(voucher: Voucher) -> str:
    return f"{voucher.batch}/{voucher.serial}"
