"""Pure: one statement in words: what was contracted and received, why service was lost, what is due and who pays it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from kampungnet.billing import words
from kampungnet.billing.budget import paid_from
from kampungnet.billing.document import BudgetFact, Judged, StatementDocument
from kampungnet.billing.formula_words import line_name, sentence
from kampungnet.billing.invoices import Compared
from kampungnet.billing.lines import SUMS
from kampungnet.billing.measured import Classes, OutageFact
from kampungnet.billing.terms import ServiceKind
from kampungnet.core import clock
from kampungnet.core.languages import N_, Language
from kampungnet.measurement.outage_list import CAUSES

Facts = list[tuple[str, str]]
"""What is told, and what it is."""
KINDS: Final[Mapping[ServiceKind, str]] = {
    ServiceKind.FIXED: N_("Monthly price, no promised rate"),
    ServiceKind.DEDICATED: N_("Dedicated"),
    ServiceKind.UP_TO: N_("Up to"),
    ServiceKind.QUOTA: N_("Quota"),
    ServiceKind.P95: N_("95th percentile"),
}


@dataclass(frozen=True, slots=True)
class Lost:
    """One outage."""

    start_ms: int
    style: str
    what: str
    when: str
    length: str


@dataclass(frozen=True, slots=True)
class Money:
    """One line of money."""

    name: str
    formula: str
    rupiah: str
    is_sum: bool
    is_total: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A statement in words."""

    title: str
    is_judged: bool
    service: Facts
    received: Facts
    outages: list[Lost]
    planned: list[str]
    lines: list[Money]
    total: str
    in_words: str
    budget: Facts
    is_overdrawn: bool
    corrections: Facts


@dataclass(frozen=True, slots=True)
class Claimed:
    """One line of the comparison with an invoice."""

    name: str
    due: str
    claimed: str
    difference: str
    is_same: bool


def told(document: StatementDocument, language: Language) -> Told:
    """Return a statement in words."""
    period = document.measured.period
    return Told(
        title=words.month(language, date(period.year, period.month, 1)),
        is_judged=document.judgement.result is not Judged.NOT_JUDGED, service=_service(document, language),
        received=_received(document, language), outages=_outages(document, language),
        planned=_planned(document, language), lines=_lines(document, language),
        total=words.rupiah(language, document.total), in_words=document.total_words,
        budget=_budget(document.budget, document.total, language) if document.budget else [],
        is_overdrawn=document.budget is not None and document.budget.remaining < 0,
        corrections=[
            (language.say("%(month)s, statement %(number)s", month=_month(language, one.month), number=one.number),
             words.rupiah(language, one.rupiah))
            for one in document.corrections
        ],
    )  # fmt: skip


def claimed(compared: Compared, language: Language) -> list[Claimed]:
    """Return the lines of a comparison; the last one is the total."""
    found = [(line_name(language, one.kind), one.due, one.claimed) for one in compared.lines]
    if compared.gap:
        found.append((language.say("The invoice's lines do not add up to its total"), 0, compared.gap))
    found.append((language.say("Total"), compared.due, compared.claimed))
    return [
        Claimed(
            name, words.figures(language, due), words.figures(language, asked),
            ("+" if asked > due else "") + words.figures(language, asked - due), asked == due,
        )
        for name, due, asked in found
    ]  # fmt: skip


def _service(document: StatementDocument, language: Language) -> Facts:
    terms, sla = document.contract.terms, document.contract.terms.credit.sla_percent
    facts = [
        (language.say("Provider"), document.provider.name),
        (language.say("Contract"), document.contract.number),
        (language.say("Kind of service"), language.say(KINDS[terms.kind])),
        (language.say("Contracted"), " / ".join(words.mbps(language, one * 1000)
                                                for one in (terms.down_kbps, terms.up_kbps) if one)),
        (language.say("Committed rate"), words.mbps(language, terms.committed_kbps * 1000 or None)),
        (language.say("Quota a month"), language.size(terms.quota_bytes) if terms.quota_bytes else ""),
        (language.say("SLA"), words.percent(language, Fraction(sla) / 100) if sla is not None else ""),
    ]  # fmt: skip
    return [one for one in facts if one[1]]


