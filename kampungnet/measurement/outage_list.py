"""Pure: outages in, sentences about them out: what happened, from when to when, and what speaks for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from kampungnet.core.languages import N_, Language
from kampungnet.measurement.outage_words import Cause, Finding, Outage

DOUBTFUL: Final = 0.6
"""A cause that is less sure than this is called probable."""
CAUSES: Final = {
    Cause.LISTRIK: N_("Power cut"),
    Cause.FIBER: N_("Fibre cut"),
    Cause.PERANGKAT: N_("Router or ONT failed"),
    Cause.PENYEDIA: N_("Provider failed"),
    Cause.TERENCANA: N_("Planned work"),
    Cause.ORANG: N_("Switched off or unplugged"),
    Cause.UNKNOWN: N_("No service, cause not known"),
}
SILENT: Final = N_("No report, perhaps no service")
FINDINGS: Final = {
    Finding.LAST_SIGN: N_("last heard of at %(time)s"),
    Finding.SILENCE: N_("the box was silent"),
    Finding.BOX_RESTARTED: N_("the box started again at %(time)s"),
    Finding.BOX_LIVED: N_("the box kept running"),
    Finding.ROUTER_LIVES: N_("the router answered"),
    Finding.ROUTER_SILENT: N_("the router did not answer"),
    Finding.ROUTER_RESTARTED: N_("the router started again at %(time)s"),
    Finding.ROUTER_COUNTED_ON: N_("the router had power all the time"),
    Finding.ONT_LIVES: N_("the ONT answered"),
    Finding.ONT_SILENT: N_("the ONT did not answer"),
    Finding.ONT_RESTARTED: N_("the ONT started again at %(time)s"),
    Finding.ONT_COUNTED_ON: N_("the ONT had power all the time"),
    Finding.NO_LIGHT: N_("no light came through the fibre"),
    Finding.LIGHT_LOW: N_("far less light than usual came through the fibre"),
    Finding.LIGHT_GOOD: N_("the light in the fibre was good"),
    Finding.FIBRE_LINK_DOWN: N_("the ONT had no link to the provider"),
    Finding.NOT_REGISTERED: N_("the provider did not let the ONT in"),
    Finding.CABLE_OUT: N_("no signal on the cable between router and ONT"),
    Finding.PORT_OFF: N_("the router's internet port was switched off"),
    Finding.GATEWAY_LIVES: N_("the provider's gateway answered"),
    Finding.GATEWAY_DEAD: N_("the provider's gateway did not answer"),
    Finding.INTERNET_DEAD: N_("nothing on the internet answered"),
    Finding.OLT_ONLINE: N_("the OLT saw the ONT online"),
    Finding.OLT_GASP: N_("the ONT told the OLT that it lost power"),
    Finding.OLT_LOS: N_("the OLT lost the light of the ONT"),
    Finding.OLT_OFFLINE: N_("the OLT saw the ONT offline"),
    Finding.OLT_BARRED: N_("the OLT did not let the ONT in"),
    Finding.NEIGHBOURS: N_("%(number)s neighbours without service at the same time"),
    Finding.OUTSIDE_OFFICE: N_("from closing time to opening time"),
    Finding.STAFF: N_("the cause was set by staff"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One outage as a page shows it."""

    start_ms: int
    style: str
    what: str
    when: str
    evidence: str
    note: str
    is_work: bool = False
    """Planned work and no outage."""


def lines(
    outages: Iterable[Outage], language: Language, zone: str, now_ms: int, *, is_back: bool = False
) -> list[Line]:
    """Return the outages in words, the newest first."""
    newest_first = sorted(outages, key=lambda one: one.start_ms, reverse=True)
    return [line(one, language, zone, now_ms, is_back=is_back) for one in newest_first]


def line(outage: Outage, language: Language, zone: str, now_ms: int, *, is_back: bool = False) -> Line:
    """Return one outage in words; ``is_back``: its village is connected by now, which was not judged yet."""
    what = language.say(CAUSES[outage.cause] if outage.is_proven else SILENT)
    if outage.is_proven and outage.cause is not Cause.UNKNOWN and outage.confidence < DOUBTFUL:
        what = language.say("Probably: %(what)s", what=what[:1].lower() + what[1:])
    style = outage.cause.value if outage.is_proven else "unseen"
    evidence, note = _evidence(outage, language, zone), " ".join(_notes(outage, language))
    when = stretch((outage.start_ms, outage.end_ms), language, zone, now_ms, is_back=is_back)
    return Line(outage.start_ms, style, what, when, evidence, note)


def stretch(
    span: tuple[int, int | None], language: Language, zone: str, now_ms: int, *, is_back: bool = False
) -> str:  # fmt: skip
    """Return from when to when something lasts; of what is over and was not judged so yet, no length is made up."""
    start_ms, end_ms = span
    if end_ms is None and is_back:
        began = language.moment(start_ms, zone, now_ms, with_zone=False)
        return language.say("%(began)s; service is back, its length is still being judged", began=began)
    return language.stretch(start_ms, end_ms, zone, now_ms)


def _notes(outage: Outage, language: Language) -> Iterator[str]:
    if outage.provisional:
        yield language.say("Provisional: not all data has come from the box yet.")
    if outage.ruled:
        measured = language.say(CAUSES[outage.ruled.judged])
        yield language.say(
            "Set by %(name)s: %(reason)s. Measured: %(measured)s.",
            name=outage.ruled.made_by, reason=outage.ruled.reason.rstrip("."), measured=measured,
        )  # fmt: skip


def _evidence(outage: Outage, language: Language, zone: str) -> str:
    said = [
        language.say(FINDINGS[one.what], time=language.time(one.at_ms, zone), number=one.number)
        for one in sorted(outage.evidence)
    ]
    words = ", ".join(said)
    return f"{words[:1].upper()}{words[1:]}." if words else ""
