import pytest
from sqlalchemy import select, update

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import TooMany
from kampungnet.core.security import delay_ms
from kampungnet.staff import throttle
from kampungnet.staff.models import SignInFailure, StaffMember
from tests.pages.cast import browser, send_sign_in

WRONG = "not the password 1"


@pytest.mark.parametrize("username", ["sari", "nobody"])
async def test_after_five_wrong_passwords_a_name_rests_whether_it_exists_or_not(server: Server, username: str) -> None:
    for _ in range(5):
        assert (await send_sign_in(browser(server), username, WRONG)).status_code == 401
    answer = await send_sign_in(browser(server), username)
    assert answer.status_code == 429
    assert "Terlalu banyak percobaan yang salah." in answer.text


async def test_others_in_the_same_office_sign_in_all_the_while(server: Server) -> None:
    for _ in range(6):
        await send_sign_in(browser(server), "sari", WRONG)
    assert (await send_sign_in(browser(server), "budi")).status_code == 303


async def test_the_rest_ends_and_a_right_password_forgets_the_failures(server: Server) -> None:
    for _ in range(5):
        await send_sign_in(browser(server), "sari", WRONG)
    with server.database.writes() as db:
        db.execute(update(StaffMember).values(locked_until_ms=clock.now_ms() - 1))
    assert (await send_sign_in(browser(server), "sari")).status_code == 303
    with server.database.reads() as db:
        assert db.get_one(StaffMember, "sari").failed_logins == 0


def test_the_rest_grows_and_never_exceeds_a_quarter_of_an_hour() -> None:
    delays = [delay_ms(failures) for failures in range(1, 40)]
    assert delays[:6] == [0, 0, 0, 0, 5_000, 10_000]
    assert delays == sorted(delays)
    assert delays[-1] == 15 * 60_000
    assert delay_ms(10**9) == 15 * 60_000


def test_a_flood_from_one_address_is_stopped_and_others_are_not(database: Database) -> None:
    with database.reads() as db:
        for second in range(throttle.ADDRESS_LIMIT):
            throttle.check_floods(db, "203.0.113.7", second * 1_000)
            throttle.note_failure(db, f"guess-{second}", "203.0.113.7", second * 1_000)
            db.flush()
        with pytest.raises(TooMany):
            throttle.check_floods(db, "203.0.113.7", 61_000)
        throttle.check_floods(db, "203.0.113.8", 61_000)
        throttle.check_floods(db, "203.0.113.7", 16 * 60_000)


def test_a_flood_from_everywhere_is_stopped_for_a_while(database: Database) -> None:
    with database.reads() as db:
        for number in range(throttle.EVERYBODY_LIMIT):
            throttle.note_failure(db, "sari", f"address {number}", 1)
        db.flush()
        with pytest.raises(TooMany):
            throttle.check_floods(db, "another", 2)
        throttle.check_floods(db, "another", throttle.EVERYBODY_WINDOW_MS + 2)


def test_what_strangers_typed_is_not_kept_and_forgotten_after_a_day(database: Database) -> None:
    with database.reads() as db:
        throttle.note_failure(db, "my secret password", "203.0.113.7", 1)
        db.flush()
        throttle.note_failure(db, "nobody", "203.0.113.7", throttle.REMEMBERED_MS + 2)
        db.flush()
        rows = db.scalars(select(SignInFailure)).all()
    assert [row.at_ms for row in rows] == [throttle.REMEMBERED_MS + 2]
    assert b"nobody" not in (rows[0].stranger or b"")
