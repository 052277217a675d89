"""The second factor of staff: what a phone shows, once; spare codes; what a role must have."""

import html
import re
import threading
from base64 import b32decode
from collections.abc import Callable

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select, update

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Problem
from kampungnet.staff import one_time_codes as codes
from kampungnet.staff import second_factor, service, signing_in
from kampungnet.staff.models import AuditEntry, SpareCode, StaffMember, StaffSession
from kampungnet.staff.service import Role
from kampungnet.staff.signing_in import Visitor
from tests.pages.cast import OWN_PAGE, browser, send_sign_in, signed_in
from tests.pages.sample import PASSWORD

RFC_SECRET = b"12345678901234567890"
Now = Callable[[int], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Now:
    """Let the clock of the server stand so many milliseconds ahead."""
    started_ms = clock.now_ms()

    def move(milliseconds: int) -> None:
        monkeypatch.setattr(clock, "now_ms", lambda: started_ms + milliseconds)

    move(0)
    return move


@pytest.mark.parametrize(
    ("second", "digits"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
     (2_000_000_000, "279037"), (20_000_000_000, "353130")],
)  # fmt: skip
def test_codes_are_those_of_the_standard(second: int, digits: str) -> None:
    step = second // 30
    assert codes.code_at(RFC_SECRET, step) == digits, "RFC 6238, appendix B, the last six of eight digits"
    assert codes.step_of(RFC_SECRET, digits, second * 1000, 0) == step
    assert codes.step_of(RFC_SECRET, digits, (second + 30) * 1000, 0) == step, "a clock may be half a minute off"
    assert codes.step_of(RFC_SECRET, digits, (second + 90) * 1000, 0) is None
    assert codes.step_of(RFC_SECRET, digits, second * 1000, step) is None, "used"


@pytest.mark.parametrize(
    "typed", ["", "28708", "2870822", "\uff12\uff18\uff17\uff10\uff18\uff12", "28708a", "287082\n1", "-287082"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert codes.step_of(RFC_SECRET, typed, 59_000, 0) is None


async def test_a_phone_is_set_up_and_then_asked_for(server: Server, database: Database, later: Now) -> None:
    secret, spare = await _set_up(server, "budi")
    with database.reads() as db:
        budi = db.get_one(StaffMember, "budi")
        assert budi.factor is not None
        assert secret not in budi.factor
        hashes = set(db.scalars(select(SpareCode.code_hash)))
        assert hashes == {codes.spare_hash(one) for one in spare}
        assert [entry.what for entry in db.scalars(select(AuditEntry))] == ["staff.factor_on"]
    assert len(spare) == codes.SPARE_CODES

    later(60_000)
    visitor = browser(server)
    answer = await send_sign_in(visitor, "budi", ke="/tentang")
    assert answer.headers["location"] == "/masuk/langkah?ke=%2Ftentang"
    assert (await visitor.get("/tentang")).status_code == 303, "a password alone opens nothing"
    assert (await visitor.get("/akun")).status_code == 303
    half = visitor.cookies["kampungnet"]
    assert "Kode dari ponsel" in (await visitor.get("/masuk/langkah")).text
    wrong = await _step(visitor, code="000000")
    assert (wrong.status_code, "Kode ini tidak cocok" in wrong.text) == (401, True)
    right = await _step(visitor, code=_now(secret), ke="/tentang")
    assert (right.status_code, right.headers["location"]) == (303, "/tentang")
    assert visitor.cookies["kampungnet"] != half, "each step has a token of its own"
    assert (await visitor.get("/tentang")).status_code == 200


async def test_a_code_opens_once_whoever_else_has_seen_it(server: Server, database: Database, later: Now) -> None:
    secret, _ = await _set_up(server, "budi")
    later(60_000)
    owner, thief = browser(server), browser(server)
    for one in (owner, thief):
        await send_sign_in(one, "budi")
    seen = _now(secret)
    assert (await _step(owner, code=seen)).status_code == 303
    assert (await _step(thief, code=seen)).status_code == 401
    before = codes.code_at(secret, clock.now_ms() // codes.STEP_MS - 1)
    assert (await _step(thief, code=before)).status_code == 401, "nor one of a step before it"


async def test_of_many_who_send_one_code_at_once_one_gets_in(server: Server, database: Database, later: Now) -> None:
    secret, _ = await _set_up(server, "budi")
    later(60_000)
    now_ms = clock.now_ms()
    halves = [signing_in.sign_in(database, ("budi", PASSWORD), Visitor("192.0.2.1"), now_ms) for _ in range(6)]
    code, opened = _now(secret), []
    start = threading.Barrier(len(halves))

    def give(token: str) -> None:
        start.wait(timeout=30)
        try:
            opened.append(signing_in.give_code(database, code, Visitor("192.0.2.1", token=token), now_ms))
        except Problem:
            return

    threads = [threading.Thread(target=give, args=(half.token,)) for half in halves]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    assert len(opened) == 1


async def test_codes_are_guessed_as_slowly_as_passwords(server: Server, database: Database, later: Now) -> None:
    secret, _ = await _set_up(server, "budi")
    later(60_000)
    thief = browser(server)
    for number in range(5):
        await send_sign_in(thief, "budi")  # the right password in between gives no more tries
        assert (await _step(thief, code=f"00000{number}")).status_code == 401
    assert (await _step(thief, code=_now(secret))).status_code == 429
    assert (await send_sign_in(browser(server), "budi")).status_code == 429
    with database.reads() as db:
        assert db.get_one(StaffMember, "budi").failed_logins == 5


async def test_a_spare_code_opens_once_however_it_is_typed(server: Server, later: Now) -> None:
    _, spare = await _set_up(server, "budi")
    later(60_000)
    for typed, status in ((spare[0].lower().replace("-", " "), 303), (spare[0], 401), (spare[1], 303)):
        visitor = browser(server)
        await send_sign_in(visitor, "budi")
        assert (await _step(visitor, code=typed)).status_code == status
    assert "Sisa kode cadangan: 6." in (await visitor.get("/akun")).text


async def test_the_way_in_ends_after_ten_minutes(server: Server, later: Now) -> None:
    secret, _ = await _set_up(server, "budi")
    later(60_000)
    visitor = browser(server)
    await send_sign_in(visitor, "budi")
    later(60_000 + service.HALF_MS + 1)
    assert (await visitor.get("/masuk/langkah")).headers["location"] == "/masuk"
    assert (await _step(visitor, code=_now(secret))).status_code == 401


async def test_who_is_disabled_or_signed_in_already_is_not_on_the_way(
    server: Server, database: Database, later: Now
) -> None:
    secret, _ = await _set_up(server, "budi")
    later(60_000)
    sari = await signed_in(server, "sari")
    again = await sari.get("/masuk/langkah?ke=/tentang")
    assert again.headers["location"] == "/masuk?ke=%2Ftentang"
    assert (await sari.get(again.headers["location"])).headers["location"] == "/tentang"
    budi = browser(server)
    await send_sign_in(budi, "budi")
    with database.writes() as db:
        db.execute(update(StaffMember).where(StaffMember.username == "budi").values(disabled_ms=1))
    assert (await _step(budi, code=_now(secret))).status_code == 401


async def test_a_role_that_must_have_one_sets_it_up_before_anything_else(
    server: Server, later: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(second_factor.SETTING, "auditor, engineer")
    assert (await send_sign_in(browser(server), "budi")).headers["location"] == "/", "not asked of operators"
    sari = browser(server)
    assert (await send_sign_in(sari, "sari")).headers["location"] == "/masuk/langkah"
    page = (await sari.get("/masuk/langkah")).text
    assert (await sari.get("/tentang")).status_code == 303
    secret, offer = _offer(page)
    assert (await _step(sari, code="000000", offer=offer)).status_code == 422
    foreign = await _step(sari, code=_now(secret), offer="AAAA")
    assert (foreign.status_code, "Halaman ini sudah terlalu lama" in foreign.text) == (422, True)
    done = await _step(sari, code=_now(secret), offer=offer, ke="/tentang")
    assert done.status_code == 200
    assert len(re.findall(r"<code>[0-9A-Z-]{29}</code>", done.text)) == codes.SPARE_CODES
    assert 'href="/tentang"' in done.text
    assert (await sari.get("/tentang")).status_code == 200
    refused = await _act(sari, "factor_off", password=PASSWORD, code="123456")
    assert (refused.status_code, "Peran Anda wajib" in refused.text) == (422, True)


def test_a_setting_that_names_no_role_is_refused_at_the_start(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert second_factor.roles({}) == frozenset()
    assert second_factor.roles({second_factor.SETTING: "all"}) == frozenset(Role)
    monkeypatch.setenv(second_factor.SETTING, "engineer,everybody")
    with pytest.raises(BadInput, match="names a role that is none"):
        Server(database, upkeep=False)


async def test_the_factor_is_taken_off_with_password_and_code_only(
    server: Server, database: Database, later: Now
) -> None:
    secret, _ = await _set_up(server, "budi")
    later(60_000)
    budi = browser(server)
    await send_sign_in(budi, "budi")
    await _step(budi, code=_now(secret))
    later(120_000)
    for password, code in (("wrong password 1", _now(secret)), (PASSWORD, "000000")):
        assert (await _act(budi, "factor_off", password=password, code=code)).status_code == 422
    assert (await _act(budi, "factor_off", password=PASSWORD, code=_now(secret))).status_code == 303
    with database.reads() as db:
        assert db.get_one(StaffMember, "budi").factor is None
        assert db.scalars(select(SpareCode)).all() == []
    assert (await send_sign_in(browser(server), "budi")).headers["location"] == "/"


async def test_an_engineer_takes_it_off_for_a_lost_phone_and_the_log_says_so(
    server: Server, database: Database, later: Now
) -> None:
    await _set_up(server, "budi")
    sari = await signed_in(server, "sari")
    form = {"one": "budi", "act": "factor", "reason": "Ponsel hilang, saya telepon beliau"}
    assert (await sari.post("/petugas", data=form, headers=OWN_PAGE)).status_code == 200
    assert (await send_sign_in(browser(server), "budi")).headers["location"] == "/"
    with database.reads() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.what == "staff.admin_factor")).one()
        assert (entry.username, entry.about, entry.reason) == ("sari", "budi", "Ponsel hilang, saya telepon beliau")
        assert db.scalars(select(StaffSession).where(StaffSession.username == "budi")).first() is not None


async def _set_up(server: Server, username: str) -> tuple[bytes, list[str]]:
    """Let somebody set up a phone on the page of the account; return its secret and the spare codes."""
    visitor = await signed_in(server, username)
    secret, offer = _offer((await visitor.get("/akun")).text)
    done = await _act(visitor, "factor_on", password=PASSWORD, code=_now(secret), offer=offer)
    assert done.status_code == 200, done.text
    return secret, re.findall(r"<code>([0-9A-Z-]{29})</code>", done.text)


def _offer(page: str) -> tuple[bytes, str]:
    letters = re.search(r"<code>([A-Z2-7 ]{39})</code>", page)
    sealed = re.search(r'name="offer" value="([^"]+)"', page)
    assert letters
    assert sealed
    assert "<svg" in page
    assert "style=" not in page
    return b32decode(letters[1].replace(" ", "")), html.unescape(sealed[1])


def _now(secret: bytes) -> str:
    return codes.code_at(secret, clock.now_ms() // codes.STEP_MS)


async def _step(visitor: AsyncClient, **fields: str) -> Response:
    return await visitor.post("/masuk/langkah", data=fields, headers=OWN_PAGE)


async def _act(visitor: AsyncClient, act: str, **fields: str) -> Response:
    return await visitor.post("/akun", data={"act": act, **fields}, headers=OWN_PAGE)
