"""Orders to boxes: asked for by people, taken by one box at most, ended by what that box saw. Each step is in the log.

Whether an order holds still is judged here alone, by the server's clock (:mod:`kampungnet.shared.orders`).
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import BadInput, NotFound, TooMany, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.core.rows import among, insert_new
from kampungnet.devices.models import Agent, Site
from kampungnet.devices.service import clean, random_code
from kampungnet.hands import bundles
from kampungnet.hands.models import RemoteAbility, RemoteOrder
from kampungnet.shared.orders import Ability, Order, OrderKind, OrderState, OrderTold, Why
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages.models import Village

LIFE_MS: Final = 15 * 60_000
"""A box that was silent for longer must not restart a router out of the blue."""
SILENT_MS: Final = 30 * 60_000
"""A box that took an order and did not say so long how it ended is waited for no more; it may still say it."""
AHEAD_MS: Final = 60_000
"""What was asked for, or taken, later than this from now was so by a clock that was wrong: it holds no more."""
HOUR_MS: Final = 3_600_000
MOST_AN_HOUR: Final = 6
"""Orders for one village."""
MOST_RESTARTS: Final = 40
"""In the whole kabupaten in an hour: who got hold of somebody's session cannot take the network down."""
MOST_LETTERS: Final = 300
CANNOT: Final = N_("The box of this village cannot do that. Go back to the village's page.")
KEPT_MS: Final = 400 * clock.DAY_MS
"""The log of acts keeps what was asked and what came of it for ever."""


class State(StrEnum):
    """How far an order has come."""

    ASKED = "asked"
    TAKEN = "taken"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"
    """Nothing was done."""
    SILENT = "silent"
    """Taken, and never heard of again until now."""
    UNKNOWN = "unknown"
    """What a later version wrote, before the program went back to this one. Shown and never written."""


_STATES: Final[Mapping[str, State]] = {one.value: one for one in State}
OPEN: Final = (State.ASKED.value, State.TAKEN.value)
_ENDINGS: Final[Mapping[str, State]] = {
    OrderState.DONE: State.DONE, OrderState.REFUSED: State.REFUSED, OrderState.FAILED: State.FAILED,
}  # fmt: skip
_MAY: Final[Mapping[OrderKind, tuple[Role, ...]]] = {
    OrderKind.RESTART: (Role.ENGINEER,),
    OrderKind.PORTAL: (Role.ENGINEER, Role.OPERATOR),
    OrderKind.BUNDLE: (Role.ENGINEER,),
}


class Caller(NamedTuple):
    """The box that speaks."""

    regency: str
    site: str
    agent: str


class Wish(NamedTuple):
    """What somebody wants."""

    kind: OrderKind
    device: str
    reason: str


def roles(kind: OrderKind) -> tuple[Role, ...]:
    """Return whose business this is; where, their scope says."""
    return _MAY[kind]


def may(by: SignedIn, kind: OrderKind) -> bool:
    """Tell whether a person may ask for this."""
    return by.role in _MAY[kind]


def ask(db: Session, by: SignedIn, place: tuple[str, str], wish: Wish, now_ms: int) -> RemoteOrder:
    """Note an order, in the log too; one that is open already is returned as it is. Raises a ``Problem``."""
    by.check_role(*_MAY[wish.kind])
    regency, site = place
    # Two who press at once come here one after the other; on SQLite there is only one writer anyway.
    here = db.scalars(select(Site).where(Site.regency == regency, Site.code == site).with_for_update()).one_or_none()
    if here is None or wish[:2] not in abilities(db, place):
        raise NotFound(CANNOT)
    _check_reason(wish)
    settle(db, now_ms)
    same = select(RemoteOrder).where(RemoteOrder.regency == regency, RemoteOrder.site == site)
    known = same.where(RemoteOrder.kind == wish.kind, RemoteOrder.device == wish.device, RemoteOrder.state.in_(OPEN))
    if (waiting := db.scalars(known).first()) is not None:
        return waiting
    _check_pace(db, place, wish.kind, now_ms)
    order = RemoteOrder(
        regency=regency, id=random_code(16), site=site, kind=wish.kind.value, device=wish.device, reason=wish.reason,
        asked_ms=now_ms, asked_by=by.username, asked_name=by.name, expires_ms=now_ms + LIFE_MS,
        state=State.ASKED.value, mark="", why="", missing_right="", detail="",
    )  # fmt: skip
    db.add(order)
    told = {"order": order.id, "device": order.device}
    audit.record(db, by, Act(f"hands.{order.kind}", here.village, order.reason, None, told), now_ms)
    return order


