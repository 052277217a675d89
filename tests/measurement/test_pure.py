"""Pure: outages, coverage, clock offsets and packs, values in and values out."""

import lzma
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.boots import EARLIEST_MS, Offset, TimeQuality, better, offset_of, repaired
from kampungnet.measurement.outages import Outage, coverage, outages
from kampungnet.measurement.packing import Kept, pack, texts, unpack
from kampungnet.measurement.slots import INTERNET_DOWN, NO_ANSWER, SLOT_MS, UP
from kampungnet.shared import wire

START: Final = 1_785_430_800_000


def _status(*values: int | None) -> dict[int, int]:
    return {START + n * SLOT_MS: value for n, value in enumerate(values) if value is not None}


def _outages(*values: int | None) -> list[tuple[int, int | None, str]]:
    found = outages(_status(*values), START, START + len(values) * SLOT_MS)
    return [((o.start_ms - START) // SLOT_MS, o.end_ms and (o.end_ms - START) // SLOT_MS, o.what) for o in found]


def test_service_all_day_is_no_outage() -> None:
    assert _outages(UP, UP, UP) == []


def test_each_kind_of_outage_is_told_apart() -> None:
    assert _outages(UP, INTERNET_DOWN, UP, NO_ANSWER, NO_ANSWER, UP, None, UP) == [
        (1, 2, "internet"),
        (3, 5, "router"),
        (6, 7, "silent"),
    ]


def test_an_outage_that_changes_its_kind_is_two() -> None:
    assert _outages(UP, INTERNET_DOWN, None, UP) == [(1, 2, "internet"), (2, 3, "silent")]


def test_an_outage_that_lasts_has_no_end() -> None:
    assert _outages(UP, NO_ANSWER, NO_ANSWER) == [(1, None, "router")]


def test_before_the_first_reading_nothing_was_measured_and_nothing_failed() -> None:
    assert _outages(None, None, UP, None, UP) == [(3, 4, "silent")]
    assert _outages(None, None) == []


def test_the_slot_that_still_fills_is_not_judged() -> None:
    assert outages(_status(UP), START, START + SLOT_MS + 60_000) == []


@settings(max_examples=100)
@given(st.lists(st.sampled_from([UP, INTERNET_DOWN, NO_ANSWER, None]), max_size=60))
def test_outages_cover_exactly_the_slots_without_service(values: list[int | None]) -> None:
    last = START + len(values) * SLOT_MS
    found = outages(_status(*values), START, last)
    known = next((n for n, value in enumerate(values) if value is not None), len(values))
    down = {n for n, value in enumerate(values) if n >= known and value != UP}
    covered = {
        n for one in found for n in range((one.start_ms - START) // SLOT_MS, ((one.end_ms or last) - START) // SLOT_MS)
    }
    assert covered == down
    assert found == sorted(found, key=lambda one: one.start_ms)
    assert all(isinstance(one, Outage) and one.end_ms != one.start_ms for one in found)


@pytest.mark.parametrize(
    ("slots", "first", "last", "share"),
    [
        ([], 0, 2, 0.0),
        ([0], 0, 2, 0.5),
        ([0, 1], 0, 2, 1.0),
        ([-1, 0, 1, 2], 0, 2, 1.0),
        ([0, 0, 0], 0, 2, 0.5),
        ([], 0, 0, None),
        ([], 2, 0, None),
    ],
)
def test_coverage_is_the_share_of_slots_with_a_reading(
    slots: list[int], first: int, last: int, share: float | None
) -> None:
    at = [START + n * SLOT_MS for n in slots]
    assert coverage(at, START + first * SLOT_MS, START + last * SLOT_MS) == share


def test_a_synchronised_report_gives_the_boxs_own_offset_and_another_the_servers() -> None:
    assert offset_of(1000, 400, 1200, synchronised=True) == Offset(600, TimeQuality.SYNCHRONISED)
    assert offset_of(1000, 400, 1200, synchronised=False) == Offset(800, TimeQuality.ESTIMATED)
    assert offset_of(1000, 400, 302_000, synchronised=True).quality is TimeQuality.ESTIMATED


OFFSETS = st.builds(Offset, st.integers(0, 10_000), st.sampled_from([TimeQuality.ESTIMATED, TimeQuality.SYNCHRONISED]))


@given(known=OFFSETS, new=OFFSETS)
def test_the_offset_kept_is_never_less_sure(known: Offset, new: Offset) -> None:
    assert better(known, new).quality == max(known.quality, new.quality)
    assert better(None, new) == new
    assert better(known, known) == known


@given(known=OFFSETS, new=OFFSETS)
def test_an_estimate_never_moves_later(known: Offset, new: Offset) -> None:
    if known.quality is new.quality is TimeQuality.ESTIMATED:
        assert better(known, new).ms <= known.ms


@given(
    taken=st.integers(0, 253_402_300_799_000), boottime=st.integers(0, 2**63 - 1),
    offset=st.one_of(st.none(), st.builds(Offset, st.integers(-(2**63), 2**62), st.just(TimeQuality.ESTIMATED))),
)  # fmt: skip
def test_a_repaired_instant_is_never_absurd(taken: int, boottime: int, offset: Offset | None) -> None:
    reading = wire.Reading("b", 1, "router", taken, boottime, wire.Outcome.UNREACHABLE, 1)
    instant, quality = repaired(reading, offset, START)
    assert EARLIEST_MS <= instant <= START + 300_000
    assert quality > TimeQuality.UNKNOWN or instant == START


INSTANTS = st.integers(0, 253_402_300_799_000)
DIGITS = st.from_regex(rb"[0-9]{0,25}[a-z.]?[0-9]{0,25}", fullmatch=True)


@settings(max_examples=60)
@given(st.lists(st.builds(Kept, INSTANTS, st.integers(-1, 2), st.one_of(st.binary(max_size=300), DIGITS)), max_size=20))
def test_packing_keeps_every_byte(kept: list[Kept]) -> None:
    assert unpack(pack(kept)) == sorted(kept, key=lambda one: one.taken_ms)


NEARLY_ALIKE = st.text("a.10", max_size=5).map(str.encode) | st.sampled_from(
    (b"a" + b"1" * 19 + b"a", b"a" + b"1" * 18 + b"a", b"a1a")
)


@settings(max_examples=200)
@given(st.lists(st.builds(Kept, INSTANTS, st.integers(-1, 2), NEARLY_ALIKE), max_size=20))
def test_texts_that_differ_only_in_where_their_digits_stand_are_kept_apart(kept: list[Kept]) -> None:
    assert unpack(pack(kept)) == sorted(kept, key=lambda one: one.taken_ms)


def test_packs_of_earlier_versions_can_be_read() -> None:
    kept = [Kept(START + n, 2, b'{"sequence":%d}' % n) for n in range(20)]
    earlier = [{"id": lzma.FILTER_LZMA2, "preset": 4, "dict_size": 1 << 22}]
    blob = lzma.compress(lzma.decompress(pack(kept)), check=lzma.CHECK_CRC32, filters=earlier)
    assert blob != pack(kept)
    assert unpack(blob) == kept


def test_a_damaged_pack_is_noticed() -> None:
    blob = bytearray(pack([Kept(1, 2, b"x" * 500)]))
    blob[len(blob) // 2] ^= 1
    with pytest.raises(lzma.LZMAError):
        unpack(bytes(blob))


@given(
    st.lists(st.integers(0, 12), min_size=1) | st.lists(st.integers(0, 10**6), min_size=1)
    | st.lists(st.sampled_from([0, 9, 10, 99, 100, 10**15]), min_size=1)
)  # fmt: skip
def test_numbers_of_any_length_are_read_from_a_pack_as_they_stand_in_it(numbers: list[int]) -> None:
    payloads = [b'{"some":%d}' % one for one in numbers]
    (shared,) = texts(pack([Kept(place, 2, payload) for place, payload in enumerate(payloads)]))
    assert shared.numbers(0) == numbers
