"""A backup that failed, or that never came, is told to who looks after the kabupaten, without any Prometheus."""

from typing import Final

import msgspec
from prometheus_client.parser import text_string_to_metric_families as families

from kampungnet.alerts import gather, words
from kampungnet.alerts.facts import Fact, Group, Morning, Severity
from kampungnet.alerts.models import AlertGroup
from kampungnet.core import clock, jobs
from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.metrics import live
from kampungnet.staff.service import Scope
from tests.alerts.stories import HOUR, MINUTE, NOON, Ear, reader, texts, voice
from tests.support.server import REGENCY, VILLAGE

NIGHT: Final = NOON - 10 * HOUR


def _facts(database: Database, now_ms: int, scope: Scope | None = None) -> list[Fact]:
    with database.reads() as db:
        return gather.seen_by(gather.known(db, REGENCY, now_ms), scope or Scope(REGENCY))


def _ended(database: Database, now_ms: int, *, well: bool, name: str = "backup") -> None:
    with database.writes() as db:
        jobs.ended(db, name, now_ms, well=well)


def _told(database: Database, ear: Ear, now_ms: int) -> list[str]:
    return texts(ear.listen(now_ms, *_facts(database, now_ms)), now_ms)


def test_a_backup_that_failed_is_told_once_and_its_end_when_one_succeeds(database: Database) -> None:
    ear = Ear(reader(since_ms=0))
    _ended(database, NIGHT - clock.DAY_MS, well=True)
    assert _told(database, ear, NIGHT) == []
    _ended(database, NIGHT + MINUTE, well=False)
    (told,) = _told(database, ear, NIGHT + 2 * MINUTE)
    assert told.splitlines()[0] == "PERINGATAN: Cadangan malam tidak ada"
    assert "journalctl -u kampungnet-backup" in told
    _ended(database, NIGHT + clock.DAY_MS, well=False)
    _ended(database, NIGHT + clock.DAY_MS, well=True, name="audit")
    assert _told(database, ear, NIGHT + clock.DAY_MS + MINUTE) == [], "it lasts, and was told"
    _ended(database, NIGHT + clock.DAY_MS + HOUR, well=True)
    (told,) = _told(database, ear, NIGHT + clock.DAY_MS + HOUR + MINUTE)
    assert told.splitlines()[:2] == ["PULIH: Cadangan malam tidak ada", "kampungnet-backup"]


def test_a_backup_that_is_never_begun_is_told_when_the_last_one_is_older_than_36_hours(database: Database) -> None:
    ear = Ear(reader(since_ms=0))
    _ended(database, NIGHT, well=True)
    assert _told(database, ear, NIGHT + 36 * HOUR - 1) == []
    told = _told(database, ear, NIGHT + 36 * HOUR)
    assert sorted(one.splitlines()[0] for one in told) == [
        "PERINGATAN: Cadangan malam tidak ada",
        "PERINGATAN: Catatan keputusan belum diperiksa, atau tidak utuh",
    ], "the look at the log never came either"


def test_a_push_that_died_is_told_by_the_server_while_no_prometheus_watches(database: Database) -> None:
    ear = Ear(reader(since_ms=0))
    with database.writes() as db:
        jobs.expect_push(db, NIGHT, is_wanted=True)
        jobs.pushed(db, NIGHT)
    assert _told(database, ear, NIGHT + HOUR - 1) == []
    _bark(database, NIGHT + HOUR)
    assert _facts(database, NIGHT + HOUR)[1:] == [], "its rule PushMissing tells it"
    later = NIGHT + 2 * HOUR
    (told,) = (one for one in _told(database, ear, later) if "Prometheus atau" in one)
    assert told.splitlines()[0].startswith("PERINGATAN: Bacaan tidak sampai di Prometheus atau VictoriaMetrics")
    assert "journalctl -u kampungnet-push" in told
    assert _told(database, ear, later + MINUTE) == []
    with database.writes() as db:
        jobs.pushed(db, later + 2 * MINUTE)
    (told,) = _told(database, ear, later + 3 * MINUTE)
    assert told.splitlines()[1] == "kampungnet-push"


def _bark(database: Database, now_ms: int) -> None:
    """Let Prometheus say that it watches."""
    with database.writes() as db:
        db.add(
            AlertGroup(
                regency=REGENCY, id="watchdog", severity=Severity.CRITICAL, is_watchdog=True, start_ms=now_ms,
                end_ms=None, received_ms=now_ms, content=msgspec.json.encode(Group((), 0)).decode(),
            )
        )  # fmt: skip


def test_only_who_looks_after_the_whole_kabupaten_hears_of_jobs(database: Database) -> None:
    _ended(database, NIGHT, well=False)
    assert len(_facts(database, NOON)) == 1
    assert _facts(database, NOON, Scope(REGENCY, VILLAGE)) == []
    assert _facts(database, NOON, Scope(REGENCY, None, VILLAGE[:8])) == []


def test_the_digest_has_them_apart_from_villages_without_service(database: Database) -> None:
    _ended(database, NIGHT, well=False)
    morning = Morning(clock.local_day(NOON, clock.WIB), _facts(database, NOON), (), (), 0, 0)
    said = words.digest_text(morning, voice(NOON)).splitlines()
    assert said[said.index("Tugas server yang tertinggal:") + 1].startswith("- Cadangan malam tidak ada, ")
    assert "Sekarang terganggu:" not in said


def test_the_page_of_metrics_says_when_each_job_succeeded_and_from_when_on_it_is_late(database: Database) -> None:
    _ended(database, NIGHT, well=True)
    with database.writes() as db:
        jobs.expect_push(db, NIGHT, is_wanted=True)
    page = live.page_text(database, Tally()).decode()
    said = {one.name: {s.labels["task"]: s.value for s in one.samples} for one in families(page) if "_job_" in one.name}
    assert said["kampungnet_job_last_success_timestamp_seconds"] == {"backup": NIGHT / 1000}
    late = said["kampungnet_job_late_timestamp_seconds"]
    assert late["backup"] == NIGHT / 1000 + 36 * 3600
    assert sorted(late) == sorted(jobs.PATIENCE_MS)
