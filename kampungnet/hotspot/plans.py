"""Plans (paket) of a regency: seen by all staff, changed by its engineers, for every village's router follows them."""

import re
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.core.errors import Conflict, NotFound, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.hotspot import portals
from kampungnet.hotspot.models import HotspotPlan
from kampungnet.hotspot.policy import encoded, first_plans, plan_of
from kampungnet.measurement.planned_work import written
from kampungnet.shared.wanted import WantedPlan
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn

MOST_PLANS: Final = 50
"""Of those that routers know; a retired one counts, for who has it keeps it."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,23}")
_LONGEST_TITLE: Final = 40
_MOST_KBPS: Final = 10_000_000
_MOST_BYTES: Final = 10**13
_LONGEST_SECONDS: Final = 31 * 86_400


def listed(db: Session, regency: str) -> list[tuple[str, WantedPlan, bool]]:
    """Return title, limits and whether it is offered of every plan; those a regency begins with where none are yet."""
    asked = select(HotspotPlan).where(HotspotPlan.regency == regency).order_by(HotspotPlan.title)
    found = [(one.title, plan_of(one.limits), one.retired_ms is None) for one in db.scalars(asked)]
    return found or [(title, limits, True) for title, limits in first_plans()]


def find(db: Session, regency: str, name: str) -> tuple[str, WantedPlan, bool]:
    """Return one plan. Raises ``NotFound``."""
    for one in listed(db, regency):
        if one[1].name == name:
            return one
    raise NotFound(N_("There is no such plan. Choose one from the list."))


def save(db: Session, by: SignedIn, plan: tuple[str, WantedPlan], now_ms: int, *, new: bool) -> None:
    """Make or change a plan of ``(title, limits)``. Raises ``Unprocessable`` or ``Conflict`` with one sentence."""
    by.check_role(Role.ENGINEER)
    regency, (title, limits) = by.scope.regency, plan
    _check(title, limits)
    portals.begin_plans(db, regency)
    found = db.get(HotspotPlan, (regency, limits.name))
    if new and (found is not None or limits.name == "baru"):
        raise Conflict(N_("There is a plan of this name already. Choose another name."))
    if new and (db.scalar(select(func.count()).where(HotspotPlan.regency == regency)) or 0) >= MOST_PLANS:
        raise Conflict(N_("Routers know fifty plans at most: change one that is offered no more."))
    if not new and found is None:
        raise NotFound(N_("There is no such plan. Choose one from the list."))
    before = msgspec.to_builtins(plan_of(found.limits)) if found else None
    if found is None:
        found = HotspotPlan(regency=regency, name=limits.name, title="", limits="", retired_ms=None)
        db.add(found)
    found.title, found.limits = written(title), encoded(limits)
    db.flush()
    portals.changed(db, regency, None, now_ms)
    audit.record(db, by, Act("plan.save", limits.name, "", before, msgspec.to_builtins(limits)), now_ms)


def offer(db: Session, by: SignedIn, name: str, now_ms: int, *, offered: bool) -> None:
    """Offer a plan no more, or again; who has it keeps it. Raises ``Conflict`` while it is some portal's one click."""
    by.check_role(Role.ENGINEER)
    regency = by.scope.regency
    portals.begin_plans(db, regency)
    found = db.get(HotspotPlan, (regency, name))
    if found is None:
        raise NotFound(N_("There is no such plan. Choose one from the list."))
    if not offered and portals.is_click_plan(db, regency, name):
        raise Conflict(N_("Villages let people in with this plan by one click. Give them another one first."))
    found.retired_ms = None if offered else now_ms
    audit.record(db, by, Act("plan.offer" if offered else "plan.retire", name), now_ms)


def _check(title: str, limits: WantedPlan) -> None:
    if not _NAME.fullmatch(limits.name):
        raise Unprocessable(N_("A plan's name has 2 to 24 small letters, digits or dashes."))
    if not 1 <= len(title.strip()) <= _LONGEST_TITLE:
        raise Unprocessable(N_("What people read has 1 to 40 letters."))
    if max(limits.down_kbps, limits.up_kbps, limits.slow_down_kbps, limits.slow_up_kbps) > _MOST_KBPS:
        raise Unprocessable(N_("A speed is at most 10 Gbps; 0 is no limit."))
    if max(limits.day_bytes, limits.month_bytes) > _MOST_BYTES:
        raise Unprocessable(N_("A quota is at most 10 TB; 0 is no quota."))
    if max(limits.day_seconds, limits.idle_seconds, limits.session_seconds) > _LONGEST_SECONDS:
        raise Unprocessable(N_("A time is at most 31 days; 0 is no limit."))
    _check_slower(limits)


def _check_slower(limits: WantedPlan) -> None:
    """A quota makes slower, so it needs a slower speed."""
    if not (limits.day_seconds or limits.day_bytes or limits.month_bytes):
        return
    pairs = ((limits.slow_down_kbps, limits.down_kbps), (limits.slow_up_kbps, limits.up_kbps))
    if any(not slow or (fast and slow > fast) for slow, fast in pairs):
        raise Unprocessable(N_("Who reaches a quota goes on slower: give slower speeds than the usual ones."))
