"""The order book: whatever became of its file, remote hands go on, and nothing that stood in it is done again."""

import hashlib
import logging
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kampungnet.shared.orders import OrderKind, OrderState, Why
from kampungnet_agent.order_book import MAX_BOOK_BYTES, MOST_KEPT, BookError, Entry, OrderBook, Step

BEGUN = Entry("A1", OrderKind.RESTART, "router", "aa11", "boot-1", Step.BEGUN, 5_000, 90_000)
ENDED = Entry("B2", OrderKind.BUNDLE, "", "bb22", "boot-1").ended(OrderState.DONE, bundle=b"\x00packed\xff")
NEW = Entry("C3", OrderKind.PORTAL, "portal", "cc33", "boot-1")


def _sealed(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).hexdigest().encode() + b"\n" + content


def _overwrite(path: Path, at: int, many: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * many)


def _content(path: Path, before: bytes, after: bytes) -> None:
    """Change what is written and seal it: as another version would write it."""
    content = path.read_bytes().partition(b"\n")[2]
    assert before in content
    path.write_bytes(_sealed(content.replace(before, after)))


def _database(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE orders (place INTEGER PRIMARY KEY, id TEXT, step TEXT, data BLOB)")
        db.execute("INSERT INTO orders VALUES (1, 'A1', 'taken', x'7b7d')")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "somebodys").write_text("file")


def _huge(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2_000 * MAX_BOOK_BYTES)  # takes no room on the disk


DAMAGES: dict[str, Callable[[Path], object]] = {
    "the beginning is overwritten": lambda path: _overwrite(path, 0, 40),
    "the middle is overwritten": lambda path: _overwrite(path, 100, 20),
    "the end is cut off": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "it is empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(4096)),
    "no JSON": lambda path: path.write_bytes(_sealed(b"[{")),
    "nested without end": lambda path: path.write_bytes(_sealed(b"[" * 100_000)),
    "bytes that are no text": lambda path: _content(path, b"router", b"rou\xc3\x28r"),
    "a number where a text was": lambda path: _content(path, b'"aa11"', b"11"),
    "an unknown step": lambda path: _content(path, b'"begun"', b'"pondered"'),
    "another schema": lambda path: path.write_bytes(_sealed(b'{"entries":[]}')),
    "a field is missing": lambda path: _content(path, b'"mark"', b'"sign"'),
    "a database": _database,
    "a folder": _folder,
    "it grew over all bounds": _huge,
}
CALLS: dict[str, Callable[[OrderBook], object]] = {
    "open_entries": OrderBook.open_entries,
    "knows": lambda book: book.knows("A1"),
    "write": lambda book: book.write(NEW),
    "forget": lambda book: book.forget([ENDED]),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db.orders"


@pytest.fixture
def book(path: Path) -> OrderBook:
    book = OrderBook(path)
    for one in (BEGUN, ENDED):
        book.write(one)
    return book


def test_what_is_written_is_there_for_the_next_agent_and_for_nobody_else(book: OrderBook, path: Path) -> None:
    assert OrderBook(path).open_entries() == [BEGUN, ENDED]
    assert (path.stat().st_mode & 0o777, book.lost) == (0o600, 0)
    ended = BEGUN.ended(OrderState.FAILED, Why.CUT)
    book.write(ended)
    assert OrderBook(path).open_entries() == [ended, ENDED]
    book.forget([ENDED])
    assert book.open_entries() == [ended]
    assert book.knows("B2"), "who has its ending may name it again"
    assert not book.knows("C3")


def test_what_was_told_is_known_for_a_while_and_what_is_open_for_ever(book: OrderBook) -> None:
    told = [Entry(f"T{number}", OrderKind.PORTAL, "portal", "dd", "boot-1") for number in range(MOST_KEPT + 3)]
    for one in told:
        book.write(one.ended(OrderState.DONE))
    book.forget(told)
    assert [book.knows(one.id) for one in told[:4]] == [False, False, False, True]
    assert book.open_entries() == [BEGUN, ENDED]


def test_without_a_file_nothing_is_known_and_nothing_is_lost(path: Path) -> None:
    book = OrderBook(path)
    assert (book.open_entries(), book.knows("A1"), book.lost) == ([], False, 0)
    assert not path.exists(), "a box that gets no orders keeps no book"


@pytest.mark.parametrize("is_new", [True, False], ids=["found when the agent starts", "found while it runs"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_book_is_set_aside_in_one_line_and_the_next_one_works(
    book: OrderBook, path: Path, caplog: pytest.LogCaptureFixture, damage: str, call: str, is_new: bool
) -> None:
    DAMAGES[damage](path)
    book = OrderBook(path) if is_new else book
    with caplog.at_level(logging.INFO):
        CALLS[call](book)
        assert not book.knows("A1")
        book.write(NEW)
    (aside,) = path.parent.glob("spool.db.orders.corrupt-*")
    assert [aside.name in record.getMessage() for record in caplog.records] == [True]
    assert book.lost == 1
    is_older = damage == "a database"
    assert ("is from an older version" in caplog.text) == is_older
    assert not (is_older and "was damaged" in caplog.text)
    assert NEW in OrderBook(path).open_entries()
    assert {one.id for one in OrderBook(path).open_entries()}.isdisjoint({"A1", "B2"}), "what was lost is not done"


def test_only_the_newest_damaged_book_is_kept_and_nobodys_folder_is_emptied(book: OrderBook, path: Path) -> None:
    for damage in (_folder, _database, lambda path: path.write_bytes(b"x")):
        damage(path)
        book.write(NEW)
    kept = list(path.parent.glob("spool.db.orders.corrupt-*"))
    assert sorted(one.is_dir() for one in kept) == [False, True]
    assert [one.read_text() for one in path.parent.glob("*/somebodys")] == ["file"]
    assert (book.open_entries(), book.lost) == ([NEW], 3)


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bits_anywhere_never_change_what_is_done_and_never_stop_the_agent(
    book: OrderBook, path: Path, seed: int
) -> None:
    dice, whole = random.Random(seed), path.read_bytes()
    for number in range(60):
        raw = bytearray(whole)
        for _ in range(dice.choice([1, 1, 2, 20])):
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        path.write_bytes(raw)
        found = OrderBook(path).open_entries()
        assert found == ([BEGUN, ENDED] if raw == whole else []), (seed, number)
        book.write(NEW)
        assert NEW in book.open_entries()


def test_a_disk_that_does_not_work_is_said_to_be_one_and_costs_no_book(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("a file where the folder should be")
    with pytest.raises(BookError, match="does not work"):
        OrderBook(tmp_path / "elsewhere" / "orders").open_entries()
    with pytest.raises(BookError, match="does not work"):
        OrderBook(tmp_path / "nowhere" / "orders").write(NEW)
    book = OrderBook(path)
    book.write(NEW)
    path.with_name(f"{path.name}.new").mkdir()
    with pytest.raises(BookError, match="does not work"):
        book.write(BEGUN)
    assert (book.open_entries(), book.lost) == ([NEW], 0)
