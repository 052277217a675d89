"""The parts of signing in that know nothing of staff: hashing, tokens, delays, header rules.

By facts/operations 4.4 (OWASP ASVS 5.0). Nothing here imports a web framework.
"""

import hashlib
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Final
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kampungnet.core.errors import Unavailable
from kampungnet.core.languages import N_

MIN_PASSWORD_LENGTH: Final = 12
MAX_PASSWORD_LENGTH: Final = 200
"""Longer input is cut off before hashing, or it would be a way to burn our processor."""
PASSWORD_LETTERS: Final = range(MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH + 1)
"""How many letters a password may have: what is checked, and what pages and commands say beside the field."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every answer to a browser carries unless it says otherwise itself."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
HSTS: Final = "max-age=31536000"

WAIT: Final = N_("Too many wrong tries. Wait a few minutes, then try again.")
MAX_DELAY_MS: Final = 15 * 60_000
FREE_FAILURES: Final = 4

_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1)
# 46 MiB and 66 ms each: two at once leave the second core to the reports, and the queue is
# short, because each waiting request holds one of the threads that also serve pages.
_HASHING: Final = threading.BoundedSemaphore(2)
_QUEUE: Final = threading.BoundedSemaphore(10)

_WEAK_WORDS: Final = frozenset(
    "kampungnet kampung kominfo diskominfo desa kelurahan kecamatan kabupaten banyuwangi indonesia jawa timur "
    "internet wifi hotspot router mikrotik admin administrator operator engineer auditor password passw0rd p@ssw0rd "
    "pass sandi katasandi rahasia masuk login user bismillah alhamdulillah sayang sayangku cinta aku kamu ganteng "
    "cantik merdeka garuda pancasila qwerty qwertyuiop asdfgh asdfghjkl zxcvbnm abc abcdef abcdefgh letmein welcome "
    "iloveyou dragon monkey football sepakbola persib arema doraemon kucing secret master sunshine princess".split()
)
_SORTED_WEAK_WORDS: Final = sorted(_WEAK_WORDS, key=len, reverse=True)
_REPEATED: Final = re.compile(r"(.+?)\1+")
_AROUND: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LETTERS: Final = str.maketrans("013457@$!", "oieastasi")


@contextmanager
def place_in_hashing() -> Iterator[None]:
    """Hold one of the two places to hash a password in, or say that too many wait."""
    if not _QUEUE.acquire(blocking=False):
        raise Unavailable(N_("Many people are signing in right now. Please try again in a minute."))
    try:
        with _HASHING:
            yield
    finally:
        _QUEUE.release()


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, with its parameters and salt inside."""
    return _HASHER.hash(password[:MAX_PASSWORD_LENGTH])


def password_matches(password_hash: str, password: str) -> bool:
    """Tell whether a password belongs to a hash."""
    try:
        return _HASHER.verify(password_hash, password[:MAX_PASSWORD_LENGTH])
    except (VerificationError, InvalidHashError):
        return False


@cache
def nobodys_hash() -> str:
    """Return a hash that no password matches: unknown names must cost as much as known ones."""
    return hash_password(secrets.token_urlsafe(32))


def needs_rehash(password_hash: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def is_guessable(password: str, *own_words: str) -> bool:
    """Tell whether a password is a known one, or only common words, the product's or person's own names, and digits."""
    rest = whole = password.casefold()
    for word in [*(own.casefold() for own in own_words if len(own) > 2), *_SORTED_WEAK_WORDS]:
        rest = rest.replace(word, "")
    if len(set(password)) < 5 or len(re.sub(r"[\W\d_]", "", rest)) < 4:
        return True
    repeated = _REPEATED.fullmatch(whole)
    return any(form in common_passwords() for form in _plain_forms(repeated[1] if repeated else whole))


@cache
def common_passwords() -> frozenset[str]:
    """Return the passwords that turn up most often in published collections; source and licence stand in the file."""
    text = files("kampungnet.core").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(text.partition("\n\n")[2].partition("\n\n")[2].split())


def _plain_forms(password: str) -> set[str]:
    """Return a password as it is, without digits and signs around it, and with letters where digits stand for them."""
    bare = _AROUND.sub("", password)
    forms = {password, bare, *(form.translate(_LETTERS) for form in (password, bare))}
    return forms | {_AROUND.sub("", form) for form in forms}


def new_token() -> str:
    """Return 256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


def random_password() -> str:
    """Return a password of 80 random bits that can be read aloud: four groups of four letters."""
    letters = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(16))
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def token_hash(token: str) -> bytes:
    """Return what the table keeps of a token; a stolen table opens no session."""
    return hashlib.sha256(token.encode()).digest()


def is_forged(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether an unsafe request did not come from our own pages.

    Every browser since 2023 sends ``Sec-Fetch-Site``; older ones send ``Origin`` with a form.
    Neither means we cannot know, and then the answer is no (fail closed).
    """
    if method in SAFE_METHODS:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin", "")
    return not origin or urlsplit(origin).netloc != headers.get("host")


def own_path(target: str | None) -> str:
    """Return ``target`` when it is a path of this site, else the first page (no open redirect)."""
    wanted = target or "/"
    # A browser reads "/\evil" and "//evil" as another host, and drops tabs and newlines first.
    if not re.fullmatch(r"/(?![/\\])[!-~]*", wanted) or "\\" in wanted:
        return "/"
    return wanted


def delay_ms(failures: int) -> int:
    """Return how long an account rests after so many wrong passwords: 5 s, 10 s, 20 s ... 15 minutes."""
    if failures <= FREE_FAILURES:
        return 0
    return min(MAX_DELAY_MS, 5_000 << min(failures - FREE_FAILURES - 1, 20))
