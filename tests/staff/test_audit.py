"""What staff decide is kept for ever, and a changed row is found."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, update

from kampungnet import cli
from kampungnet.core import revision
from kampungnet.core.database import Database
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.chain import START, Examined
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn

SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope("35.10"))


def _record(database: Database, number: int) -> None:
    with database.writes() as db:
        audit.record(db, SARI, Act("test.act", f"thing {number}", "because", None, {"number": number}), 1_000 + number)


def _broken(database: Database) -> int | None:
    with database.reads() as db:
        return audit.first_broken(db, "35.10")


def test_acts_form_a_chain_whose_head_proves_all_of_it(database: Database) -> None:
    with database.reads() as db:
        assert audit.head(db, "35.10") == (0, START)
    for number in range(3):
        _record(database, number)
    with database.reads() as db:
        assert audit.head(db, "35.10")[0] == 3
        newest = audit.entries(db, "35.10")[0]
        assert (newest.about, newest.name, newest.after) == ("thing 2", "Ibu Sari", '{"number":2}')
        assert [one.sequence for one in audit.entries(db, "35.10", before=3)] == [2, 1]
        assert audit.entries(db, "33.10") == []
    assert _broken(database) is None


@pytest.mark.parametrize("column", ["reason", "name", "after", "at_ms", "hash"])
def test_a_changed_act_breaks_the_chain_where_it_stands(database: Database, column: str) -> None:
    for number in range(3):
        _record(database, number)
    value = 7 if column == "at_ms" else "something else"
    with database.writes() as db:
        db.execute(update(AuditEntry).where(AuditEntry.sequence == 2).values({column: value}))
    assert _broken(database) == 2


def test_an_act_that_was_taken_out_leaves_a_hole(database: Database) -> None:
    for number in range(3):
        _record(database, number)
    with database.writes() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.sequence == 2))
    assert _broken(database) == 2


def test_many_who_decide_at_once_never_part_the_chain(database: Database) -> None:
    with ThreadPoolExecutor(8) as crew:
        list(crew.map(lambda number: _record(database, number), range(40)))
    with database.reads() as db:
        assert audit.head(db, "35.10")[0] == 40
    assert _broken(database) is None


def test_an_act_that_is_rolled_back_leaves_no_trace_and_no_hole(database: Database) -> None:
    _record(database, 0)
    with pytest.raises(ZeroDivisionError):
        _record_and_fail(database)
    _record(database, 1)
    assert _broken(database) is None


def _record_and_fail(database: Database) -> None:
    with database.writes() as db:
        audit.record(db, SARI, Act("test.act", "never"), 5_000)
        raise ZeroDivisionError


def _seal_as_before_the_key(database: Database, sequences: range) -> None:
    """Give acts the seals that the first version of the log made."""
    with database.writes() as db:
        for sequence in sequences:
            before = audit.seal_of(db, "35.10", sequence - 1)
            entry = db.get_one(AuditEntry, ("35.10", sequence))
            told = (before, entry.regency, sequence, entry.at_ms, entry.username, entry.name, entry.role, entry.what,
                    entry.about, entry.reason, entry.before, entry.after)  # fmt: skip
            entry.hash = sha256(msgspec.json.encode(told)).hexdigest()
            db.flush()


def test_acts_from_before_the_key_are_still_proven_and_those_after_them_build_on_them(database: Database) -> None:
    for number in range(3):
        _record(database, number)
    _seal_as_before_the_key(database, range(1, 4))
    assert _broken(database) is None
    for number in range(3, 5):
        _record(database, number)
    with database.reads() as db:
        assert audit.examine(db, "35.10") == Examined(acts=5, without_key=3)
        old = audit.seal_of(db, "35.10", 3)
    with database.writes() as db:
        db.execute(update(AuditEntry).where(AuditEntry.sequence == 3).values(reason="another"))
    assert _broken(database) == 3
    _seal_as_before_the_key(database, range(3, 4))
    assert _broken(database) == 4, "the first act with the key proves those before it"
    with database.reads() as db:
        assert audit.seal_of(db, "35.10", 3) != old


def test_who_has_the_tables_but_not_the_key_cannot_write_the_end_anew(database: Database, tmp_path: Path) -> None:
    for number in range(3):
        _record(database, number)
    with database.writes() as db:
        db.execute(update(AuditEntry).where(AuditEntry.sequence == 2).values(reason="another"))
    _seal_as_before_the_key(database, range(2, 4))
    assert _broken(database) == 2, "a seal without the key is none once there were some with it"
    thief = Database(database.engine.url.render_as_string(hide_password=False), tmp_path / "another.key")
    with thief.writes() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.sequence > 1))
    _record(thief, 1)
    thief.close()
    assert _broken(database) == 2


def test_the_key_can_be_changed_while_the_old_one_stays_below_it(database: Database, tmp_path: Path) -> None:
    _record(database, 0)
    key = tmp_path / "kampungnet.key"
    key.write_text("ab" * 32 + "\n" + key.read_text())
    renewed = Database(database.engine.url.render_as_string(hide_password=False), key)
    _record(renewed, 1)
    assert _broken(renewed) is None
    renewed.close()
    key.write_text("ab" * 32 + "\n")
    lost = Database(database.engine.url.render_as_string(hide_password=False), key)
    assert _broken(lost) == 1
    lost.close()


def test_the_command_says_in_one_sentence_whether_the_log_holds(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("kampungnet.core.revision.of", lambda _: revision.newest())
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(tmp_path / "kampungnet.key"))
    url = database.engine.url.render_as_string(hide_password=False)

    def verify(*more: str) -> tuple[int, str]:
        code = cli.main(["audit", "verify", "--database-url", url, *more])
        said = capsys.readouterr()
        return code, said.out + said.err

    assert verify() == (0, "The log of 35.10 is empty.\n")
    for number in range(3):
        _record(database, number)
    with database.reads() as db:
        seal = "{} · {}".format(*audit.head(db, "35.10"))
    assert verify() == (0, "The log of 35.10 holds: 3 entries, none changed or taken out.\n")
    assert verify("--seal", seal)[0] == 0
    with database.writes() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.sequence == 3))
    assert verify()[0] == 0, "a chain alone does not show a cut-off end"
    code, said = verify("--seal", seal)
    assert (code, "entry 3" in said) == (1, True)
    assert verify("--seal", "nonsense")[0] == 1
    assert verify("--seal", "1 · 2:" + "0" * 32)[0] == 1
    with database.writes() as db:
        db.execute(update(AuditEntry).where(AuditEntry.sequence == 2).values(reason="another"))
    code, said = verify()
    assert code == 1
    assert "does not hold: entry 2" in said
    assert "test.act" in said
    with database.writes() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.sequence == 1))
    code, said = verify("--regency", "35.10")
    assert (code, "entry 1 was taken out" in said) == (1, True)
    assert verify("--regency", "99.99")[0] == 1
