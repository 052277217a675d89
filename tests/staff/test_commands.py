"""`kampungnet staff`: who is root on the server helps somebody who lost a phone or a password, or shuts them out."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.security import password_matches
from kampungnet.staff import second_factor, signing_in
from kampungnet.staff.models import AuditEntry, StaffMember, StaffSession
from kampungnet.staff.signing_in import Visitor
from tests.pages.sample import PASSWORD, hire
from tests.support.server import kampungnet, prepared_database, where

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Tables made by migrations, as commands want them."""
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(tmp_path / "kampungnet.key"))
    found = prepared_database(database_url)
    hire(found)
    yield found
    found.close()


@pytest.fixture
def run(database: Database) -> Run:
    """Run one step about Bu Sari, who has a second factor and is signed in; return exit code and what was printed."""
    with database.writes() as db:
        db.get_one(StaffMember, "sari").factor = b"sealed"
        signing_in.open_again(db, db.get_one(StaffMember, "sari"), Visitor("", "", ""), clock.now_ms())
    assert _sessions(database) == 1

    def one(step: str, *more: str, name: str = "sari") -> tuple[int, str, str]:
        done = kampungnet("staff", step, name, *more, *where(database))
        return done.returncode, done.stdout, done.stderr

    return one


def _sessions(database: Database) -> int:
    with database.reads() as db:
        return db.scalar(select(func.count()).select_from(StaffSession)) or 0


def _member(database: Database) -> StaffMember:
    with database.reads() as db:
        return db.get_one(StaffMember, "sari")


def _act(database: Database) -> tuple[str, str, str, str]:
    with database.reads() as db:
        one = db.scalars(select(AuditEntry)).one()
        return one.what, one.about, one.username, one.reason


def test_a_first_password_is_printed_alone_opens_for_a_week_and_ends_all_sessions(run: Run, database: Database) -> None:
    code, out, err = run("first-password", "--reason", "Lupa kata sandi")
    assert code == 0, err
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}\n", out)
    assert out.strip() not in err
    member = _member(database)
    assert password_matches(member.password_hash, out.strip())
    assert not password_matches(member.password_hash, PASSWORD)
    assert member.password_until_ms
    assert 0 < member.password_until_ms - clock.now_ms() <= 7 * clock.DAY_MS
    assert _sessions(database) == 0
    assert _act(database) == ("staff.admin_password", "sari", "(server)", "Lupa kata sandi")


def test_no_factor_takes_the_phone_off_and_nothing_else(run: Run, database: Database) -> None:
    code, out, _ = run("no-factor")
    assert (code, out) == (0, "sari: the second factor is taken off.\n")
    member = _member(database)
    assert member.factor is None
    assert not second_factor.is_asked_of(member)
    assert password_matches(member.password_hash, PASSWORD)
    assert _act(database) == ("staff.admin_factor", "sari", "(server)", "on the server")


def test_sign_out_ends_the_sessions_and_leaves_password_and_phone(run: Run, database: Database) -> None:
    code, out, _ = run("sign-out")
    assert (code, out) == (0, "sari: all sessions are ended.\n")
    assert _sessions(database) == 0
    member = _member(database)
    assert (member.factor, member.disabled_ms) == (b"sealed", None)
    assert _act(database)[0] == "staff.admin_end"


def test_who_is_disabled_is_out_for_good(run: Run, database: Database) -> None:
    code, out, _ = run("disable", "--reason", "Pindah tugas")
    assert (code, out) == (0, "sari: the person is shut out for good.\n")
    assert _sessions(database) == 0
    assert _member(database).disabled_ms
    assert _act(database) == ("staff.admin_disable", "sari", "(server)", "Pindah tugas")
    code, _, err = run("sign-out")
    assert code != 0
    assert err.count("\n") == 1


def test_nobody_of_that_name_and_a_reason_that_says_nothing_are_one_sentence_and_change_nothing(
    run: Run, database: Database
) -> None:
    for answer in (run("disable", name="sarii"), run("disable", "--reason", " ")):
        code, out, err = answer
        assert (code != 0, out, err.count("\n")) == (True, "", 1)
    assert _member(database).disabled_ms is None
    with database.reads() as db:
        assert db.scalars(select(AuditEntry)).all() == []
