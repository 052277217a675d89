"""Backups: made while reports come in, brought back after the original is gone, refused where they would do harm."""

import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from kampungnet.backup import archive, postgresql, service
from kampungnet.backup.service import backup, restore
from kampungnet.cli import main
from kampungnet.core import clock, migrate
from kampungnet.core.commands import Place
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Conflict, NotFound, Unavailable
from kampungnet.core.keys import Keys
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.upkeep import pack_all
from tests.support.contents import contents
from tests.support.server import (
    REGENCY,
    Box,
    enrolled,
    ingested,
    prepared_database,
    serving,
    url_of,
    where,
)


@dataclass
class Office:
    """A centre with readings in it, and where its backups go."""

    database: Database
    place: Place
    box: Box
    folder: Path

    def back_up(self, **more: bool) -> Path:
        return backup(self.place, self.folder, **more)[0]

    def add_readings(self, number: int = 20) -> None:
        readings = [self.box.reading() for _ in range(number)]
        ingested(self.database, self.box.request(self.box.report(*readings)))

    def opened(self) -> Database:
        return Database(self.place.url, self.place.key_file)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    prepared_database(database_url).close()
    key_file = tmp_path / "kampungnet.key"
    database = Database(database_url, key_file)
    Keys(key_file).seal("voucher", b"code", "1")
    found = Office(database, Place(database_url, key_file), enrolled(database), tmp_path / "backups")
    found.add_readings()
    pack_all(database)
    found.add_readings()
    yield found
    database.close()


def _destroy(office: Office) -> None:
    """Lose the database for good, as a broken disk or a wrong command does."""
    office.database.close()
    if office.place.file:
        for one in office.place.file.parent.glob("kampungnet.db*"):
            one.unlink()
    else:
        with psycopg.connect(office.place.url.replace("+psycopg", ""), autocommit=True) as db:
            db.execute("DROP SCHEMA public CASCADE")
            db.execute("CREATE SCHEMA public")


def test_what_was_destroyed_comes_back_whole_and_goes_on(office: Office) -> None:
    before = contents(office.database)
    file = office.back_up()
    _destroy(office)
    done = restore(file, office.place)
    assert (done.kept, done.has_key) == (None, True)
    again = office.opened()
    assert contents(again) == before
    assert migrate.migrate(again) == (migrate.newest(), migrate.newest())
    report = office.box.request(office.box.report(office.box.reading()))
    (receipt,) = ingested(again, report)
    assert receipt.accepted
    again.close()


def test_a_backup_holds_what_was_receipted_before_it_and_nothing_by_half_while_reports_come_in(office: Office) -> None:
    """Reports of eleven readings each: the copy has whole ones, at least those told of before it began."""
    stopping, told = threading.Event(), threading.Event()
    at_first = len(contents(office.database)["young_readings"])
    sent = 0

    def ingest() -> None:
        nonlocal sent
        while not stopping.is_set():
            office.add_readings(11)
            sent += 1
            if sent == 3:
                told.set()

    thread = threading.Thread(target=ingest)
    thread.start()
    try:
        assert told.wait(120)
        before = sent
        file = office.back_up()
    finally:
        stopping.set()
        thread.join(timeout=30)
    everything = contents(office.database)
    _destroy(office)
    restore(file, office.place)
    again = office.opened()
    found = contents(again)
    again.close()
    young = found["young_readings"]
    assert set(young) <= set(everything["young_readings"])
    whole, torn = divmod(len(young) - at_first, 11)
    assert (whole >= before, torn) == (True, 0)


def test_a_backup_is_made_while_the_server_runs_and_refused_to_be_restored_under_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "nice", lambda _: None)  # it would be this process, for all further tests
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(office.place.key_file))
    options = [*where(office.database)]
    with serving(office.database) as server:
        assert server.send("GET", "/readyz").status == 200
        assert main(["backup", str(office.folder), *options]) == 0
        (file,) = office.folder.iterdir()
        said = capsys.readouterr()
        assert f"{file} (" in said.out
        assert f"keep a copy of {office.place.key_file}" in said.err
        assert main(["restore", str(file), "--force", *options]) == 1
        assert "stop the server first" in capsys.readouterr().err
        assert server.report(office.box, office.box.reading()).receipt().accepted
    office.database.close()
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 30.0)
    assert main(["restore", str(file), "--force", *options]) == 0
    assert "What was there before is kept as" in capsys.readouterr().out
    again = office.opened()
    with serving(again) as server:
        assert server.send("GET", "/readyz").status == 200
        assert server.report(office.box, office.box.reading()).receipt().accepted
    again.close()


