"""What lists show of statements: a few values of each document, read once and kept by its hash.

A document never changes under its hash, so nothing that is kept here can become wrong. Reading a whole document costs
ten times as much, and twelve months of 401 villages would have to be read for one page.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from threading import Lock
from typing import Any, Final

import msgspec
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from kampungnet.billing.document import FundShare, Judged
from kampungnet.billing.lines import LineKind
from kampungnet.billing.models import Statement
from kampungnet.staff.service import Scope

MOST_KEPT: Final = 20_000
"""Documents: three years of a kabupaten's villages, some 20 MB."""
_AT_ONCE: Final = 400


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
_kept: "OrderedDict[str, Glance]" = OrderedDict()
_lock: Final = Lock()


def seen(db: Session, scope: Scope, first: date, last: date, contract: str | None = None) -> list[Seen]:
    """Return the statements of some months (both included, by their first days) that a person may see."""
    asked = select(
        Statement.contract, Statement.month, Statement.unit, Statement.state, Statement.number, Statement.hash
    ).where(
        Statement.regency == scope.regency,
        scope.where(Statement.unit),
        Statement.month >= first,
        Statement.month <= last,
    )
    if contract is not None:
        asked = asked.where(Statement.contract == contract)
    rows = db.execute(asked.order_by(Statement.village, Statement.contract, Statement.month)).all()
    found = _glances(db, scope.regency, rows)
    return [Seen(row.contract, row.month, row.unit, row.state, row.number, found[row.hash]) for row in rows]


def _glances(db: Session, regency: str, rows: Sequence[Any]) -> dict[str, Glance]:
    with _lock:
        found = {row.hash: _kept[row.hash] for row in rows if row.hash in _kept}
    missing = [(row.contract, row.month) for row in rows if row.hash not in found]
    read = {}
    for start in range(0, len(missing), _AT_ONCE):
        read.update(_read(db, regency, missing[start : start + _AT_ONCE]))
    with _lock:
        _kept.update(read)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found | read


def _read(db: Session, regency: str, keys: Iterable[tuple[str, date]]) -> dict[str, Glance]:
    asked = select(Statement.hash, Statement.document).where(
        Statement.regency == regency, tuple_(Statement.contract, Statement.month).in_(list(keys))
    )
    return {row.hash: _DECODER.decode(row.document) for row in db.execute(asked)}
