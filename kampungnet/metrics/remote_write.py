"""Pure: the protobuf message of Prometheus remote write 1.0, written by hand (facts: operations 2.1).

``WriteRequest`` is time series (field 1); one is labels (1: name 1, value 2) and samples (2: value 1 a double,
time 2 in milliseconds). What a series needs is encoded once; a sample of our time is always 18 bytes.
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

STALE: Final = b"\x02\x00\x00\x00\x00\x00\xf0\x7f"
"""The value that ends a series: a NaN that no measurement is, 0x7ff0000000000002."""
_DOUBLE: Final = struct.Struct("<d")
_VALUE_TAG: Final = b"\x09"
_TIME_TAG: Final = 0x10
_SAMPLE: Final = struct.Struct("<3sd7s")
_SAMPLE_HEAD: Final = b"\x12\x10" + _VALUE_TAG
"""Field 2, 16 bytes long, which begin with the value."""
SAMPLE_BYTES: Final = 18
_VALUE_AT: Final = len(_SAMPLE_HEAD)
_OURS_MS: Final = range(1 << 35, 1 << 42)
"""1971 to 2109: the instants whose number takes six bytes."""

Stamp = bytes
"""An instant as it stands in a sample."""


def labels(named: Mapping[str, str]) -> bytes:
    """Return the labels of a series: sorted by name; without empty values, which say nothing."""
    pairs = sorted((name, value) for name, value in named.items() if value)
    return b"".join(
        _bytes(1, _bytes(1, name.encode()) + _bytes(2, value.encode(errors="replace"))) for name, value in pairs
    )


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


def empty(times: Iterable[int]) -> bytes:
    """Return samples of these instants that still lack their values: all series of a device share them."""
    return b"".join(_SAMPLE.pack(_SAMPLE_HEAD, 0.0, stamp(at_ms)) for at_ms in times)


def filled(samples: bytes, values: Sequence[float] | float) -> bytes:
    """Return samples with their values, byte by byte of all at once: ten times as fast as each by itself."""
    found, number = bytearray(samples), len(samples) // SAMPLE_BYTES
    if isinstance(values, int | float):
        doubles = _DOUBLE.pack(values) * number
    else:
        own = array("d", values)
        if sys.byteorder == "big":
            own.byteswap()
        doubles = own.tobytes()
    for place in range(_DOUBLE.size):
        found[_VALUE_AT + place :: SAMPLE_BYTES] = doubles[place :: _DOUBLE.size]
    return bytes(found)


def in_order(samples: bytes) -> bytes:
    """Return samples in order of time."""
    each = [samples[start : start + SAMPLE_BYTES] for start in range(0, len(samples), SAMPLE_BYTES)]
    each.sort(key=_by_time)
    return b"".join(each)


def _by_time(sample: bytes) -> bytes:
    # The lowest seven bits of an instant stand first, and all but the last byte have the same highest bit.
    return sample[: _VALUE_AT + _DOUBLE.size : -1]


def end(at: Stamp) -> bytes:
    """Return the sample that says that a series is over."""
    return _SAMPLE_HEAD + STALE + at


def time_series(of_labels: bytes, samples: bytes) -> bytes:
    """Return one series with its samples, in order of time, as a part of a request."""
    return _bytes(1, of_labels + samples)


def varint(number: int) -> bytes:
    """Return a number from 0 as protobuf writes it: seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content
