"""The line to the server over TLS: trusted authority, foreign authority, clock of the box."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kampungnet_agent.line import Line, LineError


class TlsServer(NamedTuple):
    url: str
    certificate: Path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


class _Quiet(HTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that does not trust us hangs up


def certificate_for_loopback(folder: Path, days: int) -> Path:
    """Write a self-signed certificate with its key; ``days`` may be negative: it is over already."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kampungnet test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"server{days}.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture(params=[10])
def tls_server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[TlsServer]:
    certificate = certificate_for_loopback(tmp_path, request.param)
    server = _Quiet(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield TlsServer(f"https://127.0.0.1:{server.server_address[1]}", certificate)
    server.shutdown()
    server.server_close()


def test_an_authority_of_ones_own_is_trusted_when_the_settings_name_it(tls_server: TlsServer) -> None:
    line = Line(tls_server.url, tls_server.certificate)
    assert line.request("GET", "/").body == b"ok"
    line.close()


def test_a_server_nobody_vouches_for_gets_nothing(tls_server: TlsServer) -> None:
    with pytest.raises(LineError, match="certificate is not trusted"):
        Line(tls_server.url).request("GET", "/")


@pytest.mark.parametrize("tls_server", [-1], indirect=True)
def test_a_certificate_out_of_date_makes_one_look_at_the_clock(tls_server: TlsServer) -> None:
    with pytest.raises(LineError, match=r"is the clock of this box right\?"):
        Line(tls_server.url, tls_server.certificate).request("GET", "/")


def test_a_missing_authority_file_is_an_error_of_the_line_not_a_crash(tls_server: TlsServer) -> None:
    with pytest.raises(LineError):
        Line(tls_server.url, Path("/nowhere/ca.pem")).request("GET", "/")
