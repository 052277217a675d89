"""Free places: the list, who may change it, what can never be on it, and the look whether each is still there."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from kampungnet.app import Server
from kampungnet.core import clock, reach
from kampungnet.core.database import Database
from kampungnet.core.errors import Conflict, NotAllowed, Unprocessable
from kampungnet.hotspot import garden, garden_check, portals
from kampungnet.hotspot.garden import NewEntry
from kampungnet.hotspot.garden_check import NO_ANSWER, NO_NAME, NOT_KNOWN, look, look_at
from kampungnet.hotspot.models import GardenEntry
from kampungnet.hotspot.policy import Policy
from kampungnet.staff import audit
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY, fill, hire
from tests.support.ports import free_port

PAGE = "/layanan-gratis"
PLACE = (REGENCY, f"{KAMPUNGANYAR}-1")
SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
NOW_MS = clock.now_ms()
TODAY = clock.local_day(NOW_MS, clock.zone_of(REGENCY))
NEXT_YEAR = (TODAY + timedelta(days=365)).isoformat()
BMKG = NewEntry("www.bmkg.go.id", "Cuaca", "BMKG", "Peringatan dini", NEXT_YEAR)
FORM = {"act": "add", "host": "www.bmkg.go.id", "title": "Cuaca", "owner": "BMKG", "reason": "Peringatan dini",
        "review_on": NEXT_YEAR, "ports": ""}  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'kampungnet.db'}", tmp_path / "kampungnet.key")
    fill(database, clock.now_ms(), history=(), whole=False)
    hire(database)
    with database.writes() as db:
        portals.set_policy(db, SARI, PLACE, Policy(managed=True), NOW_MS)
    yield database
    database.close()


@pytest.fixture
def server(database: Database) -> Server:
    return Server(database, upkeep=False)


def wanted_hosts(database: Database) -> list[str]:
    with database.reads() as db:
        return [one.host for one in portals.wanted(db, PLACE, [], NOW_MS).garden]


async def test_an_engineer_adds_keeps_and_ends_an_entry_and_routers_follow(server: Server, database: Database) -> None:
    sari = await signed_in(server, "sari")
    with database.reads() as db:
        before = portals.revision(db, PLACE)
    assert (await sari.post(PAGE, data=FORM, headers=OWN_PAGE)).status_code == 303
    assert wanted_hosts(database) == ["www.bmkg.go.id"]
    with database.reads() as db:
        assert portals.revision(db, PLACE) > before
        (one,) = garden.entries(db, REGENCY)
    assert "Cuaca" in (await sari.get(PAGE)).text
    later = (TODAY + timedelta(days=30)).isoformat()
    kept = {"act": "review", "one": one.id, "review_on": later}
    assert (await sari.post(PAGE, data=kept, headers=OWN_PAGE)).status_code == 303
    assert (await sari.post(PAGE, data={"act": "end", "one": one.id}, headers=OWN_PAGE)).status_code == 303
    assert wanted_hosts(database) == []
    again = await sari.post(PAGE, data={"act": "end", "one": one.id}, headers=OWN_PAGE)
    assert again.status_code == 404
    with database.reads() as db:
        acts = [entry.what for entry in audit.entries(db, REGENCY)]
    assert acts[:3] == ["garden.end", "garden.review", "garden.add"]


async def test_others_read_the_list_and_change_nothing(server: Server, database: Database) -> None:
    with database.writes() as db:
        garden.add(db, SARI, BMKG, NOW_MS)
    for who in ("budi", "dedi"):
        visitor = await signed_in(server, who)
        page = (await visitor.get(PAGE)).text
        assert "Cuaca" in page
        assert '<form method="post"' not in page.replace('<form method="post" action="/keluar"', "")
        assert (await visitor.post(PAGE, data=FORM, headers=OWN_PAGE)).status_code == 403
    with pytest.raises(NotAllowed), database.writes() as db:
        garden.add(db, SignedIn("x", "X", Role.ENGINEER, Scope(REGENCY, KAMPUNGANYAR)), BMKG, NOW_MS)


async def test_what_was_typed_comes_back_with_one_sentence(server: Server) -> None:
    sari = await signed_in(server, "sari")
    answer = await sari.post(PAGE, data=FORM | {"host": "dua kata", "title": "<b>x"}, headers=OWN_PAGE)
    assert answer.status_code == 422
    assert "dua kata" in answer.text
    assert "&lt;b&gt;x" in answer.text
    assert "Tulis namanya saja" in answer.text


NO_HOSTS = (
    "", "bmkg", "*", "*.", "*.id:443", "a b.id", "localhost", "127.0.0.1", "10.5.50.1", "[::1]", "a.id/path", "a_b.id",
    "captive.apple.com", "*.apple.com", "connectivitycheck.gstatic.com", "a" * 300 + ".id", "\x00.id",
    "$(mac).id",
)  # fmt: skip
WRONG = [
    *(("host", one) for one in NO_HOSTS),
    *(("ports", one) for one in ("0", "65536", "x", "-1", "1 2 3 4 5 6 7 8 9", "\u0663")),
    *(("review_on", one) for one in ("", "besok", TODAY.isoformat(), "2020-01-01", "9999-01-01")),
    *((field, one) for field in ("title", "owner", "reason") for one in ("", "A" * 501, "\x00")),
]


@pytest.mark.parametrize(("field", "typed"), WRONG)
def test_what_cannot_be_an_entry_is_refused(sqlite_database: Database, field: str, typed: str) -> None:
    with pytest.raises(Unprocessable), sqlite_database.writes() as db:
        garden.add(db, SARI, replace(BMKG, **{field: typed}), NOW_MS)


def test_a_name_is_on_the_list_once(database: Database) -> None:
    with database.writes() as db:
        garden.add(db, SARI, BMKG, NOW_MS)
        with pytest.raises(Conflict):
            garden.add(db, SARI, NewEntry("HTTPS://WWW.BMKG.GO.ID/", "x", "x", "x", NEXT_YEAR), NOW_MS)


def test_every_example_can_be_put_on_the_list(database: Database) -> None:
    with database.writes() as db:
        for one in garden.examples():
            garden.add(db, SARI, NewEntry(one.host, one.title, one.owner, one.reason, NEXT_YEAR), NOW_MS)
    assert len(wanted_hosts(database)) == len(garden.examples()) >= 5


def to_loopback(_: str) -> list[str]:
    return ["127.0.0.1"]


def nowhere(host: str) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, host)


def test_a_look_tells_what_answers_from_what_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        assert look("layanan.example.go.id", [free_port(), port], to_loopback) == ""
    assert look("layanan.example.go.id", [port], to_loopback) == NO_ANSWER
    assert look("layanan.example.go.id", [port], nowhere) == NO_NAME


def test_a_name_for_many_is_looked_at_by_itself_and_by_its_www() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        for known in ("layanan.go.id", "www.layanan.go.id"):
            only = partial(_resolved, {known})
            assert look("*.layanan.go.id", [port], only) == "", known
        assert look("*.layanan.go.id", [port], partial(_resolved, {"api.layanan.go.id"})) == NOT_KNOWN


@pytest.mark.parametrize(("named", "found"), [("", NOT_KNOWN), ("127.0.0.0/8", "")])
def test_what_stands_beside_the_server_is_not_knocked_at_unless_it_is_named(
    database: Database, monkeypatch: pytest.MonkeyPatch, named: str, found: str
) -> None:
    monkeypatch.setenv(reach.NETWORKS, named)
    with socket.create_server(("127.0.0.1", 0)) as there:
        with database.writes() as db:
            key = garden.add(db, SARI, BMKG, NOW_MS).id
            db.get_one(GardenEntry, (REGENCY, key)).host = "localhost"
            db.get_one(GardenEntry, (REGENCY, key)).ports = f"[{there.getsockname()[1]}]"
        assert garden_check.look_at_all(database, controls=[]) == 1
        there.settimeout(0)
        with database.reads() as db:
            assert db.get_one(GardenEntry, (REGENCY, key)).problem == found
        if not named:
            with pytest.raises(BlockingIOError):
                there.accept()


def _resolved(known: set[str], host: str) -> list[str]:
    return to_loopback(host) if host in known else nowhere(host)


def test_with_the_servers_own_line_down_nothing_is_called_broken_and_is_looked_at_again_in_an_hour(
    database: Database,
) -> None:
    with database.writes() as db:
        one = garden.add(db, SARI, BMKG, NOW_MS)
        key = one.id
    with socket.create_server(("127.0.0.1", 0)) as there:
        works, dead = ("a.example", (there.getsockname()[1],)), ("a.example", (free_port(),))
        for controls, problem in (([dead], NOT_KNOWN), ([dead, works], NO_ANSWER)):
            with database.writes() as db:
                db.get_one(GardenEntry, (REGENCY, key)).checked_ms = None
                db.get_one(GardenEntry, (REGENCY, key)).ports = f"[{free_port()}]"
            assert garden_check.look_at_all(database, to_loopback, controls) == 1
            with database.reads() as db:
                assert db.get_one(GardenEntry, (REGENCY, key)).problem == problem
                soon = clock.now_ms() + garden.AGAIN_MS
                assert bool(garden.due(db, soon, 10)) == (problem == NOT_KNOWN)


def test_a_round_ends_in_time_whatever_a_resolver_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garden_check, "ROUND_SECONDS", 2)
    let_go = threading.Event()

    def slow(host: str) -> list[str]:
        if host == "hilang.example":
            let_go.wait(40)
        return to_loopback(host)

    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        began = time.monotonic()
        assert look_at([("hilang.example", [port]), ("ada.example", [port])], slow) == [NOT_KNOWN, ""]
        assert time.monotonic() - began < 30
    let_go.set()


def test_many_ports_that_swallow_everything_take_no_longer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garden_check, "ANSWER_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        door = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:  # its queue is full from here on: what else connects gets no answer
            one.settimeout(0)
            one.connect_ex(door)
        began = time.monotonic()
        assert look("layanan.example.go.id", [door[1]] * 8, to_loopback) == NO_ANSWER
        assert time.monotonic() - began < 6
        for one in waiting:
            one.close()


async def test_broken_and_overdue_entries_are_shown_with_their_age(server: Server, database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there, database.writes() as db:
        port = there.getsockname()[1]
        for name, ports in (("ada", f"[{port}]"), ("putus", f"[{free_port()}]")):
            db.add(
                GardenEntry(
                    regency=REGENCY, id=name, host=f"{name}.example.go.id", ports=ports, title=f"Layanan {name}",
                    owner="Dinas", reason="Perlu", review_on=date(2026, 1, 1), checked_ms=None, problem="",
                    ended_ms=None,
                )
            )  # fmt: skip
    with socket.create_server(("127.0.0.1", port)):
        assert garden_check.look_at_all(database, to_loopback) == 2
    assert garden_check.look_at_all(database, to_loopback) == 0, "once a day"
    sari = await signed_in(server, "sari")
    page = (await sari.get(PAGE)).text
    assert page.count("Tidak ada yang menjawab di sana.") == 1
    assert page.count("masih diperlukan?") == 2
    with database.reads() as db:
        assert {one.id: one.problem for one in garden.entries(db, REGENCY)} == {"ada": "", "putus": NO_ANSWER}
        assert len(garden.due(db, NOW_MS + 25 * 3_600_000, 10)) == 2