def _received(document: StatementDocument, language: Language) -> Facts:
    measured, judgement = document.measured, document.judgement
    traffic, zone = measured.traffic, measured.period.zone
    busiest = words.mbps(language, traffic.busiest_bytes * 8 // 3600)
    volume = language.say("%(down)s received, %(up)s sent", down=language.size(traffic.rx_bytes),
                          up=language.size(traffic.tx_bytes))  # fmt: skip
    more = language.say("at least %(volume)s", volume=volume) if traffic.lower_bound else volume
    at = _instant(language, traffic.busiest_hour_ms, zone)
    facts = [
        (language.say("Availability, 24 hours"),
         words.percent(language, judgement.availability, document.contract.terms.credit.sla_percent)
         if judgement.availability else ""),
        (language.say("Availability, office hours"), _availability(measured.office.classes, language)
         if measured.office else ""),
        (language.say("Judgement"), language.say(words.JUDGED[judgement.result])),
        (language.say("Received, 95th percentile"), words.mbps(language, traffic.rx_p95_bps)),
        (language.say("Busiest hour"), f"{busiest}, {at}" if traffic.busiest_bytes else ""),
        (language.say("Volume"), more if traffic.samples else ""),
        (language.say("Measured"), language.say("%(coverage)s of the time", coverage=words.percent(
            language, judgement.coverage))),
    ]  # fmt: skip
    facts.append((language.say("Use of the wifi"), "; ".join(words.wifi(language, measured.hotspot))))
    return [one for one in facts if one[1]]


def _availability(classes: Classes, language: Language) -> str:
    """Return the share with service of the time that is known and was not planned."""
    judged = classes.up + sum(classes.down.values())
    return words.percent(language, Fraction(classes.up, judged)) if judged else ""


def _outages(document: StatementDocument, language: Language) -> list[Lost]:
    zone = document.measured.period.zone
    return [_lost(one, language, zone) for one in document.measured.outages]


def _lost(one: OutageFact, language: Language, zone: str) -> Lost:
    when = language.say("%(began)s to %(ended)s", began=_instant(language, one.start_ms, zone),
                        ended=_instant(language, one.end_ms, zone))  # fmt: skip
    length = language.duration((one.end_ms - one.start_ms) // 1000)
    return Lost(one.start_ms, one.cause.value, language.say(CAUSES[one.cause]), when, length)


def _planned(document: StatementDocument, language: Language) -> list[str]:
    zone = document.measured.period.zone
    return [
        language.say("%(began)s to %(ended)s", began=_instant(language, one.start_ms, zone),
                     ended=_instant(language, one.end_ms, zone))
        + ("" if one.entered_ms <= one.start_ms else f" ({language.say('entered afterwards')})")
        for one in document.measured.windows
    ]  # fmt: skip


def _instant(language: Language, at_ms: int, zone: str) -> str:
    return f"{language.day(clock.local_day(at_ms, zone))} {language.time(at_ms, zone)}"


def _lines(document: StatementDocument, language: Language) -> list[Money]:
    return [
        Money(
            line_name(language, one.kind), sentence(language, one.formula), words.figures(language, one.rupiah),
            one.kind in SUMS, one.kind.value == "total",
        )
        for one in document.lines
    ]  # fmt: skip


def _budget(budget: BudgetFact, total: int, language: Language) -> Facts:
    gone = budget.opening + budget.realised + budget.reserved
    shares, missing = paid_from(budget.funds, gone, max(total, 0))
    pays = [f"{one.fund} {words.rupiah(language, one.rupiah)}" for one in shares]
    if missing:
        pays.append(language.say("nothing is left for %(amount)s", amount=words.rupiah(language, missing)))
    facts = [
        (language.say("Line"), f"{budget.activity} · {budget.account} {budget.name}".removeprefix(" · ")),
        (language.say("Version"), language.say(
            "%(kind)s since %(day)s %(paper)s", kind=budget.version, day=language.full_day(budget.version_since),
            paper=f"({budget.version_document})" if budget.version_document else "").strip()),
        (language.say("Budget (pagu)"), words.rupiah(language, sum(one.rupiah for one in budget.funds))),
        (language.say("Spent before"), words.rupiah(language, budget.opening + budget.realised)),
        (language.say("Approved, not paid yet"), words.rupiah(language, budget.reserved) if budget.reserved else ""),
        (language.say("This statement"), words.rupiah(language, total)),
        (language.say("Paid from"), ", ".join(pays)),
        (language.say("Remaining"), words.rupiah(language, budget.remaining)),
        (language.say("Not approved yet: earlier months, other contracts"),
         words.rupiah(language, sum(one.rupiah for one in budget.ahead)) if budget.ahead else ""),
        (language.say("The money lasts until"), _month(language, budget.ends) if budget.ends else
         language.say("the end of the year")),
    ]  # fmt: skip
    return [one for one in facts if one[1]]


def _month(language: Language, text: str) -> str:
    found = clock.month_of(text)
    return words.month(language, found) if found else text


def steps(rows: Sequence[tuple[str, str, int, str]], language: Language, zone: str) -> list[tuple[str, str, str, str]]:
    """Return (state, who, when, note) of each step of (state, name, instant, note)."""
    return [
        (language.say(words.STATES[state]), name,
         f"{language.full_day(clock.local_day(at, zone))} {language.time(at, zone)}", note)
        for state, name, at, note in rows
    ]  # fmt: skip


def later(rows: Sequence[tuple[int, int, date | None]], language: Language, zone: str, *, has_ended: bool) -> Facts:
    """Return what was found out after the approval and where it is settled, of (instant, rupiah, month or none)."""
    found = []
    for noted_ms, rupiah, month in rows:
        if month:
            where = language.say("stands in the statement of %(month)s", month=words.month(language, month))
        elif has_ended:
            where = language.say("No statement follows, for the contract has ended: settle it with the provider in "
                                 "writing, and keep that with this statement.")  # fmt: skip
        else:
            where = language.say("will stand in the contract's next statement")
        day = language.full_day(clock.local_day(noted_ms, zone))
        found.append((day, f"{words.rupiah(language, rupiah)}: {where}"))
    return found
