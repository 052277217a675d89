"""Portals: their policy, what is wanted of their routers, and how far each box has come.

Whoever changes anything a router has to know calls :func:`changed` in the same transaction: the revision grows, and
the box that holds a request open gets the whole wanted state anew.
"""

from urllib.parse import urlsplit

import msgspec
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.address import public_address
from kampungnet.core.errors import Conflict, NotFound, Unprocessable
from kampungnet.core.keys import keys_of
from kampungnet.core.languages import N_
from kampungnet.core.rows import insert_new
from kampungnet.devices.models import Site
from kampungnet.hotspot import voucher_state
from kampungnet.hotspot.models import (
    GardenEntry,
    HotspotAccount,
    HotspotBinding,
    HotspotKick,
    HotspotNotice,
    HotspotPlan,
    HotspotPortal,
    Voucher,
    VoucherBatch,
)
from kampungnet.hotspot.policy import Policy, encoded, first_plans, plan_of, policy_of
from kampungnet.shared.wanted import (
    BindingKind,
    UserKind,
    WantedBinding,
    WantedClick,
    WantedGarden,
    WantedKick,
    WantedPage,
    WantedPortal,
    WantedQuestion,
    WantedUser,
)
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn

VOUCHER, ACCOUNT, MAC = "hotspot voucher", "hotspot account", "hotspot mac"
"""What sealed columns are sealed for."""

Place = tuple[str, str]
"""Regency and site."""


def portal(db: Session, place: Place, now_ms: int) -> HotspotPortal:
    """Return the portal of a site; it begins with the usual policy, and the regency with the usual plans."""
    found = db.get(HotspotPortal, place)
    if found is None:
        if db.get(Site, place) is None:
            raise NotFound(N_("There is no such village here. Go back to the first page."))
        begin_plans(db, place[0])
        # Many boxes may ask for the first time at once: whoever is second finds what the first one made.
        new = {
            "regency": place[0], "site": place[1], "revision": 1, "changed_ms": now_ms, "policy": encoded(Policy()),
            "asked_ms": None, "box_revision": 0, "done_revision": 0, "done_ms": None, "problems": "[]",
        }  # fmt: skip
        insert_new(db, HotspotPortal, [new])
        found = db.get_one(HotspotPortal, place)
    return found


def policy(db: Session, place: Place) -> Policy:
    """Return what a portal offers; that of one nobody touched is the usual."""
    found = db.get(HotspotPortal, place)
    return policy_of(found.policy) if found else Policy()


def set_policy(db: Session, by: SignedIn, place: Place, wanted: Policy, now_ms: int) -> None:
    """Change what a portal offers. What a router's owner has to know of, only engineers change."""
    one = portal(db, place, now_ms)
    before = policy_of(one.policy)
    own, owned = ((one.managed, one.logins, one.tries_a_minute) for one in (wanted, before))
    by.check_role(*((Role.ENGINEER,) if own != owned else (Role.ENGINEER, Role.OPERATOR)))
    if wanted.managed and wanted.logins and public_address() is None:
        raise Unprocessable(N_("Phones do not know this server's address yet: set KAMPUNGNET_ADDRESS first."))
    if wanted.click and wanted.click_plan not in plans(db, place[0]):
        raise Unprocessable(N_("There is no such plan. Choose one from the list."))
    one.policy = encoded(wanted)
    changed(db, place[0], place[1], now_ms)
    told = (msgspec.to_builtins(before), msgspec.to_builtins(wanted))
    audit.record(db, by, Act("portal.policy", place[1], "", *told), now_ms)


def changed(db: Session, regency: str, site: str | None, now_ms: int) -> None:
    """Make the box of a site, or those of the whole regency, fetch the wanted state anew."""
    asked = update(HotspotPortal).where(HotspotPortal.regency == regency)
    asked = asked if site is None else asked.where(HotspotPortal.site == site)
    db.execute(asked.values(revision=HotspotPortal.revision + 1, changed_ms=now_ms))


