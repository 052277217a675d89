"""A statement from the measured month to the payment: who signs, what is frozen, what becomes a correction."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select

from kampungnet.billing import making, signing, statements
from kampungnet.billing.document import Judged, StatementDocument, to_file
from kampungnet.billing.lines import LineKind
from kampungnet.billing.models import Contract, Correction, Statement
from kampungnet.billing.verify import verify
from kampungnet.core.database import Database
from kampungnet.core.errors import Conflict, NotAllowed, NotFound, Unprocessable
from kampungnet.devices import service as devices
from kampungnet.devices.models import Agent
from kampungnet.measurement.outage_models import JudgedSite
from kampungnet.measurement.outage_words import Span
from kampungnet.staff import audit
from kampungnet.staff.service import Duty, Role, Scope, SignedIn
from kampungnet.villages import service as villages
from tests.billing.story import (
    AUGUST,
    CONTRACT,
    CONTRACTS,
    EKO,
    HANA,
    HOUR,
    JOKO,
    JULY,
    NOW,
    NUR,
    SITE,
    books,
    close,
    facts,
    outage,
)
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI


def _make(database: Database, month: date = JULY, now_ms: int = NOW) -> list[making.Made]:
    with database.writes() as db:
        return list(making.make_all(db, REGENCY, month, now_ms))


def _take(
    database: Database, by: SignedIn, step: str, note: str = "", month: date = JULY, contract: str = CONTRACT
) -> None:
    with database.writes() as db:
        row = statements.find(db, Scope(REGENCY), contract, month)
        signing.take(db, by, row, step, note, NOW)


def _box(database: Database, judged_since: date | None) -> None:
    """Let Kampunganyar have a box, whose site was judged from some day on or never."""
    with database.writes() as db:
        devices.ensure_site(db, villages.village(db, KAMPUNGANYAR))
        db.add(Agent(regency=REGENCY, site=SITE, id="BOX", public_key=b"k" * 32, enrolled_ms=NOW, board="", version=""))
        if judged_since:
            db.add(JudgedSite(regency=REGENCY, site=SITE, judged_ms=NOW, since=judged_since, first_service_ms=None))


def _row(database: Database, month: date = JULY) -> Statement:
    with database.reads() as db:
        return statements.find(db, Scope(REGENCY), CONTRACT, month)


def _document(database: Database, month: date = JULY) -> StatementDocument:
    return statements.document_of(_row(database, month))


def _sign(database: Database, month: date = JULY, steps: Iterable[str] = ("periksa", "setujui", "bayar")) -> None:
    for by, step in zip((EKO, HANA, JOKO), steps, strict=False):
        _take(database, by, step, month=month)


@pytest.fixture
def july(database: Database) -> Database:
    """July is closed: without service for 16 hours because of the fibre; the books are full."""
    books(database)
    close(database, JULY, facts(JULY, (outage(JULY, (100, 116)),)))
    assert [one.state for one in _make(database)] == ["draft"]
    return database


def test_a_draft_has_the_money_of_the_measured_month_and_its_budget(july: Database) -> None:
    found = _document(july)
    # R2: 2.500.000 x (960 - 446,4) / 44.640 minutes of July = 28.763,44, rounded down; PPN 11 % of the rest.
    assert found.amount(LineKind.CREDIT) == -28_763
    assert found.amount(LineKind.BASE) == 2_471_237
    assert found.amount(LineKind.PPN) == 271_836
    assert found.total == 2_743_073
    assert found.judgement.result is Judged.MISSED
    assert found.budget is not None
    assert (found.budget.remaining, found.budget.version) == (30_000_000 - 2_743_073, "murni")
    assert found.number == ""
    assert _row(july).judged


def test_making_it_again_changes_nothing_and_a_later_finding_renews_the_draft(july: Database) -> None:
    before = _row(july)
    assert [one.changed for one in _make(july)] == [False]
    assert _row(july).made_ms == before.made_ms
    _take(july, EKO, "periksa")
    books(july, CONTRACTS.replace(b"2500000", b"2600000"))
    assert [(one.state, one.changed) for one in _make(july)] == [("draft", True)]
    assert _document(july).amount(LineKind.PRICE) == 2_600_000


def test_three_people_sign_and_the_paper_proves_itself(july: Database) -> None:
    _sign(july)
    row = _row(july)
    assert (row.state, statements.number_text(row)) == ("paid", "0001/BPLI/15.2012/2026")
    document = _document(july)
    assert [(one.kind.value, one.name, one.role) for one in document.steps] == [
        ("checked", "Pak Eko", "Sekretaris Desa"), ("approved", "Bu Hana", "Kepala Desa"),
    ]  # fmt: skip
    verdict = verify(to_file(document))
    assert verdict.is_right
    with july.reads() as db:
        assert [one.state for one in statements.steps_of(db, row)] == ["draft", "checked", "approved", "paid"]
        found = statements.by_hash(db, row.hash)
        assert found is not None
        assert found.contract == CONTRACT
        assert [one.what for one in audit.entries(db, REGENCY)][:3] == [
            "statement.paid", "statement.approved", "statement.checked",
        ]  # fmt: skip
        assert audit.first_broken(db, REGENCY) is None


@pytest.mark.parametrize(
    ("by", "step"),
    [
        (HANA, "periksa"), (JOKO, "periksa"), (NUR, "periksa"), (EKO, "setujui"), (EKO, "bayar"),
        (SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY)), "periksa"),
        (SignedIn("x", "X", Role.BUDGET, Scope(REGENCY, REJOSARI), Duty.SECRETARY), "periksa"),
    ],
)  # fmt: skip
def test_nobody_takes_a_step_that_is_somebody_elses(july: Database, by: SignedIn, step: str) -> None:
    with pytest.raises((NotAllowed, Conflict)):
        _take(july, by, step)
    assert _row(july).state == "draft"


def test_who_checks_does_not_approve(july: Database) -> None:
    _take(july, EKO, "periksa")
    both = SignedIn("eko", "Pak Eko", Role.BUDGET, EKO.scope, Duty.HEAD)
    with pytest.raises(NotAllowed, match="does not approve"):
        _take(july, both, "setujui")


def test_a_statement_is_sent_back_only_with_a_reason(july: Database) -> None:
    _take(july, EKO, "periksa")
    with pytest.raises(Unprocessable):
        _take(july, HANA, "kembalikan", " ")
    _take(july, HANA, "kembalikan", "Nomor kontrak keliru")
    assert _row(july).state == "draft"
    with july.reads() as db:
        assert statements.steps_of(db, _row(july))[-1].note == "Nomor kontrak keliru"


def test_what_changed_since_it_was_checked_is_not_approved(july: Database) -> None:
    _take(july, EKO, "periksa")
    books(july, CONTRACTS.replace(b"2500000", b"2600000"))
    with pytest.raises(Conflict, match="changed"):
        _take(july, HANA, "setujui")
    row = _row(july)
    assert (row.state, row.number) == ("checked", None)


def test_a_month_that_is_not_closed_is_not_approved_and_one_that_is_not_over_not_made(database: Database) -> None:
    books(database)
    _box(database, judged_since=date(2026, 7, 30))
    _make(database, JULY)
    _take(database, EKO, "periksa")
    with pytest.raises(Conflict, match="not final"):
        _take(database, HANA, "setujui")
    with pytest.raises(Unprocessable):
        _make(database, date(2026, 9, 1))


def test_a_month_before_the_box_came_is_approved_as_one_that_nobody_measured(database: Database) -> None:
    books(database)
    _box(database, judged_since=None)
    _make(database, JULY)
    _take(database, EKO, "periksa")
    with pytest.raises(Conflict, match="not final"):  # the box may hold July
        _take(database, HANA, "setujui")
    with database.writes() as db:
        db.add(JudgedSite(regency=REGENCY, site=SITE, judged_ms=NOW, since=date(2026, 8, 9), first_service_ms=NOW))
    _take(database, HANA, "setujui")
    assert _row(database).state == "approved"
    assert _document(database).judgement.result is Judged.NOT_JUDGED


def test_numbers_have_no_hole_even_when_two_approve_at_once(database: Database) -> None:
    rows = CONTRACTS.splitlines()
    many = b"\n".join([rows[0], *(rows[1].replace(b"SPK/1", b"SPK/%d" % n) for n in range(1, 7))])
    books(database, many)
    close(database, JULY, facts(JULY))
    assert len(_make(database)) == 6
    ids = [f"{KAMPUNGANYAR}-{n}" for n in range(1, 7)]
    for one in ids:
        _take(database, EKO, "periksa", contract=one)

    def approve(contract: str) -> None:
        _take(database, HANA, "setujui", contract=contract)

    with ThreadPoolExecutor(6) as crew:
        list(crew.map(approve, ids))
    with database.reads() as db:
        assert set(db.scalars(select(Statement.number))) == {1, 2, 3, 4, 5, 6}


def test_late_facts_become_a_correction_in_the_next_statement_once(july: Database) -> None:
    _sign(july)
    posted = _row(july)
    # The outage lasted 20 hours, as a spool tells that arrived after closing: 13.440,86 more credit, 11 % PPN of it.
    close(july, JULY, facts(JULY, (outage(JULY, (100, 120)),)), number=1)
    assert [(one.state, one.changed) for one in _make(july)] == [("paid", True)]
    assert [one.changed for one in _make(july)] == [False]
    assert (_row(july).document, _row(july).hash) == (posted.document, posted.hash)
    close(july, AUGUST, facts(AUGUST))
    _make(july, AUGUST)
    august = _document(july, AUGUST)
    (correction,) = august.corrections
    assert (correction.month, correction.number) == ("2026-07", "0001/BPLI/15.2012/2026")
    # 2.500.000 - 42.204 = 2.457.796, PPN 270.358, total 2.728.154; posted were 2.743.073.
    assert correction.rupiah == 2_728_154 - 2_743_073
    assert august.total == 2_775_000 + correction.rupiah
    _sign(july, AUGUST)
    with july.reads() as db:
        assert db.scalars(select(Correction.posted_month)).all() == [AUGUST]
    assert verify(to_file(_document(july, AUGUST))).is_right
    assert _document(july, AUGUST).budget is not None
    assert statements.number_text(_row(july, AUGUST)) == "0002/BPLI/15.2012/2026"


def test_closing_a_later_month_finds_what_changed_in_an_approved_one(july: Database) -> None:
    _sign(july)
    close(july, JULY, facts(JULY, (outage(JULY, (100, 120)),)), number=1)
    close(july, AUGUST, facts(AUGUST))
    _make(july, AUGUST)  # nobody closes July again
    assert [one.rupiah for one in _document(july, AUGUST).corrections] == [2_728_154 - 2_743_073]


def test_a_contract_that_ended_keeps_what_was_found_out_later_beside_its_last_statement(july: Database) -> None:
    _sign(july)
    close(july, JULY, facts(JULY, (outage(JULY, (100, 120)),)), number=1)
    with july.writes() as db:
        db.get_one(Contract, (REGENCY, CONTRACT)).last_day = date(2026, 7, 31)
    assert _make(july, AUGUST) == []
    assert _make(july, AUGUST) == []  # looked at twice, noted once
    with july.reads() as db:
        (found,) = db.execute(select(Correction.rupiah, Correction.posted_month)).all()
    assert tuple(found) == (2_728_154 - 2_743_073, None)


def test_a_month_nobody_measured_is_said_to_be_so(database: Database) -> None:
    books(database)
    _make(database)
    row, document = _row(database), _document(database)
    assert not row.judged
    assert document.judgement.result is Judged.NOT_JUDGED
    assert document.measured.traffic.lower_bound
    assert document.amount(LineKind.CREDIT) == 0


def test_unseen_time_lowers_what_is_known_and_below_the_threshold_nothing_is_judged(database: Database) -> None:
    books(database)
    start = facts(JULY).period.start_ms
    close(database, JULY, facts(JULY, (outage(JULY, (700, 716)),), unseen=(Span(start, start + 80 * HOUR),)))
    _make(database)
    assert _document(database).judgement.result is Judged.NOT_JUDGED


def test_staff_of_another_village_find_nothing(july: Database) -> None:
    with july.reads() as db:
        with pytest.raises(NotFound):
            statements.find(db, Scope(REGENCY, REJOSARI), CONTRACT, JULY)
        assert statements.of_month(db, Scope(REGENCY, REJOSARI), JULY) == []
        assert len(statements.of_month(db, EKO.scope, JULY)) == 1
