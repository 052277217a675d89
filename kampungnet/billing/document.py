"""Pure: a statement as one frozen document that explains itself: facts, terms, lines, budget and who answers for it.

Its canonical form is JSON with sorted keys and no space, UTF-8, only texts and whole numbers: the same as RFC 8785
makes of it, so that anybody can hash it (``jq -jcS .statement FILE | sha256sum``). The content hash is taken of the
file's own content, not of our classes: a later version with more fields still finds the same hash.
"""

import hashlib
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from kampungnet.billing.lines import Line, LineKind, amount
from kampungnet.billing.measured import Instant, MeasuredMonth
from kampungnet.billing.tax import TaxTable
from kampungnet.billing.terms import ContractTerms, Fact, Price, Rupiah, Text

VERSION: Final = 1
Month = Annotated[str, Meta(pattern=r"\A\d{4}-(0[1-9]|1[0-2])\Z")]
"""``2026-07``"""
_ENCODER: Final = msgspec.json.Encoder(order="sorted", decimal_format="string")


class VillageFact(Fact, frozen=True, kw_only=True):
    """Who was served: a desa or kelurahan (or a kecamatan's office), with the names above it."""

    code: Text
    name: Text
    kind: Text
    """``desa``, ``kelurahan`` or ``kecamatan``."""
    district: Text
    regency: Text
    regency_code: Text
    site: Text = ""


class ProviderFact(Fact, frozen=True, kw_only=True):
    """Who sells."""

    name: Text
    npwp: Text = ""
    address: Text = ""


class ContractFact(Fact, frozen=True, kw_only=True):
    """The contract and its terms as they held in this month."""

    id: Text
    number: Text
    terms: ContractTerms


class Judged(StrEnum):
    """Whether enough was measured to say that the SLA was kept."""

    MET = "met"
    MISSED = "missed"
    NO_SLA = "no_sla"
    NOT_JUDGED = "not_judged"
    """Tidak dapat dinilai."""


class Judgement(Fact, frozen=True, kw_only=True):
    """What the month comes to, beside the money. Shares are exact fractions of 1 as text, ``41999/43200``."""

    result: Judged
    availability: Annotated[str, Meta(max_length=60)] | None
    """``None`` where nothing is left to judge."""
    known: Annotated[str, Meta(max_length=60)]
    """Share of the time of which anything is known."""
    coverage: Annotated[str, Meta(max_length=60)]
    """Share of the five-minute slots that were fully measured."""


class FundShare(Fact, frozen=True, kw_only=True, array_like=True):
    """How much of a budget comes from one fund, or how much a fund pays."""

    fund: Text
    rupiah: Price


class AheadFact(Fact, frozen=True, kw_only=True, array_like=True):
    """What a budget line has to pay for a month of its year besides this statement and this contract's later ones."""

    month: Annotated[int, Meta(ge=1, le=12)]
    rupiah: Price


class BudgetFact(Fact, frozen=True, kw_only=True):
    """The budget line that pays, as it stood when the statement was made."""

    year: Annotated[int, Meta(ge=2000, le=2999)]
    line: Text
    activity: Text
    """Kegiatan."""
    account: Text
    """Rekening."""
    name: Text
    version: Text
    """``murni``, ``perubahan``."""
    version_since: date
    version_document: Text = ""
    funds: tuple[FundShare, ...]
    """In the order in which they pay; their sum is the pagu."""
    opening: Price = 0
    realised: Price = 0
    """Paid before, with the opening balance not counted in."""
    reserved: Price = 0
    """Approved before and not paid yet, other statements of the same line."""
    remaining: Rupiah
    """Pagu less opening, realised, reserved and this statement; negative when the line is overdrawn."""
    monthly: Price
    """What a whole month costs, tax included."""
    ends: Month | None
    """The last month that can be paid in full; ``None`` when the pagu lasts to December."""
    ahead: tuple[AheadFact, ...] = ()
    """Months of other contracts of the line, and earlier ones of this, that are not approved yet."""


class StepKind(StrEnum):
    """The way of a statement."""

    DRAFT = "draft"
    CHECKED = "checked"
    """By the sekretaris desa."""
    APPROVED = "approved"
    """By the kepala desa; from here on nothing changes."""
    PAID = "paid"
    """By the kaur keuangan."""


class Step(Fact, frozen=True, kw_only=True):
    """Who did what, when."""

    kind: StepKind
    name: Text
    role: Text
    at_ms: Instant


class CorrectionFact(Fact, frozen=True, kw_only=True):
    """The difference of an earlier month, taken into this one."""

    month: Month
    rupiah: Rupiah
    number: Text
    """Of the statement that it corrects."""
    content_hash: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    """Of that statement."""


class StatementDocument(Fact, frozen=True, kw_only=True):
    """One contract's month: everything that its money was computed from, and everything that is printed."""

    version: Annotated[int, Meta(ge=1, le=VERSION)] = VERSION
    number: Text
    """Empty in a draft."""
    village: VillageFact
    provider: ProviderFact
    contract: ContractFact
    measured: MeasuredMonth
    taxes: TaxTable
    corrections: tuple[CorrectionFact, ...] = ()
    judgement: Judgement
    lines: tuple[Line, ...]
    total: Rupiah
    total_words: Annotated[str, Meta(max_length=400)]
    budget: BudgetFact | None = None
    """``None`` where no pagu was entered."""
    steps: tuple[Step, ...] = ()
    """As far as they were taken when the document was frozen; payment comes after that and stands beside it."""

    @property
    def month(self) -> str:
        """The month, as ``2026-07``."""
        return f"{self.measured.period.year}-{self.measured.period.month:02}"

    def amount(self, kind: LineKind) -> int:
        """Return the rupiah of all lines of a kind."""
        return amount(self.lines, kind)


class StatementFile(Fact, frozen=True, kw_only=True):
    """What is given out as JSON: the statement and its hash."""

    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    statement: Annotated[dict[str, Any], Meta(max_length=50)]


class DocumentUnreadable(ValueError):
    """Not a statement, or one of a later version."""


def canonical(content: object) -> bytes:
    """Return the canonical JSON of a document, or of plain content."""
    return _ENCODER.encode(content)


def content_hash(content: object) -> str:
    """Return the SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(content)).hexdigest()


def to_file(document: StatementDocument) -> bytes:
    """Return the JSON file of a statement; the same document always gives the same bytes."""
    body = canonical(document)
    return b'{"sha256":"%s","statement":%s}\n' % (hashlib.sha256(body).hexdigest().encode(), body)


def from_file(data: bytes) -> tuple[StatementDocument, bool]:
    """Return the statement of a file, and whether its hash is that of its content."""
    try:
        file = msgspec.json.decode(data, type=StatementFile)
        document = msgspec.convert(file.statement, StatementDocument)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DocumentUnreadable(str(error)) from error
    return document, content_hash(file.statement) == file.sha256


def from_canonical(data: bytes) -> StatementDocument:
    """Return the document of its canonical bytes, as they are stored."""
    try:
        return msgspec.json.decode(data, type=StatementDocument)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DocumentUnreadable(str(error)) from error