def plans(db: Session, regency: str) -> dict[str, str]:
    """Return the titles of the plans that are offered, by name; those every regency begins with where none are yet."""
    asked = select(HotspotPlan.name, HotspotPlan.title, HotspotPlan.retired_ms).where(HotspotPlan.regency == regency)
    rows = db.execute(asked.order_by(HotspotPlan.title)).all()
    if not rows:
        return {limits.name: title for title, limits in first_plans()}
    return {name: title for name, title, retired_ms in rows if retired_ms is None}


def asked(db: Session, place: Place, question: WantedQuestion, now_ms: int) -> None:
    """Note what a box says about itself when it asks."""
    problems = msgspec.json.encode(question.problems).decode()
    one = portal(db, place, now_ms)
    one.asked_ms = now_ms
    one.box_revision = question.revision
    one.problems = problems
    if question.done != one.done_revision:
        one.done_revision, one.done_ms = question.done, now_ms


def revision(db: Session, place: Place) -> int:
    """Return the revision of what is wanted at a site; 0 when nobody wants anything yet."""
    return (
        db.scalar(
            select(HotspotPortal.revision).where(HotspotPortal.regency == place[0], HotspotPortal.site == place[1])
        )
        or 0
    )


def changed_since(db: Session, since_ms: int) -> list[tuple[str, str, int]]:
    """Return regency, site and revision of the portals whose wanted state changed since an instant."""
    asked = select(HotspotPortal.regency, HotspotPortal.site, HotspotPortal.revision)
    return [(one[0], one[1], one[2]) for one in db.execute(asked.where(HotspotPortal.changed_ms >= since_ms))]


def wanted(db: Session, place: Place, pages: list[WantedPage], now_ms: int) -> WantedPortal:
    """Return all that the router of a site has to be, with the files of its pages."""
    one = db.get_one(HotspotPortal, place)
    policy, zone = policy_of(one.policy), clock.zone_of(place[0])
    if not policy.managed:
        return WantedPortal(one.revision, zone, managed=False, place=place[1])
    rows = db.execute(select(HotspotPlan.limits).where(HotspotPlan.regency == place[0]).order_by(HotspotPlan.name))
    users = [
        *(_accounts(db, place) if policy.accounts else ()),
        *(_vouchers(db, place, now_ms) if policy.vouchers else ()),
    ]
    return WantedPortal(
        revision=one.revision,
        time_zone=zone,
        plans=[plan_of(limits) for (limits,) in rows],
        users=users,
        bindings=_bindings(db, place, now_ms),
        garden=[*_own_page(policy), *_garden(db, place[0])],
        pages=pages,
        click=WantedClick(policy.click_plan, policy.click_seconds) if policy.click else None,
        kicks=_kicks(db, place, now_ms),
        tries=policy.tries,
        place=place[1],
    )


def end_notices(db: Session, now_ms: int) -> None:
    """Take the notices away whose days are over, off the routers too; the log of acts keeps their words."""
    over = db.scalars(select(HotspotNotice).where(HotspotNotice.until_ms <= now_ms)).all()
    for one in over:
        changed(db, one.regency, one.site or None, now_ms)
        db.delete(one)


def check_managed(db: Session, place: Place) -> None:
    """Raise ``Conflict`` where the router is only read: nothing that staff do would reach it."""
    if not policy(db, place).managed:
        raise Conflict(N_("The wifi of this village is not run from here yet: an engineer switches that on below."))


def forget_kicks(db: Session, now_ms: int) -> None:
    """Delete kicks that are a day old: who was online then is not online any more, or was kicked."""
    db.execute(delete(HotspotKick).where(HotspotKick.at_ms < now_ms - clock.DAY_MS))


def is_click_plan(db: Session, regency: str, name: str) -> bool:
    """Tell whether some portal of the regency lets people in with a plan by one click."""
    rules = db.scalars(select(HotspotPortal.policy).where(HotspotPortal.regency == regency))
    return any(one.click and one.click_plan == name for one in map(policy_of, rules))