def abilities(db: Session, place: tuple[str, str]) -> list[tuple[OrderKind, str]]:
    """Return what the box of a site can do, while it may report; what a later version can do beside is left out."""
    reports = select(Agent.id).where(Agent.regency == place[0], Agent.site == place[1], Agent.revoked_ms.is_(None))
    if db.scalars(reports.limit(1)).first() is None:
        return []
    asked = select(RemoteAbility.kind, RemoteAbility.device)
    rows = db.execute(asked.where(RemoteAbility.regency == place[0], RemoteAbility.site == place[1]))
    known = {one.value for one in OrderKind}
    return sorted((OrderKind(kind), device) for kind, device in rows if kind in known)


def recent(db: Session, regency: str, sites: Collection[str], since_ms: int = 0, most: int = 10) -> list[RemoteOrder]:
    """Return the newest orders of a village's sites."""
    asked = select(RemoteOrder).where(RemoteOrder.regency == regency, RemoteOrder.site.in_(sites))
    asked = asked.where(RemoteOrder.asked_ms >= since_ms)
    return list(db.scalars(asked.order_by(RemoteOrder.asked_ms.desc(), RemoteOrder.id).limit(most)))


def restarts(db: Session, place: tuple[str, str], since_ms: int) -> list[RemoteOrder]:
    """Return the restarts that a box of a site began, or may have begun."""
    untouched = (Why.UNREACHABLE.value, Why.UNABLE.value)
    asked = select(RemoteOrder).where(RemoteOrder.regency == place[0], RemoteOrder.site == place[1])
    asked = asked.where(RemoteOrder.kind == OrderKind.RESTART, RemoteOrder.taken_ms >= since_ms)
    never = (State.REFUSED.value, State.EXPIRED.value)
    asked = asked.where(RemoteOrder.state.not_in(never), RemoteOrder.why.not_in(untouched))
    return list(db.scalars(asked.order_by(RemoteOrder.taken_ms)))


def state_at(order: RemoteOrder, now_ms: int) -> State:
    """Return how far an order has come; time ends it also where nobody has written that down yet."""
    if order.state == State.ASKED and not _holds(order, now_ms):
        return State.EXPIRED
    if order.state == State.TAKEN and not -AHEAD_MS <= now_ms - (order.taken_ms or 0) < SILENT_MS:
        return State.SILENT
    return _STATES.get(order.state, State.UNKNOWN)


def waiting_sites(db: Session) -> set[tuple[str, str]]:
    """Return the sites for whose box something is open."""
    is_open = [(state,) for state in OPEN]
    return {(regency, site) for regency, site in among(db, RemoteOrder, ("regency", "site"), ("state",), is_open)}


def note_abilities(db: Session, who: Caller, can: Iterable[Ability]) -> None:
    """Keep what a box says it can do; what this server does not know yet, too, for the version that will."""
    here = (RemoteAbility.regency == who.regency, RemoteAbility.site == who.site)
    now = {(clean(one.kind), clean(one.device)) for one in can}
    before = {
        (kind, device) for kind, device in db.execute(select(RemoteAbility.kind, RemoteAbility.device).where(*here))
    }
    if now == before:
        return
    db.execute(delete(RemoteAbility).where(*here))
    rows = [{"regency": who.regency, "site": who.site, "kind": kind, "device": device} for kind, device in sorted(now)]
    if rows:
        insert_new(db, RemoteAbility, rows)


def heard(db: Session, who: Caller, told: Iterable[OrderTold], now_ms: int) -> list[str]:
    """Take in what a box says of orders; return those whose ending it need not tell again.

    What it says of another village's is heard as if there were no such order.
    """
    told = list(told)
    asked = select(RemoteOrder).where(RemoteOrder.regency == who.regency, RemoteOrder.site == who.site)
    asked = asked.where(RemoteOrder.id.in_({one.id for one in told})).order_by(RemoteOrder.id)
    orders = {one.id: one for one in db.scalars(asked.with_for_update())} if told else {}
    noted = [one.id for one in told if one.state != OrderState.TAKEN]
    for one in told:
        order = orders.get(one.id)
        if order is None:
            continue
        if one.state == OrderState.TAKEN:
            _take(db, order, who, one, now_ms)
        elif (order.agent, order.mark) == (who.agent, one.mark) and order.state in {State.TAKEN, State.SILENT}:
            _end(db, order, one, now_ms)
    return noted


def open_orders(db: Session, who: Caller, now_ms: int) -> list[Order]:
    """Return what is open for a box at this moment."""
    asked = select(RemoteOrder).where(RemoteOrder.regency == who.regency, RemoteOrder.site == who.site)
    asked = asked.where(RemoteOrder.state.in_(OPEN)).order_by(RemoteOrder.asked_ms)
    return [
        Order(one.id, one.kind, one.device, one.mark, min(one.expires_ms - now_ms, LIFE_MS))
        for one in db.scalars(asked)
        if one.agent in {None, who.agent} and _holds(one, now_ms)
    ]


