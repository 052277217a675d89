"""Repeatable chance: the same words give the same number on every machine and in every process."""

import hashlib
import random

_MASK = (1 << 64) - 1


def generator(*words: object) -> random.Random:
    """A random generator that depends on the words alone."""
    return random.Random(":".join(map(str, words)))


def key_of(*words: object) -> int:
    """A 64-bit number made of the words, to be mixed with :func:`unit`."""
    digest = hashlib.blake2b(":".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def unit(key: int, index: int) -> float:
    """A number from 0 up to 1 for one index (splitmix64: far cheaper than a generator per hour)."""
    mixed = (key + (index + 1) * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return (mixed ^ (mixed >> 31)) / 18446744073709551616.0
