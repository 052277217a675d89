"""What both sides know of a one-time enrolment code: when two spellings are one code, and how one is refused."""

from typing import Final

NO_CODE: Final = "This enrolment code is not known, was used already or is too old: ask for a new one."
"""The server's sentence with a 404. Any other 404 says nothing about a code."""
LEAST_LETTERS: Final = 8
"""A shorter one is no code: the wire takes none."""
_MISREAD: Final = str.maketrans("ILO", "110")


def plain_code(code: str) -> str:
    """Return the letters of a code. Case, and what stands between the letters, do not matter."""
    return "".join(filter(str.isalnum, code.upper())).translate(_MISREAD)
