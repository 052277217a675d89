"""What staff of a village do at the desk: end a session, keep a device out, let a printer through, name accounts.

Every act stands in the log and reaches the router as wanted state. A device that was seen is named by its pseudonym;
only an address that somebody typed from a printer's label is stored, sealed.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import Conflict, NotFound, Unprocessable
from kampungnet.core.keys import keys_of
from kampungnet.core.languages import N_
from kampungnet.hotspot import portals
from kampungnet.hotspot.models import HotspotAccount, HotspotBinding, HotspotKick, HotspotNotice, HotspotSession
from kampungnet.hotspot.portals import ACCOUNT, MAC, Place
from kampungnet.measurement.planned_work import written
from kampungnet.shared.wanted import BindingKind
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn

LONGEST_BLOCK_DAYS: Final = 366
MOST_BINDINGS: Final = 500
MOST_NOTICES: Final = 5
MOST_ACCOUNTS: Final = 500
_MAC: Final = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}")
_GUEST: Final = re.compile(r"g-[a-z2-7]{16}")
_ACCOUNT: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,29}")
_LEAST_PASSWORD: Final = 8
_STAFF: Final = (Role.ENGINEER, Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class NewBinding:
    """One device to treat otherwise than others: by pseudonym or by the address on its label."""

    kind: BindingKind
    guest: str = ""
    mac: str = ""
    label: str = ""
    reason: str = ""
    days: int = 0
    """From now; 0 has no end, which only a device that is let through may have."""


def kick(db: Session, by: SignedIn, place: Place, session: str, now_ms: int) -> None:
    """End a session that runs. Raises ``NotFound`` when it is not one of this site's."""
    by.check_role(*_STAFF)
    portals.check_managed(db, place)
    found = db.get(HotspotSession, (*place, session))
    if found is None or found.ended:
        raise NotFound(N_("This device is not online any more. Look at the list again."))
    db.add(HotspotKick(regency=place[0], id=secrets.token_hex(8), site=place[1], session=session, at_ms=now_ms))
    portals.changed(db, *place, now_ms)
    audit.record(db, by, Act("portal.kick", place[1], "", None, {"way": found.way}), now_ms)


def bind(db: Session, by: SignedIn, place: Place, wanted: NewBinding, now_ms: int) -> HotspotBinding:
    """Let one device through, or keep it out. Raises ``Unprocessable`` or ``Conflict`` with one sentence."""
    by.check_role(*_STAFF)
    portals.check_managed(db, place)
    mac = _mac(wanted)
    if wanted.kind is BindingKind.BLOCKED and not 1 <= wanted.days <= LONGEST_BLOCK_DAYS:
        raise Unprocessable(N_("Say for how many days this device is kept out, at most a year."))
    if not 0 <= wanted.days <= LONGEST_BLOCK_DAYS:
        raise Unprocessable(N_("Say for how many days, at most a year; 0 is until somebody ends it."))
    if len(bindings(db, place, now_ms)) >= MOST_BINDINGS:
        raise Conflict(N_("There are too many single devices on this router. End some of them first."))
    name = f"D{secrets.token_hex(6)}"
    one = HotspotBinding(
        regency=place[0], id=name, site=place[1], kind=wanted.kind.value, guest=wanted.guest,
        mac=keys_of(db).seal(MAC, mac.encode(), name) if mac else None, label=written(wanted.label, required=False),
        reason=written(wanted.reason), until_ms=now_ms + wanted.days * clock.DAY_MS if wanted.days else None,
        made_ms=now_ms, made_by=by.name, ended_ms=None,
    )  # fmt: skip
    db.add(one)
    db.flush()
    portals.portal(db, place, now_ms)
    portals.changed(db, *place, now_ms)
    told = {"id": name, "days": wanted.days, "label": one.label}
    audit.record(db, by, Act(f"portal.{wanted.kind.value}", place[1], one.reason, None, told), now_ms)
    return one


