"""A log whose key is lost for good is begun anew by a command, which says who did it; what stood before stays."""

import os
import pwd
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from kampungnet.alerts.morning import dawn, morning
from kampungnet.app import Server
from kampungnet.core import clock, languages, pages
from kampungnet.core import keys as core_keys
from kampungnet.core.database import Database
from kampungnet.staff import audit, published
from kampungnet.staff.audit import Act
from kampungnet.staff.chain import ANEW as ANEW_OF_LOG
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.pages.cast import browser, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY
from tests.staff.conftest import Run
from tests.support.contents import contents
from tests.support.server import url_of

pytestmark = pytest.mark.anyio
SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
WHY = "Kartu SD rusak, salinan kunci hilang"
ANEW = ("audit", "begin-anew", "--reason", WHY)
NO_FACTOR = ("staff", "no-factor", "sari")


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_keys, "LOOK_SECONDS", 0.0)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "kampungnet.key"


@pytest.fixture
def lost(database: Database, key: Path) -> Iterator[Database]:
    """The database as a server sees it whose key is another one than that of the three acts in its log."""
    _acts(database, 5, 2, 1)
    key.unlink()
    renewed = Database(url_of(database), key)
    yield renewed
    renewed.close()


def _acts(database: Database, *days_ago: int, regency: str = REGENCY) -> None:
    by = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(regency))
    for number, ago in enumerate(days_ago):
        with database.writes() as db:
            audit.record(db, by, Act("test.act", f"thing {number}"), clock.now_ms() - ago * clock.DAY_MS)


def _change(database: Database, sequence: int) -> None:
    with database.writes() as db:
        db.execute(update(AuditEntry).where(AuditEntry.sequence == sequence).values(reason="another"))


def _take_out(database: Database, sequence: int) -> None:
    with database.writes() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.sequence == sequence))


def test_where_the_key_is_lost_for_good_the_refusal_names_the_command_that_ends_it(
    lost: Database, run: Run, key: Path
) -> None:
    code, said = run(*NO_FACTOR)
    assert (code, said.count("\n")) == (1, 1)
    assert "Lost for good? See kampungnet audit begin-anew. Nothing was done." in said
    before = contents(lost)["audit_log"]
    assert run(*ANEW)[0] == 0
    assert key.is_file()
    assert run(*NO_FACTOR)[0] == 0, "where everybody needs a second factor, this is the only way in"
    assert contents(lost)["audit_log"][:3] == before


def test_the_beginning_is_in_the_log_with_who_began_it_and_what_was_found(lost: Database, run: Run) -> None:
    assert run(*ANEW)[0] == 0
    with lost.reads() as db:
        one = audit.entries(db, REGENCY)[0]
    assert (one.sequence, one.what, one.about, one.reason) == (4, ANEW_OF_LOG, REGENCY, WHY)
    assert (one.username, one.name) == (audit.SERVER, pwd.getpwuid(os.getuid()).pw_name)
    assert re.fullmatch(r'\{"acts":3,"digest":"[0-9a-f]{64}","unproven":1\}', one.after)


def test_the_log_says_that_there_is_a_break_and_what_is_proven_on_either_side(lost: Database, run: Run) -> None:
    assert run("audit", "verify")[0] == 1
    run(*ANEW)
    _acts(lost, 0)
    code, said = run("audit", "verify")
    assert code == 0, said
    assert f"The log of {REGENCY} has a break: it was begun anew at entry 4" in said
    assert WHY in said
    assert "Since then 2 entries, none changed or taken out." in said
    assert "Entries 1 to 3 are as they stood at that moment" in said
    assert "from entry 1 on their own seals do not hold" in said


@pytest.mark.parametrize(("harm", "sequence"), [(_change, 1), (_take_out, 3), (_change, 4), (_take_out, 5)])
def test_nothing_is_changed_or_taken_out_on_either_side_afterwards(
    lost: Database, run: Run, harm: Callable[[Database, int], None], sequence: int
) -> None:
    run(*ANEW)
    _acts(lost, 0, 0)
    assert run("audit", "verify")[0] == 0
    harm(lost, sequence)
    code, said = run("audit", "verify")
    assert (code, "does not hold" in said) == (1, True), said
    if sequence < 4:
        assert "is not what it was when the log was begun anew at entry 4" in said


def test_a_log_that_holds_is_not_begun_anew(database: Database, run: Run) -> None:
    _acts(database, 1)
    before = contents(database)
    code, said = run(*ANEW)
    assert (code, "nothing is begun anew" in said) == (1, True)
    assert contents(database) == before


