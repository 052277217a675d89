"""The tagged reader: any split, any bytes, and nothing but librouteros' errors out of it."""

import contextlib
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from librouteros import exceptions as foreign  # type: ignore[import-untyped]
from librouteros.exceptions import LibRouterosError, ProtocolError  # type: ignore[import-untyped]

from kampungnet_agent.driver import DeviceError
from kampungnet_agent.drivers import routeros_errors
from kampungnet_agent.drivers.routeros_sentences import (
    LONGEST_WORD,
    MOST_WORDS,
    RowMemory,
    SentenceReader,
    encode_command,
    row_in,
)
from kampungnet_agent.drivers.routeros_wire import challenge_response
from tests.agent.drivers.scripted_router import sentence

words = st.binary(min_size=1, max_size=300)
sentences = st.lists(st.lists(words, min_size=1, max_size=6), max_size=6)


@given(sentences, st.lists(st.integers(0, 4000), max_size=20))
def test_sentences_come_out_the_same_however_the_stream_is_split(said: list[list[bytes]], cuts: list[int]) -> None:
    stream = b"".join(sentence(*one) for one in said)
    reader = SentenceReader()
    places = [0, *sorted({cut for cut in cuts if cut < len(stream)}), len(stream)]
    heard = [one for start, stop in itertools.pairwise(places) for one in reader.feed(stream[start:stop])]
    assert heard == said


@given(sentences)
def test_sentences_come_out_the_same_byte_by_byte(said: list[list[bytes]]) -> None:
    reader = SentenceReader()
    stream = b"".join(sentence(*one) for one in said)
    assert [one for byte in stream for one in reader.feed(bytes([byte]))] == said


@given(st.lists(st.binary(max_size=100), max_size=8))
def test_garbage_is_refused_or_read_and_never_anything_else(chunks: list[bytes]) -> None:
    reader = SentenceReader()
    with contextlib.suppress(ProtocolError):
        for chunk in chunks:
            list(reader.feed(chunk))


def test_a_long_word_that_trickles_in_is_joined_once() -> None:
    reader = SentenceReader()
    stream = sentence(b"!re", b"=comment=" + b"x" * 90_000)
    heard = [one for start in range(0, len(stream), 10) for one in reader.feed(stream[start : start + 10])]
    assert len(heard[0][1]) == 90_009


@pytest.mark.parametrize("length", [LONGEST_WORD + 1, 0x0FFFFFFF])
def test_a_word_of_more_than_100_kilobytes_is_refused_before_it_arrives(length: int) -> None:
    prefix = (length | (0xC00000 if length < 0x200000 else 0xE0000000)).to_bytes(3 if length < 0x200000 else 4)
    with pytest.raises(ProtocolError, match="announced"):
        list(SentenceReader().feed(prefix))


@pytest.mark.parametrize("first", [0xF0, 0xF8, 0xFF])
def test_five_byte_and_reserved_lengths_are_refused(first: int) -> None:
    with pytest.raises(ProtocolError, match="impossible word length"):
        list(SentenceReader().feed(bytes([first, 0x10, 0, 0, 0])))


def test_recorded_lengths_sentences_and_challenges_are_coded_as_the_vectors_say(shared: Path) -> None:
    vectors = json.loads((shared / "recordings/routeros/wire/vectors.json").read_text())
    for vector in vectors["sentences"]:
        coded = bytes.fromhex(vector["hex"])
        assert encode_command(*vector["words"]) + b"\0" == coded
        assert list(SentenceReader().feed(coded)) == [[word.encode() for word in vector["words"]]]
    for vector in vectors["challenge_login"]:
        assert challenge_response(vector["password"], vector["challenge_hex"].encode()) == vector["response"]


def test_a_sentence_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    reader = SentenceReader()
    assert list(reader.feed(b"\x03=a=" * MOST_WORDS)) == []
    with pytest.raises(ProtocolError, match="endless sentence"):
        list(reader.feed(b"\x03=a="))


properties = st.lists(
    st.tuples(st.sampled_from([b"name", b".id", b"rx"]), st.sampled_from([b"", b"1", b"=", b"22", b"a=b"])), max_size=4
)


@given(st.lists(properties, max_size=30))
def test_a_row_is_read_the_same_whatever_rows_came_before_it(said: list[list[tuple[bytes, bytes]]]) -> None:
    memory = RowMemory()
    for poll in range(3):
        memory.begin(tables=poll == 1)
        for row in said:
            words = sentence(*(b"=%b=%b" % one for one in row))
            assert memory.row_in(words) == row_in(words) == dict(row)


@pytest.mark.parametrize("challenge", [b"", b"00", b"zz" * 16, b"\xff" * 32])
def test_an_odd_challenge_is_not_answered(challenge: bytes) -> None:
    with pytest.raises(ProtocolError):
        challenge_response("rahasia", challenge)


def test_every_exception_of_librouteros_becomes_one_of_ours() -> None:
    kinds = [kind for kind in vars(foreign).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) >= 6
    for kind in kinds:
        assert issubclass(kind, LibRouterosError)
        error = kind("said") if kind is not foreign.MultiTrapError else kind(foreign.TrapError("said"))
        with pytest.raises(DeviceError, match="said") as caught, routeros_errors.foreign_errors_become_ours():
            raise error
        assert caught.value.__cause__ is error


def test_every_network_error_becomes_one_of_ours() -> None:
    for error in (OSError("x"), TimeoutError(), ConnectionResetError("x"), ConnectionRefusedError("x")):
        with pytest.raises(DeviceError), routeros_errors.foreign_errors_become_ours():
            raise error
