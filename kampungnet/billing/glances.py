"""What lists show of statements: a few values of each document, kept beside it when it is frozen.

Reading a whole document costs ten times as much.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing.document import FundShare, Judged, StatementDocument, canonical
from kampungnet.billing.lines import LineKind
from kampungnet.billing.models import Statement
from kampungnet.staff.service import Scope


class GlancedVillage(msgspec.Struct, frozen=True):
    """Who was served."""

    code: str
    name: str
    kind: str
    district: str


class GlancedProvider(msgspec.Struct, frozen=True):
    """Who sells."""

    name: str


class GlancedCredit(msgspec.Struct, frozen=True):
    """What was promised."""

    sla_percent: Decimal | None = None


class GlancedTerms(msgspec.Struct, frozen=True):
    """Of the terms what lists and sizing need."""

    down_kbps: int
    committed_kbps: int
    credit: GlancedCredit = GlancedCredit()


class GlancedContract(msgspec.Struct, frozen=True):
    """The contract."""

    number: str
    terms: GlancedTerms


class GlancedTraffic(msgspec.Struct, frozen=True):
    """What passed the line."""

    rx_bytes: int
    tx_bytes: int
    samples: int
    expected: int
    busiest_bytes: int
    rx_p95_bps: int | None = None


class GlancedMonth(msgspec.Struct, frozen=True):
    """What was measured."""

    traffic: GlancedTraffic


class GlancedJudgement(msgspec.Struct, frozen=True):
    """What the month came to."""

    result: Judged
    availability: str | None


class GlancedLine(msgspec.Struct, frozen=True):
    """An amount."""

    kind: LineKind
    rupiah: int


class GlancedBudget(msgspec.Struct, frozen=True):
    """The line that pays."""

    funds: tuple[FundShare, ...]
    remaining: int
    monthly: int
    ends: str | None


class Glance(msgspec.Struct, frozen=True):
    """What lists show of a :class:`kampungnet.billing.document.StatementDocument`."""

    village: GlancedVillage
    provider: GlancedProvider
    contract: GlancedContract
    measured: GlancedMonth
    judgement: GlancedJudgement
    lines: tuple[GlancedLine, ...]
    total: int
    budget: GlancedBudget | None

    @property
    def credit(self) -> int:
        """Service credit in rupiah, before or after tax; negative, as it is taken off."""
        kinds = (LineKind.CREDIT, LineKind.CREDIT_AFTER_TAX)
        return sum(one.rupiah for one in self.lines if one.kind in kinds)


@dataclass(frozen=True, slots=True)
class Seen:
    """One statement of a list."""

    contract: str
    month: date
    unit: str
    state: str
    number: int | None
    glance: Glance


_DECODER: Final = msgspec.json.Decoder(Glance)


def of(document: StatementDocument) -> bytes:
    """Return what is kept of a document beside it: the same as JSON, without what lists do not ask for."""
    return msgspec.json.encode(_DECODER.decode(canonical(document)))


def seen(db: Session, scope: Scope, first: date, last: date, contract: str | None = None) -> list[Seen]:
    """Return the statements of some months (both included, by their first days) that a person may see."""
    asked = select(
        Statement.contract, Statement.month, Statement.unit, Statement.state, Statement.number,
        func.coalesce(Statement.glance, Statement.document).label("glance"),
    ).where(
        Statement.regency == scope.regency,
        scope.where(Statement.unit),
        Statement.month >= first,
        Statement.month <= last,
    )  # fmt: skip
    if contract is not None:
        asked = asked.where(Statement.contract == contract)
    rows = db.execute(asked.order_by(Statement.village, Statement.contract, Statement.month))
    return [Seen(*row[:5], _DECODER.decode(row.glance)) for row in rows]
