"""The log of decisions is read in words, found by who, what, where and when, and turned page by page."""

import re
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from kampungnet.app import Server
from kampungnet.core import clock, pages
from kampungnet.staff import acts, audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.pages.cast import signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI

SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
NUR = SignedIn("nur", "Bu Nur", Role.BUDGET, Scope(REGENCY))
NOON = clock.day_start_ms(clock.local_day(1_782_882_000_000, clock.WIB), clock.WIB) + 12 * 3_600_000
"""Wednesday 2026-07-01 in WIB."""


def _acts(db: Session) -> None:
    """Five acts, a day apart."""
    places = ({"places": [KAMPUNGANYAR]}, {"places": [REJOSARI[:8]]}, {"places": [REGENCY]})
    for number, told in enumerate(places):
        audit.record(db, SARI, Act("planned_work.enter", f"w{number}", f"work {number}", None, told),
                     NOON + number * clock.DAY_MS)  # fmt: skip
    audit.record(db, SARI, Act("outage.rule", f"{REJOSARI}-1", "cut by a truck"), NOON + 3 * clock.DAY_MS)
    paid = {"state": "paid", "village": KAMPUNGANYAR}
    audit.record(db, NUR, Act("statement.paid", "0001/BPLI", "on time", None, paid), NOON + 4 * clock.DAY_MS)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", {1, 2, 3, 4, 5}),
        ("apa=outage.rule", {4}),
        ("apa=planned_work.enter&siapa=sari", {1, 2, 3}),
        ("siapa=nur", {5}),
        (f"desa={KAMPUNGANYAR}", {1, 2, 3, 5}),
        (f"desa={REJOSARI}", {2, 3, 4}),
        ("desa=35.10.15.201", {2, 3}),
        ("desa=%25", set()),
        ("dari=2026-07-02&sampai=2026-07-03", {2, 3}),
        ("dari=2026-07-05", {5}),
        ("sampai=2026-07-01", {1}),
        ("apa=&siapa=&desa=&dari=&sampai=", {1, 2, 3, 4, 5}),
        ("apa=gaib", set()),
    ],
)
async def test_acts_are_found_by_kind_person_village_and_days(server: Server, asked: str, found: set[int]) -> None:
    with server.database.writes() as db:
        _acts(db)
    sari = await signed_in(server, "sari")
    answer = await sari.get(f"/catatan?{asked}")
    assert answer.status_code == 200
    assert {int(number) for number in re.findall(r"<small>No\. (\d+)</small>", answer.text)} == found


async def test_acts_and_places_are_said_in_words_of_the_reader(server: Server) -> None:
    with server.database.writes() as db:
        _acts(db)
        audit.record(db, SARI, Act("later.act", "x"), NOON)
    sari = await signed_in(server, "sari")
    page = (await sari.get("/catatan")).text
    for words in ("<b>Sebab gangguan ditetapkan</b>", f"Rejosari ({REJOSARI}-1)", "<b>Laporan tagihan dibayar</b>"):
        assert words in page, words
    assert "<b>later.act</b>" in page, "a kind without words is shown as it is"
    assert "<b>Cause of an interruption set</b>" in (await sari.get("/catatan?lang=en")).text


async def test_commands_of_several_users_and_several_boxes_are_one_choice_each(server: Server) -> None:
    with server.database.writes() as db:
        for name in ("budi", "root"):
            audit.record(db, SignedIn(audit.SERVER, name, Role.ENGINEER, Scope(REGENCY)), Act("box.code", name), NOON)
        for village in (KAMPUNGANYAR, REJOSARI):
            audit.record_of_box(db, REGENCY, village, Act("hands.ended", village), NOON)
    page = (await (await signed_in(server, "sari")).get("/catatan?siapa=(server)")).text
    chosen = page.partition('name="siapa"')[2].partition("</select>")[0]
    assert re.findall(r'<option value="(\(.+?\))"[^>]*>([^<]+)', chosen) == [
        (audit.BOX, "Kotak desa"), (audit.SERVER, "Perintah di server"),
    ]  # fmt: skip
    assert len(re.findall(r"Perintah di server \((budi|root)\)", page)) == 2


async def test_a_day_that_is_none_is_refused_with_a_sentence_and_what_was_chosen_stays(server: Server) -> None:
    with server.database.writes() as db:
        _acts(db)
    sari = await signed_in(server, "sari")
    for bad in ("2026-13-01", "0001-01-01", "9999-12-31", "x" * 5000):
        answer = await sari.get(f"/catatan?siapa=nur&dari={bad}")
        assert answer.status_code == 422
        assert "Silakan tulis tanggal seperti 2026-11-29" in answer.text
        assert '<option value="nur" selected>' in answer.text


async def test_older_pages_keep_what_was_chosen(server: Server) -> None:
    with server.database.writes() as db:
        for number in range(audit.PAGE + 3):
            audit.record(db, SARI, Act("outage.rule", f"{REJOSARI}-1", f"{number}"), NOON + number)
            audit.record(db, NUR, Act("statement.paid", "y"), NOON + number)
    sari = await signed_in(server, "sari")
    page = (await sari.get(f"/catatan?siapa=sari&desa={REJOSARI}")).text
    older = re.search(r'href="(/catatan\?[^"]+)">Yang lebih lama', page)
    assert older is not None
    next_page = (await sari.get(older[1].replace("&amp;", "&"))).text
    assert re.findall(r"<small>No\. (\d+)</small>", next_page) == ["5", "3", "1"]
    assert "Yang terbaru" in next_page
    assert "Yang lebih lama" not in next_page


def test_every_kind_of_act_has_words_in_both_languages() -> None:
    code = "\n".join(path.read_text("utf-8") for path in Path(acts.__file__).parent.parent.rglob("*.py"))
    kinds = set(re.findall(r'\bAct\(\s*"([a-z_.]+)"', code))
    assert len(kinds) > 4
    assert kinds <= acts.WORDS.keys()
    for language in pages.all_languages().values():
        assert all(acts.words(kind, language) != kind for kind in acts.WORDS)
