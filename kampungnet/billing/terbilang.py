"""Pure: an amount in Indonesian words, as it stands on every paper that pays (facts on billing 9.4).

With the newer spelling "miliar".
"""

from typing import Final

_ONES: Final = tuple(
    "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas".split()
)  # fmt: skip
_STEPS: Final = ((10**12, "triliun"), (10**9, "miliar"), (10**6, "juta"))


def terbilang(amount: int) -> str:
    """Return "dua juta lima ratus ribu rupiah"; what is negative begins with "minus"."""
    return f"minus {_words(-amount)} rupiah" if amount < 0 else f"{_words(amount)} rupiah"


def _words(number: int) -> str:
    for step, name in _STEPS:
        if number >= step:
            return _joined(f"{_words(number // step)} {name}", number % step)
    if number >= 2000:
        return _joined(f"{_words(number // 1000)} ribu", number % 1000)
    if number >= 1000:
        return _joined("seribu", number % 1000)
    return _below_thousand(number)


def _below_thousand(number: int) -> str:
    if number >= 200:
        return _joined(f"{_ONES[number // 100]} ratus", number % 100)
    if number >= 100:
        return _joined("seratus", number % 100)
    if number >= 20:
        return _joined(f"{_ONES[number // 10]} puluh", number % 10)
    return f"{_ONES[number - 10]} belas" if number > 11 else _ONES[number]


def _joined(words: str, rest: int) -> str:
    return f"{words} {_words(rest)}" if rest else words
