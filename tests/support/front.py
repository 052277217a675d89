"""A web server in front of ours that asks boxes for certificates: nginx from Debian, unprivileged, on loopback."""

import datetime
import ipaddress
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.monitoring import tool
from tests.support.ports import free_port

PATIENCE_SECONDS = 60.0
_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{}}
http {{
  log_format passed "$status $request_uri [$upstream_addr]";
  access_log {folder}/access.log passed;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_client_certificate {authority};
    ssl_verify_client on;
    location / {{
      proxy_pass http://127.0.0.1:{behind};
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
    }}
  }}
}}
"""


class Pair(NamedTuple):
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path

    def copy_to(self, other: "Pair") -> None:
        """Renew other files by these, each at once, the key first."""
        for ours, theirs in ((self.key, other.key), (self.certificate, other.certificate)):
            new = theirs.with_suffix(".new")
            new.write_bytes(ours.read_bytes())
            new.chmod(0o600)
            new.replace(theirs)


class Authority:
    """Signs certificates; its own lies in ``certificate``."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.certificate = folder / f"{name}.pem"
        start = _builder(self._name, self._name, self._key, days=30)
        ours = start.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate.write_bytes(_pem(ours.sign(self._key, hashes.SHA256())))

    def issue(self, name: str, days: int = 10, *, server: bool = False) -> Pair:
        """Write a certificate for a box, or for a server on loopback; ``days`` below 0: it is over already."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        start = _builder(_named(name), self._name, key, days)
        start = start.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if server:
            here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            start = start.add_extension(x509.SubjectAlternativeName([here]), critical=False)
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.certificate.write_bytes(_pem(start.sign(self._key, hashes.SHA256())))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        pair.key.chmod(0o600)
        return pair


class Front(NamedTuple):
    """A running nginx."""

    url: str
    folder: Path

    def answered(self) -> list[str]:
        """Return a line for each request: status, path, and in brackets the server behind that was asked, or -."""
        return (self.folder / "access.log").read_text().splitlines()


@contextmanager
def nginx(folder: Path, behind: int, own: Pair, authority: Path) -> Iterator[Front]:
    """Run nginx before port ``behind``, for those alone who show a certificate of the authority."""
    program, port = tool("nginx", "nginx-light"), free_port()
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder, port=port, certificate=own.certificate, key=own.key, authority=authority, behind=behind
        )
    )
    # Of root's the worker would become another user, who may not look into the test's folder.
    more = ["-g", "user root;"] if os.geteuid() == 0 else []
    with (folder / "said.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config), *more],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (folder / "nginx.pid").exists():
            assert process.poll() is None, (folder / "said.log").read_text()
            assert time.monotonic() < deadline, "nginx did not start"
            time.sleep(0.02)
        yield Front(f"https://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
