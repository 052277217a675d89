"""One lasting HTTP connection to the server: bytes out, answer in. Standard library only, for memory."""

import contextlib
import http.client
import socket
import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

MAX_ANSWER_BYTES = 1_000_000
SOCKET_TIMEOUT_SECONDS = 30.0
_STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class LineError(Exception):
    """No answer: network, TLS, or something that is not HTTP; ``str(error)`` is one sentence."""


class Answer(NamedTuple):
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        """Tell whether the answer says it is JSON; a captive portal's page does not."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


class Line:
    """Keep-alive connection to one server; blocking, for one worker thread."""

    def __init__(self, url: str, ca_file: Path | None = None, timeout_seconds: float = SOCKET_TIMEOUT_SECONDS) -> None:
        """Name the server; ``timeout_seconds`` is the longest silence on the line."""
        self._timeout_seconds = timeout_seconds
        self._url = urlsplit(url)
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._connection: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send one request and read its answer to the end; raises :class:`LineError`.

        A connection the server closed while it was idle is opened again once: a repeated
        report changes nothing on the server.
        """
        fresh = self._connection is None
        try:
            return self._exchange(method, path, body, headers or {})
        except _STALE as error:
            self.close()
            if fresh:
                raise LineError(_sentence(error)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise LineError(_sentence(error)) from error
        return self.request(method, path, body, headers)

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def abort(self) -> None:
        """Make a request that hangs in another thread fail at once."""
        connection = self._connection
        sock = connection.sock if connection is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request(method, path, body or None, headers)
        response = self._connection.getresponse()
        content = response.read(MAX_ANSWER_BYTES + 1)
        if len(content) > MAX_ANSWER_BYTES:
            raise ValueError("the answer is larger than 1 MB")
        if response.will_close:
            self.close()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._timeout_seconds)
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._ca_file)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        return http.client.HTTPSConnection(host, port, timeout=self._timeout_seconds, context=self._context)


def _sentence(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name of the server cannot be resolved ({error.strerror})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted ({error.verify_message}); is the clock of this box right?"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    return f"the line to the server broke: {error or type(error).__name__}"
