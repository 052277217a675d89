"""Pure: what is the matter and what a reader was told in, what to tell them now out.

What was said is kept (:class:`Said`), and nothing is said twice: asking again with what was just decided decides
nothing. One thing at one place is one message however many villages are in it; it is told again only when it grew by
half, when its cause became known, and when it is over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kampungnet.alerts.facts import OPEN, Act, Draft, Fact, Group, Reader, Said, Severity, Work, minute_of_day
from kampungnet.core import clock

MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Damping:
    """Settings; all are the house's own choice."""

    wait_ms: int = 10 * MINUTE_MS
    """An outage is told when it is so old: the sites of a regency are judged within five minutes, so that by then
    those that went dark together are one incident."""
    calm_ms: int = 5 * MINUTE_MS
    """It is over when service lasts so long."""
    settle_ms: int = 30 * MINUTE_MS
    """Its end is told after so long though readings are still missing."""
    again_ms: int = 30 * MINUTE_MS
    """Between two messages about one thing that lasts."""
    most_updates: int = 6
    """A day, about one thing."""
    together_ms: int = 3_600_000
    """What is regrouped began at most so far apart."""
    flap_ms: int = 6 * 3_600_000
    """Time in which what comes back at one spot is counted."""
    most_flaps: int = 3
    """So many beginnings at one spot are told; the next only when they last."""
    lasting_ms: int = 3_600_000
    """What lasts so long is no flapping."""
    most_at_once: int = 5
    """More in ``burst_ms`` go together in one summary."""
    burst_ms: int = 30 * MINUTE_MS
    summary_ms: int = 15 * MINUTE_MS
    """Between two summaries."""
    digest_late_ms: int = 3 * 3_600_000
    """A digest that could not be made until so long after its time is left out."""


HOUSE: Final = Damping()


@dataclass(frozen=True, slots=True)
class _Case:
    """One reader at one instant."""

    reader: Reader
    said: Mapping[str, Said]
    """The newest of each topic."""
    history: Sequence[Said]
    now_ms: int
    damping: Damping


def drafts(
    facts: Iterable[Fact], history: Sequence[Said], reader: Reader, now_ms: int, damping: Damping = HOUSE
) -> list[Draft]:
    """Return what to tell a reader, in order. ``facts`` are as the reader may see them, ``history`` what was said."""
    newest: dict[str, Said] = {}
    for one in sorted(history, key=lambda one: one.number):
        newest[one.topic] = one
    case = _Case(reader, newest, history, now_ms, damping)
    known = sorted(facts, key=lambda one: (one.start_ms, one.topic))
    found = [draft for fact in known if (draft := _of(fact, case))]
    found += _gone({one.topic: one for one in known}, case)
    for act in (Act.BEGIN, Act.END):
        found = _summed_up(found, act, case)
    return found


def digest_day(history: Iterable[Said], reader: Reader, now_ms: int, damping: Damping = HOUSE) -> str | None:
    """Return the topic of the digest that is due, ``digest:2026-11-30``, or ``None``."""
    if reader.digest_minute is None:
        return None
    day = clock.local_day(now_ms, reader.zone)
    due_ms = clock.day_start_ms(day, reader.zone) + reader.digest_minute * MINUTE_MS
    topic = f"digest:{day.isoformat()}"
    is_late = now_ms - due_ms > damping.digest_late_ms or due_ms < reader.since_ms
    if minute_of_day(now_ms, reader.zone) < reader.digest_minute or is_late:
        return None
    return None if any(one.topic == topic for one in history) else topic


def _of(fact: Fact, case: _Case) -> Draft | None:
    last = case.said.get(fact.topic)
    if isinstance(fact.about, Work):
        return _work(fact, fact.about, last, case)
    if last is None or last.act not in OPEN:
        return _beginning(fact, last, case)
    if fact.end_ms is not None:
        return _ending(fact, last, case)
    return _growing(fact, last, case)


def _work(fact: Fact, work: Work, last: Said | None, case: _Case) -> Draft | None:
    is_over = fact.end_ms is not None and fact.end_ms <= case.now_ms
    if is_over or case.reader.is_held(fact.severity, case.now_ms):
        return None
    if last is None:
        is_news = not work.withdrawn and work.entered_ms >= case.reader.since_ms
        return _draft(fact, Act.PLAN, last) if is_news else None
    return _draft(fact, Act.PLAN_OFF, last) if work.withdrawn and last.act is Act.PLAN else None


