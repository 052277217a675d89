"""One metrics store, asked over HTTP: what it said to a request, in the three ways that matter to the sender."""

import base64
import enum
import http.client
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import cramjam

from kampungnet.core.errors import BadInput
from kampungnet.measurement.installation import number

URL: Final = "KAMPUNGNET_REMOTE_WRITE_URL"
TOKEN_FILE: Final = "KAMPUNGNET_REMOTE_WRITE_TOKEN_FILE"  # noqa: S105 -- the name of a setting
BASIC_AUTH_FILE: Final = "KAMPUNGNET_REMOTE_WRITE_BASIC_AUTH_FILE"
WINDOW_DAYS: Final = "KAMPUNGNET_REMOTE_WRITE_WINDOW_DAYS"
DAY_MS: Final = 86_400_000
MOST_OF_AN_ANSWER: Final = 2_000
TIMEOUT_SECONDS: Final = 30.0
_PORTS: Final = range(1, 65_536)
_HEADERS: Final = {
    "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "User-Agent": "kampungnet",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}  # fmt: skip
_OUT_OF_WINDOW: Final = re.compile(r"too old|out of bounds", re.IGNORECASE)
_OF_SAMPLES: Final = {400, 409, 413, 422}
"""Answers that say that something in the request will never be taken."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where samples go. Off without a URL."""

    url: str
    window_ms: int = 7 * DAY_MS
    """How far back the store takes samples out of order."""
    authorization: str = field(default="", repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Settings | None":
        """Read the settings; ``None`` when no store is named. Raises ``BadInput`` naming the one that is wrong."""
        url = address(environment)
        return cls(url, window_ms(environment), _authorization(environment)) if url else None

    @property
    def store(self) -> str:
        """Return the store's name: its URL."""
        return self.url


def window_ms(environment: Mapping[str, str]) -> int:
    """Return how far back the store takes samples out of order. Raises ``BadInput`` for what is no number of days."""
    return number(environment, WINDOW_DAYS, 7) * DAY_MS


def address(environment: Mapping[str, str]) -> str:
    """Return where samples go, empty when no store is named. Raises ``BadInput`` for what is no address."""
    url = environment.get(URL, "").strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port in _PORTS)
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInput(f"{URL} is no address: write it like http://127.0.0.1:9090/api/v1/write.")
    if parts.username is not None or parts.password is not None:
        raise BadInput(f"{URL} holds a name or a password: put them into {BASIC_AUTH_FILE}, as name:password.")
    return url


def _authorization(environment: Mapping[str, str]) -> str:
    token, basic = environment.get(TOKEN_FILE), environment.get(BASIC_AUTH_FILE)
    if token and basic:
        raise BadInput(f"{TOKEN_FILE} and {BASIC_AUTH_FILE} are both set: keep one.")
    if token:
        return f"Bearer {_secret(TOKEN_FILE, token)}"
    if basic:
        secret = _secret(BASIC_AUTH_FILE, basic)
        if ":" not in secret:
            raise BadInput(f"The file of {BASIC_AUTH_FILE} holds no name:password.")
        return f"Basic {base64.b64encode(secret.encode()).decode()}"
    return ""


def _secret(setting: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The file of {setting} cannot be read: {path}.") from error
    if not text.isascii() or not text.isprintable() or not text:
        raise BadInput(f"The file of {setting} must hold one line of plain characters.")
    return text


class Said(enum.Enum):
    """What a store said to a request."""

    TAKEN = "taken"
    REFUSED = "refused"
    """Something in it will never be taken."""
    LATER = "later"
    """Nothing is wrong with the request: send it again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a store said, and in which words."""

    said: Said
    text: str = ""
    is_window: bool = False
    """It refused because of the time of a sample."""
    after_seconds: float = 0.0
    """When it wants to be asked again."""
    lost: bool = False
    """It went away, perhaps with its last seconds."""


class Store:
    """Connections to a store that last from request to request; several threads may send at once."""

    def __init__(self, settings: Settings, timeout: float = TIMEOUT_SECONDS) -> None:
        self._settings, self._timeout = settings, timeout
        parts = urlsplit(settings.url)
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = dict(_HEADERS)
        if settings.authorization:
            self._headers["Authorization"] = settings.authorization
        self._idle: list[http.client.HTTPConnection] = []

    def send(self, plain: bytes) -> Answer:
        """Send one request and return what the store said. It never raises for what a store does."""
        body = bytes(cramjam.snappy.compress_raw(plain))
        connection = self._idle.pop() if self._idle else self._connection()
        try:
            connection.request("POST", self._path, body, self._headers)
            response = connection.getresponse()
            text = response.read(MOST_OF_AN_ANSWER).decode(errors="replace").strip()
            if not response.isclosed():  # more than we want to hear
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Answer(Said.LATER, f"{type(error).__name__}: {error}"[:200], lost=True)
        self._idle.append(connection)
        return judged(response.status, text, response.headers.get("Retry-After", ""))

    def close(self) -> None:
        """Hang up."""
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)


def judged(status: int, text: str, retry_after: str = "") -> Answer:
    """Return what an answer means. Prometheus 2.42 says 500 of a sample that is too old (facts: operations 2.2)."""
    sentence = f"{status}: {' '.join(text.split())[:200]}"
    is_window = bool(_OUT_OF_WINDOW.search(text))
    if 200 <= status < 300:
        return Answer(Said.TAKEN)
    if status in _OF_SAMPLES or (status == 500 and is_window):
        return Answer(Said.REFUSED, sentence, is_window)
    after = float(retry_after) if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 7 else 0.0
    return Answer(Said.LATER, sentence, after_seconds=after, lost=status >= 500)
