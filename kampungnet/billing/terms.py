"""Pure: what a contract says, as values. What the facts leave open is a term here, with the house's default (facts 12).

Rates are integers in bits (``kbps``), volumes in bytes, money in whole rupiah, percentages exact decimals. There is
no float, so that the same terms give the same bytes and the same money for ever.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kampungnet.billing.money import MOST
from kampungnet.measurement.availability import Policy, Treatment
from kampungnet.measurement.outage_words import Cause
from kampungnet.measurement.percentile import GapPolicy

Rupiah = Annotated[int, Meta(ge=-MOST, le=MOST)]
Price = Annotated[int, Meta(ge=0, le=MOST)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Percent = Decimal
"""0 to 100 with at most four decimals (see :func:`percent`), as text in JSON."""
Text = Annotated[str, Meta(max_length=500)]


_FOUR: Final = Decimal("0.0001")


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all that a statement is made of: it never changes, and nothing unread hides in it."""


def percent(value: Decimal) -> Decimal:
    """Return a percentage without needless zeros. Raises ``ValueError`` on what is none: nothing huge gets further."""
    if not value.is_finite() or not 0 <= value <= 100 or value != value.quantize(_FOUR):
        raise ValueError("a percentage is 0 to 100 with at most four decimals")
    plain = value.quantize(_FOUR).normalize()
    return plain.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain


class ServiceKind(StrEnum):
    """What is bought (facts 4)."""

    FIXED = "fixed"
    """A service for a monthly price, without a promised rate."""
    DEDICATED = "dedicated"
    """Promised Mbps, with an SLA."""
    UP_TO = "up_to"
    """Broadband: a rate that is not promised."""
    QUOTA = "quota"
    """A volume a month; more costs more."""
    P95 = "p95"
    """A committed rate; a higher 95th percentile costs more."""


class PriceFor(StrEnum):
    """What the price is for."""

    MONTH = "month"
    CONTRACT = "contract"
    """The whole contract, split over its months (facts 9.3)."""


class Proration(StrEnum):
    """How a month that is not served as a whole is charged (facts 9.1)."""

    ACTUAL = "actual"
    """Days served by days of the month."""
    ACTUAL_30 = "actual_30"
    """Days served by 30, never above the price."""
    STRICT_30_360 = "30_360"
    """The 31st is the 30th."""


class CreditFormula(StrEnum):
    """The service credits (restitusi) that contracts know (facts 8.3); none of them is law."""

    NONE = "none"
    R1 = "r1"
    """Once the SLA is missed: price x all outage / month."""
    R2 = "r2"
    """Price x (outage - tolerance) / month."""
    R3 = "r3"
    """Price x (SLA - actual), in percentage points."""
    R3B = "r3b"
    """Price x (SLA - actual) / SLA."""
    R4 = "r4"
    """Price x outage hours / (hours of the month x SLA)."""
    R5 = "r5"
    """2 x daily price x 24-hour stretches that each outage began."""


class CreditWhen(StrEnum):
    """Whether R1, R4 and R5 ask for a missed SLA. R2, R3 and R3b are 0 without one by themselves."""

    HOUSE = "house"
    """R1 when the SLA is missed, R4 and R5 for every outage (facts 12)."""
    MISSED = "missed"
    ALWAYS = "always"


class CreditOrder(StrEnum):
    """Whether the credit is taken off before tax is computed, or after: it changes the total (facts 9.2)."""

    BEFORE_TAX = "before_tax"
    AFTER_TAX = "after_tax"


class Unjudged(StrEnum):
    """What is due where coverage is too low to judge the month ("tidak dapat dinilai")."""

    FULL = "full"
    """The price, without credit and without overuse."""
    AS_MEASURED = "as_measured"
    """What the measured part comes to, as if it were enough."""
    HELD = "held"
    """Nothing until it is cleared up."""


class OveruseUnit(StrEnum):
    """Whether overuse is charged by its exact size or by every Mbps or GB begun."""

    EXACT = "exact"
    STARTED = "started"


class TaxDate(StrEnum):
    """Which day's tax rates hold for a statement."""

    LAST_DAY = "last_day"
    """The last day of service of the month (facts 12)."""
    FIRST_DAY = "first_day"


class Payer(StrEnum):
    """Whose money it is."""

    DESA = "desa"
    KABUPATEN = "kabupaten"


class Rhythm(StrEnum):
    """How often is paid. A statement is made every month all the same."""

    MONTH = "month"
    QUARTER = "quarter"


