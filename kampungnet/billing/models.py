"""What was bought, from which money, what was received, and what is due for it.

Money is whole rupiah. A *unit* is who has the budget: a desa, a kelurahan or a kecamatan office, by its Kemendagri
code. Facts: billing-add sections 1 to 4 and 10.
"""

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from kampungnet.core.database import Base, Blob
from kampungnet.villages.models import Regency, Village


class Provider(Base):
    """A company that sells internet to offices of a regency."""

    __tablename__ = "providers"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    """Short, chosen by staff, small letters: ``telkom``."""
    name: Mapped[str]
    npwp: Mapped[str]
    """Tax number; empty when it has none, which doubles PPh 23 (facts on billing 9.2)."""


class AccountCode(Base):
    """A code of a regency's own chart, besides those shipped: the numbers 90 to 99 differ from place to place."""

    __tablename__ = "account_codes"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    chart: Mapped[str] = mapped_column(primary_key=True)
    """``kegiatan`` (what for), ``desa`` (rekening of APBDes) or ``apbd`` (rekening of the regency's own budget)."""
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class BudgetLine(Base):
    """Kegiatan and rekening of one unit in one budget year; how much stands in it is a :class:`BudgetVersion`."""

    __tablename__ = "budget_lines"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "village"], [Village.regency, Village.code]),
        Index(None, "regency", "unit", "year", "activity", "account", unique=True),
        Index(None, "regency", "year"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Unit, year and a number: ``35.10.15.2012-2026-1``."""
    unit: Mapped[str]
    village: Mapped[str | None]
    """Set for a desa or kelurahan; a kecamatan office has none."""
    year: Mapped[int] = mapped_column(SmallInteger)
    activity: Mapped[str]
    """Kegiatan, such as ``2.6.03``; empty where the chart knows none."""
    account: Mapped[str]
    """Rekening, such as ``5.2.5.05``."""
    name: Mapped[str]
    opening_rupiah: Mapped[int]
    """Spent in this year before KampungNet kept the books."""
    opening_through: Mapped[date | None]


class BudgetVersion(Base):
    """What a line may spend from a day on: the budget (murni), or a change of it (perubahan)."""

    __tablename__ = "budget_versions"
    __table_args__ = (ForeignKeyConstraint(["regency", "line"], [BudgetLine.regency, BudgetLine.id]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """``murni`` or ``perubahan``."""
    document: Mapped[str]
    """Number of the Perdes, Perkades or DPA."""
    funds: Mapped[str]
    """JSON, list of [fund, rupiah], in the order in which they pay; their sum is the pagu."""
    pagu_rupiah: Mapped[int]


class FundStage(Base):
    """A stage in which a fund arrives (facts on billing 3.4): each bupati sets them, so they are data."""

    __tablename__ = "fund_stages"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    fund: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    share_percent: Mapped[str]
    """Decimal text, of the year's whole."""
    arrives: Mapped[date]
    """From when on the money of this stage can be counted on."""
    source: Mapped[str]


class Contract(Base):
    """What a unit buys at one site. The terms are a :class:`ContractVersion`."""

    __tablename__ = "contracts"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "village"], [Village.regency, Village.code]),
        ForeignKeyConstraint(["regency", "provider"], [Provider.regency, Provider.code]),
        ForeignKeyConstraint(["regency", "line"], [BudgetLine.regency, BudgetLine.id]),
        Index(None, "regency", "village"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """Unit and a number: ``35.10.15.2012-1``."""
    unit: Mapped[str]
    village: Mapped[str]
    """Where the line is."""
    site: Mapped[str]
    """Site code; there may be no box yet."""
    provider: Mapped[str]
    number: Mapped[str]
    """Of the SPK or contract, as its paper says."""
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    activated: Mapped[date | None]
    """The first day the box really saw service; before it nothing is due."""
    line: Mapped[str | None]
    """A budget line that pays; empty is shown as a gap. Each year pays from its own with the same kegiatan and rekening
    (:mod:`kampungnet.billing.paying`)."""
    entered_by: Mapped[str]
    entered_ms: Mapped[int]

    def runs_on(self, day: date) -> bool:
        """Tell whether it has begun, and not ended before a day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


class ContractVersion(Base):
    """The terms of a contract from a day on: those of its start, or of an addendum."""

    __tablename__ = "contract_versions"
    __table_args__ = (ForeignKeyConstraint(["regency", "contract"], [Contract.regency, Contract.id]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    terms: Mapped[str]
    """JSON of :class:`kampungnet.billing.terms.ContractTerms`."""
    document: Mapped[str]
    """Number of the addendum; empty for the contract itself."""


class Statement(Base):
    """The paper of one contract and month. Once approved nothing in it changes any more."""

    __tablename__ = "statements"
    __table_args__ = (
        ForeignKeyConstraint(["regency", "contract"], [Contract.regency, Contract.id]),
        # All that sums over many months ask for: SQLite would read each row's document on the way to what follows it.
        Index(
            "ix_statements_sums", "regency", "month", "state", "unit", "line", "total_rupiah", "paid_ms", "contract",
            "judged",
        ),
        Index(None, "regency", "village", "month"),
        Index(None, "regency", "unit", "number_year", "number", unique=True),
        Index(None, "hash"),
    )  # fmt: skip

    regency: Mapped[str] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    """Its first day."""
    unit: Mapped[str]
    village: Mapped[str]
    state: Mapped[str]
    """``draft``, ``checked``, ``approved`` or ``paid``."""
    number_year: Mapped[int | None] = mapped_column(SmallInteger)
    number: Mapped[int | None]
    """Given at approval, without holes within unit and year."""
    document: Mapped[bytes] = mapped_column(Blob)
    """Canonical JSON of a :class:`kampungnet.billing.document.StatementDocument`."""
    hash: Mapped[str]
    """SHA-256 of ``document`` in hex."""
    total_rupiah: Mapped[int]
    """What the provider is due."""
    judged: Mapped[bool]
    """False where too little was measured to judge the service."""
    made_ms: Mapped[int]
    line: Mapped[str | None]
    """The budget line of the month's year that pays; it stays with what was approved, whatever the contract names."""
    paid_ms: Mapped[int | None]
    glance: Mapped[bytes | None] = mapped_column(Blob)
    """What lists show of the document (:mod:`kampungnet.billing.glances`): a tenth of it. Empty where it was frozen by
    an earlier version, and the document itself says it."""


class LineHours(Base):
    """How full a contract's line was in a month, towards the village: what right-sizing asks of each statement.

    Documents do not say hours, and the hours themselves are kept for a year only: counted when a statement is made.
    The rest stands in the document, too: here it can be summed up without reading any.
    """

    __tablename__ = "line_hours"
    __table_args__ = (
        ForeignKeyConstraint(
            ["regency", "contract", "month"], [Statement.regency, Statement.contract, Statement.month]
        ),
        Index(None, "regency", "month"),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    measured: Mapped[int] = mapped_column(SmallInteger)
    """Hours that were fully seen."""
    at_ceiling: Mapped[int] = mapped_column(SmallInteger)
    """Of those, the ones at the ceiling of what was contracted."""
    peak_rx_bytes: Mapped[int]
    """Received in the busiest of them."""
    peak_at_ms: Mapped[int | None]
    """When it began; empty where no hour was fully seen."""
    contracted_kbps: Mapped[int]
    samples: Mapped[int]
    """Five-minute slots that were fully seen ..."""
    expected: Mapped[int]
    """... of so many."""
    total_bytes: Mapped[int]
    """Received and sent."""
    rupiah: Mapped[int]
    """What the month came to."""
    rx_p95_bps: Mapped[int | None]


class StatementStep(Base):
    """Who made, checked, approved, paid or sent back a statement, and when. Rows are only added."""

    __tablename__ = "statement_steps"
    __table_args__ = (
        ForeignKeyConstraint(
            ["regency", "contract", "month"], [Statement.regency, Statement.contract, Statement.month]
        ),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    state: Mapped[str]
    """The state it brought."""
    username: Mapped[str]
    name: Mapped[str]
    """As it was on that day."""
    at_ms: Mapped[int]
    note: Mapped[str]


class Correction(Base):
    """What later facts change in an approved month: the once rounded difference, due with a later statement."""

    __tablename__ = "corrections"
    __table_args__ = (
        ForeignKeyConstraint(
            ["regency", "contract", "month"], [Statement.regency, Statement.contract, Statement.month]
        ),
    )

    regency: Mapped[str] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    """The month that it is about."""
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    noted_ms: Mapped[int]
    rupiah: Mapped[int]
    """To pay more (or, negative, less) than was posted for that month until then."""
    document: Mapped[bytes] = mapped_column(Blob)
    """The month's document as it comes out now."""
    posted_month: Mapped[date | None]
    """The statement in which it stands; empty until one takes it."""
    facts_site: Mapped[str]
    facts_number: Mapped[int] = mapped_column(SmallInteger)
    """The newest facts that it went by: number of a :class:`kampungnet.measurement.outage_models.ServiceMonth` of that
    site, and not an instant, which clocks that are set tell wrong. 0: noted by a version that did not write it down."""


class Invoice(Base):
    """What a provider claims for a month of a contract, as its paper says. A new revision replaces the one before."""

    __tablename__ = "invoices"
    __table_args__ = (ForeignKeyConstraint(["regency", "contract"], [Contract.regency, Contract.id]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    number: Mapped[str]
    dated: Mapped[date]
    lines: Mapped[str]
    """JSON, list of [kind of line, rupiah], in the kinds of a statement's lines."""
    total_rupiah: Mapped[int]
    entered_by: Mapped[str]
    entered_ms: Mapped[int]


class PendingImport(Base):
    """A file that somebody uploaded and looks at before it counts. Nothing of it is in the books yet."""

    __tablename__ = "pending_imports"
    __table_args__ = (ForeignKeyConstraint(["regency"], [Regency.code]),)

    regency: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str]
    """Only who uploaded it may confirm it."""
    what: Mapped[str]
    """A kind of :data:`kampungnet.billing.uploads.KINDS`."""
    file_name: Mapped[str]
    content: Mapped[bytes] = mapped_column(Blob)
    """The rows as they were understood, JSON."""
    uploaded_ms: Mapped[int]
