"""A second place for backups: another disk, looked at again there; what is no other disk is refused, not believed."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from kampungnet.backup import service
from kampungnet.backup.service import ALSO, home_of
from kampungnet.cli import main
from kampungnet.core.commands import Place
from kampungnet.core.errors import BadInput
from tests.support.memory_disk import memory_disk
from tests.support.server import prepared_database


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    prepared_database(f"sqlite:///{tmp_path / 'kampungnet.db'}").close()
    monkeypatch.setattr("os.nice", lambda _: None)  # it would be this process, for all further tests
    return tmp_path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """Another disk."""
    with memory_disk(tmp_path / "mnt", megabytes=20) as disk:
        yield disk


def _backup(data: Path) -> int:
    return main(["backup", str(data / "backups"), "--data", str(data), "--keep", "2"])


def test_a_backup_is_copied_to_another_disk_and_only_the_newest_stay_there(
    data: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ALSO, str(elsewhere))
    for day in (1, 2):
        (elsewhere / f"kampungnet-2026110{day}-010203.backup").touch()
    assert _backup(data) == 0
    (first,) = (data / "backups").iterdir()
    assert sorted(one.name for one in elsewhere.iterdir()) == ["kampungnet-20261102-010203.backup", first.name]
    assert (elsewhere / first.name).read_bytes() == first.read_bytes()
    assert f"{elsewhere / first.name} is the same." in capsys.readouterr().out


def test_backups_that_a_clock_which_was_ahead_named_do_not_push_out_the_new_one(
    data: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALSO, str(elsewhere))
    places = (data / "backups", elsewhere)
    places[0].mkdir()
    for place in places:
        for year in (2036, 2037):
            (place / f"kampungnet-{year}1101-010203.backup").touch()
    assert _backup(data) == 0
    for place in places:
        first, second = sorted(one.name for one in place.iterdir())
        assert not first.startswith("kampungnet-203"), "what was just made"
        assert second == "kampungnet-20371101-010203.backup"


@pytest.mark.parametrize(("what", "said"), [("is gone", "Is its disk mounted"), ("is here", "on the same disk")])
def test_a_place_that_is_not_another_disk_is_refused_and_the_first_backup_stays(
    what: str, said: str, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    second = data / "mnt"
    if what == "is here":
        second.mkdir()
    monkeypatch.setenv(ALSO, str(second))
    assert _backup(data) == 1
    assert said in capsys.readouterr().err
    assert len(list((data / "backups").iterdir())) == 1
    assert second.exists() is (what == "is here"), "it is never made"
    assert not second.exists() or not list(second.iterdir())


def test_a_copy_that_the_other_disk_spoils_is_noticed_and_does_not_stay(
    data: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a bad cable or a dying stick does it: what is read there is not what was written."""
    file, _ = service.backup(Place(f"sqlite:///{data / 'kampungnet.db'}", data / "key"), data / "backups")

    def spoil(source: BinaryIO, copy: BinaryIO, _: int) -> None:
        copy.write(source.read())
        copy.seek(5000)
        copy.write(b"\x00\xff\x00")

    monkeypatch.setattr(shutil, "copyfileobj", spoil)
    with pytest.raises(BadInput, match="damaged"):
        service.put_elsewhere(file, elsewhere)
    assert not list(elsewhere.iterdir())
    assert file.exists()


def test_who_has_no_second_place_is_told_so_each_time(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _backup(data) == 0
    assert "on the disk of the database, and is lost with it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "is_here"),
    [("postgresql+psycopg:///kampungnet", True), ("postgresql+psycopg://k@127.0.0.1/kampungnet", True),
     ("postgresql+psycopg:///k?host=/run/postgresql", True), ("postgresql+psycopg://k@db.example.id/k", False)],
)  # fmt: skip
def test_where_postgresql_keeps_its_files_is_known_of_this_machine_alone(
    url: str, is_here: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_OF_DEBIAN", tmp_path)
    assert home_of(Place(url, tmp_path / "key")) == (tmp_path if is_here else None)
