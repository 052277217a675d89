"""Pure: lay the bytes of 64-bit numbers side by side by weight.

The high bytes of measured numbers are nearly all alike, so that a compressor makes little of them once
they stand together, and does not stumble over the low ones.
"""

from typing import Final

_WIDTH: Final = 8


def split(data: bytes) -> bytes:
    """Return the bytes of 64-bit numbers: all of the first weight, then all of the second, ..."""
    return b"".join(data[weight::_WIDTH] for weight in range(_WIDTH))


def join(planes: bytes) -> bytes:
    """Return the numbers that :func:`split` was given. Raises ``ValueError`` on what is no whole number of them."""
    count = len(planes) // _WIDTH
    data = bytearray(len(planes))
    for weight in range(_WIDTH):
        data[weight::_WIDTH] = planes[weight * count : (weight + 1) * count]
    return bytes(data)
