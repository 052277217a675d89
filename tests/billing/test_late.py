"""What was found out later about approved months is noted a few contracts at a time, and each once."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select, update

from kampungnet import cli
from kampungnet.billing import late, making, signing, statements
from kampungnet.billing.models import Contract, Correction
from kampungnet.core import clock, migrate
from kampungnet.core.database import Database
from tests.billing.story import CONTRACTS, EKO, HANA, JULY, NOW, NUR, SITE, books, close, facts, outage
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI

AUGUST = date(2026, 8, 1)
NUMBER = 7
CONTRACTS_OF_ALL = [f"{KAMPUNGANYAR}-{n}" for n in range(1, NUMBER + 1)]
_KILLED = """
import os, signal, sys
from kampungnet import cli
from kampungnet.billing import late

look_back, parts = late.look_back, []

def cut_off(*given):
    looked = look_back(*given)
    parts.append(looked)
    if len(parts) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return looked

late.look_back = cut_off
cli.main(sys.argv[1:])
"""
"""`kampungnet`, killed before the second transaction is committed."""


@pytest.fixture
def target(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Seven approved contracts about whose July something was found out later; three of them are looked at at once."""
    monkeypatch.setattr(late, "AT_ONCE", 3)
    rows = CONTRACTS.splitlines()
    many = b"\n".join([rows[0], *(rows[1].replace(b"SPK/1", b"SPK/%d" % n) for n in range(1, NUMBER + 1))])
    books(database, many)
    close(database, JULY, facts(JULY, (outage(JULY, (100, 116)),)))
    with database.writes() as db:
        list(making.make_all(db, REGENCY, JULY, NOW))
    for contract in CONTRACTS_OF_ALL:
        for who, step in ((EKO, "periksa"), (HANA, "setujui")):
            with database.writes() as db:
                signing.take(db, who, statements.find(db, NUR.scope, contract, JULY), step, "", NOW)
    close(database, JULY, facts(JULY, (outage(JULY, (100, 120)),)), number=1)
    close(database, AUGUST, facts(AUGUST), site=SITE)
    return ["--database-url", database.engine.url.render_as_string(hide_password=False), "--regency", REGENCY]


def _noted(database: Database) -> list[tuple[str, int, bool]]:
    """Return contract, number and whether the same money was found for each correction."""
    with database.reads() as db:
        rows = db.scalars(select(Correction).order_by(Correction.contract, Correction.number)).all()
    return [(one.contract, one.number, one.rupiah == rows[0].rupiah != 0) for one in rows]


ALL_NOTED = [(one, 1, True) for one in CONTRACTS_OF_ALL]


