"""What boxes did that should make somebody look now: moved, two with one key, shut out and still on the line."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kampungnet.alerts.facts import (
    BOX_MOVED,
    BOX_OLD_KEY,
    BOX_REVOKED,
    BOX_TWICE,
    BOX_UNKNOWN,
    OF_BOXES,
    Alarm,
    Fact,
    Group,
    Names,
    Severity,
)
from kampungnet.core import clock
from kampungnet.devices.knocks import Knock
from kampungnet.devices.models import Agent
from kampungnet.measurement import oddities

NEWS_MS: Final = clock.DAY_MS
"""What is older is told no more; it stands on the page of odd data."""
MANY: Final = 5
"""So many knocks of boxes that nobody knows in a day are told: one may be a wrong address."""
_CAN_WAIT: Final = {BOX_MOVED, BOX_UNKNOWN}
"""Nobody is woken for them: a provider's dialled lines come back from distant networks, too."""
_KNOCKS: Final = {Knock.REVOKED: BOX_REVOKED, Knock.OLD_KEY: BOX_OLD_KEY}


def facts(db: Session, regency: str, sites: Names, names: Names, now_ms: int) -> list[Fact]:
    """Return what is to be told of the boxes of a regency, once a day for each."""
    since_ms = now_ms - NEWS_MS
    odd = select(Agent).where(Agent.regency == regency, Agent.revoked_ms.is_(None))
    found: list[Fact] = []
    for agent in db.scalars(odd.where(or_(Agent.moved_ms > since_ms, Agent.twice_ms > since_ms))):
        place = names.get(sites.get(agent.site, ""), agent.site)
        network = (agent.networks or "").partition(" ")[0]
        for name, at_ms in ((BOX_MOVED, agent.moved_ms), (BOX_TWICE, agent.twice_ms)):
            if at_ms is not None and at_ms > since_ms:
                found.append(_fact(regency, Alarm(f"{name}:{agent.id}", name, "", place, "", network, ""), at_ms))
    return [*found, *_knocks(db, regency, names, since_ms)]


def _knocks(db: Session, regency: str, names: Names, since_ms: int) -> Iterator[Fact]:
    knocked = oddities.knocked(db, regency, since_ms)
    newest = {(one.knock, one.village): one for one in reversed(knocked)}
    for one in newest.values():
        if one.knock in _KNOCKS:
            name, place = _KNOCKS[one.knock], names.get(one.village, one.village)
            yield _fact(regency, Alarm(f"{name}:{one.village}", name, "", place, "", one.network, ""), one.last_ms)
    unknown = [one for one in knocked if one.knock in {Knock.UNKNOWN, Knock.CODE}]
    if sum(one.count for one in unknown) >= MANY:
        networks = ", ".join(sorted({one.network for one in unknown if one.network})[:3])
        alarm = Alarm(BOX_UNKNOWN, BOX_UNKNOWN, "", "", "", networks, "")
        yield _fact(regency, alarm, max(one.last_ms for one in unknown))


def _fact(regency: str, alarm: Alarm, at_ms: int) -> Fact:
    # Its topic holds the day: what goes on is told again the next day, and never twice on one.
    day = clock.local_day(at_ms, clock.zone_of(regency))
    topic = f"{OF_BOXES}{alarm.fingerprint}:{day.isoformat()}"
    severity = Severity.WARNING if alarm.name in _CAN_WAIT else Severity.CRITICAL
    about = Group((alarm,), 0)
    return Fact(topic, severity, at_ms, None, frozenset({alarm.fingerprint}), alarm.name, topic, about)
