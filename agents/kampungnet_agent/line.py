"""One lasting HTTP connection to the server: bytes out, answer in. Standard library only, for memory."""

import contextlib
import http.client
import socket
import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from kampungnet_agent.own_certificate import OwnCertificate, OwnCertificateError, is_refusal, is_refusing_page
from kampungnet_agent.settings import ServerTable, own_certificate

MAX_ANSWER_BYTES = 1_000_000
SOCKET_TIMEOUT_SECONDS = 30.0
_STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)


class LineError(Exception):
    """No answer: network, TLS, or something that is not HTTP; ``str(error)`` is one sentence."""


class CertificateRefusedError(LineError):
    """The web server in front of ours wants a certificate of this box, or another one."""


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

    def __init__(
        self,
        url: str,
        ca_file: Path | None = None,
        timeout_seconds: float = SOCKET_TIMEOUT_SECONDS,
        own: OwnCertificate | None = None,
    ) -> None:
        """Name the server; ``timeout_seconds`` is the longest silence, ``own`` the certificate this box shows."""
        self._timeout_seconds = timeout_seconds
        self._url = urlsplit(url)
        self._ca_file = ca_file
        self._own = own
        self._own_stamp: tuple[object, ...] = ()
        self._context: ssl.SSLContext | None = None
        self._connection: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send one request and read its answer to the end; raises :class:`LineError`.

        A connection the server closed while it was idle is opened again once: a repeated
        report changes nothing on the server.
        """
        fresh = self._connection is None
        try:
            answer = self._exchange(method, path, body, headers or {})
        except _STALE as error:
            why = self._last_words() or error
            self.close()
            if fresh:
                raise self._broken(why) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise self._broken(error) from error
        else:
            if not answer.is_json and is_refusing_page(answer.status, answer.body):
                self.close()
                raise self._refused()
            return answer
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

    def _last_words(self) -> OSError | None:
        """Return the alert of a server that hung up while we spoke: in TLS 1.3 it comes after the handshake."""
        sock = self._connection.sock if self._connection is not None else None
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.recv(1)
        except OSError as error:
            return error
        return None

    def _broken(self, error: Exception) -> LineError:
        return self._refused() if is_refusal(error) else LineError(_sentence(error))

    def _refused(self) -> CertificateRefusedError:
        if self._own is None:
            return CertificateRefusedError(
                "the web server in front of KampungNet wants a certificate of this box; set client_certificate_file"
            )
        sentence = "the web server in front of KampungNet refuses the certificate of this box"
        try:
            self._own.valid_until()
        except OwnCertificateError as error:
            return CertificateRefusedError(f"{sentence}: {error}")
        return CertificateRefusedError(f"{sentence}; is it of the right authority?")

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._timeout_seconds)
        return http.client.HTTPSConnection(host, port, timeout=self._timeout_seconds, context=self._tls())

    def _tls(self) -> ssl.SSLContext:
        """Return the rules of TLS; made anew when somebody renewed the box's certificate."""
        stamp = self._own.stamp() if self._own is not None else ()
        if self._context is None or stamp != self._own_stamp:
            context = ssl.create_default_context(cafile=self._ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self._own is not None:
                self._own.load(context)
            self._context, self._own_stamp = context, stamp
        return self._context


def line_to(server: ServerTable, timeout_seconds: float = SOCKET_TIMEOUT_SECONDS) -> Line:
    """Return a line to the server of agent.toml: every request of a running box goes this way."""
    ca_file = Path(server.ca_file) if server.ca_file else None
    return Line(server.url, ca_file, timeout_seconds, own_certificate(server))


def _sentence(error: Exception) -> str:
    if isinstance(error, OwnCertificateError):
        return str(error)
    if isinstance(error, socket.gaierror):
        return f"the name of the server cannot be resolved ({error.strerror})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted ({error.verify_message}); is the clock of this box right?"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    return f"the line to the server broke: {error or type(error).__name__}"
