"""The key outside the database: sealed rows open only with it, only for their purpose, only in their place."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.core.keys import Keys, keys_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kampungnet.key"


def test_what_is_sealed_opens_for_its_purpose_and_row_only(file: Path) -> None:
    keys = Keys(file)
    sealed = keys.seal("voucher", b"k7mp3xqwf", "35.10/1")
    assert keys.open("voucher", sealed, "35.10/1") == b"k7mp3xqwf"
    for purpose, about in (("account", "35.10/1"), ("voucher", "35.10/2")):
        with pytest.raises(Unavailable):
            keys.open(purpose, sealed, about)


def test_the_same_twice_looks_different_and_shows_nothing_of_what_it_holds(file: Path) -> None:
    keys = Keys(file)
    once, again = (keys.seal("voucher", b"k7mp3xqwf", "1") for _ in range(2))
    assert once != again
    assert b"k7mp" not in once


@given(st.binary(max_size=80), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, plain: bytes, at: int, by: int) -> None:
    keys = Keys(tmp_path_factory.getbasetemp() / "changed.key")
    sealed = bytearray(keys.seal("voucher", plain, "1"))
    sealed[at % len(sealed)] ^= by
    with pytest.raises(Unavailable):
        keys.open("voucher", bytes(sealed), "1")


def test_the_file_is_the_servers_own_and_made_once_however_many_begin_together(file: Path) -> None:
    many = [Keys(file) for _ in range(8)]
    sealed: list[bytes] = []
    threads = [threading.Thread(target=lambda keys=keys: sealed.append(keys.seal("x", b"y", ""))) for keys in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.stat().st_mode & 0o777 == 0o600
    assert [Keys(file).open("x", one, "") for one in sealed] == [b"y"] * 8
    assert list(file.parent.iterdir()) == [file]


def test_a_new_key_on_top_seals_and_the_old_one_still_opens_and_finds(file: Path) -> None:
    old = Keys(file)
    sealed, mark = old.seal("voucher", b"code", "1"), old.mark("voucher", b"code")
    file.write_text("ab" * 32 + "\n" + file.read_text())
    new = Keys(file)
    assert new.open("voucher", sealed, "1") == b"code"
    assert new.seal("voucher", b"code", "1")[:4] != sealed[:4]
    assert new.mark("voucher", b"code") != mark
    assert mark in new.marks("voucher", b"code")


def test_marks_differ_by_purpose(file: Path) -> None:
    keys = Keys(file)
    assert keys.mark("voucher", b"code") != keys.mark("audit", b"code")


@pytest.mark.parametrize("content", ["", "none of this", "ab" * 31, "zz" * 32])
def test_a_file_that_holds_no_key_is_said_and_never_replaced(file: Path, content: str) -> None:
    file.touch(mode=0o600)
    file.write_text(content)
    with pytest.raises(Unavailable, match="holds no key"):
        Keys(file).mark("x", b"")
    assert file.read_text() == content


def test_a_key_that_others_can_read_is_refused(file: Path) -> None:
    Keys(file).mark("x", b"")
    file.chmod(0o640)
    with pytest.raises(Unavailable, match="Others can read"):
        Keys(file).mark("x", b"")


def test_a_place_where_no_file_can_be_is_one_sentence(tmp_path: Path) -> None:
    for file in (tmp_path / "nowhere" / "kampungnet.key", tmp_path):  # no such folder; a folder in its place
        with pytest.raises(Unavailable, match=r"The key file cannot be used: .*belong to the user of the server"):
            Keys(file).seal("a", b"x", "1")


def test_without_a_named_file_nothing_is_sealed() -> None:
    with pytest.raises(Unavailable, match="KAMPUNGNET_KEY_FILE"):
        Keys(None).seal("x", b"y", "")


def test_the_keys_of_an_embedded_database_lie_beside_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'kampungnet.db'}")
    with database.reads() as db:
        keys_of(db).mark("x", b"")
    database.close()
    assert (tmp_path / "kampungnet.key").is_file()


def test_a_key_that_systemd_hands_over_may_show_rights_of_a_group_but_not_of_others(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Keys(file).mark("x", b"")
    file.chmod(0o440)
    with pytest.raises(Unavailable, match="Others can read"):
        Keys(file).mark("x", b"")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    assert Keys(file).mark("x", b"")
    file.chmod(0o444)
    with pytest.raises(Unavailable, match="Others can read"):
        Keys(file).mark("x", b"")


def test_without_systemd_a_key_in_the_working_folder_is_for_us_alone(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Keys(file).mark("x", b"")
    file.chmod(0o640)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.chdir(file.parent)
    with pytest.raises(Unavailable, match="Others can read"):
        Keys(Path(file.name)).mark("x", b"")
