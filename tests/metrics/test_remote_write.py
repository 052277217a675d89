"""The message of remote write as the specification has it, byte by byte; halves of a request; what answers mean."""

import math
import struct
from collections.abc import Iterator
from typing import Final

import cramjam
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kampungnet.core.errors import BadInput
from kampungnet.metrics import remote_write, series
from kampungnet.metrics.samples import Seen
from kampungnet.metrics.sending import Away, Reason, Sender, When, time_problem
from kampungnet.metrics.series import Gatherer, Part, Place, Series, Taken
from kampungnet.metrics.store import Answer, Said, Settings, judged
from kampungnet.shared import wire
from tests.support.server import router_body

NOW_MS: Final = 1_795_956_000_000
DAY_MS: Final = 86_400_000
NAME: Final = bytes.fromhex("0a 0f 0a 08") + b"__name__" + bytes.fromhex("12 03") + b"abc"
VILLAGE: Final = bytes.fromhex("0a 0c 0a 07") + b"village" + bytes.fromhex("12 01") + b"1"


def test_a_request_has_the_bytes_of_the_specification() -> None:
    """Labels sorted by name, an empty one left out, then samples: doubles and milliseconds."""
    labels = remote_write.labels({"village": "1", "district": "", "__name__": "abc"})
    assert labels == NAME + VILLAGE
    sample = remote_write.sample(1.5, remote_write.stamp(NOW_MS))
    assert sample[:3] == bytes.fromhex("12 10 09")
    assert sample[3:11] == struct.pack("<d", 1.5)
    assert sample[11:] == bytes.fromhex("10 80 8a c7 ba a2 34")
    whole = remote_write.time_series(labels, sample)
    assert whole == b"\x0a" + bytes([len(labels) + 18]) + labels + sample


def test_the_sample_that_ends_a_series_is_the_one_nan_that_stores_know() -> None:
    """Another NaN would be shown as a value."""
    over = remote_write.end(remote_write.stamp(NOW_MS))
    assert struct.unpack("<Q", over[3:11])[0] == 0x7FF0000000000002
    assert math.isnan(series.value_of(over))
    assert series.instant_of(over) == NOW_MS


@pytest.mark.parametrize("at_ms", [-1, 0, (1 << 35) - 1, 1 << 42])
def test_an_instant_outside_our_time_is_refused_not_shortened(at_ms: int) -> None:
    """Its number would take other than six bytes, and the request would be nonsense."""
    with pytest.raises(ValueError, match="no instant"):
        remote_write.stamp(at_ms)


@given(st.lists(st.integers(1 << 35, (1 << 42) - 1), min_size=1, max_size=30))
@example([1 << 35, (1 << 42) - 1, 0x2AAAAAAAAAA, 0x15555555555])
def test_instants_that_are_encoded_together_are_those_encoded_by_themselves(times: list[int]) -> None:
    """And with their values nothing but those values changes."""
    values = [at_ms / 7 for at_ms in times]
    each = [remote_write.sample(value, remote_write.stamp(at_ms)) for value, at_ms in zip(values, times, strict=True)]
    assert remote_write.filled(remote_write.empty(times), values) == b"".join(each)
    each = [remote_write.sample(3, remote_write.stamp(at_ms)) for at_ms in times]
    assert remote_write.filled(remote_write.empty(times), 3) == b"".join(each)


@pytest.mark.parametrize("bad", [(1 << 35) - 1, 1 << 42])
def test_one_instant_outside_our_time_refuses_all_that_are_encoded_with_it(bad: int) -> None:
    with pytest.raises(ValueError, match="no instant"):
        remote_write.empty([NOW_MS, bad, NOW_MS])


def test_numbers_are_protobufs() -> None:
    """The example of its documentation."""
    assert remote_write.varint(150) == b"\x96\x01"
    assert [remote_write.varint(number) for number in (0, 127, 128)] == [b"\x00", b"\x7f", b"\x80\x01"]