def test_why_it_is_begun_anew_has_to_be_said(lost: Database, run: Run, key: Path) -> None:
    before = contents(lost)
    for words_ in (ANEW[:2], (*ANEW[:3], " ")):
        code, said = run(*words_)
        assert (code, "--reason" in said) == (1, True)
    assert contents(lost) == before
    assert not key.exists()


def test_a_break_that_a_page_made_is_told_of_as_well(lost: Database, run: Run) -> None:
    """The server seals with its new key whatever is decided on a page: until then nobody has said that there is one."""
    _acts(lost, 0)
    assert run("audit", "verify")[0] == 1
    assert run(*ANEW)[0] == 0
    code, said = run("audit", "verify")
    assert (code, "Entries 1 to 4 are as they stood at that moment" in said) == (0, True)


def test_a_key_that_is_found_again_proves_all_of_it_and_the_beginning_stays(
    database: Database, run: Run, key: Path
) -> None:
    _acts(database, 2, 1)
    old = key.read_text()
    key.unlink()
    run(*ANEW)
    key.write_text(key.read_text() + old)
    assert run("audit", "verify") == (0, f"The log of {REGENCY} holds: 3 entries, none changed or taken out.\n")


def test_a_second_loss_is_another_beginning(lost: Database, run: Run, key: Path) -> None:
    run(*ANEW)
    _acts(lost, 0)
    key.unlink()
    assert run(*NO_FACTOR)[0] == 1
    assert run(*ANEW)[0] == 0
    code, said = run("audit", "verify")
    assert (code, "at entry 6" in said, "Entries 1 to 5 are" in said) == (0, True, True), said
    _change(lost, 2)
    assert run("audit", "verify")[0] == 1


def test_who_has_the_tables_but_not_the_key_begins_no_log_anew(database: Database, run: Run, tmp_path: Path) -> None:
    _acts(database, 3, 2, 1)
    _change(database, 2)
    thief = Database(url_of(database), tmp_path / "own.key")
    with thief.writes() as db:
        audit.begin_anew(db, REGENCY, "nothing happened here", clock.now_ms())
    thief.close()
    _acts(database, 0)
    code, said = run("audit", "verify")
    assert (code, "entry 2" in said) == (1, True)


def test_another_kabupaten_without_a_log_begins_one_when_the_first_was_begun_anew(
    lost: Database, run: Run, key: Path
) -> None:
    """The clock was ahead when the last act before the loss was sealed."""
    key.write_text("ab" * 32 + "\n")
    key.chmod(0o600)
    ahead = Database(url_of(lost), key)
    _acts(ahead, -400)
    ahead.close()
    key.unlink()
    assert run("import-villages", "klaten")[0] == 1
    assert run(*ANEW)[0] == 0
    code, said = run("import-villages", "klaten")
    assert code == 0, said


async def test_the_published_seals_say_that_there_is_a_break_and_those_kept_from_before_still_prove(
    database: Database, server: Server, run: Run, key: Path, tmp_path: Path
) -> None:
    _acts(database, 5, 2, 1)
    old, new = tmp_path / "segel.html", tmp_path / "baru.html"
    told = "dimulai lagi pada tindakan 4"
    old.write_text((await browser(server).get("/segel")).text, "utf-8")
    assert told not in old.read_text()
    key.unlink()
    assert run(*ANEW)[0] == 0
    new.write_text((await browser(server).get("/segel")).text, "utf-8")
    assert told in new.read_text()
    for kept in (old, new):
        code, said = run("audit", "verify", "--published", str(kept))
        assert (code, "All 5 seals" in said) == (0, True), said
    _take_out(database, 3)
    assert run("audit", "verify", "--published", str(old))[0] == 1
    page = (await (await signed_in(server, "sari")).get("/catatan")).text
    assert "Catatan dimulai lagi: segelnya tidak dapat dibuktikan lagi" in page


def test_the_digest_of_the_morning_says_it_beside_the_seal(lost: Database, run: Run) -> None:
    run(*ANEW)
    language = pages.all_languages()[languages.DEFAULT]
    with lost.reads() as db:
        found = dawn(db, REGENCY, language, clock.now_ms())
        (head,) = published.heads(db, REGENCY, clock.now_ms(), 1)
    whole, village = (
        morning(found, [], scope, clock.now_ms()) for scope in (Scope(REGENCY), Scope(REGENCY, KAMPUNGANYAR))
    )
    assert (whole.seal, whole.anew) == (str(head), 4)
    assert (village.seal, village.anew) == ("", None)
