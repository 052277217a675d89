"""Pure: the protobuf message of Prometheus remote write 1.0, written by hand (facts: operations 2.1).

``WriteRequest`` is time series (field 1); one is labels (1: name 1, value 2) and samples (2: value 1 a double,
time 2 in milliseconds). What a series needs is encoded once; a sample of our time is always 18 bytes.
"""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

STALE: Final = b"\x02\x00\x00\x00\x00\x00\xf0\x7f"
"""The value that ends a series: a NaN that no measurement is, 0x7ff0000000000002."""
_DOUBLE: Final = struct.Struct("<d")
_VALUE_TAG: Final = b"\x09"
_SERIES_TAG: Final = b"\x0a"
_TIME_TAG: Final = 0x10
_SAMPLE: Final = struct.Struct("<3sd7s")
_STAMP_BYTES: Final = 6
_LANE: Final = struct.Struct("<Q")
_GOES_ON: Final = 0x80_80_80_80_80
"""The highest bit of all but the last byte of a stamp."""
_SAMPLE_HEAD: Final = b"\x12\x10" + _VALUE_TAG
"""Field 2, 16 bytes long, which begin with the value."""
SAMPLE_BYTES: Final = 18
_VALUE_AT: Final = len(_SAMPLE_HEAD)
_BY_TIME: Final = itemgetter(slice(None, _VALUE_AT + _DOUBLE.size, -1))
"""The lowest seven bits of an instant stand first, and all but the last byte have the same highest bit."""
_OURS_MS: Final = range(1 << 35, 1 << 42)
"""1971 to 2109: the instants whose number takes six bytes."""

Stamp = bytes
"""An instant as it stands in a sample."""


def labels(named: Mapping[str, str]) -> bytes:
    """Return the labels of a series: sorted by name; without empty values, which say nothing."""
    return b"".join([_label(name, named[name]) for name in sorted(named) if named[name]])


@lru_cache(maxsize=4096)
def _label(name: str, value: str) -> bytes:
    """Return one label: the series of a device share nearly all of theirs."""
    return _bytes(1, _bytes(1, name.encode()) + _bytes(2, value.encode(errors="replace")))


def stamp(at_ms: int) -> Stamp:
    """Return an instant, to be shared by all samples of one poll. Raises ``ValueError`` outside 1971 to 2109."""
    if at_ms not in _OURS_MS:
        raise ValueError(f"{at_ms} ms is no instant that is sent to a metrics store")
    low, middle, high = at_ms & 0x3FFF, at_ms >> 14 & 0x3FFF, at_ms >> 28
    return bytes((
        _TIME_TAG, low & 127 | 128, low >> 7 | 128, middle & 127 | 128, middle >> 7 | 128, high & 127 | 128, high >> 7,
    ))  # fmt: skip


def sample(value: float, at: Stamp) -> bytes:
    """Return one sample."""
    return _SAMPLE.pack(_SAMPLE_HEAD, value, at)


def empty(times: Sequence[int]) -> bytes:
    """Return samples of these instants that still lack their values: all series of a device share them.

    All instants are taken apart at once, as one long number of lanes of eight bytes. Raises as :func:`stamp` does.
    """
    for at_ms in (min(times), max(times)):
        stamp(at_ms)
    number = len(times)
    whole, stamps = int.from_bytes(struct.pack(f"<{number}Q", *times), "little"), 0
    # Seven bits each, and so many places to the left as there are highest bits before.
    for place in range(_STAMP_BYTES):
        stamps |= (whole & _lanes(0x7F << 7 * place, number)) << place
    lanes = (stamps | _lanes(_GOES_ON, number)).to_bytes(_LANE.size * number, "little")
    found = bytearray(_SAMPLE.pack(_SAMPLE_HEAD, 0.0, bytes((_TIME_TAG,)))) * number
    for place in range(_STAMP_BYTES):
        found[SAMPLE_BYTES - _STAMP_BYTES + place :: SAMPLE_BYTES] = lanes[place :: _LANE.size]
    return bytes(found)


@lru_cache(maxsize=64)
def _lanes(of_each: int, number: int) -> int:
    return int.from_bytes(_LANE.pack(of_each) * number, "little")


def filled(samples: bytes, values: Sequence[float] | float) -> bytes:
    """Return samples with their values, byte by byte of all at once: ten times as fast as each by itself."""
    found, number = bytearray(samples), len(samples) // SAMPLE_BYTES
    doubles = _DOUBLE.pack(values) * number if isinstance(values, int | float) else struct.pack(f"<{number}d", *values)
    for place in range(_DOUBLE.size):
        found[_VALUE_AT + place :: SAMPLE_BYTES] = doubles[place :: _DOUBLE.size]
    return bytes(found)


def in_order(samples: bytes) -> bytes:
    """Return samples in order of time."""
    each = [samples[start : start + SAMPLE_BYTES] for start in range(0, len(samples), SAMPLE_BYTES)]
    each.sort(key=_BY_TIME)
    return b"".join(each)


def end(at: Stamp) -> bytes:
    """Return the sample that says that a series is over."""
    return _SAMPLE_HEAD + STALE + at


def time_series(of_labels: bytes, samples: bytes) -> bytes:
    """Return one series with its samples, in order of time, as a part of a request."""
    return b"".join(pieces(of_labels, samples))


def pieces(of_labels: bytes, samples: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the same in pieces, to be put together with those of others: samples are copied once only."""
    return _SERIES_TAG + varint(len(of_labels) + len(samples)), of_labels, samples


def varint(number: int) -> bytes:
    """Return a number from 0 as protobuf writes it: seven bits a byte, the lowest first."""
    if number < 128:
        return bytes((number,))
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content