def begin_plans(db: Session, regency: str) -> None:
    """Give a regency the plans that it begins with, where none are yet."""
    if db.scalar(select(func.count()).select_from(HotspotPlan).where(HotspotPlan.regency == regency)):
        return
    plans = [
        {"regency": regency, "name": one.name, "title": title, "limits": encoded(one), "retired_ms": None}
        for title, one in first_plans()
    ]
    insert_new(db, HotspotPlan, plans)


def _vouchers(db: Session, place: Place, now_ms: int) -> list[WantedUser]:
    keys = keys_of(db)
    rows = db.execute(
        select(Voucher, VoucherBatch)
        .join(VoucherBatch, (Voucher.regency == VoucherBatch.regency) & (Voucher.batch == VoucherBatch.id))
        .where(Voucher.regency == place[0], Voucher.site == place[1], Voucher.revoked_ms.is_(None))
        .where(voucher_state.in_database(now_ms).in_(voucher_state.OPEN))
        .order_by(Voucher.id)
    )
    return [
        WantedUser(
            reference=one.id,
            name=keys.open(VOUCHER, one.code, one.id).decode(),
            plan=batch.plan,
            limit_seconds=batch.limit_seconds and batch.limit_seconds + one.more_seconds,
            valid_seconds=batch.valid_seconds and batch.valid_seconds + one.more_seconds,
            expires_ms=batch.expires_ms and batch.expires_ms + one.more_seconds * 1000,
            first_used_ms=one.first_used_ms,
            used_seconds=one.used_seconds,
        )
        for one, batch in rows
    ]


def _accounts(db: Session, place: Place) -> list[WantedUser]:
    keys = keys_of(db)
    asked = select(HotspotAccount).where(HotspotAccount.regency == place[0], HotspotAccount.site == place[1])
    return [
        WantedUser(one.id, one.name, one.plan, UserKind.ACCOUNT, keys.open(ACCOUNT, one.password, one.id).decode())
        for one in db.scalars(asked.where(HotspotAccount.ended_ms.is_(None)).order_by(HotspotAccount.name))
    ]


def _bindings(db: Session, place: Place, now_ms: int) -> list[WantedBinding]:
    keys = keys_of(db)
    asked = select(HotspotBinding).where(HotspotBinding.regency == place[0], HotspotBinding.site == place[1])
    open_ones = or_(HotspotBinding.until_ms.is_(None), HotspotBinding.until_ms > now_ms)
    return [
        WantedBinding(
            one.id,
            BindingKind(one.kind),
            keys.open(MAC, one.mac, one.id).decode() if one.mac else "",
            one.guest,
            one.until_ms,
            one.label,
        )
        for one in db.scalars(asked.where(HotspotBinding.ended_ms.is_(None), open_ones).order_by(HotspotBinding.id))
    ]


def _garden(db: Session, regency: str) -> list[WantedGarden]:
    asked = select(GardenEntry).where(GardenEntry.regency == regency, GardenEntry.ended_ms.is_(None))
    return [
        WantedGarden(one.id, one.host, msgspec.json.decode(one.ports, type=list[int]))
        for one in db.scalars(asked.order_by(GardenEntry.host))
    ]


def _own_page(policy: Policy) -> list[WantedGarden]:
    """Return the server itself, where the login page is there: who is not logged in has to reach it."""
    parts = urlsplit(public_address() or "")
    if not policy.logins or not parts.hostname:
        return []
    return [WantedGarden("portal", parts.hostname, [parts.port or (443 if parts.scheme == "https" else 80)])]


def _kicks(db: Session, place: Place, now_ms: int) -> list[WantedKick]:
    asked = select(HotspotKick.session).where(HotspotKick.regency == place[0], HotspotKick.site == place[1])
    recent = asked.where(HotspotKick.at_ms > now_ms - clock.DAY_MS).order_by(HotspotKick.at_ms.desc()).limit(200)
    return [WantedKick(session) for session in db.scalars(recent)]