class TaxTerms(Fact, frozen=True, kw_only=True):
    """Which taxes a contract knows. That a village collects PPN or withholds PPh 23 is not confirmed (facts 11)."""

    ppn: bool = True
    """Off: the provider or the service is exempt."""
    office_collects_ppn: bool = False
    """The office keeps PPN back and pays it to the state itself, above the threshold of the tax table."""
    pph23: bool = False
    has_npwp: bool = True
    """Without it PPh 23 is doubled."""
    on: TaxDate = TaxDate.LAST_DAY


class CreditTerms(Fact, frozen=True, kw_only=True):
    """What the contract says about downtime."""

    formula: CreditFormula = CreditFormula.NONE
    sla_percent: Percent | None = None
    when: CreditWhen = CreditWhen.HOUSE
    order: CreditOrder = CreditOrder.BEFORE_TAX
    planned: Treatment = Treatment.OUT
    planned_where_down_only: bool = False
    late_windows_count: bool = False
    unknown: Treatment = Treatment.OUT
    excused: tuple[Cause, ...] = ()
    """Causes the provider does not answer for, such as ``listrik``: their time is taken out of the base."""

    def __post_init__(self) -> None:
        if self.sla_percent is not None:
            percent(self.sla_percent)

    @property
    def policy(self) -> Policy:
        """What the measurement needs to know of it, to sort a month's seconds."""
        return Policy(self.planned_where_down_only, self.late_windows_count, self.planned, self.unknown)


class ContractTerms(Fact, frozen=True, kw_only=True):
    """All of a contract that decides over money."""

    kind: ServiceKind
    price: Price
    """Rupiah, before PPN unless ``price_includes_ppn``."""
    start: date
    """The first day with service, as the box saw it."""
    end: date | None = None
    """The last day, included."""
    price_for: PriceFor = PriceFor.MONTH
    price_includes_ppn: bool = False
    down_kbps: Count = 0
    """Contracted; 0 where the contract names none."""
    up_kbps: Count = 0
    committed_kbps: Count = 0
    overuse_per_mbps: Price = 0
    """Rupiah a month for each Mbps of the 95th percentile above ``committed_kbps``."""
    quota_bytes: Count = 0
    overuse_per_gb: Price = 0
    """Rupiah for each 1.000.000.000 bytes, received and sent together, above ``quota_bytes``."""
    overuse_unit: OveruseUnit = OveruseUnit.EXACT
    tax: TaxTerms = TaxTerms()
    credit: CreditTerms = CreditTerms()
    gap_policy: GapPolicy = GapPolicy.IGNORE
    coverage_percent: Percent = Decimal(90)
    """Below it nothing is judged. The house's own choice; no source names one."""
    unjudged: Unjudged = Unjudged.FULL
    proration: Proration = Proration.ACTUAL
    rounding_step: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    """The contract's own rounding of the total, down to a multiple of so many rupiah (facts 9.2)."""
    payer: Payer = Payer.DESA
    rhythm: Rhythm = Rhythm.MONTH

    def __post_init__(self) -> None:
        percent(self.coverage_percent)


class TermsFault(StrEnum):
    """What does not fit together in a contract; whoever takes it in says it in a sentence."""

    ENDS_BEFORE_START = "ends_before_start"
    NO_END = "no_end"
    """A price for the whole contract, which has no end."""
    NO_SLA = "no_sla"
    """A credit formula that needs an SLA."""
    SLA_ZERO = "sla_zero"
    NO_COMMITTED_RATE = "no_committed_rate"
    NO_QUOTA = "no_quota"
    NO_RATE = "no_rate"
    """Dedicated, and no Mbps are named."""


def faults(terms: ContractTerms) -> tuple[TermsFault, ...]:
    """Return what does not fit together; nothing may be rated by terms with a fault."""
    credit = terms.credit
    needs_sla = credit.formula not in {CreditFormula.NONE, CreditFormula.R5} or credit.when is CreditWhen.MISSED
    told = (
        (terms.end is not None and terms.end < terms.start, TermsFault.ENDS_BEFORE_START),
        (terms.price_for is PriceFor.CONTRACT and terms.end is None, TermsFault.NO_END),
        (needs_sla and credit.sla_percent is None, TermsFault.NO_SLA),
        (credit.sla_percent is not None and not credit.sla_percent, TermsFault.SLA_ZERO),
        (terms.kind is ServiceKind.P95 and not terms.committed_kbps, TermsFault.NO_COMMITTED_RATE),
        (terms.kind is ServiceKind.QUOTA and not terms.quota_bytes, TermsFault.NO_QUOTA),
        (terms.kind is ServiceKind.DEDICATED and not terms.down_kbps, TermsFault.NO_RATE),
    )
    return tuple(fault for wrong, fault in told if wrong)
