"""Causes that people put in the place of judged ones. The judged outage stays as it is; a ruling stands beside it.

Judging goes on after a ruling: readings that come late move an outage's edges, part it or join it to another. So a
ruling names no outage; it names the stretch that it was about, and counts for what is that stretch now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import NotFound, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.measurement.closed_months import days_of, look_again
from kampungnet.measurement.outage_models import Ruling
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage, Ruled, Span
from kampungnet.measurement.planned_work import written
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, SignedIn


def rule(db: Session, by: SignedIn, site: str, outage: Outage, said: tuple[str, str], now_ms: int) -> Ruling:
    """Put a cause, with a reason, in the place of the judged one. Raises a ``Problem`` with one sentence.

    An older ruling about the same outage stays in the table; the newest one counts.
    """
    by.check_role(Role.ENGINEER)
    cause, reason = said[0], written(said[1])
    if cause not in set(Cause):
        raise Unprocessable(N_("Please choose a cause."))
    ruling = Ruling(
        regency=by.scope.regency, site=site, made_ms=now_ms, start_ms=outage.start_ms,
        end_ms=outage.end_ms or max(now_ms, outage.start_ms + 1), lasted=outage.end_ms is None, cause=cause,
        reason=reason, made_by=by.name, withdrawn_ms=None,
    )  # fmt: skip
    db.add(ruling)
    db.flush()
    _look_again(db, (by.scope.regency, site), outage, now_ms)
    told = {"start_ms": outage.start_ms, "end_ms": outage.end_ms}
    before, after = told | {"cause": outage.cause.value}, told | {"cause": cause}
    audit.record(db, by, Act("outage.rule", site, reason, before, after), now_ms)
    return ruling


def withdraw(db: Session, by: SignedIn, site: str, outage: Outage, reason: str, now_ms: int) -> None:
    """Let the machines' cause stand again: every ruling about this outage counts no more. Raises a ``Problem``."""
    by.check_role(Role.ENGINEER)
    end_ms = outage.end_ms or now_ms
    place = (by.scope.regency, site)
    found = [one for one in rulings(db, place, Span(outage.start_ms, end_ms)) if is_about(one, outage)]
    if not found:
        raise NotFound(N_("Nobody set the cause of this outage. Look at the village's page again."))
    why = written(reason)
    for one in found:
        one.withdrawn_ms = now_ms
    _look_again(db, place, outage, now_ms)
    told = {"start_ms": outage.start_ms, "end_ms": outage.end_ms, "cause": found[0].cause}
    audit.record(db, by, Act("outage.withdraw_ruling", site, why, told), now_ms)


def rulings(db: Session, place: tuple[str, str], period: Span) -> list[Ruling]:
    """Return the rulings of a site that reach into a period and were not taken back, the newest first."""
    of_site = (Ruling.regency == place[0], Ruling.site == place[1], Ruling.withdrawn_ms.is_(None))
    within = (Ruling.start_ms < period.end_ms, Ruling.end_ms > period.start_ms)
    return list(db.scalars(select(Ruling).where(*of_site, *within).order_by(Ruling.made_ms.desc())))


def rulings_by_site(db: Session, regency: str, period: Span) -> dict[str, list[Ruling]]:
    """Return the same of all sites of a regency."""
    found: dict[str, list[Ruling]] = {}
    within = (Ruling.start_ms < period.end_ms, Ruling.end_ms > period.start_ms, Ruling.withdrawn_ms.is_(None))
    for one in db.scalars(select(Ruling).where(Ruling.regency == regency, *within).order_by(Ruling.made_ms.desc())):
        found.setdefault(one.site, []).append(one)
    return found


def reach(outages: Sequence[Outage], period: Span) -> Span:
    """Return a period with the whole of the outages that reach into it.

    A ruling of January, about an outage that lasted, holds in February too, though its own stretch ended before.
    """
    starts, ends = (one.start_ms for one in outages), (one.end_ms or period.end_ms for one in outages)
    return Span(min([period.start_ms, *starts]), max([period.end_ms, *ends]))


def ruled(outages: Iterable[Outage], known: Sequence[Ruling]) -> list[Outage]:
    """Return outages as people see them: with the cause of the newest ruling that is about them.

    A person's word proves an outage of which the machines only know that the box was silent.
    """
    return [_ruled(one, known) for one in outages] if known else list(outages)


def is_about(ruling: Ruling, outage: Outage) -> bool:
    """Tell whether a ruling holds for an outage as it is known now: at least half of each lies in the other.

    Of one that lasted, the ruling knew only the beginning: then half of the ruling is enough.
    """
    end_ms = max(ruling.end_ms, outage.start_ms + 1) if outage.end_ms is None else outage.end_ms
    both_ms = min(ruling.end_ms, end_ms) - max(ruling.start_ms, outage.start_ms)
    enough = 2 * both_ms >= ruling.end_ms - ruling.start_ms
    return both_ms > 0 and enough and (ruling.lasted or 2 * both_ms >= end_ms - outage.start_ms)


def without_an_outage(known: Iterable[Ruling], outages: Sequence[Outage]) -> list[Ruling]:
    """Return the rulings that are about nothing any more: somebody should look at them."""
    return [one for one in known if not any(is_about(one, outage) for outage in outages)]


def _look_again(db: Session, place: tuple[str, str], outage: Outage, now_ms: int) -> None:
    span = Span(outage.start_ms, outage.end_ms or now_ms)
    look_again(db, place, days_of(span, clock.zone_of(place[0])), now_ms)


def _ruled(outage: Outage, known: Iterable[Ruling]) -> Outage:
    ruling = next((one for one in known if is_about(one, outage)), None)
    if ruling is None:
        return outage
    word = Ruled(outage.cause, outage.confidence, ruling.made_by, ruling.reason, ruling.made_ms)
    evidence = (*outage.evidence, Evidence(outage.start_ms, Finding.STAFF))
    return replace(outage, cause=Cause(ruling.cause), confidence=1.0, evidence=evidence, ruled=word)
