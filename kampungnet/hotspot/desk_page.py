"""What the desk shows, in the reader's words: numbers become sentences here, none in the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.languages import N_, Language
from kampungnet.devices.bodies import decoded
from kampungnet.devices.models import Device
from kampungnet.hotspot import desk, portals, sessions
from kampungnet.hotspot.models import HotspotAccount, HotspotBinding, HotspotNotice, HotspotPortal
from kampungnet.hotspot.policy import Policy, policy_of
from kampungnet.hotspot.portals import Place
from kampungnet.shared.portal_body import CheckStep, PortalBody, Way

FRESH_MS: Final = 5 * 60_000
SILENT_MS: Final = 6 * 60_000
"""A box that holds a request open asks again each minute, and that is written down every four."""
WAYS: Final = {
    Way.CLICK: N_("one click"), Way.VOUCHER: N_("voucher"), Way.ACCOUNT: N_("account"),
    Way.OTHER: N_("a user made elsewhere"),
}  # fmt: skip
STEPS: Final = {
    "server": N_("The router has a hotspot"), "running": N_("The hotspot runs"), "ways": N_("The ways in are open"),
    "pages": N_("The router took everything"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OnlineRow:
    """One device that is online."""

    session: str
    guest: str
    name: str
    way: str
    since: str
    used: str


@dataclass(frozen=True, slots=True)
class View:
    """The desk."""

    online: list[OnlineRow]
    today: str
    bindings: list[tuple[HotspotBinding, str]]
    accounts: Sequence[HotspotAccount]
    notices: list[tuple[HotspotNotice, str]]
    plans: list[tuple[str, str]]
    policy: Policy
    steps: list[tuple[bool, str, str]]
    can_get_online: bool | None
    state: str
    problems: list[str]
    drift: list[str]
    held: str
    age: str


def view(db: Session, place: Place, language: Language, now_ms: int) -> View:
    """Gather what the desk of a site shows."""
    zone = clock.zone_of(place[0])
    body, seen_ms = _portal_body(db, place)
    fresh = seen_ms is not None and now_ms - seen_ms < FRESH_MS
    steps = [_step(one, language) for one in body.check] if body and fresh else []
    return View(
        online=_online(db, place, language, now_ms),
        today=_today(db, place, language, now_ms),
        bindings=[(one, _until(one.until_ms, language, zone, now_ms)) for one in desk.bindings(db, place, now_ms)],
        accounts=desk.accounts(db, place, ended=True),
        notices=[(one, _until(one.until_ms, language, zone, now_ms)) for one in desk.notices(db, place, now_ms)],
        plans=list(portals.plans(db, place[0]).items()),
        policy=portals.policy(db, place),
        steps=steps,
        can_get_online=all(one[0] for one in steps) if steps else None,
        state=_state(db.get(HotspotPortal, place), language, now_ms),
        problems=body.problems if body and fresh else [],
        drift=body.drift if body and fresh else [],
        held=_held(body, language) if body and fresh else "",
        age=language.age(seen_ms, now_ms),
    )


def short(guest: str) -> str:
    """Return a pseudonym as people can say it: enough letters to tell those online apart."""
    return guest.removeprefix("g-")[:5]


def _portal_body(db: Session, place: Place) -> tuple[PortalBody | None, int | None]:
    asked = select(Device.body, Device.last_ok_ms).where(
        Device.regency == place[0], Device.site == place[1], Device.kind == "portal"
    )
    found = db.execute(asked.order_by(Device.last_ok_ms.desc()).limit(1)).one_or_none()
    if found is None or found[0] is None:
        return None, found[1] if found else None
    body = decoded(found[0])
    return (body, found[1]) if isinstance(body, PortalBody) else (None, None)


def _online(db: Session, place: Place, language: Language, now_ms: int) -> list[OnlineRow]:
    return [
        OnlineRow(
            session=one.id, guest=one.guest, name=short(one.guest), way=language.say(WAYS[Way(one.way)]),
            since=language.duration((now_ms - one.started_ms) / 1000),
            used=language.size(one.up_bytes + one.down_bytes),
        )
        for one in sessions.online_now(db, place, now_ms - FRESH_MS)
    ]  # fmt: skip


def _today(db: Session, place: Place, language: Language, now_ms: int) -> str:
    day = clock.local_day(now_ms, clock.zone_of(place[0]))
    use = sessions.days_of(db, place, day, day).get(day)
    if use is None or not use.people:
        return language.say("Nobody was online today.")
    outside = use.outside_percent or 0
    return language.say(
        "%(people)s devices were online today, %(time)s together, %(share)s%% of it outside office hours; %(size)s.",
        people=language.number(use.people), time=language.duration(use.seconds), share=language.number(outside),
        size=language.size(use.up_bytes + use.down_bytes),
    )  # fmt: skip


def _held(body: PortalBody, language: Language) -> str:
    """Say how much was held at the login page: somebody may be guessing codes."""
    if not body.held:
        return ""
    return language.say("Since the router started, %(count)s knocks at its login page came too quickly and were held.",
                        count=language.number(body.held))  # fmt: skip


def _until(until_ms: int | None, language: Language, zone: str, now_ms: int) -> str:
    if until_ms is None:
        return language.say("until somebody ends it")
    return language.say("until %(moment)s", moment=language.moment(until_ms, zone, now_ms, with_zone=False))


def _step(one: CheckStep, language: Language) -> tuple[bool, str, str]:
    return one.good, language.say(STEPS[one.name]) if one.name in STEPS else one.name, one.detail


def _state(portal: HotspotPortal | None, language: Language, now_ms: int) -> str:
    """Say how far the box has come with what is wanted."""
    if portal is None or portal.asked_ms is None:
        return language.say("No box has asked for the rules of this wifi yet.")
    if not policy_of(portal.policy).managed:
        return language.say("The router of this wifi is only read: an engineer decides that it is run from here.")
    if portal.done_revision == portal.revision:
        return language.say("The router follows what is set here.")
    if now_ms - max(portal.asked_ms, portal.changed_ms) > SILENT_MS:
        return language.say("The box was not heard of for %(age)s: what was set before goes on, changes wait.",
                            age=language.duration((now_ms - portal.asked_ms) / 1000))  # fmt: skip
    if portal.box_revision == portal.revision and portal.problems != "[]":
        return language.say("The router did not take all of what is set here; what it refused stands below.")
    return language.say("What was changed is on its way to the router.")
