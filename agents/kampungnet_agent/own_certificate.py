"""The certificate this box shows to a web server in front that asks for one (mTLS).

It adds to the signature of each report and stands for nobody. Standard library only, for memory:
``cryptography`` would take 11 MB to read one date.
"""

import ssl
from pathlib import Path
from typing import NamedTuple

REFUSING_ALERTS = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
)
"""Ends of the names OpenSSL gives to the alerts (RFC 8446, 6.2) by which a server refuses a client's certificate."""
_REFUSING_STATUS = frozenset({400, 403, 495, 496})
_REFUSING_WORDS = b"SSL certificate"
"""In both pages of nginx: "No required SSL certificate was sent" and "The SSL certificate error"."""
_MOST_FLIGHTS = 6


class OwnCertificateError(ValueError):
    """The box's own certificate cannot be used; ``str(error)`` is one sentence without its full stop."""


class OwnCertificate(NamedTuple):
    """Two PEM files."""

    certificate: Path
    """Its own first, then those between it and the authority, if any."""
    key: Path

    def stamp(self) -> tuple[object, ...]:
        """Return what changes when somebody renews the files."""
        return tuple(_stamp(path) for path in self)

    def load(self, context: ssl.SSLContext) -> None:
        """Show this certificate on connections of ``context``; raises :class:`OwnCertificateError`."""
        for path in self:
            try:
                path.open("rb").close()
            except OSError as error:
                raise OwnCertificateError(
                    f"{path} of this box's own certificate cannot be read ({error.strerror})"
                ) from error
        try:
            context.load_cert_chain(self.certificate, self.key, _no_password)
        except (ssl.SSLError, OSError) as error:
            why = getattr(error, "reason", None) or error
            raise OwnCertificateError(
                f"{self.certificate} and {self.key} are no certificate and its key ({why})"
            ) from error

    def valid_until(self) -> str:
        """Return until when it is valid, as OpenSSL writes it; raises :class:`OwnCertificateError`.

        The certificate is shown and verified within this process, as a server would, with itself as the authority:
        the short way to its dates with the standard library.
        """
        showing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        showing.check_hostname, showing.verify_mode = False, ssl.CERT_NONE  # nobody else is at the other end
        asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        asking.verify_mode, asking.verify_flags = ssl.CERT_REQUIRED, ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        for context in (showing, asking):
            self.load(context)
        asking.load_verify_locations(self.certificate)
        try:
            return _shown(showing, asking)
        except ssl.SSLCertVerificationError as error:
            raise OwnCertificateError(f"{self.certificate}: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise OwnCertificateError(f"{self.certificate}: {error.reason}") from error


def is_refusal(error: BaseException) -> bool:
    """Tell whether a broken handshake was a server that wants another certificate, or any at all."""
    return isinstance(error, ssl.SSLError) and (error.reason or "").endswith(REFUSING_ALERTS)


def is_refusing_page(status: int, body: bytes) -> bool:
    """Tell whether an answer is the page of a web server that wants another certificate, or any at all."""
    return status in _REFUSING_STATUS and _REFUSING_WORDS in body


def _shown(showing: ssl.SSLContext, asking: ssl.SSLContext) -> str:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = showing.wrap_bio(back, there), asking.wrap_bio(there, back, server_side=True)
    for _ in range(_MOST_FLIGHTS):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
        seen = server.getpeercert() if server.version() else None
        if seen:
            return str(seen["notAfter"])
    raise OwnCertificateError("the certificate cannot be shown")


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _no_password() -> str:
    # Without this OpenSSL would ask on a terminal that is not there.
    raise OwnCertificateError("the key is locked by a password; the box needs one without")
