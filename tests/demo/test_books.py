"""The demo's books: statements in every state, one that nobody can judge, and an invoice that claims too much."""

from collections import Counter
from datetime import date

import pytest
from sqlalchemy import select

from kampungnet.billing import invoices, statements
from kampungnet.billing.document import to_file
from kampungnet.billing.models import Contract, Statement
from kampungnet.billing.verify import verify
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.demo import books, cast, months, run
from kampungnet.devices import service as devices
from kampungnet.hotspot import sessions
from kampungnet.measurement import outage_log
from kampungnet.measurement.outage_words import Span
from kampungnet.staff import audit
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages

SINCE_MS = 1_790_000_000_000
"""2026-09-21: the last months that were over are June, July and August."""


def keep(database: Database, number: int) -> cast.Cast:
    with database.reads() as db:
        chosen = cast.choose(villages.names(db, run.REGENCY), number)
    people = run.signed_in(chosen.codes[0])
    with database.writes() as db:
        books.keep(db, [people[one] for one in run.BOOKS], chosen.codes, SINCE_MS)
    return chosen


def test_three_months_of_statements_stand_in_every_state_and_prove_themselves(database: Database) -> None:
    chosen = keep(database, 12)
    with database.reads() as db:
        rows = db.scalars(select(Statement).order_by(Statement.month, Statement.contract)).all()
        kinds = {statements.document_of(one).contract.terms.kind.value for one in rows}
        units = set(db.scalars(select(Contract.unit)))
    of_month = [Counter(one.state for one in rows if f"{one.month:%Y-%m}" == month) for month in
                ("2026-06", "2026-07", "2026-08")]  # fmt: skip
    assert of_month[0] == {"paid": 13}
    assert set(of_month[1]) == {"approved", "paid"}
    assert set(of_month[2]) == {"draft", "checked", "approved", "paid"}
    assert kinds >= {"fixed", "dedicated", "up_to", "quota"}
    assert units == {*chosen.codes, "35.10.15.1002"}, "and a kelurahan"
    assert all(verify(to_file(statements.document_of(one))).is_right for one in rows)
    assert {one.unit for one in rows if not one.judged} == {"35.10.15.1002"}, "nobody measures there"
    with database.reads() as db:
        assert audit.first_broken(db, run.REGENCY) is None


def test_the_first_village_missed_its_sla_and_its_provider_claims_the_whole_price(database: Database) -> None:
    chosen = keep(database, 6)
    with database.reads() as db:
        row = statements.find(
            db, Scope(run.REGENCY), f"{chosen.codes[0]}-1", months.months_before(SINCE_MS, "Asia/Jakarta")[-1]
        )
        document, invoice = statements.document_of(row), invoices.newest(db, row)
    assert invoice is not None
    compared = invoices.compare(document, invoices.claims_of(invoice), invoice.total_rupiah)
    assert compared.rupiah > 0
    assert compared.gap == 0, "its own lines add up"
    assert row.state == "draft", "eko may check it, hana approve it, joko pay it"


def test_each_outage_of_a_statement_opens_the_page_of_its_cause(database: Database) -> None:
    keep(database, 6)
    with database.reads() as db:
        documents = [statements.document_of(one) for one in db.scalars(select(Statement))]
        told = [(one.village.site, outage) for one in documents for outage in one.measured.outages]
        found = [
            outage_log.outages(db, (run.REGENCY, site), Span(one.start_ms, one.start_ms + 1)) for site, one in told
        ]
    assert len(told) > 6
    assert all(outages for outages in found)


def test_service_began_with_the_first_statement_and_not_when_the_demos_boxes_came(database: Database) -> None:
    keep(database, 6)
    with database.reads() as db:
        assert {one.activated for one in db.scalars(select(Contract))} == {date(2026, 6, 1)}


def test_the_books_are_filled_once(database: Database) -> None:
    keep(database, 6)
    with database.reads() as db:
        before = db.scalars(select(Statement.hash)).all()
    keep(database, 6)
    with database.reads() as db:
        assert db.scalars(select(Statement.hash)).all() == before


@pytest.mark.parametrize("number", [1, 24, 30])
def test_any_number_of_villages_has_books(database: Database, number: int) -> None:
    keep(database, number)
    with database.reads() as db:
        contracts = db.scalars(select(Contract.unit)).all()
    assert len(contracts) == min(number, books.MOST) + 1


@pytest.mark.parametrize("number", [80, 217])
def test_where_kelurahan_have_boxes_too_the_books_are_kept_all_the_same(database: Database, number: int) -> None:
    with database.writes() as db:
        chosen = cast.choose(villages.names(db, run.REGENCY), number).codes
        for code in chosen:
            devices.ensure_site(db, villages.village(db, code))
    keep(database, number)
    with database.reads() as db:
        units = set(db.scalars(select(Contract.unit)))
    assert len(units - set(chosen)) == (number < 217), "who has no box is not measured; of all there is nobody left"


def test_what_was_made_up_lies_within_its_month() -> None:
    for month in months.months_before(SINCE_MS, clock.WIB):
        for site in range(50):
            found = months.facts(str(site), month, months.Use(10**7, 10**12), clock.WIB, is_bad=True)
            assert all(found.period.start_ms < one.start_ms < (one.end_ms or 0) <= found.period.end_ms
                       for one in found.outages)  # fmt: skip
            assert found == months.facts(str(site), month, months.Use(10**7, 10**12), clock.WIB, is_bad=True)


def test_the_days_before_have_made_up_wifi_and_statements_show_it(database: Database) -> None:
    chosen = keep(database, 3)
    yesterday = date(2026, 10, 20)
    with database.reads() as db:
        place = (run.REGENCY, f"{chosen.codes[0]}-1")
        days = sessions.days_of(db, place, date(2026, 6, 1), date(2026, 11, 30))
        row = statements.find(db, Scope(run.REGENCY), place[1], date(2026, 7, 1))
        shown = statements.document_of(row).measured.hotspot
    assert (min(days), max(days)) == (date(2026, 6, 1), yesterday)
    assert len(days) == (yesterday - date(2026, 6, 1)).days + 1
    assert all(0 <= one.office_seconds < one.seconds for one in days.values())
    assert shown is not None
    assert (shown.days, shown.few) == (31, False)