def test_the_writer_is_free_between_small_groups_of_contracts(
    database: Database, target: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    look_back, seen, parts = late.look_back, list[int](), list[list[str]]()

    def noted(*given: object) -> int:
        seen.append(len(_noted(database)))  # another connection: what is committed by now
        parts.append(list(given[-1]))  # type: ignore[call-overload]  # the contracts
        return look_back(*given)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(late, "look_back", noted)
    assert cli.main(["close-month", "2026-08", *target]) == 0
    assert parts == [CONTRACTS_OF_ALL[:3], CONTRACTS_OF_ALL[3:6], CONTRACTS_OF_ALL[6:]]
    assert seen == [0, 3, 6]
    assert f"{NUMBER} approved statements of earlier months have a correction now." in capsys.readouterr().out
    assert _noted(database) == ALL_NOTED
    parts.clear()
    assert cli.main(["close-month", "2026-08", *target]) == 0
    assert (parts, _noted(database)) == ([], ALL_NOTED), "nothing is left to look back at"


def test_what_a_kill_cut_off_is_finished_by_the_next_run_and_nothing_is_noted_twice(
    database: Database, target: list[str]
) -> None:
    script = _KILLED.replace("parts = late.look_back, []", "parts = late.look_back, []\nlate.AT_ONCE = 3")
    killed = subprocess.run(
        [sys.executable, "-c", script, "close-month", "2026-08", *target], env=os.environ, check=False, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    assert _noted(database) == ALL_NOTED[:3]
    assert cli.main(["close-month", "2026-08", *target]) == 0
    assert _noted(database) == ALL_NOTED


def test_two_who_look_back_at_once_note_nothing_twice(database: Database, target: list[str]) -> None:
    both = threading.Barrier(2)

    def one() -> int:
        both.wait(timeout=60)
        with database.writes() as db:
            return late.look_back(db, REGENCY, AUGUST, NOW)

    with ThreadPoolExecutor(2) as crew:
        counts = sorted(found.result() for found in [crew.submit(one), crew.submit(one)])
    assert counts == [0, NUMBER]
    assert _noted(database) == ALL_NOTED


def test_what_was_noted_about_one_contract_hides_nothing_about_the_others(
    database: Database, target: list[str]
) -> None:
    """Signing looks back at its own contract alone."""
    with database.writes() as db:
        assert late.look_back(db, REGENCY, AUGUST, NOW, CONTRACTS_OF_ALL[4:5]) == 1
    with database.reads() as db:
        assert late.concerned(db, REGENCY, AUGUST) == [*CONTRACTS_OF_ALL[:4], *CONTRACTS_OF_ALL[5:]]
    with database.writes() as db:
        assert late.look_back(db, REGENCY, AUGUST, NOW) == NUMBER - 1
    assert _noted(database) == ALL_NOTED


def _look_back(database: Database, now_ms: int = NOW) -> int:
    with database.writes() as db:
        return late.look_back(db, REGENCY, AUGUST, now_ms)


def test_what_was_noted_by_a_clock_that_was_ahead_hides_nothing_that_is_found_out_later(
    database: Database, target: list[str]
) -> None:
    assert _look_back(database, NOW + 400 * clock.DAY_MS) == NUMBER
    first = _noted_rupiah(database)
    close(database, JULY, facts(JULY, (outage(JULY, (100, 130)),)), number=2)
    with database.reads() as db:
        assert late.concerned(db, REGENCY, AUGUST) == CONTRACTS_OF_ALL
    assert _look_back(database) == NUMBER
    assert _look_back(database) == 0
    both = _noted_rupiah(database)
    assert sorted(one for one in both if one[1] == 1) == sorted(first)
    assert sorted((contract, number) for contract, number, _ in both if number != 1) == [
        (contract, 2) for contract in CONTRACTS_OF_ALL
    ]
    assert all(rupiah < 0 for *_, rupiah in both), "a longer interruption takes from what is due, twice"


def test_facts_of_another_place_are_not_taken_for_those_that_were_looked_at(
    database: Database, target: list[str]
) -> None:
    """The table of contracts named the wrong village, and was read in again after the month was corrected."""
    close(database, JULY, facts(JULY, (outage(JULY, (100, 130)),)), number=2)
    assert _look_back(database) == NUMBER
    other = f"{REJOSARI}-1"
    close(database, JULY, facts(JULY, (outage(JULY, (100, 116)),)), site=other)
    close(database, JULY, facts(JULY, (outage(JULY, (100, 140)),)), number=1, site=other)
    with database.writes() as db:
        db.execute(update(Contract).where(Contract.id == CONTRACTS_OF_ALL[0]).values(site=other))
    with database.reads() as db:
        assert late.concerned(db, REGENCY, AUGUST) == CONTRACTS_OF_ALL[:1]
    assert _look_back(database) == 1


def test_a_correction_of_an_earlier_version_is_looked_at_once_more_and_comes_out_the_same(
    database: Database, target: list[str]
) -> None:
    assert _look_back(database) == NUMBER
    migrate.migrate(database, "0033")
    migrate.migrate(database)
    with database.reads() as db:
        assert late.concerned(db, REGENCY, AUGUST) == CONTRACTS_OF_ALL
    assert _look_back(database) == 0
    assert _noted(database) == ALL_NOTED


def _noted_rupiah(database: Database) -> list[tuple[str, int, int]]:
    with database.reads() as db:
        return [(one.contract, one.number, one.rupiah) for one in db.scalars(select(Correction))]
