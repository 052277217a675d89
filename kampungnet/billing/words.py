"""Pure: money, shares, rates and months of the books as people read them, in their language."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from kampungnet.billing import money
from kampungnet.billing.document import Judged
from kampungnet.billing.measured import HotspotFact
from kampungnet.core.languages import N_, Language
from kampungnet.measurement import availability

STATES: Final[Mapping[str, str]] = {
    "draft": N_("Draft"),
    "checked": N_("Checked"),
    "approved": N_("Approved"),
    "paid": N_("Paid"),
}
JUDGED: Final[Mapping[Judged, str]] = {
    Judged.MET: N_("SLA kept"),
    Judged.MISSED: N_("SLA missed"),
    Judged.NO_SLA: N_("no SLA in the contract"),
    Judged.NOT_JUDGED: N_("cannot be judged"),
}


def rupiah(language: Language, amount: int | Fraction) -> str:
    """Return Rp1.500.000 with the language's marks."""
    return money.rupiah(amount, 0, _marks(language))


def figures(language: Language, amount: int | Fraction, decimals: int = 0) -> str:
    """Return 1.500.000, or with decimals 1,5."""
    return money.figures(amount, decimals, _marks(language))


def percent(language: Language, share: str | Fraction, sla_percent: Decimal | None = None) -> str:
    """Return a share of 1 as 99,98%, as papers have it: to the nearest, and never across the SLA (facts 12)."""
    return f"{figures(language, Fraction(availability.percent(Fraction(share), sla_percent)), 2)}%"


def mbps(language: Language, bps: int | None) -> str:
    """Return bits a second as 18,4 Mbps; empty for what is not known."""
    return "" if bps is None else f"{figures(language, Fraction(bps, 10**6), 0 if bps % 10**6 == 0 else 1)} Mbps"


def month(language: Language, first_day: date) -> str:
    """Return a month with its year: July 2026."""
    return language.full_day(first_day).split(" ", 1)[1]


def _marks(language: Language) -> str:
    return language.thousands_mark + language.decimal_mark


def wifi(language: Language, used: HotspotFact | None) -> list[str]:
    """Return in sentences how the wifi was used: that it was not measured is no 0."""
    if used is None:
        return [language.say("not measured")]
    if used.few:
        return [language.say("fewer than five devices a day: too few to tell more")]
    return [
        language.say("%(people)s devices on %(days)s days, counted each day; %(most)s on the busiest day",
                     people=figures(language, used.people), days=figures(language, used.days),
                     most=figures(language, used.most)),
        language.say("%(hours)s hours online, %(share)s of them outside office hours",
                     hours=figures(language, used.seconds // 3600),
                     share=percent(language, Fraction(used.outside_office_seconds, used.seconds))
                     if used.seconds else "–"),
    ]  # fmt: skip