def unbind(db: Session, by: SignedIn, place: Place, name: str, now_ms: int) -> None:
    """Treat a device like any other again. Raises ``NotFound``."""
    by.check_role(*_STAFF)
    one = db.get(HotspotBinding, (place[0], name))
    if one is None or one.site != place[1] or one.ended_ms is not None:
        raise NotFound(N_("There is no such device here any more. Look at the list again."))
    one.ended_ms = now_ms
    portals.changed(db, *place, now_ms)
    audit.record(db, by, Act("portal.unbind", place[1], "", {"id": name, "label": one.label}), now_ms)


def bindings(db: Session, place: Place, now_ms: int) -> list[HotspotBinding]:
    """Return the single devices of a site that are treated otherwise now, the newest first."""
    asked = select(HotspotBinding).where(
        HotspotBinding.regency == place[0], HotspotBinding.site == place[1], HotspotBinding.ended_ms.is_(None),
        or_(HotspotBinding.until_ms.is_(None), HotspotBinding.until_ms > now_ms),
    )  # fmt: skip
    return list(db.scalars(asked.order_by(HotspotBinding.made_ms.desc(), HotspotBinding.id)))


def add_account(db: Session, by: SignedIn, place: Place, login: tuple[str, str, str], now_ms: int) -> HotspotAccount:
    """Make a login of ``(name, password, plan)``. Raises ``Unprocessable`` or ``Conflict`` with one sentence."""
    by.check_role(*_STAFF)
    name, password, plan = login
    if not _ACCOUNT.fullmatch(name):
        raise Unprocessable(N_("A name has 2 to 30 small letters, digits, dots or dashes."))
    _check_password(password)
    if plan not in portals.plans(db, place[0]):
        raise Unprocessable(N_("There is no such plan. Choose one from the list."))
    portals.portal(db, place, now_ms)
    there = accounts(db, place, ended=True)
    if sum(one.ended_ms is None for one in there) >= MOST_ACCOUNTS:
        raise Conflict(N_("There are too many accounts on this router. End some of them first."))
    if any(one.name == name for one in there):
        raise Conflict(N_("Somebody here has this name already. Choose another one."))
    key = f"A{secrets.token_hex(6)}"
    one = HotspotAccount(
        regency=place[0], id=key, site=place[1], name=name, plan=plan,
        password=keys_of(db).seal(ACCOUNT, password.encode(), key), made_ms=now_ms, made_by=by.name, ended_ms=None,
    )  # fmt: skip
    db.add(one)
    db.flush()
    portals.changed(db, *place, now_ms)
    audit.record(db, by, Act("portal.account", place[1], "", None, {"name": name, "plan": plan}), now_ms)
    return one


def end_account(db: Session, by: SignedIn, place: Place, key: str, now_ms: int) -> None:
    """Let nobody in by an account any more. Raises ``NotFound``."""
    by.check_role(*_STAFF)
    one = db.get(HotspotAccount, (place[0], key))
    if one is None or one.site != place[1] or one.ended_ms is not None:
        raise NotFound(N_("There is no such account here any more. Look at the list again."))
    one.ended_ms = now_ms
    portals.changed(db, *place, now_ms)
    audit.record(db, by, Act("portal.end_account", place[1], "", {"name": one.name}), now_ms)


def reset_account(db: Session, by: SignedIn, place: Place, login: tuple[str, str], now_ms: int) -> None:
    """Give an account of ``(id, password)`` a new password; one that was ended lets in again. Raises ``NotFound``."""
    by.check_role(*_STAFF)
    key, password = login
    _check_password(password)
    one = db.get(HotspotAccount, (place[0], key))
    if one is None or one.site != place[1]:
        raise NotFound(N_("There is no such account here any more. Look at the list again."))
    if one.ended_ms is not None and len(accounts(db, place)) >= MOST_ACCOUNTS:
        raise Conflict(N_("There are too many accounts on this router. End some of them first."))
    told = {"name": one.name, "ended": one.ended_ms is not None}
    one.password, one.ended_ms = keys_of(db).seal(ACCOUNT, password.encode(), key), None
    portals.changed(db, *place, now_ms)
    audit.record(db, by, Act("portal.reset_account", place[1], "", told), now_ms)


