"""The two ways ``api-ssl`` speaks TLS: a self-signed certificate, or no certificate at all.

Without a certificate RouterOS agrees on a key by anonymous Diffie-Hellman (facts/routeros.md, 1.12).
"""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

# The group ffdhe2048 of RFC 7919: Python's ssl wants it as a file.
_FFDHE2048 = """-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""


def anonymous_context() -> ssl.SSLContext:
    """No certificate; clients must ask for ``ADH:@SECLEVEL=0``. TLS 1.3 has no anonymous key agreement."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH:@SECLEVEL=0")
    with tempfile.TemporaryDirectory() as folder:
        group = Path(folder) / "group.pem"
        group.write_text(_FFDHE2048)
        context.load_dh_params(str(group))
    return context


def self_signed_context() -> ssl.SSLContext:
    """A fresh certificate of the router's own, as ``/certificate sign`` makes one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "router.pem"
        both.touch(mode=0o600)
        both.write_bytes(_certificate_and_key())
        context.load_cert_chain(both)
    return context


def _certificate_and_key() -> bytes:
    # Only who wants TLS needs the library.
    from cryptography import x509  # noqa: PLC0415 -- see above
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 -- see above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 -- see above

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "router.lan")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