def test_snappy_is_the_block_format() -> None:
    """The framing format, which most snappy tools write, no store understands."""
    assert bytes(cramjam.snappy.compress_raw(b"a" * 5)) == b"\x05\x10aaaaa"


def _parts(*lengths: int) -> list[Part]:
    stamps = (remote_write.sample(n, remote_write.stamp(NOW_MS + n)) for n in range(sum(lengths)))
    return [
        Part(Series({"__name__": f"m{n}"}), b"".join(next(stamps) for _ in range(many)))
        for n, many in enumerate(lengths)
    ]


def _each(part: Part) -> list[bytes]:
    size = remote_write.SAMPLE_BYTES
    return [part.samples[start : start + size] for start in range(0, len(part.samples), size)]


@pytest.mark.parametrize("lengths", [(2,), (1, 1), (3, 1, 4), (1, 9), (9, 1), (1, 1, 1)])
def test_halves_are_the_whole(lengths: tuple[int, ...]) -> None:
    """Nothing is lost or doubled where a request is cut, and neither half is empty."""
    whole = _parts(*lengths)
    first, second = series.halves(whole)
    assert 0 < series.number_of(first) < sum(lengths)
    assert series.number_of(first) + series.number_of(second) == sum(lengths)
    samples = [(part.of.labels["__name__"], one) for part in first + second for one in _each(part)]
    assert samples == [(part.of.labels["__name__"], one) for part in whole for one in _each(part)]


class _Store:
    """Takes everything but requests that hold a certain sample, as Prometheus rolls back the whole request."""

    def __init__(self, bad: float, answer: Answer) -> None:
        self.bad, self.answer = struct.pack("<d", bad), answer
        self.had = b""
        self.asked = 0

    def send(self, request: bytes) -> Answer:
        self.asked += 1
        if self.bad in request:
            return self.answer
        self.had += request
        return Answer(Said.TAKEN)


def test_of_a_refused_request_only_the_culprit_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """It is found by halving, counted, and named once in the log with what the store said."""
    store = _Store(7.0, judged(400, "duplicate sample for timestamp"))
    sender = Sender(store.send)
    for _ in range(2):
        sender.deliver(_parts(5, 5, 90), NOW_MS)
    assert sender.taken == 198
    assert sender.dropped[Reason.REFUSED].samples == 2
    assert "m1{} 7.0" in sender.dropped[Reason.REFUSED].example
    assert "duplicate sample" in sender.dropped[Reason.REFUSED].example
    assert store.asked < 40
    assert len(caplog.records) == 1


def test_too_old_is_said_with_500_and_still_does_not_block() -> None:
    """Prometheus 2.42 answers a sample before its window with 500; asked again for ever nothing else would pass."""
    sender = Sender(_Store(0.0, judged(500, "too old sample")).send)
    sender.deliver(_parts(50), NOW_MS + 9 * DAY_MS)
    assert (sender.taken, sender.dropped[Reason.TOO_OLD].samples) == (49, 1)


def test_a_store_that_calls_now_too_old_is_blind_and_nothing_is_given_up() -> None:
    """One sample from the future makes Prometheus 2.42 refuse all others: they wait until it is mended."""
    sender = Sender(_Store(0.0, judged(400, "out of bounds")).send)
    with pytest.raises(Away, match="blind"):
        sender.deliver(_parts(50), NOW_MS + 60_000)
    assert sender.dropped == {}


