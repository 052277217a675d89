"""What a router's page hands over to the login page on the server, and how the answer goes back. Pure.

All of it comes through the browser of whoever asks, so nothing of it is believed: an address is only looked for among
those known for the village, a reason only picks one of our own sentences, and where the guest wanted to go is left
behind, because after the login the router would lead there. Nothing of it is kept.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from kampungnet.core.errors import Unprocessable
from kampungnet.core.languages import N_

MOST_LOGINS: Final = 4
LONGEST_NAME: Final = 40
LONGEST_PASSWORD: Final = 80
CHALLENGE_BYTES: Final = 16

_FOLDER: Final = re.compile(r"/[a-z]{2}(?=/login\Z)")
_MAC: Final = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){5}")
_OCTAL: Final = re.compile(r"(?:\\[0-3][0-7]{2})+")
_REASONS: Final = (
    ("invalid-username", "invalid username or password"),
    ("user-session-limit", "no more sessions are allowed"),
    ("license-session-limit", "session limit reached"),
    ("uptime-limit", "has reached uptime limit"),
    ("traffic-limit", "has reached traffic limit"),
    ("radius-timeout", "radius server is not responding"),
    ("auth-in-progress", "already authorizing"),
    ("chap-missing", "did not send challenge response"),
    ("invalid-mac", "is not allowed to log in from this mac address"),
    ("wrong-mac-username", "this mac address is not yours"),
    ("ippool-empty", "no more free addresses"),
    ("shutting-down", "is shutting down"),
    ("config-error", "configuration error"),
    ("not-logged-in", "you are not logged in"),
    ("internal-error", "internal error"),
)
"""What RouterOS says by itself, in small letters (facts on RouterOS 9.5), and the key of our sentence."""
_OTHER: Final = "radius-reply"
"""Key of the sentence that is true of any refusal."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a password has to be answered with, so that it does not travel the open air."""

    number: bytes
    secret: bytes

    def answer(self, password: str) -> str:
        """Return hex MD5 of number, password and secret (facts on RouterOS 9.3)."""
        return hashlib.md5(self.number + password.encode() + self.secret, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Handed:
    """What was handed over, as far as it can be what it claims to be."""

    login: str | None = None
    """The village's own address that was meant; ``None``: none was given, or one that is not the village's."""
    strange: bool = False
    """An address was given that is not the village's."""
    mac: str = ""
    trial: bool = False
    challenge: Challenge | None = None
    reason: str = ""
    """Key of the sentence why the router refused."""

    def words(self) -> list[tuple[str, str]]:
        """Return it again as it may be handed on to ourselves."""
        found = [("link-login-only", self.login or ""), ("mac", self.mac), ("trial", "yes" if self.trial else "")]
        if self.challenge:
            found += [("chap-id", _octal(self.challenge.number)), ("chap-challenge", _octal(self.challenge.secret))]
        return [(name, value) for name, value in [*found, ("error-type", self.reason)] if value]


def read(given: Mapping[str, str], logins: Sequence[str], ours: Mapping[str, str]) -> Handed:
    """Read what was handed over; ``given`` is one letter for each byte, ``ours`` our own sentences with their keys."""
    asked = given.get("link-login-only", "")
    login = _known(asked, logins) if asked else None
    mac = given.get("mac", "").upper().replace("-", ":")
    return Handed(
        login=login, strange=bool(asked) and login is None, mac=mac if _MAC.fullmatch(mac) else "",
        trial=given.get("trial") == "yes", challenge=_challenge(given), reason=_reason(given, ours),
    )  # fmt: skip


def login_addresses(typed: str) -> tuple[str, ...]:
    """Return the addresses of a village's login that an engineer typed. Raises ``Unprocessable``."""
    found = tuple(dict.fromkeys(typed.split()))
    if len(found) > MOST_LOGINS or not all(_is_login(one) for one in found):
        raise Unprocessable(N_("An address of the login looks like http://wifi.desa/login; four at most, with blanks."))
    return found


def onward(login: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return the link by which a browser logs in at a router."""
    query = urlencode(list(fields))
    return f"{login}?{query}" if query else login


def origins(logins: Iterable[str]) -> list[str]:
    """Return where forms may go."""
    return sorted({f"{urlsplit(one).scheme}://{urlsplit(one).netloc}" for one in logins})


def _is_login(text: str) -> bool:
    try:
        parts = urlsplit(text)
        right = bool(parts.port is None or parts.port)
    except ValueError:
        return False
    plain = bool(re.fullmatch(r"[a-z0-9:.\[\]-]{1,100}", parts.netloc)) and bool(parts.hostname)
    return right and plain and text == f"{parts.scheme}://{parts.netloc}/login" and parts.scheme in {"http", "https"}


def _known(asked: str, logins: Sequence[str]) -> str | None:
    """Return which of the known addresses was meant; the pages in English lie in a folder of their own."""
    plain = _FOLDER.sub("", asked)
    return next((one for one in logins if one == plain), None)


def _challenge(given: Mapping[str, str]) -> Challenge | None:
    number, secret = (_bytes(given.get(name, "")) for name in ("chap-id", "chap-challenge"))
    right = len(number) == 1 and len(secret) == CHALLENGE_BYTES
    return Challenge(number, secret) if right else None


def _bytes(text: str) -> bytes:
    r"""Return bytes that came as ``\371`` or as themselves: which of them an escaped variable is, no fact says."""
    if _OCTAL.fullmatch(text):
        return bytes(int(one, 8) for one in text.split("\\")[1:])
    return text.encode("latin-1", "replace")


def _octal(data: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in data)


def _reason(given: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """Return the key of why a router refused; any other text is answered by the sentence that is always true."""
    key, text = (
        given.get("error-type", ""),
        given.get("error", "").encode("latin-1", "replace").decode(errors="replace"),
    )
    if key in {_OTHER, *(one for one, _ in _REASONS)}:
        return key
    if not text:
        return ""
    said = text.strip().lower()
    return ours.get(text.strip()) or next((one for one, begins in _REASONS if begins in said), _OTHER)
