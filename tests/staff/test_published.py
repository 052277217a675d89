"""The head of the log of each day is published, and a copy somebody kept proves the log later."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, text

from kampungnet import cli
from kampungnet.alerts.facts import Morning
from kampungnet.alerts.morning import dawn, morning
from kampungnet.app import Server
from kampungnet.core import clock, languages, pages, revision
from kampungnet.core.database import Database
from kampungnet.staff import audit, published
from kampungnet.staff.audit import Act
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.pages.cast import browser
from tests.pages.sample import KAMPUNGANYAR, REGENCY

SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))


def _acts(database: Database, *days_ago: int) -> None:
    for number, ago in enumerate(days_ago):
        with database.writes() as db:
            audit.record(db, SARI, Act("test.act", f"thing {number}"), clock.now_ms() - ago * clock.DAY_MS)


def _acts_at(database: Database, *moments: int) -> None:
    with database.writes() as db:
        for at_ms in moments:
            audit.record(db, SARI, Act("test.act", "thing"), at_ms)


def test_the_head_of_a_day_is_its_last_act_and_days_without_one_keep_the_one_before(database: Database) -> None:
    _acts(database, 5, 5, 2, 0)
    today = clock.local_day(clock.now_ms(), clock.zone_of(REGENCY))
    with database.reads() as db:
        found = published.heads(db, REGENCY, clock.now_ms())
        assert [(one.day, one.number) for one in found] == [
            (today - timedelta(days=1), 3), (today - timedelta(days=2), 3), (today - timedelta(days=3), 2),
            (today - timedelta(days=4), 2), (today - timedelta(days=5), 2),
        ]  # fmt: skip
        assert all(one.seal == audit.seal_of(db, REGENCY, one.number) for one in found)
        assert published.differing(db, found) == []
    assert list(published.read("mail: " + ", ".join(map(str, found)))) == found


def test_after_a_clock_was_set_back_the_head_of_a_day_is_still_its_last_act(database: Database) -> None:
    zone = clock.zone_of(REGENCY)
    midnight = clock.day_start_ms(clock.local_day(clock.now_ms(), zone), zone)
    hour = clock.DAY_MS // 24
    ago = (1, 3, 2, 0, 4)
    _acts_at(database, *(midnight - hours * hour for hours in ago))
    with database.reads() as db:
        (head,) = published.heads(db, REGENCY, clock.now_ms(), 1)
        assert (head.number, head.seal) == (3, audit.seal_of(db, REGENCY, 3))
        assert db.execute(published.newest_before(REGENCY, midnight + 1)).one().sequence == 5


def _fill(database: Database, number: int) -> None:
    """Add acts of the last ten days."""
    with database.writes() as db:
        for nth in range(number):
            at_ms = clock.now_ms() - (number - nth) * 10 * clock.DAY_MS // number
            audit.record(db, SARI, Act("test.act", f"thing {nth}"), at_ms)


def _cost(database: Database) -> tuple[list[str], int]:
    """Return the statements of one reading of the heads, and the steps that SQLite took for them."""
    asked: list[str] = []
    steps = itertools.count()

    def note(*told: Any) -> None:
        asked.append(told[2])

    event.listen(database.engine, "before_cursor_execute", note)
    with database.reads() as db:
        driver: Any = db.connection().connection.driver_connection
        if is_sqlite := database.engine.dialect.name == "sqlite":
            driver.set_progress_handler(lambda: next(steps) < 0, 1)
        published.heads(db, REGENCY, clock.now_ms())
        if is_sqlite:
            driver.set_progress_handler(None, 0)
    event.remove(database.engine, "before_cursor_execute", note)
    return asked, next(steps)


def test_the_seals_of_two_weeks_cost_a_look_for_each_day_however_many_acts_there_are(database: Database) -> None:
    _fill(database, 30)
    few, few_steps = _cost(database)
    _fill(database, 600)
    many, many_steps = _cost(database)
    assert len(few) == len(many) <= published.DAYS
    assert many_steps < 2 * few_steps + 1, "SQLite stepped through the acts"
    if database.engine.dialect.name == "postgresql":
        with database.reads() as db:
            db.execute(text("SET LOCAL enable_seqscan = off"))  # a log of a few pages is read faster without any index
            asked = published.newest_before(REGENCY, clock.now_ms())
            words = asked.compile(database.engine, compile_kwargs={"literal_binds": True})
            plan = db.scalars(text(f"EXPLAIN {words}")).all()
        assert any("ix_audit_log_regency_at_ms_sequence" in line for line in plan), plan


async def test_anybody_may_keep_the_page_and_it_shows_when_the_end_is_cut_off_or_written_anew(
    server: Server, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("kampungnet.core.revision.of", lambda _: revision.newest())
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(tmp_path / "kampungnet.key"))
    kept = tmp_path / "segel.html"
    url = database.engine.url.render_as_string(hide_password=False)

    def verify() -> tuple[int, str]:
        code = cli.main(["audit", "verify", "--database-url", url, "--published", str(kept)])
        said = capsys.readouterr()
        return code, said.out + said.err

    assert "Belum ada segel" in (await browser(server).get("/segel")).text
    _acts(database, 5, 2, 1)
    page = await browser(server).get("/segel")
    assert "test.act" not in page.text
    kept.write_text(page.text, "utf-8")
    code, said = verify()
    assert (code, "All 5 seals" in said) == (0, True), said
    with database.writes() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.sequence == 3))
    code, said = verify()
    assert (code, "entry 3 was replaced or cut off" in said) == (1, True)
    _acts(database, 1)
    code, said = verify()
    assert (code, "entry 3 was replaced or cut off" in said) == (1, True), "who has the key and writes it anew is seen"
    kept.write_text("nothing")
    assert verify()[0] == 1


def test_the_digest_carries_it_to_who_reads_of_the_whole_kabupaten(database: Database) -> None:
    _acts(database, 2)
    language = pages.all_languages()[languages.DEFAULT]
    with database.reads() as db:
        found = dawn(db, REGENCY, language, clock.now_ms())
        (head,) = published.heads(db, REGENCY, clock.now_ms(), 1)
    seen: list[Morning] = [
        morning(found, [], scope, clock.now_ms()) for scope in (Scope(REGENCY), Scope(REGENCY, KAMPUNGANYAR))
    ]
    assert [one.seal for one in seen] == [str(head), ""]