def accounts(db: Session, place: Place, *, ended: bool = False) -> Sequence[HotspotAccount]:
    """Return the accounts of a site by name, those that ended only when asked for."""
    asked = select(HotspotAccount).where(HotspotAccount.regency == place[0], HotspotAccount.site == place[1])
    asked = asked if ended else asked.where(HotspotAccount.ended_ms.is_(None))
    return db.scalars(asked.order_by(HotspotAccount.name)).all()


def say(db: Session, by: SignedIn, place: Place, text: str, days: int, now_ms: int) -> None:
    """Put a few words on the portal's pages for some days. Raises ``Unprocessable`` or ``Conflict``."""
    by.check_role(*_STAFF)
    if not 1 <= days <= LONGEST_BLOCK_DAYS:
        raise Unprocessable(N_("Say for how many days these words stand on the portal, at most a year."))
    if len(notices(db, place, now_ms)) >= MOST_NOTICES:
        raise Conflict(N_("There are five notices already. Take one away first."))
    words = written(text)
    portals.portal(db, place, now_ms)
    db.add(
        HotspotNotice(
            regency=place[0], id=secrets.token_hex(6), site=place[1], text=words, until_ms=now_ms + days * clock.DAY_MS,
            made_ms=now_ms, made_by=by.name,
        )
    )  # fmt: skip
    db.flush()
    portals.changed(db, *place, now_ms)
    audit.record(db, by, Act("portal.notice", place[1], "", None, {"text": words, "days": days}), now_ms)


def unsay(db: Session, by: SignedIn, place: Place, name: str, now_ms: int) -> None:
    """Take a notice of this site away. Raises ``NotFound``."""
    by.check_role(*_STAFF)
    one = db.get(HotspotNotice, (place[0], name))
    if one is None or one.site != place[1]:
        raise NotFound(N_("This notice is gone already. Look at the list again."))
    db.delete(one)
    db.flush()
    portals.changed(db, *place, now_ms)
    audit.record(db, by, Act("portal.unsay", place[1], "", {"text": one.text}), now_ms)


def notices(db: Session, place: Place, now_ms: int) -> list[HotspotNotice]:
    """Return the notices of a site that stand now, those of all villages of the regency first."""
    asked = select(HotspotNotice).where(
        HotspotNotice.regency == place[0], HotspotNotice.site.in_(("", place[1])),
        or_(HotspotNotice.until_ms.is_(None), HotspotNotice.until_ms > now_ms),
    )  # fmt: skip
    return list(db.scalars(asked.order_by(HotspotNotice.site, HotspotNotice.made_ms)))


def _check_password(password: str) -> None:
    if not (_LEAST_PASSWORD <= len(password) <= 60 and password.isascii() and password.isprintable()):
        raise Unprocessable(N_("A password has 8 to 60 letters, digits and signs of the keyboard."))


def _mac(wanted: NewBinding) -> str:
    """Return the address that was typed, in its one spelling; empty where a pseudonym says who."""
    if wanted.guest:
        if not _GUEST.fullmatch(wanted.guest) or wanted.mac:
            raise Unprocessable(N_("Choose a device from the list, or type its address: not both."))
        return ""
    mac = wanted.mac.strip().upper().replace("-", ":")
    if not _MAC.fullmatch(mac):
        raise Unprocessable(N_("The address of a device looks like 00:11:22:33:44:55; it stands on its label."))
    if int(mac[1], 16) & 1:
        raise Unprocessable(N_("This address means many devices at once. Look at the label again."))
    return mac
