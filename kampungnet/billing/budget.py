"""Pure: a budget line: what may be spent, what was, what is left, and for how long (facts 1, 3, 9.3).

A budget pays in order: the fund named first is emptied first. Realised when paid, reserved when approved; a changed
pagu replaces the old one from its date on (house policies, facts 12).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

import msgspec

from kampungnet.billing.document import BudgetFact, FundShare
from kampungnet.billing.money import down


class VersionKind(StrEnum):
    """Which paper a pagu stands in."""

    MURNI = "murni"
    PERUBAHAN = "perubahan"


@dataclass(frozen=True, slots=True)
class Version:
    """What a line may spend from a day on, by fund in the order of paying."""

    since: date
    kind: VersionKind
    funds: tuple[FundShare, ...]
    document: str = ""

    @property
    def pagu(self) -> int:
        """The ceiling: the sum of the funds."""
        return sum(one.rupiah for one in self.funds)


@dataclass(frozen=True, slots=True)
class Spent:
    """What has gone from a line in a year."""

    opening: int = 0
    """Before KampungNet kept the books."""
    realised: int = 0
    """Statements paid since."""
    reserved: int = 0
    """Statements approved and not paid yet."""

    @property
    def total(self) -> int:
        """Everything that is gone or promised."""
        return self.opening + self.realised + self.reserved


class Lasting(NamedTuple):
    """How long an amount lasts."""

    months: int
    """Paid in full."""
    rest: int


class Forecast(NamedTuple):
    """A month of the rest of the year, if everything stays as it is."""

    month: int
    bill: int
    left: int
    """After paying it; negative when the line is overdrawn."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage in which a fund arrives in the village's account; each bupati sets them (facts 3.4)."""

    fund: str
    share: Fraction
    """Of the fund's year, 0 to 1."""
    arrives: date


def version_on(versions: Sequence[Version], day: date) -> Version | None:
    """Return the version that holds on a day; ``None`` before the first."""
    return max((one for one in versions if one.since <= day), key=lambda one: one.since, default=None)


def paid_from(funds: Sequence[FundShare], before: int, rupiah: int) -> tuple[tuple[FundShare, ...], int]:
    """Return which funds pay an amount after ``before`` has gone, and what nothing is left for."""
    shares = []
    for one in funds:
        gone = min(before, one.rupiah)
        pays = min(rupiah, one.rupiah - gone)
        before -= gone
        rupiah -= pays
        if pays:
            shares.append(FundShare(fund=one.fund, rupiah=pays))
    return tuple(shares), rupiah


def lasting(rupiah: int, monthly: int) -> Lasting:
    """Return for how many full months an amount lasts, and the rest (facts 9.3: 30.000.000 and 2.775.000)."""
    if rupiah <= 0 or monthly <= 0:
        return Lasting(0, rupiah)
    return Lasting(*divmod(rupiah, monthly))


def forecast(left: int, bills: Mapping[int, int]) -> tuple[Forecast, ...]:
    """Return month by month what is left, given the bills to come by month number."""
    found = []
    for month in sorted(bills):
        left -= bills[month]
        found.append(Forecast(month, bills[month], left))
    return tuple(found)


def ends(left: int, bills: Mapping[int, int]) -> int | None:
    """Return the first month that cannot be paid in full; ``None`` when all can."""
    return next((one.month for one in forecast(left, bills) if one.left < 0), None)


def arrived(stages: Sequence[Stage], funds: Sequence[FundShare], day: date) -> int:
    """Return what should be in the account by a day. A fund without stages is there from the first day."""
    due: dict[str, Fraction] = {}
    for stage in stages:
        due[stage.fund] = due.get(stage.fund, Fraction(0)) + (stage.share if stage.arrives <= day else 0)
    return sum(down(one.rupiah * due.get(one.fund, Fraction(1))) for one in funds)


def owed_before_arrival(stages: Sequence[Stage], funds: Sequence[FundShare], spent: Spent, due: int, day: date) -> int:
    """Return how much of what is due by a day the money has not arrived for (facts 3.4: January to March)."""
    return max(0, spent.total + due - arrived(stages, funds, day))


def settled(fact: BudgetFact, total: int, monthly: int, month: int, last_month: int = 12) -> BudgetFact:
    """Return a budget's fact with what follows from a statement: what remains, and until when it lasts.

    ``last_month`` is December, or the month in which the contract ends.
    """
    pagu = sum(one.rupiah for one in fact.funds)
    remaining = pagu - fact.opening - fact.realised - fact.reserved - total
    bills = dict.fromkeys(range(month + 1, last_month + 1), monthly)
    for one in fact.ahead:  # what is overdue is due now
        bills[max(one.month, month)] = bills.get(max(one.month, month), 0) + one.rupiah
    dry = month if remaining < 0 else ends(remaining, bills)
    last = None if dry is None else f"{fact.year}-{dry - 1:02}" if dry > 1 else f"{fact.year - 1}-12"
    return msgspec.structs.replace(fact, remaining=remaining, monthly=monthly, ends=last)
