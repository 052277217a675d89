import pytest

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import Conflict, NotFound, Problem, Unprocessable
from kampungnet.core.security import (
    MIN_PASSWORD_LENGTH,
    common_passwords,
    hash_password,
    is_guessable,
    password_matches,
)
from kampungnet.staff.service import Duty, NewStaff, Role, Scope, add_staff
from tests.pages.cast import browser, send_sign_in
from tests.pages.sample import KAMPUNGANYAR, PASSWORD, REGENCY

WHOLE = Scope(REGENCY)


REFUSED: tuple[tuple[str, Role, Scope, Duty, str, type[Problem]], ...] = (
    ("Sari2", Role.ENGINEER, WHOLE, Duty.NONE, PASSWORD, Unprocessable),
    ("a b", Role.ENGINEER, WHOLE, Duty.NONE, PASSWORD, Unprocessable),
    ("new\n", Role.ENGINEER, WHOLE, Duty.NONE, PASSWORD, Unprocessable),
    ("new", Role.OPERATOR, WHOLE, Duty.NONE, PASSWORD, Unprocessable),
    ("new", Role.AUDITOR, Scope(REGENCY, KAMPUNGANYAR), Duty.NONE, PASSWORD, Unprocessable),
    ("new", Role.BUDGET, WHOLE, Duty.HEAD, PASSWORD, Unprocessable),
    ("new", Role.OPERATOR, Scope(REGENCY, KAMPUNGANYAR), Duty.HEAD, PASSWORD, Unprocessable),
    ("new", Role.OPERATOR, Scope(REGENCY, "35.10.99.2001"), Duty.NONE, PASSWORD, NotFound),
    ("new", Role.BUDGET, Scope("11.01"), Duty.NONE, PASSWORD, NotFound),
    ("sari", Role.ENGINEER, WHOLE, Duty.NONE, PASSWORD, Conflict),
    ("new", Role.ENGINEER, WHOLE, Duty.NONE, "elevenchars", Unprocessable),
    ("new", Role.ENGINEER, WHOLE, Duty.NONE, "kampungnet2026!", Unprocessable),
    ("new", Role.ENGINEER, WHOLE, Duty.NONE, PASSWORD * 20, Unprocessable),
)


def test_a_person_who_cannot_be_added_is_refused_with_a_sentence(database: Database) -> None:
    for username, role, scope, duty, password, error in REFUSED:
        with database.writes() as db, pytest.raises(error) as refusal:
            add_staff(db, NewStaff(username, "Somebody", role, scope, duty), password)
        assert refusal.value.sentence.endswith(".")


@pytest.mark.parametrize(
    "password",
    ["KampungNet-2026", "banyuwangi123456", "password12345678", "Rahasia_Desa_2025", "aaaaaaaaaaaaaaaa",
     "1234567890123", "bu.sari.2026.2026", "qwertyuiop12345", "admin admin admin"],
)  # fmt: skip
def test_passwords_made_of_common_words_are_refused(password: str) -> None:
    assert is_guessable(password, "sari", "Ibu", "Sari")


@pytest.mark.parametrize(
    "password",
    ["liverpool2026", "2026!Chelsea!!", "sup3rm4n123456", "mercedesmercedes", "1q2w3e4r5t6y",
     "Thunderbird#99"],
)  # fmt: skip
def test_known_passwords_are_refused_also_with_digits_around_them_or_in_them(password: str) -> None:
    assert is_guessable(password, "sari", "Ibu", "Sari")


def test_each_known_password_that_is_long_enough_is_refused() -> None:
    known = common_passwords()
    assert len(known) > 10_000
    long = [one for one in known if len(one) >= MIN_PASSWORD_LENGTH]
    assert len(long) > 200
    assert [one for one in long if not is_guessable(one)] == []


@pytest.mark.parametrize("password", [PASSWORD, "kerupuk udang renyah", "x8#kQ!v2mLp0zz", "tujuh naga di banyuwangi"])
def test_phrases_nobody_would_guess_are_taken(password: str) -> None:
    assert not is_guessable(password, "sari", "Ibu", "Sari")


def test_a_long_password_counts_to_its_last_letter() -> None:
    longest = (PASSWORD + " ") * 8
    assert len(longest) > 150
    assert password_matches(hash_password(longest), longest)
    assert not password_matches(hash_password(longest), longest[:-2] + "x ")


async def test_a_password_grows_not_old(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    later_ms = clock.now_ms() + 5 * 365 * clock.DAY_MS
    monkeypatch.setattr(clock, "now_ms", lambda: later_ms)
    assert (await send_sign_in(browser(server), "sari")).headers["location"] == "/"


def test_a_broken_hash_matches_nothing() -> None:
    assert not password_matches("not a hash", PASSWORD)
    assert not password_matches("", PASSWORD)
    assert password_matches(hash_password(PASSWORD), PASSWORD)


@pytest.mark.parametrize("village", ["35.10.15.2012", "35.10.15.2013", "35.1", "33.10.01.2001", ""])
def test_a_scope_holds_its_own_village_only(village: str) -> None:
    own = Scope(REGENCY, KAMPUNGANYAR)
    if village == KAMPUNGANYAR:
        own.check(village)
    else:
        with pytest.raises(NotFound):
            own.check(village)
