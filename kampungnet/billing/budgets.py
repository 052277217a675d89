"""Budget lines: what a unit may spend on internet in a year, by dated versions and funds (facts 1 to 3)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing.document import FundShare
from kampungnet.billing.intake import Fault, Register, Typed, Unit
from kampungnet.billing.models import BudgetLine, BudgetVersion, Provider
from kampungnet.billing.sheets import Table
from kampungnet.core.languages import N_
from kampungnet.core.rows import upsert
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages
from kampungnet.villages.models import Village

COLUMNS: Final = (
    "kode", "nama", "kecamatan", "tahun", "kegiatan", "rekening", "uraian", "versi", "berlaku_sejak", "dokumen",
    "sumber_dana", "pagu", "realisasi_awal", "realisasi_sampai",
)  # fmt: skip
REQUIRED: Final = ("tahun", "rekening", "sumber_dana", "pagu")
FUNDS: Final = ("ADD", "DD", "PBH", "PAD", "BKK", "BKP", "APBD", "DLL")
"""Names that reports group by; Siskeudes' DDS and PBP, PBK are read as DD, BKP and BKK (facts 1.5)."""
FUND_WORDS: Final = {name.lower(): name for name in FUNDS} | {"dds": "DD", "pbp": "BKP", "pbk": "BKK"}
_VERSIONS: Final = {"murni": "murni", "perubahan": "perubahan", "pak": "perubahan"}
DESA_ACCOUNT: Final = "5.2.5.05"
"""Belanja Jasa Langganan Internet (Permendagri 20/2018, facts 2.1)."""
APBD_ACCOUNT: Final = "5.1.02.02.01.0063"
"""Belanja Kawat/Faksimili/Internet/TV Berlangganan, where a kelurahan's spending sits (facts 1.8)."""


class Funds(msgspec.Struct, frozen=True, array_like=True):
    """Rupiah of one fund in a version."""

    fund: str
    rupiah: int


class Version(NamedTuple):
    """A version as lists and sums ask for it."""

    valid_from: date
    pagu_rupiah: int
    funds: str
    kind: str
    document: str


_Version = TypeVar("_Version", Version, BudgetVersion)


class BudgetEntry(msgspec.Struct, frozen=True):
    """One row of a budget file: what one fund pays into one version of one line."""

    line: int
    unit: str
    year: int
    activity: str
    account: str
    name: str
    kind: str
    valid_from: date
    document: str
    fund: str
    pagu_rupiah: Annotated[int, Meta(ge=0)]
    opening_rupiah: int | None
    opening_through: date | None


def register(db: Session, scope: Scope) -> Register:
    """Return the units that a person may write for. A provider sells to others too: its NPWP is the kabupaten's."""
    districts = villages.districts(db, scope.regency)
    asked = select(Village.code, Village.name, Village.kind, Village.district).where(Village.regency == scope.regency)
    units = [Unit(code, name, kind, districts[place]) for code, name, kind, place in db.execute(asked)]
    offices = [Unit(code, name, "kecamatan", name) for code, name in districts.items()]
    sellers = select(Provider.code, Provider.npwp).where(Provider.regency == scope.regency, Provider.npwp != "")
    npwps = {} if scope.is_whole else {one.code: one.npwp for one in db.execute(sellers)}
    return Register({one.code: one for one in [*units, *offices] if scope.covers(one.code)}, npwps)


def understood(table: Table, known: Register) -> tuple[list[BudgetEntry], list[Fault]]:
    """Return the rows of a budget file as entries, and whatever is wrong with it."""
    entries: list[BudgetEntry] = []
    faults: list[Fault] = []
    seen: dict[tuple[object, ...], int] = {}
    for row in table.rows:
        typed = Typed(table, row, faults)
        entry = _entry(typed, known)
        if entry is None:
            continue
        key = (entry.unit, entry.year, entry.activity, entry.account, entry.valid_from, entry.fund)
        if key in seen:
            typed.wrong("sumber_dana", N_("The same fund of the same line stands in line %(line)s already."),
                        line=str(seen[key]))  # fmt: skip
        seen.setdefault(key, typed.line)
        entries.append(entry)
    return entries, faults


def _entry(typed: Typed, known: Register) -> BudgetEntry | None:
    unit = typed.unit(known)
    year = typed.whole("tahun", 2000, 2099)
    kind = typed.choice("versi", _VERSIONS, default="murni")
    since = typed.day("berlaku_sejak", required=kind == "perubahan")
    fund = typed.choice("sumber_dana", FUND_WORDS)
    pagu = typed.amount("pagu")
    activity = typed.code("kegiatan", required=unit is not None and unit.kind == "desa")
    account, name = typed.code("rekening"), typed.text("uraian")
    opening, through = typed.amount("realisasi_awal", required=False), typed.day("realisasi_sampai", required=False)
    if year and since and since.year != year:
        typed.wrong("berlaku_sejak", N_("This day does not lie in the budget year."))
    if opening and through is None:
        typed.wrong("realisasi_sampai", N_("Until which day was this spent? Write it like 31/07/2026."))
    document = typed.text("dokumen")
    if not typed.is_good or unit is None or year is None or kind is None or fund is None or pagu is None:
        return None
    return BudgetEntry(
        typed.line, unit.code, year, activity, account, name, kind, since or date(year, 1, 1), document, fund, pagu,
        opening, through,
    )  # fmt: skip


