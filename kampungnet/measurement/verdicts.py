"""Pure: was there service at a moment, and if not, why. The rules of facts on ONTs 13.3, row by row.

Confidences are our own estimates: 0.9 and more where two devices say the same, 0.5 and less where something
is only the likeliest of several.
"""

from collections.abc import Iterator, Sized
from typing import Final, NamedTuple

from kampungnet.measurement.evidence import SPLIT_MS
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Verdict
from kampungnet.measurement.sights import ONU_DOWN, Seen
from kampungnet.measurement.tracks import Crossing, Fate, Moment, Tracks

_LINE_DOWN: Final = Seen.DARK | Seen.NO_LINK | Seen.BARRED

_ROUTER_FINDINGS: Final = (
    (Seen.ANSWERS, Finding.ROUTER_LIVES),
    (Seen.SILENT, Finding.ROUTER_SILENT),
    (Seen.PORT_OFF, Finding.PORT_OFF),
    (Seen.NO_LINK, Finding.CABLE_OUT),
    (Seen.GATEWAY, Finding.GATEWAY_LIVES),
    (Seen.NO_GATEWAY, Finding.GATEWAY_DEAD),
    (Seen.NO_INTERNET, Finding.INTERNET_DEAD),
    (Seen.DARK, Finding.NO_LIGHT),
    (Seen.DIM, Finding.LIGHT_LOW),
    (Seen.LIGHT, Finding.LIGHT_GOOD),
)
_ONT_FINDINGS: Final = (
    (Seen.ANSWERS, Finding.ONT_LIVES),
    (Seen.SILENT, Finding.ONT_SILENT),
    (Seen.NO_LINK, Finding.FIBRE_LINK_DOWN),
    (Seen.BARRED, Finding.NOT_REGISTERED),
    (Seen.DARK, Finding.NO_LIGHT),
    (Seen.DIM, Finding.LIGHT_LOW),
    (Seen.LIGHT, Finding.LIGHT_GOOD),
)
_ONU_FINDINGS: Final = (
    (Seen.ONLINE, Finding.OLT_ONLINE),
    (Seen.GASP, Finding.OLT_GASP),
    (Seen.LOS, Finding.OLT_LOS),
    (Seen.OFFLINE, Finding.OLT_OFFLINE),
    (Seen.BARRED, Finding.OLT_BARRED),
)
_OF_ONU: Final = (
    (Seen.GASP, Verdict(Cause.LISTRIK, 0.9)),
    (Seen.LOS, Verdict(Cause.FIBER, 0.7)),  # or power gone without a gasp: worn capacitors, cheap ONUs
    (Seen.BARRED, Verdict(Cause.PENYEDIA, 0.7)),
)
_OPEN_QUESTION: Final = Verdict(Cause.UNKNOWN, 0.3)
_STARTED: Final = {"router": Finding.ROUTER_RESTARTED, "ont": Finding.ONT_RESTARTED, "box": Finding.BOX_RESTARTED}
_COUNTED_ON: Final = {"router": Finding.ROUTER_COUNTED_ON, "ont": Finding.ONT_COUNTED_ON, "box": Finding.BOX_LIVED}


class Fates(NamedTuple):
    """What became of each device over a stretch in which it was not heard."""

    router: Crossing
    ont: Crossing
    box: Crossing

    def evidence(self, at_ms: int) -> Iterator[Evidence]:
        """Yield who started anew (at its own start) and who counted on (seen at ``at_ms``)."""
        for name, one in self._asdict().items():
            if one.fate is Fate.RESTARTED:
                yield Evidence(one.boot_ms, _STARTED[name])
            elif one.fate is Fate.LIVED:
                yield Evidence(at_ms, _COUNTED_ON[name])


def works(moment: Moment) -> bool | None:
    """Tell whether a village whose box lives has service; ``None`` when nothing says so."""
    router, ont = moment.router, moment.ont
    if router & Seen.ANSWERS:
        return _line_works(router, ont)
    if router & Seen.SILENT:
        return False
    if ont & Seen.ANSWERS:
        return not ont & _LINE_DOWN
    if ont & Seen.SILENT and not router:
        return False
    return works_by_olt(moment) if moment.onu & ONU_DOWN else None


def works_by_olt(moment: Moment) -> bool | None:
    """Tell what the OLT alone says: nothing of ours stands in the village, or what does is silent."""
    if moment.onu & ONU_DOWN:
        return False
    return True if moment.onu & Seen.ONLINE else None


def _line_works(router: int, ont: int) -> bool:
    if router & Seen.INTERNET:
        return True
    return not (router & (Seen.NO_INTERNET | Seen.NO_GATEWAY | Seen.NO_LINK | Seen.PORT_OFF | Seen.DARK)
                or ont & _LINE_DOWN)  # fmt: skip


def findings(moment: Moment, at_ms: int) -> Iterator[Evidence]:
    """Yield what the sights of a moment say, one by one."""
    for sight, table in zip(moment, (_ROUTER_FINDINGS, _ONT_FINDINGS, _ONU_FINDINGS), strict=True):
        for bit, finding in table:
            if sight & bit:
                yield Evidence(at_ms, finding)


