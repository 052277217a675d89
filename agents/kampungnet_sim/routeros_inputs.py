"""What a router makes of values it is given: normalised, or refused in its own words (facts/routeros.md, 4 and 5)."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from kampungnet_sim.routeros_tables import RouterTrap
from kampungnet_sim.routeros_values import duration, read_duration

Reader = Callable[[str, str], str]
_MAC = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}")
_RATE = re.compile(r"\d+[kM]?(?:/\d+[kM]?)?(?: [\dkM/ ]+)?")
_DST_LIMIT = re.compile(r"(\d+)(?:/([\dhms]+))?,(\d+),src-address(?:/([\dhms]+))?")
# A G of a byte limit is 2^30 bytes (unconfirmed).
_SIZES = {"": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _bad(name: str) -> RouterTrap:
    return RouterTrap(f"invalid value for argument {name}", 1)


def time(name: str, value: str) -> str:
    """``3600s`` reads back ``1h``; ``none`` stays."""
    seconds = read_duration(value)
    if seconds is None:
        raise _bad(name)
    return value if value == "none" else duration(seconds)


def size(name: str, value: str) -> str:
    """Bytes, with k, M or G behind them."""
    found = re.fullmatch(r"(\d+)([kMG]?)", value)
    if found is None:
        raise _bad(name)
    return str(int(found[1]) * _SIZES[found[2]])


def many(name: str, value: str) -> str:
    """A number from 1 up, or ``unlimited``."""
    if value != "unlimited" and not (value.isdecimal() and int(value)):
        raise _bad(name)
    return value


def mac(name: str, value: str) -> str:
    """Capitals and colons."""
    clean = value.upper().replace("-", ":")
    if value and _MAC.fullmatch(clean) is None:
        raise RouterTrap(f"invalid value of {name}, mac address required", 1)
    return clean


def truth(name: str, value: str) -> str:
    """``yes`` and ``no`` read back ``true`` and ``false``."""
    clean = {"yes": "true", "no": "false"}.get(value, value)
    if clean not in ("true", "false"):
        raise RouterTrap(f"input does not match any value of {name}", 1)
    return clean


def rate(name: str, value: str) -> str:
    """Kept as it was typed."""
    if value and _RATE.fullmatch(value) is None:
        raise _bad(name)
    return value


class DstLimit(NamedTuple):
    """``30/1m,30,src-address/1m40s``: so many packets each so many seconds of one address, and so many at once."""

    packets: int
    seconds: int
    burst: int
    expire: int


def read_dst_limit(value: str) -> DstLimit:
    """The limit of one address. ValueError for what is none."""
    found = _DST_LIMIT.fullmatch(value)
    if found is None:
        raise ValueError(f"{value} is no limit by address")
    seconds, expire = read_duration(found[2] or "1s"), read_duration(found[4] or "10s")
    if not seconds or not expire or not int(found[1]):
        raise ValueError(f"{value} is no limit by address")
    return DstLimit(int(found[1]), seconds, int(found[3]), expire)


def dst_limit(name: str, value: str) -> str:
    """Reads back with both times: ``30/60s,30,src-address/100s`` is ``30/1m,30,src-address/1m40s``."""
    if not value:
        return value
    try:
        limit = read_dst_limit(value)
    except ValueError as error:
        raise _bad(name) from error
    return f"{limit.packets}/{duration(limit.seconds)},{limit.burst},src-address/{duration(limit.expire)}"


def some_of(*known: str) -> Reader:
    """A list of known words, in the order of the list of all."""

    def read(name: str, value: str) -> str:
        given = [one for one in value.split(",") if one]
        if any(one not in known for one in given):
            raise RouterTrap(f"input does not match any value of {name}", 1)
        return ",".join(one for one in known if one in given)

    return read


def each(reader: Reader, names: str) -> Mapping[str, Reader]:
    """One reader for several properties."""
    return dict.fromkeys(names.split(), reader)


def must_be_one_of(name: str, value: str, known: Iterable[str]) -> None:
    """A name of another list."""
    if value not in known:
        raise RouterTrap(f"input does not match any value of {name}", 1)