def _beginning(fact: Fact, last: Said | None, case: _Case) -> Draft | None:
    damping, now_ms = case.damping, case.now_ms
    # What had ended for its reader begins anew: it is as old as that.
    began_ms = max(fact.start_ms, last.made_ms) if last else fact.start_ms
    wait_ms = 0 if isinstance(fact.about, Group) else damping.wait_ms
    is_news = fact.end_ms is None and not fact.is_planned and fact.start_ms >= case.reader.since_ms
    if not is_news or now_ms - began_ms < wait_ms or case.reader.is_held(fact.severity, now_ms):
        return None
    if last is None and _is_told_already(fact, case):
        return replace(_draft(fact, Act.BEGIN, last), is_loud=False)
    times = 1 + sum(
        one.act is Act.BEGIN and one.is_loud and one.spot == fact.spot and now_ms - one.made_ms < damping.flap_ms
        for one in case.history
    )
    if times > damping.most_flaps and now_ms - began_ms < damping.lasting_ms:
        return None
    return replace(_draft(fact, Act.BEGIN, last), times=times, is_last=times == damping.most_flaps)


def _is_told_already(fact: Fact, case: _Case) -> bool:
    """Tell whether all of it was in one that was told: that one was cut in two."""
    near = (one for one in case.said.values() if abs(one.start_ms - fact.start_ms) <= case.damping.together_ms)
    return any(one.act in OPEN and fact.members <= one.members for one in near)


def _ending(fact: Fact, last: Said, case: _Case) -> Draft | None:
    ended_ms, damping = fact.end_ms or 0, case.damping
    wait_ms = 0 if isinstance(fact.about, Group) else damping.calm_ms if fact.is_settled else damping.settle_ms
    # How urgent its beginning was says how urgent its end is.
    if case.now_ms - ended_ms < wait_ms or case.reader.is_held(fact.severity, case.now_ms):
        return None
    return _draft(fact, Act.END, last)


def _growing(fact: Fact, last: Said, case: _Case) -> Draft | None:
    damping = case.damping
    new = len(fact.members - last.members)
    has_grown = new >= 2 and 2 * new >= len(last.members)
    updates = sum(
        one.topic == fact.topic and one.act is Act.MORE and case.now_ms - one.made_ms < clock.DAY_MS
        for one in case.history
    )
    if not (has_grown or fact.sign != last.sign) or updates >= damping.most_updates:
        return None
    if case.now_ms - last.made_ms < damping.again_ms or case.reader.is_held(fact.severity, case.now_ms):
        return None
    drafted = _draft(fact, Act.MORE, last)
    return replace(drafted, members=drafted.members | last.members)


def _gone(facts: Mapping[str, Fact], case: _Case) -> list[Draft]:
    """Take back what was told and is no more: new readings changed it, or it became part of another one."""
    found = []
    for last in case.said.values():
        if last.topic in facts or last.act not in OPEN or not last.topic.startswith("incident:"):
            continue
        if case.reader.is_held(Severity.WARNING, case.now_ms):
            continue
        near = [one for one in facts.values() if abs(one.start_ms - last.start_ms) <= case.damping.together_ms]
        is_joined = last.members & frozenset().union(*(one.members for one in near))
        act = Act.JOINED if is_joined else Act.CANCEL
        found.append(
            Draft(last.topic, last.number + 1, act, Severity.WARNING, last.start_ms, last.members, last.sign, last.spot,
                  is_loud=act is Act.CANCEL, before=last)
        )  # fmt: skip
    return found


def _summed_up(found: list[Draft], act: Act, case: _Case) -> list[Draft]:
    """Put many beginnings, or many ends, into one message; while one was just sent, let them wait for the next."""
    own = [one for one in found if one.act is act and one.is_loud]
    damping, now_ms = case.damping, case.now_ms
    lately = sum(
        one.act is act and one.is_loud and now_ms - one.made_ms < damping.burst_ms for one in case.history
    )  # fmt: skip
    if not own or len(own) + lately <= damping.most_at_once:
        return found
    rest = [one for one in found if one not in own]
    sums = [one.made_ms for one in case.history if one.act is Act.SUMMARY and one.sign == act]
    if sums and now_ms - max(sums) < damping.summary_ms:
        return rest
    facts = tuple(one.fact for one in own if one.fact)
    # Its topic follows from what is in it: the same again is the same message.
    topic = f"summary:{act.value}:{own[0].topic}:{own[0].number}"
    summary = Draft(topic, 0, Act.SUMMARY, max(one.severity for one in own), own[0].start_ms, sign=act, facts=facts)
    return [*rest, *(replace(one, is_loud=False) for one in own), summary]


def _draft(fact: Fact, act: Act, last: Said | None) -> Draft:
    return Draft(
        fact.topic, last.number + 1 if last else 0, act, fact.severity, fact.start_ms, fact.members, fact.sign,
        fact.spot, fact=fact, before=last,
    )  # fmt: skip