def fates(tracks: Tracks, moment: Moment, at_ms: int) -> Fates:
    """Return what became of the devices that do not answer at a moment in which the box lives."""
    absent = Crossing(Fate.ABSENT)
    router = tracks.router.silence(at_ms, SPLIT_MS) if moment.router & Seen.SILENT else absent
    ont = tracks.ont.silence(at_ms, SPLIT_MS) if moment.ont & Seen.SILENT else absent
    return Fates(router, ont, absent)


def why(moment: Moment, met: Fates) -> Verdict:
    """Return why a village whose box lives has no service."""
    if moment.router & Seen.SILENT:
        return _router_gone(moment, met)
    if moment.router & Seen.PORT_OFF:
        return Verdict(Cause.ORANG, 0.9)
    if moment.ont & Seen.SILENT and (gone := _ont_gone(moment, met.ont.fate)):
        return gone
    return _by_light(moment.router | moment.ont) or _by_line(moment)


def why_by_olt(moment: Moment) -> Verdict:
    """Return why an ONU is down, by what its OLT says alone."""
    return next((verdict for bit, verdict in _OF_ONU if moment.onu & bit), _OPEN_QUESTION)


def power(met: Fates, starts_ms: Sized, *, gasped: bool) -> Verdict | None:
    """Return whether power was cut while the box was silent: two devices that started together say so, or one and a
    gasp. ``starts_ms`` are of :func:`starts_together`.

    A UPS may carry the router or the ONT over it; a box that started alone was restarted alone.
    """  # fmt: skip
    known = [one.fate for one in met if one.fate in {Fate.RESTARTED, Fate.LIVED}]
    anew = len(starts_ms)
    if anew + gasped < 2:
        return None
    if anew < len(known):
        return Verdict(Cause.LISTRIK, 0.75)
    return Verdict(Cause.LISTRIK, 0.97 if gasped or anew == 3 else 0.9)


def starts_together(met: Fates, together_ms: int) -> list[int]:
    """Return the most starts that happened together: when power returns, it returns to all at once.

    A router that was restarted while the box was off started hours before the box did.
    """
    starts = sorted(one.boot_ms for one in met if one.fate is Fate.RESTARTED)
    groups = ([one for one in starts if first <= one <= first + together_ms] for first in starts)
    return max(groups, key=len, default=[])


def _router_gone(moment: Moment, met: Fates) -> Verdict:
    ont_too = bool(moment.ont & Seen.SILENT)
    both = {met.router.fate, met.ont.fate} if ont_too else set()
    if moment.onu & Seen.GASP:
        return Verdict(Cause.LISTRIK, 0.9)
    if both == {Fate.RESTARTED}:
        return Verdict(Cause.LISTRIK, 0.85)  # the box stands on a battery
    if met.router.fate is Fate.RESTARTED:
        return Verdict(Cause.PERANGKAT, 0.7 if ont_too else 0.8)
    if met.router.fate is Fate.LIVED and not moment.ont & Seen.ANSWERS:
        return Verdict(Cause.ORANG, 0.5)  # the cable between box and router: both lived
    return Verdict(Cause.PERANGKAT, 0.4)


def _ont_gone(moment: Moment, fate: Fate) -> Verdict | None:
    """The router lives, the ONT is silent; one that never answered, or counts on behind a good link, says nothing."""
    no_cable = bool(moment.router & Seen.NO_LINK)
    if fate is Fate.RESTARTED:
        return Verdict(Cause.PERANGKAT, 0.9)
    if fate is Fate.LIVED or (no_cable and moment.onu & Seen.ONLINE):
        return Verdict(Cause.ORANG, 0.8) if no_cable else None
    if fate is Fate.ABSENT:
        return None
    return Verdict(Cause.PERANGKAT, 0.6 if no_cable else 0.5)


def _by_light(seen: int) -> Verdict | None:
    if seen & Seen.DARK:
        return Verdict(Cause.FIBER, 0.95)
    if seen & Seen.BARRED:
        return Verdict(Cause.PENYEDIA, 0.85)
    if seen & Seen.DIM:
        return Verdict(Cause.FIBER, 0.8)
    return Verdict(Cause.PENYEDIA, 0.9) if seen & Seen.LIGHT else None


def _by_line(moment: Moment) -> Verdict:
    """No level is known: link, gateway and the OLT have to do."""
    if moment.onu & Seen.GASP:
        return Verdict(Cause.PERANGKAT, 0.8)  # the router has power, the ONT lost it: its adapter
    if moment.ont & Seen.NO_LINK or moment.onu & (Seen.LOS | Seen.OFFLINE):
        return Verdict(Cause.FIBER, 0.8)
    if moment.router & Seen.GATEWAY or moment.ont & Seen.LINK or moment.onu & (Seen.BARRED | Seen.ONLINE):
        return Verdict(Cause.PENYEDIA, 0.8)
    return Verdict(Cause.PERANGKAT, 0.4) if moment.router & Seen.NO_LINK else _OPEN_QUESTION