def test_a_store_that_refuses_everything_is_not_asked_for_ever() -> None:
    """After two hundred culprits in a request what is left of it is set aside in larger pieces, and counted."""

    store = _Store(0.0, judged(400, "I do not like it"))
    store.bad = b""
    sender = Sender(store.send)
    sender.deliver(_parts(10_000), NOW_MS)
    assert sender.dropped[Reason.REFUSED].samples == 10_000
    assert store.asked < 1000


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (204, "", Said.TAKEN), (200, "", Said.TAKEN), (400, "bad", Said.REFUSED), (413, "", Said.REFUSED),
        (500, "too old sample", Said.REFUSED), (500, "out of bounds", Said.REFUSED), (500, "disk full", Said.LATER),
        (503, "", Said.LATER), (429, "", Said.LATER), (401, "", Said.LATER), (404, "", Said.LATER),
        (302, "", Said.LATER),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int, text: str, said: Said) -> None:
    """What is wrong with the way there is no sample's fault: then everything waits."""
    assert judged(status, text).said is said


@pytest.mark.parametrize(
    ("asked", "seconds"), [("7", 7.0), ("", 0.0), ("Wed, 21 Oct", 0.0), ("-1", 0.0), ("9" * 40, 0)]
)
def test_a_store_may_say_when_to_come_back(asked: str, seconds: float) -> None:
    """Only plain seconds are understood."""
    assert judged(503, "", asked).after_seconds == seconds


def test_the_future_and_what_is_before_the_window_never_leave() -> None:
    """Five minutes ahead, and the window but for an hour."""
    week = 7 * DAY_MS
    when = When(NOW_MS, week)
    assert time_problem(NOW_MS + 300_000, when) is None
    assert time_problem(NOW_MS + 300_001, when) is Reason.FUTURE
    assert time_problem(NOW_MS - week + 3_600_000, when) is None
    assert time_problem(NOW_MS - week + 3_599_999, when) is Reason.TOO_OLD


def _polls(number: int) -> Iterator[Taken]:
    labels = Place("35.10", "35.10.15", "35.10.15.2012").labels("router")
    for minute in range(number):
        yield Taken(labels, Seen("router", wire.Outcome.OK, 5), router_body(minute), [NOW_MS + minute * 60_000])


def test_a_gatherer_gives_each_series_once_with_its_samples_in_order() -> None:
    """Its labels travel once a request, however many samples it has; what was given is not given again."""
    gatherer = Gatherer()
    for taken in _polls(30):
        gatherer.take(taken)
    (parts,) = gatherer.given(100_000)
    names = [str(part.of) for part in parts]
    assert len(names) == len(set(names))
    for part in parts:
        instants = [series.instant_of(one) for one in _each(part)]
        assert instants == [NOW_MS + minute * 60_000 for minute in range(30)]
    assert series.number_of(parts) == sum(map(series.count, _polls(30)))
    assert list(gatherer.given(100)) == []


@pytest.mark.parametrize(
    "environment",
    [
        {"KAMPUNGNET_REMOTE_WRITE_URL": "ftp://store/write"},
        {"KAMPUNGNET_REMOTE_WRITE_URL": "http://"},
        {"KAMPUNGNET_REMOTE_WRITE_URL": "http://store:99999/"},
        {"KAMPUNGNET_REMOTE_WRITE_URL": "http://[::1/write"},
        {"KAMPUNGNET_REMOTE_WRITE_URL": "http://store/a b"},
        {"KAMPUNGNET_REMOTE_WRITE_URL": "http://me:secret@store/write"},
        {"KAMPUNGNET_REMOTE_WRITE_URL": "http://store/", "KAMPUNGNET_REMOTE_WRITE_WINDOW_DAYS": "0"},
        {"KAMPUNGNET_REMOTE_WRITE_URL": "http://store/", "KAMPUNGNET_REMOTE_WRITE_TOKEN_FILE": "/nowhere"},
    ],
)
def test_a_setting_that_cannot_be_is_named_at_the_start(environment: dict[str, str]) -> None:
    """And a password is not repeated."""
    with pytest.raises(BadInput, match="KAMPUNGNET_REMOTE_WRITE") as told:
        Settings.of(environment)
    assert "secret" not in str(told.value)


def test_nothing_is_pushed_unless_a_store_is_named() -> None:
    """Off by default."""
    assert Settings.of({}) is None
