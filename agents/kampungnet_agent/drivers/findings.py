"""The two kinds of sentence that ``check`` says."""

from collections.abc import Sequence
from typing import Final

from kampungnet_agent.driver import Finding

MOST_NAMES_SHOWN: Final = 12


def works(sentence: str) -> Finding:
    """Return what is in order."""
    return Finding(good=True, sentence=sentence)


def fails(sentence: str) -> Finding:
    """Return what is not, with what to do next."""
    return Finding(good=False, sentence=sentence)


def names_of(names: Sequence[str]) -> str:
    """Return names in the device's own order, a long list cut short."""
    more = f" dan {len(names) - MOST_NAMES_SHOWN} lagi" if len(names) > MOST_NAMES_SHOWN else ""
    return ", ".join(names[:MOST_NAMES_SHOWN]) + more
