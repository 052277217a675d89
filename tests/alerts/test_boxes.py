"""A box that moved, two with one key, and who was shut out and still knocks: an engineer hears of it, once a day."""

from typing import Final

import msgspec

from kampungnet.alerts import gather
from kampungnet.alerts.facts import Fact, Group
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.devices import knocks
from kampungnet.devices.knocks import Knock, Knocker
from kampungnet.devices.models import Agent
from kampungnet.staff.service import Scope
from tests.alerts.stories import Ear, reader, texts
from tests.support.server import BOOT, REGENCY, VILLAGE, Box, ingested

NOW: Final = clock.now_ms()
OTHER_BOOT: Final = "b00700c0-0000-4000-8000-00000000000f"


def _spoke(database: Database, box: Box, address: str, boot_id: str = BOOT) -> None:
    request = box.request(box.report(box.reading(boot_id=boot_id), boot_id=boot_id), NOW)
    ingested(database, msgspec.structs.replace(request, address=address))


def _facts(database: Database, scope: Scope, now_ms: int = NOW) -> list[Fact]:
    with database.reads() as db:
        found = gather.seen_by(gather.known(db, REGENCY, now_ms), scope)
    return [one for one in found if isinstance(one.about, Group)]


def _told(database: Database, ear: Ear, now_ms: int = NOW) -> list[str]:
    return texts(ear.listen(now_ms, *_facts(database, Scope(REGENCY), now_ms)), now_ms)


def test_a_box_that_moved_and_two_with_one_key_are_told_once_in_words(database: Database, box: Box) -> None:
    ear = Ear(reader(since_ms=0))
    _spoke(database, box, "36.80.1.20")
    _spoke(database, box, "36.80.9.20", OTHER_BOOT)
    assert _told(database, ear) == [], "another address near by, after a power cut, wakes nobody"
    _spoke(database, box, "114.5.9.1")
    moved, twice = sorted(_told(database, ear))
    assert moved.splitlines()[0] == "PERINGATAN: Dua kotak melapor dengan kunci Kampunganyar"
    assert twice.splitlines()[0] == "PERINGATAN: Kotak Kampunganyar melapor dari jaringan lain"
    assert "Sekarang dari 114.5.9.0/24" in twice
    assert moved.endswith("https://kn.example/janggal")
    assert _told(database, ear, NOW + clock.DAY_MS + 1) == [], "nobody is told that it is over: nothing is"


def test_a_box_that_was_shut_out_and_a_copy_are_told_with_the_network_they_are_at(database: Database, box: Box) -> None:
    with database.writes() as db:
        who = [Knocker(REGENCY, what, box.agent, "114.5.9.0/24") for what in (Knock.REVOKED, Knock.OLD_KEY)]
        replaced = Knocker(REGENCY, Knock.REPLACED, box.agent, "114.5.9.0/24")
        knocks.record(db, [(one, NOW, NOW, 1) for one in [*who, replaced]])
    copy, shut_out = sorted(_told(database, Ear(reader(since_ms=0))), key=lambda text: "Salinan" not in text)
    assert "Kotak Kampunganyar yang sudah dikeluarkan sedang tersambung" in shut_out
    assert "114.5.9.0/24" in shut_out
    assert "114.5.9.0/24" in copy


def test_one_stranger_is_no_news_and_many_are_one_message(database: Database) -> None:
    ear = Ear(reader(since_ms=0))
    for times, told in ((4, 0), (1, 1), (3_000, 0)):
        with database.writes() as db:
            knocks.record(db, [(Knocker("", Knock.UNKNOWN, "7XK2M9QDV4T8ZB31", "114.5.9.0/24"), NOW, NOW, times)])
        assert len(_told(database, ear)) == told, times


def test_only_who_looks_after_the_whole_kabupaten_hears_of_boxes(database: Database, box: Box) -> None:
    with database.writes() as db:
        db.get_one(Agent, (REGENCY, box.agent)).moved_ms = NOW
    assert len(_facts(database, Scope(REGENCY))) == 1
    assert _facts(database, Scope(REGENCY, VILLAGE)) == []
    assert _facts(database, Scope(REGENCY, None, VILLAGE[:8])) == []
