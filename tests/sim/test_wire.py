import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet_sim.routeros_wire import (
    SentenceReader,
    WireError,
    decode_length,
    encode_length,
    encode_sentence,
    prefix_size,
    text_of,
)

words = st.binary(min_size=1, max_size=400)


@given(st.integers(0, 2**32 - 1))
def test_a_length_that_was_encoded_is_decoded_to_itself(length: int) -> None:
    prefix = encode_length(length)
    assert prefix_size(prefix[0]) == len(prefix)
    assert decode_length(prefix) == length


@given(st.lists(st.lists(words, min_size=1, max_size=5), max_size=6), st.lists(st.integers(0, 3_000)))
def test_sentences_survive_any_split_of_the_stream(sentences: list[list[bytes]], cuts: list[int]) -> None:
    stream = b"".join(encode_sentence(one) for one in sentences)
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    reader = SentenceReader()
    found = [one for a, b in pairwise(edges) for one in reader.feed(stream[a:b])]
    assert found == sentences


@given(st.binary(max_size=200))
def test_text_keeps_every_byte_whatever_it_is(raw: bytes) -> None:
    assert encode_sentence([text_of(raw)]).endswith(raw + b"\0")


def test_words_longer_than_two_mebibytes_are_read_byte_by_byte() -> None:
    reader = SentenceReader(max_word=3 << 20)
    long = b"x" * ((2 << 20) + 1)
    stream = encode_sentence([long])
    assert stream[0] == 0xE0
    found = [one for at in range(6) for one in reader.feed(stream[at : at + 1])]
    assert found + reader.feed(stream[6:]) == [[long]]


def test_empty_sentences_are_ignored() -> None:
    assert SentenceReader().feed(b"\0\0" + encode_sentence(["/quit"]) + b"\0") == [[b"/quit"]]


@pytest.mark.parametrize("first", [0xF8, 0xFF])
def test_a_reserved_length_byte_ends_the_conversation(first: int) -> None:
    with pytest.raises(WireError):
        SentenceReader().feed(bytes([first, 1, 2]))


def test_a_word_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(WireError):
        SentenceReader().feed(b"\xf0\x7f\xff\xff\xff")


def test_the_shared_vectors_of_lengths_and_sentences_hold(shared: Path) -> None:
    vectors = json.loads((shared / "recordings/routeros/wire/vectors.json").read_text())
    for vector in vectors["word_length"]:
        assert encode_length(vector["length"]).hex() == vector["hex"]
        assert decode_length(bytes.fromhex(vector["hex"])) == vector["length"]
    for vector in vectors["sentences"]:
        raw = bytes.fromhex(vector["hex"])
        assert encode_sentence(vector["words"]) == raw
        assert [[w.decode() for w in one] for one in SentenceReader().feed(raw)] == [vector["words"]]