def settle(db: Session, now_ms: int) -> None:
    """Write down, in the log too, which orders time has ended."""
    asked = select(RemoteOrder).where(RemoteOrder.state.in_(OPEN)).order_by(RemoteOrder.id)
    for order in db.scalars(asked.with_for_update()).all():
        if (state := state_at(order, now_ms)) != order.state:
            order.state, order.ended_ms = state.value, now_ms
            _log(db, order, now_ms)


def forget(db: Session, now_ms: int) -> None:
    """Delete bundles whose days are over, and what was asked for long ago."""
    bundles.forget(db, now_ms)
    old = RemoteOrder.asked_ms < now_ms - KEPT_MS
    db.execute(delete(RemoteOrder).where(old, RemoteOrder.state.not_in(OPEN)))


def _holds(order: RemoteOrder, now_ms: int) -> bool:
    """Tell whether an order may be taken, and begun. A clock that was set back must not make it hold for hours."""
    return order.asked_ms - AHEAD_MS <= now_ms < order.expires_ms


def _check_reason(wish: Wish) -> None:
    is_due = wish.kind is OrderKind.RESTART
    if (is_due and not wish.reason) or len(wish.reason) > MOST_LETTERS or not wish.reason.isprintable():
        raise Unprocessable(N_("Say in a few words why, so that others can follow it later."))


def _check_pace(db: Session, place: tuple[str, str], kind: OrderKind, now_ms: int) -> None:
    lately = select(func.count()).select_from(RemoteOrder)
    lately = lately.where(
        RemoteOrder.regency == place[0], RemoteOrder.asked_ms.between(now_ms - HOUR_MS + 1, now_ms + AHEAD_MS)
    )
    here = db.execute(lately.where(RemoteOrder.site == place[1])).scalar_one()
    if here >= MOST_AN_HOUR:
        raise TooMany(
            N_("A lot was asked of this village within the hour. Look first what came of it, and wait a little.")
        )
    restarts = db.execute(lately.where(RemoteOrder.kind == OrderKind.RESTART)).scalar_one()
    if kind is OrderKind.RESTART and restarts >= MOST_RESTARTS:
        raise TooMany(N_("Very many devices were restarted within the hour. Wait, and ask who does that."))


def _take(db: Session, order: RemoteOrder, who: Caller, told: OrderTold, now_ms: int) -> None:
    """Let the first box that takes an order have it, while it holds."""
    if order.state != State.ASKED or not _holds(order, now_ms):
        return
    order.state, order.agent, order.mark, order.taken_ms = State.TAKEN.value, who.agent, told.mark, now_ms
    db.flush()


def _end(db: Session, order: RemoteOrder, told: OrderTold, now_ms: int) -> None:
    state, why, detail = _ENDINGS.get(told.state, State.FAILED), told.why, told.detail
    if told.state == OrderState.DROPPED:
        state = State.EXPIRED if why == Why.LATE else State.FAILED
    elif told.state not in _ENDINGS:  # a later version's word: all that is known is that it did not end as it should
        why = why or told.state
    if order.kind == OrderKind.BUNDLE and state is State.DONE:
        try:
            bundles.keep(db, order, told.bundle, now_ms)
        except BadInput as problem:  # asking the box again would bring the same
            state, detail = State.FAILED, problem.sentence
    order.state, order.ended_ms, order.why = state.value, now_ms, clean(why)
    order.missing_right, order.detail = clean(told.right), clean(detail)[:500]
    order.away_seconds, order.changed = _sane(told.away_seconds), _sane(told.changed)
    _log(db, order, now_ms)


def _sane(number: int | None) -> int | None:
    return None if number is None else min(number, 10_000_000)


def _log(db: Session, order: RemoteOrder, now_ms: int) -> None:
    """Write an ending into the log of acts: it was no person's doing, but the box's or time's."""
    village = db.execute(
        select(Village.code, Village.name)
        .join(Site, (Site.regency == Village.regency) & (Site.village == Village.code))
        .where(Site.regency == order.regency, Site.code == order.site)
    ).one()
    told: dict[str, Any] = {
        "order": order.id, "what": order.kind, "device": order.device, "state": order.state, "why": order.why,
        "right": order.missing_right, "detail": order.detail, "away_seconds": order.away_seconds,
        "changed": order.changed,
    }  # fmt: skip
    told = {name: value for name, value in told.items() if value not in {"", None}}
    audit.record_of_box(db, order.regency, village.name, Act("hands.ended", village.code, "", None, told), now_ms)
