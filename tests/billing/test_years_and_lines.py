"""Which line pays and for how long: contracts over years, contracts that end early, several on one line."""

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kampungnet.billing import (
    books_page,
    contracts,
    ending,
    making,
    outlook,
    recaps,
    signing,
    statement,
    statements,
    uploads,
)
from kampungnet.billing.document import AheadFact, StatementDocument, to_file
from kampungnet.billing.models import Contract, ContractVersion, Statement, StatementStep
from kampungnet.billing.verify import verify
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.pages import all_languages
from tests.billing.story import AUGUST, CONTRACT, CONTRACTS, EKO, HANA, JOKO, JULY, NOW, NUR, books, close, facts
from tests.pages.sample import KAMPUNGANYAR, REGENCY

DECEMBER, JANUARY = date(2025, 12, 1), date(2026, 1, 1)
LINE = f"{KAMPUNGANYAR}-2026-1"
LAST_YEAR = f"{KAMPUNGANYAR}-2025-1"
MONTHLY = 2_775_000
"""2.500.000 and 11 % PPN."""
BUDGET_2025 = (
    "kode,tahun,kegiatan,rekening,uraian,versi,dokumen,sumber_dana,pagu\n"
    f"{KAMPUNGANYAR},2025,2.6.03,5.2.5.05,Internet,murni,Perdes 4/2024,DD,20000000\n"
).encode()
LONG = CONTRACTS.replace(b"1/1/2026,31/12/2026", b"1/7/2025,")


def _put(database: Database, what: str, data: bytes) -> None:
    with database.writes() as db:
        preview = uploads.look_at(db, NUR, what, (f"{what}.csv", data), NOW)
        assert not preview.faults, preview.faults
        uploads.confirm(db, NUR, preview.id, NOW)


def _make(database: Database, *months: date) -> None:
    for month in months:
        with database.writes() as db:
            assert [one.problem for one in making.make_all(db, REGENCY, month, NOW) if one.problem] == []


def _sign(database: Database, month: date, *steps: str, contract: str = CONTRACT, at_ms: int = NOW) -> None:
    with database.writes() as db:
        row = statements.find(db, NUR.scope, contract, month)
        for by, step in zip((EKO, HANA, JOKO), steps or ("periksa", "setujui", "bayar"), strict=False):
            signing.take(db, by, row, step, "", at_ms)


def _document(database: Database, month: date, contract: str = CONTRACT) -> StatementDocument:
    with database.reads() as db:
        return statements.document_of(statements.find(db, NUR.scope, contract, month))


def _months(database: Database) -> list[date]:
    with database.reads() as db:
        return list(db.scalars(select(Statement.month).where(Statement.contract == CONTRACT).order_by(Statement.month)))


def _lines(db: Session, year: int, day: date) -> list[books_page.LineRow]:
    return books_page.line_rows(db, NUR.scope, books_page.lines(db, NUR.scope, year), day, all_languages()["id"])


def _realised(database: Database, month: date) -> tuple[int, int, int]:
    with database.reads() as db:
        total = recaps.of_month(db, NUR.scope, month)[""].total
    return total.realised, total.reserved, total.due


@pytest.fixture
def two_years(database: Database) -> Database:
    """A contract since July 2025 with a line in both years; December 2025 and January 2026 are closed."""
    _put(database, "anggaran", BUDGET_2025)
    books(database, LONG)
    for month in (DECEMBER, JANUARY):
        close(database, month, facts(month))
    return database


def test_each_month_draws_from_the_line_of_its_own_year(two_years: Database) -> None:
    _make(two_years, DECEMBER, JANUARY)
    december, january = _document(two_years, DECEMBER).budget, _document(two_years, JANUARY).budget
    assert december is not None
    assert january is not None
    assert (december.line, december.year, december.remaining) == (LAST_YEAR, 2025, 20_000_000 - MONTHLY)
    assert (january.line, january.year, january.remaining) == (LINE, 2026, 30_000_000 - MONTHLY)
    _sign(two_years, DECEMBER, at_ms=clock.day_start_ms(date(2026, 1, 10), clock.WIB))
    _make(two_years, JANUARY)
    january = _document(two_years, JANUARY).budget
    assert january is not None
    assert january.realised == 0, "December was paid in January, from December's year"
    assert january.remaining == 30_000_000 - MONTHLY
    with two_years.reads() as db:
        rows = {year: _lines(db, year, date(2026, 2, 1)) for year in (2025, 2026)}
    assert [[one.realised for one in of_year] for of_year in rows.values()] == [["2.775.000"], ["0"]]


