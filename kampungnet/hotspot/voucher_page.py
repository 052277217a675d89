"""Vouchers in the reader's words, and the forms that staff send. Never who used one, never a code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import Unprocessable
from kampungnet.core.languages import N_, Language
from kampungnet.hotspot import batches, portals, voucher_state
from kampungnet.hotspot.models import HotspotPlan, Voucher, VoucherBatch
from kampungnet.hotspot.paper import Sheet, Terms, terms_words
from kampungnet.hotspot.policy import plan_of
from kampungnet.hotspot.portals import Place
from kampungnet.hotspot.voucher_state import State
from kampungnet.hotspot.vouchers import NewBatch

STATES: Final[Mapping[State, str]] = {
    State.FRESH: N_("not used yet"), State.RUNNING: N_("in use"), State.USED_UP: N_("used up"),
    State.EXPIRED: N_("over"), State.REVOKED: N_("revoked"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as the list shows it."""

    id: str
    title: str
    made: str
    fresh: int
    used: int
    ended: int
    note: str


@dataclass(frozen=True, slots=True)
class VoucherRow:
    """A voucher as a list or its own page shows it."""

    serial: int
    state: str
    ended: bool
    used: str
    left: str
    first_used: str


def rows(db: Session, place: Place, language: Language, now_ms: int) -> list[BatchRow]:
    """Return the batches of a site, the newest first."""
    zone, titles = clock.zone_of(place[0]), _titles(db, place[0])
    return [
        BatchRow(
            one.id, titles.get(one.plan, one.plan),
            language.say("%(when)s by %(name)s", when=language.moment(one.made_ms, zone, now_ms), name=one.made_by),
            states[State.FRESH], states[State.RUNNING] + states[State.USED_UP],
            states[State.EXPIRED] + states[State.REVOKED], one.note,
        )
        for one, states in batches.listed(db, place, now_ms)
    ]  # fmt: skip


def row(one: Voucher, of: VoucherBatch, language: Language, now_ms: int) -> VoucherRow:
    """Return what the desk says of one voucher."""
    zone, state = clock.zone_of(of.regency), voucher_state.state(one, of, now_ms)
    first = language.moment(one.first_used_ms, zone, now_ms) if one.first_used_ms is not None else ""
    ended = state in {State.USED_UP, State.EXPIRED, State.REVOKED}
    return VoucherRow(
        one.serial, language.say(STATES[state]), ended, language.duration(one.used_seconds) if first else "",
        "" if ended else _left(one, of, language, now_ms), first,
    )  # fmt: skip


def terms(db: Session, one: VoucherBatch) -> Terms:
    """Return what the vouchers of a batch give."""
    plan = db.get(HotspotPlan, (one.regency, one.plan))
    last_day = clock.local_day(one.expires_ms - 1, clock.zone_of(one.regency)) if one.expires_ms else None
    down_kbps = plan_of(plan.limits).down_kbps if plan else 0
    return Terms(plan.title if plan else one.plan, down_kbps, one.limit_seconds, one.valid_seconds, last_day)


def told(db: Session, one: VoucherBatch, language: Language) -> str:
    """Return in one line what the vouchers of a batch give."""
    given = terms(db, one)
    return " · ".join([given.plan, *terms_words(given, language)])


def sheet(db: Session, place: Place, one: VoucherBatch, village: str) -> Sheet:
    """Return what stands on every voucher of a batch's paper."""
    rules = portals.policy(db, place)
    made = clock.local_day(one.made_ms, clock.zone_of(place[0]))
    return Sheet(village, rules.wifi_name, rules.login, one.id, made, terms(db, one))


def new_batch(fields: Mapping[str, str], zone: str) -> NewBatch:
    """Read the form of a new batch. Raises ``Unprocessable`` with one sentence."""
    last_day = fields.get("until", "").strip()
    return NewBatch(
        plan=fields.get("plan", ""),
        number=whole(fields.get("number", "")),
        limit_seconds=_minutes(fields.get("hours", "")) * 60,
        valid_seconds=whole(fields.get("days", "") or "0") * 86_400,
        expires_ms=clock.day_start_ms(_day(last_day) + timedelta(days=1), zone) if last_day else None,
        note=fields.get("note", ""),
    )


def more_seconds(fields: Mapping[str, str]) -> int:
    """Read how much more time is given. Raises ``Unprocessable`` with one sentence."""
    return _minutes(fields.get("hours", "")) * 60


def whole(typed: str) -> int:
    """Return a whole number. Raises ``Unprocessable`` for anything else."""
    text = typed.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Unprocessable(N_("Please write a whole number."))
    return int(text)


def _minutes(typed: str) -> int:
    """Return hours as minutes; halves may be written with a comma or a dot."""
    hours, _, part = (typed.strip() or "0").replace(",", ".").partition(".")
    if part and not (part.isascii() and part.isdigit() and len(part) <= 2):
        raise Unprocessable(N_("Write hours like 3 or 1,5."))
    return whole(hours) * 60 + round(int(part.ljust(2, "0") or "0") * 60 / 100)


def _day(typed: str) -> date:
    try:
        day = date.fromisoformat(typed)
        clock.day_start_ms(day + timedelta(days=1), "UTC")
    except (ValueError, OverflowError) as error:
        raise Unprocessable(N_("Write the last day like 2026-12-31.")) from error
    return day


def _left(one: Voucher, of: VoucherBatch, language: Language, now_ms: int) -> str:
    """Return what is left of time online and of validity."""
    found, zone = [], clock.zone_of(of.regency)
    if of.limit_seconds:
        left = max(0, of.limit_seconds + one.more_seconds - one.used_seconds)
        found.append(language.say("%(time)s online", time=language.duration(left)))
    ends = [of.expires_ms + one.more_seconds * 1000] if of.expires_ms else []
    if of.valid_seconds and one.first_used_ms is not None:
        ends.append(one.first_used_ms + (of.valid_seconds + one.more_seconds) * 1000)
    if ends:
        found.append(language.say("until %(day)s", day=language.moment(min(ends), zone, now_ms)))
    elif of.valid_seconds:
        found.append(
            language.say("%(time)s from the first use", time=language.duration(of.valid_seconds + one.more_seconds))
        )
    return ", ".join(found) or language.say("without end")


def _titles(db: Session, regency: str) -> dict[str, str]:
    rows = db.execute(select(HotspotPlan.name, HotspotPlan.title).where(HotspotPlan.regency == regency))
    return {one.name: one.title for one in rows}
