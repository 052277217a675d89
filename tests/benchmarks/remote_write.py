"""The same values as a Prometheus remote write request: protobuf by hand, snappy as its senders use it."""

import importlib
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache

from tests.benchmarks.central import router_body, values_of
from tests.benchmarks.process import ROOT, Unusable

FOLDER = ROOT / ".cache/bench/snappy"
INSTALL_SECONDS = 120

Series = bytes
"""The encoded labels of one series."""


def compressor() -> Callable[[bytes], bytes]:
    """Return snappy's block compression, from a package that only the benchmarks need."""
    if not (FOLDER / "cramjam").exists():
        command = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--target", str(FOLDER), "cramjam"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            raise Unusable("snappy (cramjam) cannot be installed here, and remote write needs it") from error
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    snappy = importlib.import_module("cramjam").snappy
    return lambda plain: bytes(snappy.compress_raw(plain))


def series_of(village: str) -> list[Series]:
    """Return the encoded labels of the 60 series of one village's router."""
    return [_labels(village, name, label) for name, label, _ in values_of(router_body(1))]


def _labels(village: str, name: str, label: str) -> bytes:
    labels = {"__name__": f"kampungnet_{name}", "device": "router", "district": village[:8], "regency": village[:5]}
    if label:
        labels["interface"] = label
    labels["village"] = village
    return b"".join(
        _field(1, _field(1, key.encode()) + _field(2, text.encode())) for key, text in sorted(labels.items())
    )


def one_sample_each(series: Sequence[Series], numbers: Sequence[int], instants_ms: Sequence[int]) -> bytes:
    """Return a request as Prometheus itself sends it: every sample brings its labels along."""
    parts = []
    for number, at in zip(numbers, instants_ms, strict=True):
        parts += [_field(1, labels + sample) for labels, sample in zip(series, _samples(number, at), strict=True)]
    return b"".join(parts)


def one_series_each(series: Sequence[Series], numbers: Sequence[int], instants_ms: Sequence[int]) -> bytes:
    """Return a request that gives the labels of a series once and all its samples after them."""
    rows = [_samples(number, at) for number, at in zip(numbers, instants_ms, strict=True)]
    columns = zip(*rows, strict=True)
    return b"".join(_field(1, labels + b"".join(column)) for labels, column in zip(series, columns, strict=True))


@lru_cache(maxsize=512)  # all villages say the same number at the same instant
def _samples(number: int, at_ms: int) -> list[bytes]:
    return [_sample(value, at_ms) for _, _, value in values_of(router_body(number))]


def request_of(path: str, plain: bytes, snappy: Callable[[bytes], bytes]) -> bytes:
    """Return a whole HTTP request, ready for a socket."""
    body = snappy(plain)
    lines = (
        f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", "Content-Encoding: snappy",
        "Content-Type: application/x-protobuf", "X-Prometheus-Remote-Write-Version: 0.1.0", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode() + body


def _sample(value: float, at_ms: int) -> bytes:
    return _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(at_ms))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