def test_a_living_database_is_refused_and_with_force_it_is_kept_aside(office: Office) -> None:
    file = office.back_up()
    office.add_readings()
    later = contents(office.database)
    office.database.close()
    with pytest.raises(Conflict, match="holds a database already"):
        restore(file, office.place)
    assert contents(office.database) == later
    office.database.close()
    kept = restore(file, office.place, force=True).kept
    assert kept
    again = office.opened()
    assert len(contents(again)["young_readings"]) == len(later["young_readings"]) - 20
    again.close()
    assert _kept_readings(office, kept) == len(later["young_readings"])


def _kept_readings(office: Office, kept: str) -> int:
    if office.place.file:
        with sqlite3.connect(kept) as db:
            return int(db.execute("SELECT count(*) FROM young_readings").fetchone()[0])
    with psycopg.connect(office.place.url.replace("+psycopg", "")) as plain:
        schema = kept.removeprefix("schema ")
        plain.execute("SET LOCAL kampungnet.place = '*'")
        found = plain.execute(f'SELECT count(*) FROM "{schema}".young_readings'.encode()).fetchone()
        return int(found[0]) if found else -1


def test_a_restore_that_fails_half_way_leaves_what_was_there(office: Office) -> None:
    """The disk fails while the copy is written: the hash does not fit."""
    file = office.back_up()
    office.add_readings()
    before = contents(office.database)
    office.database.close()
    if office.place.file:
        _flip(file, 4096 * 3)
        expected: type[Exception] = BadInput
    else:
        # A dump that ends early, with a manifest that says so: only the tool itself finds out.
        manifest = archive.manifest_of(file)
        half = file.with_name("half.backup")
        half.write_bytes(file.read_bytes()[: manifest.copy_bytes * 2 // 3])
        with half.open("rb") as source:
            size = half.stat().st_size
            fields = {name: getattr(manifest, name) for name in manifest.__struct_fields__}
            shorter = archive.Manifest(**fields | {"copy_bytes": size, "copy_sha256": archive.digest_of(source, size)})
        archive.seal(half, shorter)
        file, expected = half, Unavailable
    with pytest.raises(expected):
        restore(file, office.place, force=True)
    again = office.opened()
    assert contents(again) == before
    again.close()
    assert not list(office.folder.parent.glob(".kampungnet*"))


def _flip(file: Path, at: int) -> None:
    with file.open("r+b") as out:
        out.seek(at)
        (byte,) = out.read(1)
        out.seek(at)
        out.write(bytes([byte ^ 4]))


@pytest.fixture
def small(sqlite_database: Database, tmp_path: Path) -> Office:
    place = Place(url_of(sqlite_database), tmp_path / "kampungnet.key")
    return Office(sqlite_database, place, enrolled(sqlite_database), tmp_path / "backups")


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 0.999])
def test_one_flipped_bit_anywhere_is_noticed(small: Office, place: float) -> None:
    file = small.back_up()
    _flip(file, int(file.stat().st_size * place))
    with pytest.raises(BadInput, match=r"damaged|no whole backup"):
        archive.check(file, archive.manifest_of(file))


