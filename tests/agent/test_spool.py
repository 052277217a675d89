"""The spool: on disk before it is sent, never a number twice, never a crash over damage."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from kampungnet.shared import wire
from kampungnet_agent.ballast import BALLAST_BYTES
from kampungnet_agent.spool import Spool, SpoolError
from kampungnet_agent.spool_file import MAX_JUMPS
from tests.agent.conftest import MakeReading, VillageBox
from tests.support.memory_disk import memory_disk

OpenSpool = Callable[..., Spool]


@pytest.fixture
def open_spool(tmp_path: Path, box: VillageBox) -> Iterator[OpenSpool]:
    opened: list[Spool] = []

    def open_it(max_megabytes: int = 8, path: Path | None = None) -> Spool:
        opened.append(Spool(path or tmp_path / "spool.db", max_megabytes, box))
        return opened[-1]

    yield open_it
    for spool in opened:
        spool.close()


def days_go_by(box: VillageBox, days: float) -> None:
    box.boot_ms = box.boottime_ms() + round(days * 86_400_000)
    box.now_ms += round(days * 86_400_000)


def sequences(spool: Spool) -> list[int]:
    found: list[int] = []
    while batch := [one for one in spool.oldest(2**53) if one.sequence not in found]:
        found += [one.sequence for one in batch]
        spool.settle([one.sequence for one in batch])
    return found


def killed(path: Path, to: Path) -> Path:
    """Copy the files as a kill -9 at this moment would leave them."""
    to.mkdir(exist_ok=True)
    for file in path.parent.glob(path.name + "*"):
        if not file.name.endswith((".lock", "-shm")):
            shutil.copy(file, to / file.name)
    return to / path.name


def test_a_reading_is_numbered_and_kept_as_the_bytes_that_will_travel(spool: Spool, a_reading: MakeReading) -> None:
    assert spool.add(a_reading()) == 1
    assert spool.add(a_reading(device="ont")) == 2
    first, second = spool.oldest(up_to=10)
    assert msgspec.json.decode(first.payload, type=wire.Reading).sequence == 1
    assert msgspec.json.decode(second.payload, type=wire.Reading).device == "ont"


def test_newest_and_oldest_lane_share_the_readings_without_overlap(spool: Spool, a_reading: MakeReading) -> None:
    for _ in range(250):
        spool.add(a_reading())
    newest = [one.sequence for one in spool.newest(above=0)]
    assert newest == list(range(151, 251))
    assert [one.sequence for one in spool.oldest(up_to=250)] == list(range(1, 101))
    assert spool.newest(above=250) == []


def test_a_batch_never_grows_over_the_wire_limit_even_with_huge_readings(spool: Spool, a_reading: MakeReading) -> None:
    for _ in range(70):
        spool.add(a_reading(filler=8_000))
    assert sum(len(one.payload) for one in spool.oldest(up_to=100)) < wire.MAX_UNPACKED_BYTES


def test_what_cannot_travel_becomes_an_unreadable_reading_that_says_why(
    spool: Spool, a_reading: MakeReading, box: VillageBox
) -> None:
    too_long = msgspec.structs.replace(a_reading(), body=wire.RouterBody(identity="x" * 201))
    too_big = msgspec.structs.replace(
        a_reading(), body=wire.RouterBody(interfaces=[wire.CounterReading("ether1", kind="x" * 190)] * 200 * 2)
    )
    half_letter = msgspec.structs.replace(a_reading(), body=wire.RouterBody(identity="\ud800"))
    huge_number = msgspec.structs.replace(a_reading(), body=wire.RouterBody(free_memory_bytes=2**70))
    for reading in (too_long, too_big, half_letter, huge_number):
        spool.add(reading)
    kept = [msgspec.json.decode(one.payload, type=wire.Reading) for one in spool.oldest(up_to=10)]
    assert [one.outcome for one in kept] == [wire.Outcome.UNREADABLE] * 4
    assert all(one.detail and one.body is None for one in kept)


def test_only_what_a_receipt_names_leaves(spool: Spool, a_reading: MakeReading) -> None:
    for _ in range(5):
        spool.add(a_reading())
    assert spool.settle(accepted=[1, 3, 99]) == 2
    assert [one.sequence for one in spool.oldest(up_to=10)] == [2, 4, 5]
    assert spool.state().readings == 3


def test_refused_readings_go_to_the_quarantine_with_their_reason(
    spool: Spool, a_reading: MakeReading, tmp_path: Path
) -> None:
    for _ in range(3):
        spool.add(a_reading())
    spool.settle(accepted=[1], refused=[(2, "unknown device")])
    assert [one.sequence for one in spool.oldest(up_to=10)] == [3]
    assert spool.state().refused == 1
    rows = sqlite3.connect(tmp_path / "spool.db").execute("SELECT sequence, reason FROM quarantine").fetchall()
    assert rows == [(2, "unknown device")]


def test_the_quarantine_is_bounded(spool: Spool, a_reading: MakeReading, tmp_path: Path) -> None:
    for _ in range(230):
        spool.add(a_reading())
    spool.settle([], [(sequence, "no") for sequence in range(1, 231)])
    assert sqlite3.connect(tmp_path / "spool.db").execute("SELECT count(*) FROM quarantine").fetchone() == (200,)


def test_a_restart_goes_on_without_a_hole_whether_it_ended_well_or_was_killed(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path
) -> None:
    spool = open_spool()
    for _ in range(3):
        spool.add(a_reading())
    spool.close()
    spool = open_spool()
    assert spool.add(a_reading()) == 4
    spool.settle([1, 2, 3, 4])
    left = killed(tmp_path / "spool.db", tmp_path / "killed")
    assert open_spool(path=left).add(a_reading()) == 5


def test_counters_survive_a_restart(open_spool: OpenSpool, a_reading: MakeReading) -> None:
    spool = open_spool()
    spool.add(a_reading())
    spool.settle([], [(1, "no")])
    spool.close()
    assert open_spool().state().refused == 1


def test_numbers_are_never_given_twice_after_the_spool_file_is_lost(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path
) -> None:
    spool = open_spool()
    given = [spool.add(a_reading()) for _ in range(5)]
    spool.close()
    (tmp_path / "spool.db").unlink()
    assert open_spool().add(a_reading()) > max(given)


@pytest.mark.parametrize("more", [1, 5, 1200])
def test_numbers_are_never_given_twice_after_an_old_copy_is_put_back(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path, more: int
) -> None:
    spool = open_spool()
    spool.add(a_reading())
    spool.close()
    shutil.copy(tmp_path / "spool.db", tmp_path / "backup.db")
    spool = open_spool()
    given = [spool.add(a_reading()) for _ in range(more)]
    spool.close()
    shutil.copy(tmp_path / "backup.db", tmp_path / "spool.db")
    assert open_spool().add(a_reading()) > max(given)


def test_numbers_are_never_given_twice_after_spool_and_side_file_are_both_destroyed(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path
) -> None:
    spool = open_spool()
    given = [spool.add(a_reading()) for _ in range(5)]
    spool.close()
    (tmp_path / "spool.db").write_bytes(b"not a database at all" * 1000)
    (tmp_path / "spool.db.sequence").write_bytes(b"\x00\x00")
    assert open_spool().add(a_reading()) > max(given)


def test_a_second_agent_on_the_same_spool_is_turned_away(spool: Spool, tmp_path: Path, box: VillageBox) -> None:
    with pytest.raises(SpoolError, match="another agent"):
        Spool(tmp_path / "spool.db", 8, box)


def test_at_the_cap_the_oldest_are_dropped_counted_and_reported(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path
) -> None:
    spool = open_spool(max_megabytes=1)
    for _ in range(300):
        spool.add(a_reading(filler=8_000))
    state = spool.state()
    assert state.dropped > 150
    assert state.dropped + state.readings == 300
    left = sequences(spool)
    assert left == list(range(state.dropped + 1, 301))
    assert (tmp_path / "spool.db").stat().st_size <= 1_000_000


def test_readings_over_the_age_limit_are_dropped_only_when_clock_and_row_are_true(
    spool: Spool, a_reading: MakeReading, box: VillageBox
) -> None:
    spool.add(a_reading())
    box.synchronised = False
    days_go_by(box, 40)
    assert spool.drop_too_old() == 0
    spool.add(a_reading())
    box.synchronised = True
    days_go_by(box, 2)
    assert spool.drop_too_old() == 1
    assert spool.state().dropped == 1
    days_go_by(box, 400)
    assert spool.drop_too_old() == 0, "a row taken with a wrong clock has no known age"


def test_a_clock_that_jumps_drops_nothing_however_sure_of_itself_it_is(
    spool: Spool, a_reading: MakeReading, box: VillageBox
) -> None:
    days_go_by(box, 1)
    for leap_years in (10, -10, 10, -66, 66):
        spool.drop_too_old()
        spool.add(a_reading())
        box.now_ms += leap_years * 365 * 86_400_000
        assert spool.drop_too_old() == 0, "the kernel says synchronised, as it does of a router's wrong clock"
        days_go_by(box, 0.5)
        assert spool.drop_too_old() == 0
    assert spool.state().readings == 5


def test_a_flipped_bit_is_set_aside_counted_and_never_sent(
    spool: Spool, a_reading: MakeReading, tmp_path: Path
) -> None:
    for _ in range(3):
        spool.add(a_reading())
    other = sqlite3.connect(tmp_path / "spool.db")
    payload = bytearray(other.execute("SELECT payload FROM readings WHERE sequence = 2").fetchone()[0])
    payload[40] ^= 1
    other.execute("UPDATE readings SET payload = ? WHERE sequence = 2", (bytes(payload),))
    other.commit()
    other.close()
    assert [one.sequence for one in spool.oldest(up_to=10)] == [1, 3]
    assert spool.state().corrupt == 1
    assert spool.state().readings == 2


@pytest.mark.parametrize("column", ["payload", "checksum"])
def test_a_bit_that_makes_a_text_of_bytes_that_are_none_costs_one_reading(
    spool: Spool, a_reading: MakeReading, tmp_path: Path, column: str
) -> None:
    for _ in range(3):
        spool.add(a_reading())
    with closing(sqlite3.connect(tmp_path / "spool.db")) as other, other:
        other.execute(f"UPDATE readings SET {column} = CAST(x'c3ff28fe' AS TEXT) WHERE sequence = 2")
    assert [one.sequence for one in spool.oldest(up_to=10)] == [1, 3]
    assert spool.state().corrupt == 1


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bits_anywhere_in_the_file_never_send_a_wrong_byte_and_never_stop_the_agent(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    spool = open_spool()
    for _ in range(120):
        spool.add(a_reading(filler=dice.choice([0, 3_000])))
    written = {one.sequence: one.payload for border in (60, 120) for one in spool.newest(border - 60, 200)}
    spool.close()
    raw = bytearray((tmp_path / "spool.db").read_bytes())
    for _ in range(20):
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    (tmp_path / "spool.db").write_bytes(raw)

    spool = open_spool()
    fresh = spool.add(a_reading())
    assert fresh > 120
    sent = {one.sequence: one.payload for one in [*spool.oldest(2**53), *spool.newest(0, 200)]}
    assert fresh in sent
    assert all(written[sequence] == payload for sequence, payload in sent.items() if sequence in written)
    assert set(sent) <= {*written, fresh}


def _some_bits(raw: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice([1, 1, 2, 8])):
        raw[dice.randrange(dice.choice([100, 4096]))] ^= 1 << dice.randrange(8)


def _a_name_that_is_no_text(raw: bytearray, _dice: random.Random) -> None:
    raw[raw.index(b"readingsreadings") + 4] = 0xFF  # SQLite quotes it in its sentence about the damage


def _a_version_that_is_only_read(raw: bytearray, _dice: random.Random) -> None:
    raw[18] = 3


def _a_page_that_is_shorter(raw: bytearray, _dice: random.Random) -> None:
    raw[20] = 1


NAMED = [_a_name_that_is_no_text, _a_version_that_is_only_read, _a_page_that_is_shorter]


@pytest.mark.parametrize("damage", NAMED + [_some_bits] * 20)
def test_damage_to_the_first_page_never_keeps_the_agent_from_starting(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path, damage: Callable[..., None],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    (spool := open_spool()).add(a_reading())
    spool.close()
    raw = bytearray((tmp_path / "spool.db").read_bytes())
    damage(raw, random.Random(request.node.name))
    (tmp_path / "spool.db").write_bytes(raw)
    spool = open_spool()
    assert (fresh := spool.add(a_reading())) > 1
    assert fresh in sequences(spool)


@pytest.mark.parametrize("seed", range(6))
def test_a_truncated_file_is_set_aside_and_what_can_be_read_is_rescued(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path, seed: int
) -> None:
    spool = open_spool()
    for _ in range(200):
        spool.add(a_reading(filler=2_000))
    spool.close()
    size = (tmp_path / "spool.db").stat().st_size
    os.truncate(tmp_path / "spool.db", random.Random(seed).randrange(100, size))
    spool = open_spool()
    assert spool.add(a_reading()) > 200
    state = spool.state()
    assert state.corrupt >= 1
    assert list(tmp_path.glob("spool.db.corrupt-*"))
    assert len(sequences(spool)) == state.readings


def test_damage_found_while_running_starts_a_new_spool_and_keeps_the_readable_rows(
    open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path
) -> None:
    spool = open_spool()
    for _ in range(400):
        spool.add(a_reading(filler=3_000))
    spool.close()
    spool = open_spool()
    with (tmp_path / "spool.db").open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 3 * 4096)
    rest = {one.sequence for border in (100, 200, 300, 400) for one in spool.newest(border - 100, 400)}
    assert len(rest) > 400 - 2 * MAX_JUMPS
    assert spool.state().corrupt == 1
    assert spool.add(a_reading()) == 401


def test_a_spool_file_removed_while_in_use_is_written_again_with_all_it_held(
    spool: Spool, open_spool: OpenSpool, a_reading: MakeReading, tmp_path: Path
) -> None:
    before = [spool.add(a_reading()) for _ in range(5)]
    for file in tmp_path.glob("spool.db*"):
        if not file.name.endswith((".lock", ".sequence")):
            file.unlink()
    after = spool.add(a_reading())
    spool.close()
    assert sequences(open_spool()) == [*before, after]


def test_on_a_truly_full_disk_the_ballast_makes_room_and_comes_back(
    a_reading: MakeReading, box: VillageBox, tmp_path: Path
) -> None:
    with memory_disk(tmp_path / "disk", megabytes=3) as disk:
        spool = Spool(disk / "spool.db", 64, box)
        for _ in range(100):
            spool.add(a_reading(filler=4_000))
        ballast = disk / "spool.db.ballast"
        assert ballast.stat().st_size == BALLAST_BYTES
        filler = disk / "someone-elses.log"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096) == 4096:
                    pass
            except OSError:
                pass
        last = [spool.add(a_reading(filler=4_000)) for _ in range(60)][-1]
        state = spool.state()
        assert state.dropped > 0
        assert state.dropped + state.readings == 160
        assert spool.newest(above=last - 1)[0].sequence == last
        filler.unlink()
        spool.add(a_reading())
        assert ballast.stat().st_size == BALLAST_BYTES
        spool.close()