def test_what_was_approved_stays_with_its_line_whatever_the_contract_names_later(two_years: Database) -> None:
    _make(two_years, DECEMBER, JANUARY)
    _sign(two_years, JANUARY)
    other = BUDGET_2025.replace(b",2025,2.6.03", b",2026,1.1.04")
    _put(two_years, "anggaran", other)
    _put(two_years, "kontrak", LONG.replace(b",2026,2.6.03", b",2026,1.1.04"))
    with two_years.reads() as db:
        found = {one.month: one.line for one in db.scalars(select(Statement))}
    assert found == {DECEMBER: LAST_YEAR, JANUARY: LINE}, "a draft whose year has no such line keeps the one it had"
    close(two_years, JULY, facts(JULY))
    _make(two_years, JULY)
    july = _document(two_years, JULY).budget
    assert july is not None
    assert (july.activity, july.realised) == ("1.1.04", 0)


def test_a_line_that_is_entered_late_takes_what_was_approved_without_one(database: Database) -> None:
    _put(database, "kontrak", LONG.replace(b",2026,2.6.03", b",,"))
    close(database, JULY, facts(JULY))
    _make(database, JULY)
    _sign(database, JULY)
    assert _document(database, JULY).budget is None
    books(database, LONG)
    end = clock.day_start_ms(date(2026, 9, 30), clock.WIB)
    assert end > NOW
    with database.reads() as db:
        (row,) = _lines(db, 2026, date(2026, 9, 10))
    assert row.realised == "2.775.000"
    assert _document(database, JULY).budget is None, "the paper stays as it was signed"


def test_a_contract_that_ends_earlier_takes_its_drafts_along_and_leaves_what_was_approved(database: Database) -> None:
    books(database)
    june = date(2026, 6, 1)
    for month in (june, JULY, AUGUST):
        close(database, month, facts(month))
    _make(database, june, JULY, AUGUST)
    _sign(database, june, "periksa", "setujui")
    _sign(database, AUGUST, "periksa")
    assert _realised(database, AUGUST) == (0, MONTHLY, MONTHLY)
    books(database, CONTRACTS.replace(b"31/12/2026", b"15/06/2026"))
    assert _months(database) == [june]
    assert _realised(database, AUGUST) == (0, MONTHLY, 0)
    with database.reads() as db:
        assert db.scalar(select(func.count()).select_from(StatementStep).where(StatementStep.month > june)) == 0
        assert set(db.scalars(select(Statement.number))) == {1}
    books(database, CONTRACTS)
    _make(database, JULY)
    _sign(database, JULY, "periksa", "setujui")
    with database.reads() as db:
        assert set(db.scalars(select(Statement.number))) == {1, 2}, "no number was lost with the drafts"


def test_closing_a_month_again_says_nothing_of_a_contract_that_no_longer_runs(database: Database) -> None:
    books(database)
    close(database, JULY, facts(JULY))
    _make(database, JULY)
    with database.writes() as db:  # as an earlier version left it
        db.get_one(Contract, (REGENCY, CONTRACT)).last_day = date(2026, 6, 30)
    assert _months(database) == [JULY]
    with database.writes() as db:
        assert list(making.make_all(db, REGENCY, JULY, NOW)) == []
    assert _months(database) == []


SECOND = CONTRACTS.splitlines()[1].replace(b"SPK/1,1/1/2026,31/12/2026", b"SPK/2,1/9/2026,31/10/2026")
"""Two more months on the same line, September and October."""


