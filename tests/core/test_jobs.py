"""Jobs of the clock say how they ended; what failed, or never came, is late."""

import pytest

from kampungnet.cli import main
from kampungnet.core import clock, jobs
from kampungnet.core.database import Database
from kampungnet.core.jobs import PATIENCE_MS
from tests.architecture.sources import ROOT
from tests.support.server import url_of

NIGHT = 1_764_440_100_000


def _late(database: Database) -> dict[str, int]:
    with database.reads() as db:
        return {one.name: one.late_ms for one in jobs.known(db)}


def _ended(database: Database, now_ms: int, *, well: bool) -> None:
    with database.writes() as db:
        jobs.ended(db, "backup", now_ms, well=well)


def test_a_job_that_never_ran_is_late_after_a_while_and_being_expected_again_does_not_put_that_off(
    database: Database,
) -> None:
    for day in range(3):
        with database.writes() as db:
            jobs.expect(db, NIGHT + day * clock.DAY_MS)
    assert _late(database) == {name: NIGHT + patience for name, patience in PATIENCE_MS.items()}


def test_a_job_that_failed_is_late_since_then_until_it_succeeds(database: Database) -> None:
    _ended(database, NIGHT, well=True)
    assert _late(database)["backup"] == NIGHT + PATIENCE_MS["backup"]
    for day in (1, 2, 3):
        _ended(database, NIGHT + day * clock.DAY_MS, well=False)
        assert _late(database)["backup"] == NIGHT + clock.DAY_MS, "since it failed first"
    _ended(database, NIGHT + 4 * clock.DAY_MS, well=True)
    assert _late(database)["backup"] == NIGHT + 4 * clock.DAY_MS + PATIENCE_MS["backup"]


def test_what_was_overdue_before_it_failed_is_late_since_it_was_overdue(database: Database) -> None:
    _ended(database, NIGHT, well=True)
    _ended(database, NIGHT + 9 * clock.DAY_MS, well=False)
    assert _late(database)["backup"] == NIGHT + PATIENCE_MS["backup"]


@pytest.mark.parametrize("well", [True, False])
def test_a_clock_that_was_ahead_when_a_job_ended_does_not_keep_its_lateness_for_years(
    database: Database, well: bool
) -> None:
    _ended(database, NIGHT + 400 * clock.DAY_MS, well=well)
    with database.writes() as db:
        jobs.expect(db, NIGHT)
    patience_ms = PATIENCE_MS["backup"] if well else 0
    assert _late(database)["backup"] == NIGHT + patience_ms
    assert max(_late(database).values()) == NIGHT + max(PATIENCE_MS.values()), "those that never ran"


def test_the_push_is_late_an_hour_after_it_went_last_while_a_store_is_named(database: Database) -> None:
    def expect(now_ms: int, *, is_wanted: bool) -> int | None:
        with database.writes() as db:
            jobs.expect_push(db, now_ms, is_wanted=is_wanted)
        return _late(database).get("push")

    with database.writes() as db:
        jobs.pushed(db, NIGHT)
    assert _late(database) == {}, "it pushes for another server, or of its own"
    assert expect(NIGHT, is_wanted=True) == NIGHT + jobs.PUSH_MS
    with database.writes() as db:
        jobs.pushed(db, NIGHT + 7)
    assert expect(NIGHT + clock.DAY_MS, is_wanted=True) == NIGHT + 7 + jobs.PUSH_MS
    assert expect(NIGHT + clock.DAY_MS, is_wanted=False) is None


@pytest.mark.parametrize(("result", "failed"), [("success", False), ("exit-code", True), ("oom-kill", True)])
def test_the_unit_of_a_job_says_how_it_ended(
    database: Database, result: str, failed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_RESULT", result)
    assert main(["job", "backup", "--database-url", url_of(database)]) == 0
    with database.reads() as db:
        job = next(one for one in jobs.known(db) if one.name == "backup")
    assert (job.succeeded_ms is None, job.failed_ms is not None) == (failed, failed)


def test_a_person_who_says_it_is_told_that_only_the_unit_can(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SERVICE_RESULT", raising=False)
    assert main(["job", "backup", "--database-url", url_of(database)]) == 1
    assert "Only the unit of the job" in capsys.readouterr().err
    assert _late(database) == {}


def test_every_timer_has_a_job_that_its_unit_tells_of() -> None:
    units = ROOT / "packaging/systemd"
    assert {one.stem.removeprefix("kampungnet-") for one in units.glob("*.timer")} == set(PATIENCE_MS)
    for name in PATIENCE_MS:
        said = (units / f"kampungnet-{name}.service").read_text()
        assert f"\nExecStopPost=/opt/kampungnet/bin/kampungnet job {name}\n" in said
