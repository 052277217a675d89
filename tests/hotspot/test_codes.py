"""Codes on paper: read as people type them, and every usual typing error is found."""

from hypothesis import given
from hypothesis import strategies as st

from kampungnet.hotspot import codes
from kampungnet.hotspot.codes import ALPHABET, LETTERS, new_code, read, shown

_CODES = st.builds(lambda _: new_code(), st.none())


def test_a_code_has_the_chance_it_promises_and_no_letter_taken_for_another() -> None:
    assert len(ALPHABET) ** codes.CHANCE_LETTERS >= 2**40
    assert not set(ALPHABET) & set("01ilo")
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert len({new_code() for _ in range(2000)}) == 2000


@given(_CODES)
def test_a_code_is_read_as_people_type_it(code: str) -> None:
    for typed in (code, code.upper(), shown(code), f" {code[:3]}-{code[3:6]}.{code[6:]} "):
        assert read(typed) == code


@given(_CODES, st.integers(0, LETTERS - 1), st.sampled_from(ALPHABET))
def test_every_single_wrong_letter_is_found(code: str, place: int, letter: str) -> None:
    wrong = code[:place] + letter + code[place + 1 :]
    assert (read(wrong) == code) == (wrong == code)
    assert wrong == code or read(wrong) is None


@given(_CODES, st.integers(0, LETTERS - 3))
def test_two_letters_that_were_swapped_are_found(code: str, place: int) -> None:
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or read(swapped) is None


@given(st.text(max_size=40))
def test_nothing_else_is_taken_for_a_code(typed: str) -> None:
    code = read(typed)
    assert code is None or (len(code) == LETTERS and set(code) <= set(ALPHABET))