def store(db: Session, regency: str, entries: Sequence[BudgetEntry]) -> int:
    """Put entries into the books and return how many lines they are of; the same file again changes nothing."""
    lines: dict[tuple[str, int, str, str], list[BudgetEntry]] = defaultdict(list)
    for entry in entries:
        lines[entry.unit, entry.year, entry.activity, entry.account].append(entry)
    for of_line in lines.values():
        _store_line(db, regency, of_line)
    return len(lines)


def _store_line(db: Session, regency: str, of_line: Sequence[BudgetEntry]) -> None:
    first = of_line[0]
    line = find(db, regency, first.unit, first.year, first.activity, first.account)
    if line is None:
        number = 1 + db.execute(
            select(func.count()).where(
                BudgetLine.regency == regency, BudgetLine.unit == first.unit, BudgetLine.year == first.year
            )
        ).scalar_one()  # fmt: skip
        line = BudgetLine(
            regency=regency, id=f"{first.unit}-{first.year}-{number}", unit=first.unit,
            village=first.unit if len(first.unit) > 8 else None, year=first.year, activity=first.activity,
            account=first.account, name="", opening_rupiah=0, opening_through=None,
        )  # fmt: skip
        db.add(line)
    for entry in of_line:
        line.name = entry.name or line.name
        if entry.opening_rupiah is not None:
            line.opening_rupiah, line.opening_through = entry.opening_rupiah, entry.opening_through
    db.flush()
    versions: dict[date, list[BudgetEntry]] = defaultdict(list)
    for entry in of_line:
        versions[entry.valid_from].append(entry)
    rows = [_version(regency, line.id, since, parts) for since, parts in versions.items()]
    upsert(db, BudgetVersion, rows, ("regency", "line", "valid_from"), ("kind", "document", "funds", "pagu_rupiah"))


def _version(regency: str, line: str, since: date, parts: Sequence[BudgetEntry]) -> dict[str, object]:
    funds = [Funds(one.fund, one.pagu_rupiah) for one in parts]
    return {
        "regency": regency, "line": line, "valid_from": since, "kind": parts[-1].kind, "document": parts[-1].document,
        "funds": msgspec.json.encode(funds).decode(), "pagu_rupiah": sum(one.rupiah for one in funds),
    }  # fmt: skip


def find(db: Session, regency: str, unit: str, year: int, activity: str, account: str) -> BudgetLine | None:
    """Return the line of a unit and year with these codes."""
    return db.scalar(
        select(BudgetLine).where(
            BudgetLine.regency == regency, BudgetLine.unit == unit, BudgetLine.year == year,
            BudgetLine.activity == activity, BudgetLine.account == account,
        )
    )  # fmt: skip


def funds_of(version: Version | BudgetVersion) -> tuple[Funds, ...]:
    """Return the funds of a version, in the order in which they pay."""
    return msgspec.json.decode(version.funds, type=tuple[Funds, ...])


def versions(db: Session, regency: str, lines: Iterable[str] | None = None) -> Mapping[str, list[BudgetVersion]]:
    """Return the versions of lines (or of all) by line, the oldest first."""
    asked = select(BudgetVersion).where(BudgetVersion.regency == regency).order_by(BudgetVersion.valid_from)
    if lines is not None:
        asked = asked.where(BudgetVersion.line.in_(list(lines)))
    found: dict[str, list[BudgetVersion]] = defaultdict(list)
    for one in db.scalars(asked):
        found[one.line].append(one)
    return found


def versions_of_year(
    db: Session, regency: str, year: int, lines: Collection[str] | None = None
) -> Mapping[str, list[Version]]:
    """Return the versions of all lines of a year (or of some) by line, the oldest first."""
    asked = select(BudgetVersion.line, *(getattr(BudgetVersion, name) for name in Version._fields)).join(
        BudgetLine, (BudgetLine.regency == BudgetVersion.regency) & (BudgetLine.id == BudgetVersion.line)
    )
    found: dict[str, list[Version]] = defaultdict(list)
    asked = asked.where(BudgetVersion.regency == regency, BudgetLine.year == year)
    if lines is not None:
        asked = asked.where(BudgetVersion.line.in_(lines))
    for row in db.execute(asked.order_by(BudgetVersion.valid_from)):
        found[row.line].append(Version(*row[1:]))
    return found


def shares_of(version: Version | BudgetVersion) -> tuple[FundShare, ...]:
    """Return the funds of a version as a statement has them, in the order in which they pay."""
    return tuple(FundShare(fund=one.fund, rupiah=one.rupiah) for one in funds_of(version))


def version_on(known: Sequence[_Version], day: date) -> _Version | None:
    """Return the version that holds on a day: the newest that is not later; a changed pagu replaces the old total."""
    return next((one for one in reversed(known) if one.valid_from <= day), None)


def exported(db: Session, scope: Scope, year: int) -> list[list[str | int | date]]:
    """Return the budget of a year in the columns that the import reads."""
    known = register(db, scope).units
    lines = db.scalars(
        select(BudgetLine).where(BudgetLine.regency == scope.regency, BudgetLine.year == year)
        .order_by(BudgetLine.unit, BudgetLine.id)
    ).all()  # fmt: skip
    of_line = versions(db, scope.regency, [one.id for one in lines])
    return [
        [
            line.unit, known[line.unit].name, known[line.unit].district, line.year, line.activity, line.account,
            line.name, version.kind, version.valid_from, version.document, part.fund, part.rupiah,
            line.opening_rupiah, line.opening_through or "",
        ]
        for line in lines if line.unit in known
        for version in of_line[line.id]
        for part in funds_of(version)
    ]  # fmt: skip