def test_the_money_ends_by_the_bills_of_all_contracts_of_the_line_each_in_its_own_months(database: Database) -> None:
    books(database, CONTRACTS + SECOND)
    close(database, JULY, facts(JULY))
    _make(database, JULY)
    july = _document(database, JULY).budget
    assert july is not None
    # January to June were never approved: they are due, too. 30.000.000 - 7 x 2.775.000 = 10.575.000; August leaves
    # 7.800.000, September takes 2 x 2.775.000: 2.250.000; October cannot be paid.
    assert july.ahead[:7] == (*(AheadFact(month=one, rupiah=MONTHLY) for one in range(1, 7)),
                              AheadFact(month=9, rupiah=MONTHLY))  # fmt: skip
    assert (july.remaining, july.ends) == (30_000_000 - MONTHLY, "2026-09")
    assert verify(to_file(_document(database, JULY))).is_right
    with database.reads() as db:
        (row,) = _lines(db, 2026, date(2026, 9, 10))
        found = outlook.outlook(db, REGENCY, LINE, date(2026, 9, 10))
        unpaid = ending.first_unpaid(db, REGENCY, date(2026, 9, 10))
    assert found is not None
    assert (row.ends, found.dry) == ("Oktober 2026", date(2026, 10, 1))
    assert unpaid == {KAMPUNGANYAR: date(2026, 10, 1)}
    assert [(one.month.month, one.bill) for one in found.ahead][7:] == [
        (8, MONTHLY), (9, 2 * MONTHLY), (10, 2 * MONTHLY), (11, MONTHLY), (12, MONTHLY),
    ]  # fmt: skip


def test_one_contracts_approved_month_hides_no_bill_of_another(database: Database) -> None:
    both = CONTRACTS + CONTRACTS.splitlines()[1].replace(b"SPK/1", b"SPK/2")
    books(database, both)
    close(database, JULY, facts(JULY))
    _make(database, JULY)
    _sign(database, JULY, "periksa", "setujui")
    with database.reads() as db:
        found = outlook.outlook(db, REGENCY, LINE, date(2026, 8, 10))
    assert found is not None
    assert {one.month.month: one.bill for one in found.ahead}[7] == MONTHLY, "the second one's July is still to be paid"


def test_a_month_served_in_part_is_planned_in_part(database: Database) -> None:
    books(database, CONTRACTS.replace(b"31/12/2026", b"15/09/2026"))
    with database.reads() as db:
        found = outlook.outlook(db, REGENCY, LINE, date(2026, 9, 10))
    assert found is not None
    # 2.500.000 x 15 / 30 = 1.250.000 and 137.500 PPN.
    assert [one.bill for one in found.ahead][-1] == 1_387_500
    assert found.ahead[-1].month == date(2026, 9, 1)


def test_a_defect_is_no_contract_that_cannot_be_computed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    books(database)
    close(database, JULY, facts(JULY))

    def broken(*_: object) -> None:
        raise ValueError("a defect of ours")

    monkeypatch.setattr(statement, "draft", broken)
    with database.writes() as db, pytest.raises(ValueError, match="a defect of ours"):
        list(making.make_all(db, REGENCY, JULY, NOW))


@pytest.mark.parametrize(
    "change",
    [
        {"activated": date(2026, 7, 20), "last_day": date(2026, 7, 10)},
        {"first_day": date(2015, 7, 1)},
    ],
)
def test_terms_that_do_not_fit_and_days_before_the_tax_table_are_told_of(
    database: Database, change: dict[str, date]
) -> None:
    books(database)
    month = JULY if "activated" in change else date(2015, 7, 1)
    with database.writes() as db:
        contract = db.get_one(Contract, (REGENCY, CONTRACT))
        for name, value in change.items():
            setattr(contract, name, value)
        version = db.get_one(ContractVersion, (REGENCY, CONTRACT, date(2026, 1, 1)))
        version.valid_from = date(2015, 1, 1)
        db.flush()
        (made,) = making.make_all(db, REGENCY, month, NOW)
    assert made.problem == making.UNRATEABLE


def test_what_is_paid_after_a_months_end_was_reserved_until_then(database: Database) -> None:
    books(database)
    close(database, JULY, facts(JULY))
    _make(database, JULY)
    _sign(database, JULY, at_ms=clock.day_start_ms(date(2026, 8, 20), clock.WIB))
    assert _realised(database, JULY) == (0, MONTHLY, MONTHLY)
    assert _realised(database, AUGUST) == (MONTHLY, 0, 0)


def test_a_contract_that_has_not_begun_serves_nobody_yet(database: Database) -> None:
    books(database)
    with database.reads() as db:
        for day, is_missing in ((date(2025, 12, 31), True), (JANUARY, False)):
            found = books_page.without_contract(db, NUR.scope, contracts.of_scope(db, NUR.scope), day)
            assert (KAMPUNGANYAR in {code for code, _ in found}) is is_missing