@pytest.mark.parametrize("cut", [1, 60, 400, 50_000])
def test_a_file_that_was_cut_off_is_refused(small: Office, cut: int, capsys: pytest.CaptureFixture[str]) -> None:
    file = small.back_up()
    file.write_bytes(file.read_bytes()[:-cut])
    assert main(["restore", str(file), "--check"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "no whole backup of KampungNet" in said.err


def test_a_backup_can_be_read_by_the_databases_own_tools(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    file = office.back_up()
    if office.place.file:
        with sqlite3.connect(file) as db:
            assert db.execute("SELECT count(*) FROM villages").fetchone() == (3,)
    else:
        listed = subprocess.run(["pg_restore", "--list", file], capture_output=True, text=True, check=True)
        assert "TABLE DATA public villages" in listed.stdout
    assert main(["restore", str(file), "--check"]) == 0
    said = capsys.readouterr().out
    assert f"version {migrate.newest()}" in said
    assert "without its key" in said


def test_the_key_stays_outside_unless_it_is_asked_for(small: Office) -> None:
    key_file = small.place.key_file
    sealed = Keys(key_file).seal("voucher", b"code", "1")
    key = key_file.read_text().strip()
    without, manifest = backup(small.place, small.folder / "without")
    assert key.encode() not in without.read_bytes()
    assert len(manifest.key_names) == 1
    having = backup(small.place, small.folder / "with", with_key=True)[0]
    assert having.stat().st_mode & 0o077 == 0
    _destroy(small)
    key_file.unlink()
    assert not restore(without, small.place).has_key
    assert not key_file.exists()
    assert restore(having, small.place, force=True).has_key
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert Keys(key_file).open("voucher", sealed, "1") == b"code"


def test_a_key_that_is_there_is_never_written_over(small: Office) -> None:
    Keys(small.place.key_file).mark("x", b"")
    file = small.back_up(with_key=True)
    other = Place(small.place.url, small.folder / "other.key")
    Keys(other.key_file).mark("x", b"")
    before = other.key_file.read_text()
    small.database.close()
    assert not restore(file, other, force=True).has_key
    assert other.key_file.read_text() == before


def test_only_the_newest_stay_and_what_a_killed_one_left_is_cleared_away(small: Office) -> None:
    small.folder.mkdir()
    for day in range(1, 5):
        (small.folder / f"kampungnet-2026110{day}-010203.backup").touch()
    (small.folder / "notes.txt").touch()
    (small.folder / ".kampungnet-backup-dead").touch()
    file, _ = backup(small.place, small.folder, 3)
    kept = ["kampungnet-20261103-010203.backup", "kampungnet-20261104-010203.backup", file.name, "notes.txt"]
    assert sorted(one.name for one in small.folder.iterdir()) == kept


def test_two_do_not_write_into_one_folder_at_once(small: Office) -> None:
    small.folder.mkdir()
    with service._alone(small.folder), pytest.raises(Conflict, match="Another backup"):
        small.back_up()


def test_a_database_that_is_damaged_already_is_not_backed_up_as_if_it_were_whole(small: Office) -> None:
    small.add_readings(300)
    small.database.close()
    assert small.place.file
    with sqlite3.connect(small.place.file) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'young_readings'").fetchone()
    with small.place.file.open("r+b") as out:
        out.seek((root - 1) * 4096)
        out.write(b"\xff" * 200)
    with pytest.raises(Unavailable, match="damaged"):
        small.back_up()
    assert not list(small.folder.iterdir())


def test_a_damaged_database_is_put_aside_like_a_good_one(small: Office) -> None:
    file = small.back_up()
    small.database.close()
    assert small.place.file
    small.place.file.write_bytes(b"not a database" * 1000)
    assert restore(file, small.place, force=True).kept
    with small.opened().reads() as db:
        assert db.scalar(text("SELECT count(*) FROM villages")) == 3


@pytest.mark.parametrize("what", ["newer", "kind", "nothing"])
def test_what_cannot_be_done_is_said_in_a_sentence(small: Office, what: str, tmp_path: Path) -> None:
    attempts: dict[str, tuple[type[Exception], Callable[[], object]]] = {
        "newer": (Unavailable, lambda: restore(_of_a_newer_program(small), small.place, force=True)),
        "kind": (BadInput, lambda: restore(small.back_up(), Place("postgresql+psycopg:///x", small.place.key_file))),
        "nothing": (NotFound, lambda: backup(Place(f"sqlite:///{tmp_path}/none/k.db", tmp_path / "key"), small.folder)),
    }
    expected, attempt = attempts[what]
    with pytest.raises(expected, match=r"^[A-Z][^\n]+[.]$"):
        attempt()


def _of_a_newer_program(office: Office) -> Path:
    with office.database.writes() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    return office.back_up()


@pytest.mark.parametrize("key", ["right", "gone"])
def test_the_log_that_came_back_says_so_and_without_its_key_the_command_does(
    office: Office, key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with office.database.writes() as db:
        audit.record(db, audit.on_the_server(db, REGENCY), Act("test.act", "before"), clock.now_ms())
    file = office.back_up()
    _destroy(office)
    if key == "gone":
        office.place.key_file.rename(office.place.key_file.with_name("kept"))
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(office.place.key_file))
    assert main(["restore", str(file), "--database-url", office.place.url]) == 0
    said = capsys.readouterr().err
    again = office.opened()
    with again.reads() as db:
        found = [(one.what, one.about, one.username) for one in audit.entries(db, REGENCY)]
        if key == "right":
            assert found[0] == ("backup.restore", file.name, audit.SERVER)
            assert audit.first_broken(db, REGENCY) is None
    again.close()
    assert len(found) == (2 if key == "right" else 1)
    assert ("does not stand in the log" in said) is (key == "gone")
    assert "Nothing was done" not in said, "the database was replaced"
    assert office.place.key_file.exists() is (key == "right"), "no key is made"


@pytest.mark.parametrize("trouble", [OSError(28, "No space left"), OperationalError("INSERT", {}, Exception("full"))])
def test_what_hinders_the_log_after_a_restore_does_not_hide_that_the_key_is_missing(
    small: Office, trouble: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hinder(*_: object) -> None:
        raise trouble

    Keys(small.place.key_file).seal("voucher", b"code", "1")
    file = small.back_up()
    _destroy(small)
    monkeypatch.setattr(audit, "record", hinder)
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(small.folder / "another.key"))
    assert main(["restore", str(file), "--force", "--database-url", small.place.url]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("This does not stand in the log of decisions: ")
    assert "The key of this backup is not in" in said[1]
