"""Pure: a statement is settled from its own facts: classes of time, lines, total, words, budget. Corrections too.

Making a statement and verifying it are the same sum: a document is right when settling it again changes nothing.
"""

from dataclasses import dataclass
from datetime import date

import msgspec

from kampungnet.billing import budget
from kampungnet.billing.document import (
    BudgetFact,
    ContractFact,
    CorrectionFact,
    Judged,
    Judgement,
    ProviderFact,
    StatementDocument,
    Step,
    VillageFact,
    content_hash,
)
from kampungnet.billing.lines import LineKind, amount
from kampungnet.billing.measured import MeasuredMonth, classes_of, office_spans, record_of
from kampungnet.billing.rating import rate, tax_day, whole_month
from kampungnet.billing.tax import HOUSE_TAXES, TaxTable
from kampungnet.billing.terbilang import terbilang
from kampungnet.measurement.availability import availability

_OPEN = Judgement(result=Judged.NOT_JUDGED, availability=None, known="0", coverage="0")


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a statement is made of; the rest follows."""

    village: VillageFact
    provider: ProviderFact
    contract: ContractFact
    measured: MeasuredMonth
    """``classes`` need not be right yet: they follow from outages, windows and unseen time."""
    taxes: TaxTable = HOUSE_TAXES
    corrections: tuple[CorrectionFact, ...] = ()
    budget: BudgetFact | None = None
    """``remaining``, ``monthly`` and ``ends`` need not be right yet."""


def draft(facts: Facts, steps: tuple[Step, ...] = ()) -> StatementDocument:
    """Return the statement of some facts, without a number. Raises what :func:`rate` raises."""
    return settled(
        StatementDocument(
            number="", village=facts.village, provider=facts.provider, contract=facts.contract,
            measured=facts.measured, taxes=facts.taxes, corrections=facts.corrections, judgement=_OPEN,
            lines=(), total=0, total_words="", budget=facts.budget, steps=steps,
        )
    )  # fmt: skip


def approved(document: StatementDocument, number: str, steps: tuple[Step, ...]) -> StatementDocument:
    """Return a draft with its number and those who answer for it; from here on nothing changes."""
    return msgspec.structs.replace(document, number=number, steps=steps)


def settled(document: StatementDocument) -> StatementDocument:
    """Return a document with everything computed anew that follows from its facts."""
    terms, period = document.contract.terms, document.measured.period
    measured = classified(document.measured, document.contract)
    lines, judgement = rate(terms, measured, document.taxes, document.corrections)
    total = amount(lines, LineKind.TOTAL)
    fact = document.budget
    if fact is not None:
        monthly = whole_month(terms, document.taxes, tax_day(terms, period.first_day, period.last_day))
        fact = budget.settled(fact, total, monthly, period.month, _last_month(terms.end, period.year))
    return msgspec.structs.replace(
        document, measured=measured, lines=lines, judgement=judgement, total=total, total_words=terbilang(total),
        budget=fact,
    )  # fmt: skip


def classified(month: MeasuredMonth, contract: ContractFact) -> MeasuredMonth:
    """Return a month whose seconds are sorted into classes by its own outages, windows and unseen time."""
    policy, record = contract.terms.credit.policy, record_of(month)
    classes = classes_of(availability([month.period.span], record, policy))
    office = month.office
    if office is not None:
        hours = classes_of(availability(office_spans(month.period, office), record, policy))
        office = msgspec.structs.replace(office, classes=hours)
    return msgspec.structs.replace(month, classes=classes, office=office)


def own_total(document: StatementDocument) -> int:
    """Return the total of the month alone, without corrections of earlier months."""
    return document.total - document.amount(LineKind.CORRECTION)


def correction(
    posted: StatementDocument, recomputed: StatementDocument, corrected_before: int = 0
) -> CorrectionFact | None:
    """Return what later facts change in a month (facts 7.5): one difference of two totals, each rounded once.

    ``corrected_before`` is the sum of what earlier corrections of the same month came to; ``None``: nothing changes.
    """
    difference = own_total(recomputed) - own_total(posted) - corrected_before
    if not difference:
        return None
    return CorrectionFact(
        month=posted.month, rupiah=difference, number=posted.number, content_hash=content_hash(posted)
    )


def _last_month(end: date | None, year: int) -> int:
    return end.month if end is not None and end.year == year else 12
