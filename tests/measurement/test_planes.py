"""Bytes side by side by weight: what is put in comes out, and what is said of it at once is what is said of each."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from kampungnet.measurement import planes

NUMBERS = st.lists(st.integers(-(1 << 62), (1 << 62) - 1), min_size=1, max_size=20)


def _laid(numbers: list[int]) -> bytes:
    """Return numbers of both signs as they lie in a pack."""
    return planes.split(array("Q", [one << 1 if one >= 0 else ~(one << 1) for one in numbers]).tobytes())


@given(NUMBERS, st.booleans())
def test_numbers_of_both_signs_come_out_as_they_went_in(numbers: list[int], rises: bool) -> None:
    told = list(map(abs, numbers)) if rises else numbers
    assert list(planes.signed(planes.numbers(_laid(told), 0, len(told)))) == told


@given(NUMBERS, st.data())
def test_whether_any_is_below_nothing_is_seen_without_reading_them(numbers: list[int], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(numbers)))
    last = data.draw(st.integers(first, len(numbers)))
    assert planes.have_no_minus(_laid(numbers), first, last) == all(one >= 0 for one in numbers[first:last])
