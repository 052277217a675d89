"""Pure: the statements of a month as a list in words, and its totals."""

from collections.abc import Sequence
from dataclasses import dataclass

from kampungnet.billing import words
from kampungnet.billing.document import Judged
from kampungnet.billing.glances import Seen
from kampungnet.core.languages import Language


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the list is narrowed to; empty is all."""

    district: str = ""
    fund: str = ""
    state: str = ""

    def has(self, one: Seen) -> bool:
        """Tell whether a statement is among the chosen ones."""
        funds = {share.fund for share in one.glance.budget.funds} if one.glance.budget else set()
        return (
            one.unit.startswith(self.district) and self.fund in {"", *funds} and self.state in {"", one.state}
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One statement as the list shows it."""

    address: str
    village: str
    district: str
    provider: str
    availability: str
    """Empty where the month cannot be judged."""
    is_missed: bool
    credit: str
    total: str
    state: str
    state_words: str
    remaining: str
    is_overdrawn: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """The last row."""

    statements: int
    unjudged: int
    credit: str
    total: str


def rows(found: Sequence[Seen], language: Language) -> list[Row]:
    """Return the rows of a list, in its order."""
    return [_row(one, language) for one in found]


def totals(found: Sequence[Seen], language: Language) -> Totals:
    """Return the sums of the rows."""
    return Totals(
        len(found), sum(one.glance.judgement.result is Judged.NOT_JUDGED for one in found),
        words.figures(language, sum(one.glance.credit for one in found)),
        words.figures(language, sum(one.glance.total for one in found)),
    )  # fmt: skip


def funds_of(found: Sequence[Seen]) -> list[str]:
    """Return the funds that pay any of them."""
    return sorted({share.fund for one in found if one.glance.budget for share in one.glance.budget.funds})


def _row(one: Seen, language: Language) -> Row:
    glance, judgement, budget = one.glance, one.glance.judgement, one.glance.budget
    known = judgement.availability if judgement.result is not Judged.NOT_JUDGED else None
    return Row(
        address=f"/laporan/{one.contract}/{one.month:%Y-%m}", village=glance.village.name,
        district=glance.village.district, provider=glance.provider.name,
        availability=words.percent(language, known, glance.contract.terms.credit.sla_percent) if known else "",
        is_missed=judgement.result is Judged.MISSED,
        credit=words.figures(language, glance.credit) if glance.credit else "",
        total=words.figures(language, glance.total), state=one.state, state_words=language.say(words.STATES[one.state]),
        remaining=words.figures(language, budget.remaining) if budget else "",
        is_overdrawn=budget is not None and budget.remaining < 0,
    )  # fmt: skip
